"""Detections: Sigma rules read, turned into filters, and asked of any reader of events."""
