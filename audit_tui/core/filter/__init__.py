"""The conditions that choose events, their operators, and what they say of an event."""
