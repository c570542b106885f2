"""Writing: appending events, and taking content away as recorded acts."""
