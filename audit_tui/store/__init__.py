"""The SQLite file that holds the events: the only place with sqlite3."""
