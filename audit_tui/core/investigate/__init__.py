"""What a reviewer does with events: compare, pair, mark, keep and take out."""
