"""Sentences that tell an event, out of names, patterns and a table of words a product."""
