"""The tables of a store, and an event as their rows."""
