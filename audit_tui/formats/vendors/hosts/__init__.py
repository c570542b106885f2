"""Hosts: audit trails of systems, and what watches them."""
