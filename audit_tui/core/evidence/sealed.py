"""The results of a check of the seals, for the command and for the screen."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from audit_tui.core.event import number_text
from audit_tui.core.record import Record
from audit_tui.core.text import counted

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken


MAX_RUNS = 100_000


class Wrong(StrEnum):
    """A thing that can be wrong with events; the value is the word in JSON."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    """Not sealed: nobody who records wrote it."""
    RETURNED = "returned"
    """Declared as pruned, but it exists."""
    UNREADABLE = "unreadable"
    """SQLite cannot read it."""
    SEAL = "seal"
    """The seals of these events do not fit together: at least one of the events may be forged."""

    @property
    def words(self) -> str:
        """The same for a person."""
        return _WORDS[self]


_WORDS = {
    Wrong.CHANGED: "content changed",
    Wrong.MISSING: "missing, no declared prune",
    Wrong.ADDED: "not sealed: added outside audit-tui",
    Wrong.RETURNED: "declared as pruned, but it exists",
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
        """The number of these events."""
        return self.last_seq - self.first_seq + 1

    @property
    def numbers(self) -> str:
        """Their numbers for people: ``event 7``, ``events 7-9``."""
        first, last = self.first_seq, self.last_seq
        return f"event {first:,}" if first == last else f"events {first:,}-{last:,}"


class WrongRuns:
    """Gathers wrong events, one after the other, into runs."""

    def __init__(self) -> None:
        self.runs: list[WrongEvents] = []
        self.unlisted_events = 0
        """Wrong events beyond the first ``MAX_RUNS`` runs: a hostile store must not fill the memory."""

    def add(self, wrong: Wrong, first_seq: int, last_seq: int | None = None) -> None:
        """Note some more; none of them was noted before."""
        last_seq = first_seq if last_seq is None else last_seq
        before = self.runs[-1] if self.runs else None
        if before is not None and before.wrong is wrong and before.last_seq + 1 == first_seq:
            self.runs[-1] = WrongEvents(wrong, before.first_seq, last_seq)
        elif len(self.runs) < MAX_RUNS:
            self.runs.append(WrongEvents(wrong, first_seq, last_seq))
        else:
            self.unlisted_events += last_seq - first_seq + 1


class SealState(StrEnum):
    """The state of the seals, for a status line."""

    CHECKING = "checking"
    """Nothing wrong so far."""
    HOLDS = "holds"
    """Every event up to the newest seal matches."""
    OLDER = "older"
    """All that is here matches, but there were more events when this was last verified."""
    BROKEN = "broken"
    UNSEALED = "unsealed"
    """There are no seals, or they cannot be read."""


class SealStatus(Record):
    """The reach of a check of the seals, and its results."""

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
    """Runs of wrong events, by number; at most MAX_WRONG_RUNS."""
    message: str = ""
    """A fault of the seals themselves, or the reason why nothing can be checked; empty when there is none."""
    pruned_events: int = 0
    """Events that were deleted by a declared act."""
    redacted_events: int = 0
    """Events with parts that a declared act replaced."""
    declaring_seqs: tuple[int, ...] = ()
    """The events that declare these removals."""
    read_at_s: float | None = None
    """The time at which the check of all events began, in seconds since 1970; None before the first ended."""
    is_shared: bool = False
    """It is of what several hosts shipped to an engine."""
    is_written_to: bool = False
    """The file was written to since, so that the events read before may have been changed as well: what was
    appended was checked, the others are read again before long."""

    @property
    def first_wrong_seq(self) -> int | None:
        """The first wrong event; None when none is known."""
        return min((run.first_seq for run in self.wrong), default=None)

    @property
    def words(self) -> str:
        """The status in a few words, for a status line."""
        match self.state:
            case SealState.UNSEALED:
                return "not sealed"
            case SealState.BROKEN:
                first = self.first_wrong_seq
                return "seals broken" if first is None else f"broken at event {number_text(first)}"
            case SealState.OLDER:
                return "older copy"
            case SealState.CHECKING:
                return "checking the seals"
            case SealState.HOLDS:
                return f"verified up to {self.verified_seq:,}, not anchored"

    @property
    def removal_words(self) -> str:
        """Removals by declared acts, for the end of a list and a dialog; empty when nothing was removed."""
        parts = []
        if self.pruned_events:
            parts.append(f"{counted(self.pruned_events, 'event')} pruned here")
        if self.redacted_events:
            parts.append(f"{counted(self.redacted_events, 'event')} redacted")
        return ", ".join(parts)


MAX_WRONG_RUNS = 1_000


class SealChecker(Protocol):
    """Checks the seals of a store in the background, for one thread at a time.

    It goes on where it ended: a second ``run`` checks what was added since. It begins again by itself where
    something else than an append may have changed what it read.
    """

    def run(self, report: Callable[[SealStatus], None], cancel: CancelToken | None = None) -> SealStatus:
        """Check what is not checked yet, in short snapshots, and report after each.

        Raises:
            QueryCancelled: If the token is cancelled; what was checked stays checked.
            StoreError: If the store cannot be read now.
        """
        ...

    def is_due(self) -> bool:
        """Tell whether a run would find more to check: 0.1 ms, fit to be asked every second."""
        ...

    def begin_again(self) -> None:
        """Let the next run check the store that lies there now, and read again what may have changed."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...
