"""The formats of products: one module each, that detects its records and maps them to events."""
