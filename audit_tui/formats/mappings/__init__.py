"""Mapping files that come with the program: ``--mapping NAME``, and examples to copy."""
