"""Time: ranges and presets, the calendar, zones, and the buckets of a histogram."""
