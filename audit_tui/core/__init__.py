"""What the program knows about events, filters, dates and queries: standard library only."""
