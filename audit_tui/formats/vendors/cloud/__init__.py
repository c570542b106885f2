"""Clouds and what runs there: their audit logs."""
