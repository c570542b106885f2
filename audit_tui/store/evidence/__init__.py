"""The seals of the stored events: making, walking, verifying and proving them."""
