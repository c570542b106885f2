"""Reading: the reader of the screen and of the commands."""
