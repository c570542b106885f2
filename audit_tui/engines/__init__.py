"""Shared engines that hold copies of many sealed stores, and tables of other programs."""
