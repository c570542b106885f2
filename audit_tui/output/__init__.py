"""Writing events and totals as JSON, CSV, Markdown and tables."""
