"""The file: opening and locking it, and what else may lie in its place."""
