"""A case to write: which events, with which notes, and how to find them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.record import Record

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.time.dates import TimeContext


class Search(Record):
    """A way to find events again."""

    name: str
    """Its name: "This view"."""
    line: str
    """A query line."""
    link: str = ""
    """A link that opens the view; empty for none."""


class CaseJob(Record):
    """One case file to write."""

    path: Path
    title: str
    context: TimeContext
    """The zone of its times, and the moment."""
    marks: tuple[tuple[int, str], ...]
    """The numbers of the marked events in the order of time, each with its note."""
    searches: tuple[Search, ...] = ()
    verdict: str = ""
    """The words of the seals; empty leaves them to a quick check."""
