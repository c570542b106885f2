"""Audit log formats: one small module each, that detects its records and maps them to events."""
