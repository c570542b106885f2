"""One module a screen or dialog; a dialog is a function that returns a value."""
