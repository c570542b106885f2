"""The review screen: the only place with Textual."""
