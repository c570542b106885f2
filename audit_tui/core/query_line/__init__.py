"""The query language: one line that says which events are wanted."""
