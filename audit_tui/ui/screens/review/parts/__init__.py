"""The parts of the review screen that no key asks for."""
