"""Removals that were declared: which events were redacted or pruned, by whom is said in a recorded event.

The ranges lie in ``seal_removed``; what makes them true is the event that they point to, which is sealed as
any other and holds a digest of them. A redaction also holds the leaves of what it left, so that nobody can
hide a second change behind it.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.evidence.merkle import BLOCK_LEAVES, HASH_BYTES
from audit_tui.core.text import counted
from audit_tui.store.evidence.content import Content, stored_leaf

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

ACTION = "Action"
REDACT, PRUNE = "redact", "prune"
REASON = "Reason"
FIELDS = "Fields"
EVENTS = "Events"
RANGES = "Numbers"
DIGEST = "Numbers SHA-256"
LEAVES = "Leaves"
"""The names in the metadata of a declaring event."""
MAX_RANGES_TEXT = 2_000
"""A longer list of ranges is cut in the event; its digest says the rest."""


class Declaration(NamedTuple):
    """One redaction or pruning."""

    event_seq: int
    """The event that declares it."""
    action: str
    events: int


class Declared:
    """All declared removals of a store.

    Args:
        pruned: Ranges of numbers, first and last, in order, none touching another.
        redacted: The leaf of what a redaction left, by number.
        declarations: What declared them.
        problems: What is wrong with the declarations, in words.
    """

    def __init__(
        self,
        pruned: Sequence[tuple[int, int]] = (),
        redacted: Mapping[int, bytes] | None = None,
        declarations: Sequence[Declaration] = (),
        problems: Sequence[str] = (),
    ) -> None:
        self.pruned = _merged(pruned)
        self.redacted = redacted or {}
        self.declarations = tuple(declarations)
        self.problems = tuple(problems)
        self._firsts = [first for first, _ in self.pruned]
        self._lasts = [last for _, last in self.pruned]

    @property
    def declaring(self) -> frozenset[int]:
        """The events that declare: they are never removed themselves."""
        return frozenset(one.event_seq for one in self.declarations)

    def is_pruned(self, seq: int) -> bool:
        """Whether the event was declared as pruned."""
        at = bisect_right(self._firsts, seq) - 1
        return at >= 0 and seq <= self._lasts[at]

    def pruned_count(self, first: int, last: int) -> int:
        """How many of these numbers were declared as pruned."""
        start, end = bisect_left(self._lasts, first), bisect_right(self._firsts, last)
        return sum(min(last, self._lasts[at]) - max(first, self._firsts[at]) + 1 for at in range(start, end))


def read_declared(connection: sqlite3.Connection) -> Declared:
    """Read the declared removals, and check each against the event that declares it.

    Args:
        connection: Gives texts as bytes.
    """
    pruned: list[tuple[int, int]] = []
    redacted: dict[int, bytes] = {}
    declarations: list[Declaration] = []
    problems: list[str] = []
    content = Content(connection)
    rows = connection.execute(
        "SELECT event_seq, first_seq, last_seq FROM seal_removed ORDER BY event_seq, first_seq"
    ).fetchall()
    for event_seq, group in groupby(rows, lambda row: int(row[0])):
        ranges = [(int(first), int(last)) for _, first, last in group]
        said = _said_by(content, event_seq)
        if said is None or said.get(DIGEST) != ranges_digest(ranges):
            problems.append(
                f"{counted(events_in(ranges), 'removed event')} from {ranges[0][0]:,} to {ranges[-1][1]:,}:"
                f" event {event_seq:,}, which is said to declare that, does not"
            )
            continue
        leaves = _leaves_of(said)
        if said.get(ACTION) == PRUNE:
            pruned += ranges
        else:
            redacted.update(leaves)
        declarations.append(Declaration(event_seq, str(said.get(ACTION)), events_in(ranges)))
    return Declared(sorted(pruned), redacted, declarations, problems)


def ranges_of(seqs: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers in ascending order as ranges, first and last."""
    ranges: list[tuple[int, int]] = []
    for seq in seqs:
        if ranges and ranges[-1][1] + 1 == seq:
            ranges[-1] = (ranges[-1][0], seq)
        else:
            ranges.append((seq, seq))
    return ranges


def events_in(ranges: Iterable[tuple[int, int]]) -> int:
    """How many numbers there are in ranges."""
    return sum(last - first + 1 for first, last in ranges)


def ranges_text(ranges: Iterable[tuple[int, int]]) -> str:
    """Ranges as ``1-5000,5003``."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def ranges_digest(ranges: Iterable[tuple[int, int]]) -> str:
    """What a declaring event says of its ranges, however many they are."""
    return sha256(ranges_text(ranges).encode()).hexdigest()


def _said_by(content: Content, event_seq: int) -> dict[str, Any] | None:
    """The metadata of an event whose content matches its seal; None if there is none."""
    rows = content.rows(event_seq, event_seq)
    block, place = divmod(event_seq - 1, BLOCK_LEAVES)
    found = content.connection.execute("SELECT leaves FROM seal_block WHERE block = ?", (block,)).fetchone()
    if not rows or found is None:
        return None
    if stored_leaf(rows[0], content.names) != found[0][place * HASH_BYTES :][:HASH_BYTES]:
        return None
    try:
        said = json.loads(rows[0].metadata or b"")
    except (ValueError, TypeError, RecursionError):
        return None
    return said if isinstance(said, dict) and said.get(ACTION) in (REDACT, PRUNE) else None


def _leaves_of(said: Mapping[str, Any]) -> dict[int, bytes]:
    leaves = said.get(LEAVES)
    try:
        return {int(seq): bytes.fromhex(leaf) for seq, leaf in dict(leaves or {}).items()}
    except (ValueError, TypeError):
        return {}


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in ranges:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
