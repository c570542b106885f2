"""Privacy: pseudonyms in the place of names, and secrets that stand in events by accident."""
