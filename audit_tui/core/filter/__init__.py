"""Which events are meant: conditions, their operators, and what they say of an event."""
