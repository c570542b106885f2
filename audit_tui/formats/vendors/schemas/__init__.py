"""Schemas that many products write."""
