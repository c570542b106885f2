"""The detail pane, and other lines to read."""
