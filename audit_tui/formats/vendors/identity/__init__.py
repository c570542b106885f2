"""Identities, secrets and access."""
