"""What a check of the seals found, for the command and for the screen."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from audit_tui.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.cancel import CancelToken


MAX_RUNS = 100_000


class Wrong(StrEnum):
    """What can be wrong with events; the value is the word in JSON."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    """Not sealed: nobody who records wrote it."""
    RETURNED = "returned"
    """Declared as pruned, but there."""
    UNREADABLE = "unreadable"
    """SQLite cannot read it."""
    SEAL = "seal"
    """The seals of these events do not fit together: at least one of the events may be forged."""

    @property
    def words(self) -> str:
        """What is wrong, for a person."""
        return _WORDS[self]


_WORDS = {
    Wrong.CHANGED: "content changed",
    Wrong.MISSING: "missing, no declared prune",
    Wrong.ADDED: "not sealed: added outside audit-tui",
    Wrong.RETURNED: "declared as pruned, but it is there",
    Wrong.UNREADABLE: "cannot be read: the file is damaged",
    Wrong.SEAL: "their seals were altered: any of them may be forged",
}


class WrongEvents(Record):
    """A run of events, by number, with which the same is wrong."""

    wrong: Wrong
    first_seq: int
    last_seq: int
    sealed_at_s: int | None = None
    """The time at which they were sealed at the latest, in seconds since 1970; None when not known."""
    is_time_sealed: bool = False
    """The time stands in a checkpoint; else only the store says so."""

    @property
    def events(self) -> int:
        """How many events these are."""
        return self.last_seq - self.first_seq + 1


class WrongRuns:
    """Gathers wrong events, one after the other, into runs."""

    def __init__(self) -> None:
        self.runs: list[WrongEvents] = []
        self.unlisted_events = 0
        """Wrong events beyond the first ``MAX_RUNS`` runs: a hostile store must not fill the memory."""

    def add(self, wrong: Wrong, first_seq: int, last_seq: int | None = None) -> None:
        """Note some more, of which none was noted before."""
        last_seq = first_seq if last_seq is None else last_seq
        before = self.runs[-1] if self.runs else None
        if before is not None and before.wrong is wrong and before.last_seq + 1 == first_seq:
            self.runs[-1] = WrongEvents(wrong, before.first_seq, last_seq)
        elif len(self.runs) < MAX_RUNS:
            self.runs.append(WrongEvents(wrong, first_seq, last_seq))
        else:
            self.unlisted_events += last_seq - first_seq + 1


class SealState(StrEnum):
    """What the seal in a status line says."""

    CHECKING = "checking"
    """Nothing wrong so far."""
    HOLDS = "holds"
    """Every event up to the newest seal matches."""
    BROKEN = "broken"
    UNSEALED = "unsealed"
    """There are no seals, or they cannot be read."""


class SealStatus(Record):
    """How far the seals of a store are checked, and what was found."""

    state: SealState
    verified_seq: int = 0
    """Every event up to here was checked and, but for ``wrong``, matches its seal."""
    sealed_seq: int = 0
    """The newest sealed event when the check last looked."""
    trusted_seq: int = 0
    """Up to here the events were checked in an earlier session, and now only their seals."""
    is_signed: bool = False
    """The newest seal carries a signature; it is checked only by ``verify --key``."""
    wrong: tuple[WrongEvents, ...] = ()
    """What is wrong, by number; at most MAX_WRONG_RUNS runs."""
    message: str = ""
    """What is wrong with the seals themselves, or why nothing can be checked; empty when nothing is."""

    @property
    def first_wrong_seq(self) -> int | None:
        """The first wrong event; None when none is known."""
        return min((one.first_seq for one in self.wrong), default=None)

    @property
    def words(self) -> str:
        """The status in a few words, for a status line."""
        if self.state is SealState.UNSEALED:
            return "not sealed"
        if self.state is SealState.BROKEN:
            first = self.first_wrong_seq
            return "seals broken" if first is None else f"broken at event {first:,}"
        return f"verified up to {self.verified_seq:,}, not anchored"


MAX_WRONG_RUNS = 1_000


class SealChecker(Protocol):
    """Checks the seals of a store in the background, for one thread at a time.

    It goes on where it ended: a second ``run`` checks what was added since.
    """

    def run(self, report: Callable[[SealStatus], None], cancel: CancelToken | None = None) -> SealStatus:
        """Check what is not checked yet, in short snapshots, and report after each.

        Raises:
            QueryCancelled: If the token is cancelled; what was checked stays checked.
            StoreError: If the store cannot be read.
        """
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...
