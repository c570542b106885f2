"""A finding of an examination: how it is, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from audit_tui.core.record import Record


class Level(StrEnum):
    """The weight of a finding."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing has to be done."""
    WRONG = "wrong"
    """To be mended."""


class Finding(Record):
    """One thing that was looked at."""

    topic: str
    """The thing that was looked at, in a word or two."""
    level: Level
    message: str
    """The finding in a sentence; may quote names from outside."""
    fix: str = ""
    """The remedy; empty when there is nothing to do."""
