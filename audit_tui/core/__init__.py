"""Events, filters, dates and queries: standard library only."""
