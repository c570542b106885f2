"""Read, record and verify audit logs in a terminal."""

__version__ = "0.1.0"
