"""A believable account to try the program on: the same events for the same values."""
