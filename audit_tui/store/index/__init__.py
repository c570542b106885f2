"""The index: every answer about events as arithmetic on bitmaps."""
