"""What an examination finds: how it is, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from audit_tui.core.record import Record


class Level(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing has to be done."""
    WRONG = "wrong"
    """To be mended."""


class Finding(Record):
    """One thing that was looked at."""

    topic: str
    """What was looked at, in a word or two."""
    level: Level
    message: str
    """What was found, in a sentence; may quote names from outside."""
    fix: str = ""
    """What to do about it; empty when nothing."""
