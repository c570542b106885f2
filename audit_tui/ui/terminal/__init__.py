"""Every touch of the terminal and of private parts of Textual, each with its test."""
