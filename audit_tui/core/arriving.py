"""Events that come into a store while they are looked at."""

from __future__ import annotations

from typing import Protocol

from audit_tui.core.record import Record
from audit_tui.core.text import counted


class Arrival(Record):
    """The progress of the reading of logs."""

    events: int = 0
    """Read so far."""
    about: int | None = None
    """Roughly the number that there will be; None when that cannot be told, of a pipe for example."""
    is_done: bool = False
    is_stopped: bool = False
    """It was ended before its end; what was read stays."""
    work: str = ""
    """The work that follows the reading; empty while it reads."""
    problem: str = ""
    """A sentence on what is wrong; empty when nothing is."""
    remark: str = ""
    """A word on what was read, when it is done."""
    title: str = ""
    """The name of what was read, with its number of events, when it is done."""

    @property
    def words(self) -> str:
        """Return it in a few words."""
        if self.problem:
            return self.problem
        if self.is_stopped:
            return _with(f"Stopped: {counted(self.events, 'event')} were read", self.remark)
        if self.is_done:
            return _with(f"All {counted(self.events, 'event')} are read", self.remark)
        if self.work:
            return f"{counted(self.events, 'event')} read, {self.work}"
        if self.about is not None and self.about > self.events:
            return f"{self.events:,} of about {_round(self.about):,} read"
        return f"{counted(self.events, 'event')} read, waiting for more"


class Arrivals(Protocol):
    """Reads logs in the background."""

    def look(self) -> Arrival:
        """Return how far it is; does not block."""
        ...

    def stop(self) -> None:
        """End the reading and keep what was read; does not block."""
        ...


def _with(words: str, remark: str) -> str:
    return f"{words} · {remark}" if remark else words


def _round(number: int) -> int:
    """Return a number with two digits that mean something: ``410,000``."""
    step: int = 10 ** max(0, len(str(number)) - 2)
    return -(-number // step) * step
