"""The review screen, a theme a file; ``screen.py`` puts them together."""
