"""The work of a reviewer: compare, pair, mark, keep and take out events."""
