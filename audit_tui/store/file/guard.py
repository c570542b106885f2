"""The list of all that a viewer's statements may touch, whatever a hostile file holds."""

from __future__ import annotations

import sqlite3

from audit_tui.store.tables.schema import OPTIONAL_TABLES, TABLES

_TABLES = frozenset({*TABLES, *OPTIONAL_TABLES, "sqlite_schema", "sqlite_master", ""})
"""The empty name is a subquery."""
_FUNCTIONS = frozenset({"count", "ifnull", "instr", "length", "max", "min", "sum"})
_ACTIONS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_TRANSACTION})


def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Allow reading our tables with a few functions; SQLite asks when it prepares a statement."""
    if action in _ACTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ:
        return _verdict(first in _TABLES)
    if action == sqlite3.SQLITE_FUNCTION:
        return _verdict(second in _FUNCTIONS)
    if action == sqlite3.SQLITE_PRAGMA:
        return _verdict(first == "data_version" and second is None)
    return sqlite3.SQLITE_DENY


def _verdict(is_allowed: bool) -> int:
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY
