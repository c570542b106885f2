"""The review screen as commands open it: over a store, over logs, where it was left."""
