"""Evidence without a store: what is sealed of an event, the hash tree, checkpoints and proofs."""
