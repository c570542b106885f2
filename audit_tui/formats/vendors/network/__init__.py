"""Networks: what went from where to where."""
