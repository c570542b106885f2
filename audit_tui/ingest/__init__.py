"""Importing logs: find and open files, split them into records, recognise their format, store events."""
