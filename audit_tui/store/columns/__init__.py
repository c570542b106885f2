"""The events by columns: what counting, paging and totals over millions of events read.

A segment holds a stretch of consecutive seqs, its events in order of time, each column apart. Segments are
optional: events that are in none are read from their rows, and without any the same answers come by SQL.
"""
