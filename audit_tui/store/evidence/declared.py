"""Removals that were declared: the events that were redacted or pruned, and the events that say so.

The ranges lie in ``seal_removed``; what makes them true is the event that they point to. It is sealed as an
act of this program (``leaf.Form.ACT``), which nothing recorded or imported can be, and holds a digest of the
ranges; it speaks only of earlier events. A redaction also holds the leaf of what it left of each event, so
that nobody can hide a second change behind it.

What of a redacted event is proven: every byte that stands there now, by that leaf; that the redacted fields
hold nothing but the mark, by looking. That the other fields are as they were sealed cannot be computed, as
the old leaf is a hash over all of them: it rests on the act, for which the program compared the whole event
with its seal before it replaced the fields.

Before forms were told apart a declaration was sealed as any event (``Form.OLD``). Those stay valid if they
are word for word what this program wrote, and are told apart in what a check says of them: whoever could
record an event then could have written one. None can be made any more: new events are sealed in other forms.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from hashlib import sha256
from itertools import chain, groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.event import json_text
from audit_tui.core.evidence.leaf import Form
from audit_tui.core.evidence.merkle import HASH_BYTES
from audit_tui.core.text import counted
from audit_tui.store.evidence.content import Content, FileRow, sealed_leaf

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    Range = tuple[int, int]

CATEGORY = "Audit log"
SOURCE = "audit-tui"
"""The category and the source of the events that record acts of this program."""
ACTION = "Action"
REDACT, PRUNE = "redact", "prune"
REASON = "Reason"
FIELDS = "Fields"
EVENTS = "Events"
RANGES = "Numbers"
DIGEST = "Numbers SHA-256"
HOST = "Host"
LEAVES = "Leaves"
"""The names in the metadata of a declaring event."""
REDACTED = "[redacted]"
"""Stands in the place of what was redacted."""
REDACT_AT_ONCE = 1_000
"""The most events that one recorded event redacts: it holds the leaves of what is left of them."""
PRUNE_AT_ONCE = 50_000
"""The most events that one recorded event prunes, in one transaction."""
MAX_RANGES_TEXT = 2_000
"""A longer list of ranges is cut in the event; its digest says the rest."""
MAX_METADATA_BYTES = 1_000_000
"""A declaration is shorter: a thousand leaves take 80,000."""
MAX_REDACTED_BYTES = 64 * 1024 * 1024
"""Metadata of an event: no row that a checker reads is longer."""
META_PREFIX = "meta."
MAX_PROBLEMS = 100
_RANDOM_KEY = re.compile(rb"[0-9a-f]{32}")
_OLD_KEYS = (ACTION, REASON, EVENTS, RANGES, DIGEST, HOST)


class Declaration(NamedTuple):
    """One redaction or pruning."""

    event_seq: int
    """The event that declares it."""
    action: str
    events: int
    is_old: bool = False
    """Sealed before forms were told apart: whoever could record an event could have written it."""


class Redaction(NamedTuple):
    """An event after its redaction."""

    leaf: bytes
    """The leaf of what was left of it."""
    fields: frozenset[str]
    """The fields that were redacted, by this and by earlier acts."""
    event_seq: int
    """The event that declares it."""


class Declared:
    """All declared removals of a store.

    Args:
        pruned: Ranges of numbers, first and last, in any order.
        redacted: The events that were redacted, by number.
        declarations: The acts that declared them.
        problems: The declarations that do not hold, in words.
    """

    def __init__(
        self,
        pruned: Iterable[Range] = (),
        redacted: Mapping[int, Redaction] | None = None,
        declarations: Sequence[Declaration] = (),
        problems: Sequence[str] = (),
    ) -> None:
        self.pruned = _merged(sorted(pruned))
        self.redacted = redacted or {}
        self.declarations = tuple(declarations)
        self.problems = tuple(problems)
        self.declaring = frozenset(declaration.event_seq for declaration in declarations)
        """The events that declare: they are never removed themselves."""
        self._firsts = [first for first, _ in self.pruned]
        self._lasts = [last for _, last in self.pruned]

    def is_pruned(self, seq: int) -> bool:
        """Tell whether the event was declared as pruned."""
        at = bisect_right(self._firsts, seq) - 1
        return at >= 0 and seq <= self._lasts[at]

    def is_redacted(self, content: Content, row: FileRow) -> bool:
        """Tell whether a row is what its redaction left, with nothing in the redacted fields."""
        redaction = self.redacted.get(row.seq)
        if redaction is None or content.form_of(row, redaction.leaf) not in (Form.OLD, Form.EVENT):
            return False
        return holds_nothing_in(content.texts(row), redaction.fields)


def read_declared(connection: sqlite3.Connection) -> Declared:
    """Read the declared removals, and check each against the event that declares it.

    Args:
        connection: Gives texts as bytes.
    """
    pruned: list[Range] = []
    redacted: dict[int, Redaction] = {}
    declarations: list[Declaration] = []
    problems: list[str] = []
    content = Content(connection)
    cursor = connection.execute(
        "SELECT event_seq, first_seq, last_seq FROM seal_removed ORDER BY event_seq, first_seq"
    )
    for event_seq, group in groupby(cursor, lambda row: row[0]):
        # More ranges than this no act has; a list without end must not fill the memory.
        ranges = [(first, last) for (_, first, last), _ in zip(group, range(PRUNE_AT_ONCE + 1), strict=False)]
        if not all(type(number) is int for number in (event_seq, *chain(*ranges))):
            problems.append("the list of removals holds something else than numbers")
            continue
        declaration, redactions = _checked(content, event_seq, ranges)
        if declaration is None:
            problems.append(
                f"{counted(events_in(ranges), 'removed event')} from {ranges[0][0]:,} to {ranges[-1][1]:,}:"
                f" event {event_seq:,}, which is said to declare that, does not"
            )
            if len(problems) > MAX_PROBLEMS:
                problems[-1] = "and more that nothing declares"
                break
            continue
        declarations.append(declaration)
        if declaration.action == PRUNE:
            pruned += ranges
        for seq, redaction in redactions.items():
            earlier = redacted.get(seq)
            fields = redaction.fields | (earlier.fields if earlier else frozenset())
            redacted[seq] = redaction._replace(fields=fields)
    return Declared(pruned, redacted, declarations, problems)


def declares_removal(row: FileRow) -> bool:
    """Tell whether the metadata of an act says that it removed something."""
    return _metadata_of(row).get(ACTION) in (REDACT, PRUNE)


def declared_leaves(row: FileRow) -> dict[int, bytes]:
    """Return the leaves that a redaction left, by number, as its event tells them."""
    try:
        return {int(seq): bytes.fromhex(leaf) for seq, leaf in dict(_metadata_of(row)[LEAVES]).items()}
    except (KeyError, ValueError, TypeError):
        return {}


def holds_nothing_in(row: FileRow, fields: Iterable[str]) -> bool:
    """Tell whether redacted fields hold only the mark, and the original, which holds them all, is gone.

    Args:
        row: With the texts of its names.
        fields: As a redaction tells them.
    """
    texts: dict[str, Any] = {
        "user": row.user_id,
        "description": row.description,
        "source_ip": row.source_ip,
        "target": row.target,
    }
    names = [field.removeprefix(META_PREFIX) for field in fields if field.startswith(META_PREFIX)]
    metadata = _metadata_of(row, MAX_REDACTED_BYTES) if names else {}
    return (
        row.original is None
        and all(texts.get(field) in (None, REDACTED.encode()) for field in fields)
        and ("metadata" not in fields or row.metadata in (None, json_text({REDACTED: True}).encode()))
        and not any(redact_in(metadata, name) for name in names)
    )


def redact_in(value: object, name: str) -> int:
    """Put the mark in the places of the values of a name; a dotted name leads into objects.

    Returns:
        How many values were replaced.
    """
    if isinstance(value, list):
        return sum(redact_in(element, name) for element in value)
    if not isinstance(value, dict):
        return 0
    replaced = 0
    for key, inner in value.items():
        if key == name:
            replaced += inner != REDACTED
            value[key] = REDACTED
        elif name.startswith(f"{key}."):
            replaced += redact_in(inner, name[len(key) + 1 :])
    return replaced


def ranges_of(seqs: Iterable[int]) -> list[Range]:
    """Return numbers in ascending order as ranges, first and last."""
    return _merged((seq, seq) for seq in seqs)


def events_in(ranges: Iterable[Range]) -> int:
    """Count the numbers in ranges."""
    return sum(last - first + 1 for first, last in ranges)


def ranges_text(ranges: Iterable[Range]) -> str:
    """Return ranges as ``1-5000,5003``."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def ranges_digest(ranges: Iterable[Range]) -> str:
    """Return the digest of ranges, however many they are, that a declaring event holds."""
    return sha256(ranges_text(ranges).encode()).hexdigest()


def cut_ranges_text(ranges: Iterable[Range]) -> str:
    """Return ranges as a declaring event holds them for people."""
    text = ranges_text(ranges)
    return text if len(text) <= MAX_RANGES_TEXT else f"{text[:MAX_RANGES_TEXT]} ..."


class Wording(NamedTuple):
    """The texts of a declaring event."""

    event: str
    description: str
    target: str


def wording(action: str, user: str, ranges: Sequence[Range], reason: str) -> Wording:
    """Return the texts of the event that declares a removal."""
    word = "redacted" if action == REDACT else "pruned"
    events = events_in(ranges)
    first, last = ranges[0][0], ranges[-1][1]
    where = f"{counted(events, 'event')} ({f'{first:,}' if events == 1 else f'{first:,} to {last:,}'})"
    return Wording(f"Events {word}", f"{user} {word} {where}: {reason}", where)


def _checked(
    content: Content, event_seq: int, ranges: Sequence[Range]
) -> tuple[Declaration | None, Mapping[int, Redaction]]:
    """Check an act against its ranges; None when it does not declare them."""
    if not ranges[0][0] > 0 or len(ranges) > PRUNE_AT_ONCE or not _is_ascending([*ranges, (event_seq,) * 2]):
        return None, {}
    rows, leaf = content.rows(event_seq, event_seq), sealed_leaf(content.connection, event_seq)
    form = content.form_of(rows[0], leaf) if rows and leaf is not None else None
    if form is not Form.ACT and not (form is Form.OLD and _is_word_for_word(content.texts(rows[0]), ranges)):
        return None, {}
    told, events = _metadata_of(rows[0]), events_in(ranges)
    if told.get(DIGEST) != ranges_digest(ranges):
        return None, {}
    if told.get(ACTION) == PRUNE:
        return Declaration(event_seq, PRUNE, events, form is Form.OLD), {}
    if told.get(ACTION) != REDACT or events > REDACT_AT_ONCE:
        return None, {}
    leaves, fields = declared_leaves(rows[0]), told.get(FIELDS)
    seqs = [seq for first, last in ranges for seq in range(first, last + 1)]
    if sorted(leaves) != seqs or not isinstance(fields, list) or not all(map(_is_leaf, leaves.values())):
        return None, {}
    redacted_fields = frozenset(map(str, fields))
    redactions = {seq: Redaction(leaf, redacted_fields, event_seq) for seq, leaf in leaves.items()}
    return Declaration(event_seq, REDACT, events, form is Form.OLD), redactions


def _is_ascending(ranges: Sequence[Range]) -> bool:
    """Tell whether ranges of numbers follow each other without touching."""
    return all(first <= last for first, last in ranges) and all(
        before[1] < after[0] for before, after in pairwise(ranges)
    )


def _is_leaf(leaf: bytes) -> bool:
    return len(leaf) == HASH_BYTES


def _is_word_for_word(row: FileRow, ranges: Sequence[Range]) -> bool:
    """Tell whether an event, its names as texts, is what this program wrote in the old form."""
    told = _metadata_of(row)
    texts: list[Any] = [
        row.event_id,
        row.category_id,
        row.user_id,
        row.source_id,
        row.description,
        row.target,
    ]
    if not all(isinstance(text, bytes) for text in texts):
        return False
    event, category, user, source, description, target = (text.decode("utf-8", "replace") for text in texts)
    action, reason = told.get(ACTION), told.get(REASON)
    if action not in (REDACT, PRUNE) or not isinstance(reason, str):
        return False
    more = (FIELDS, LEAVES) if action == REDACT else ()
    return (
        (event, description, target) == wording(action, user, ranges, reason)
        and (category, source, row.outcome) == (CATEGORY, SOURCE, b"success")
        and (row.severity, row.source_ip, row.original) == (None, None, None)
        and tuple(told) == (*_OLD_KEYS, *more)
        and (told[EVENTS], told[RANGES]) == (events_in(ranges), cut_ranges_text(ranges))
        and _RANDOM_KEY.fullmatch(row.key) is not None
    )


def _metadata_of(row: FileRow, most_bytes: int = MAX_METADATA_BYTES) -> dict[str, Any]:
    """Return an event's metadata; nothing where it is longer, or not an object."""
    if not isinstance(row.metadata, bytes) or len(row.metadata) > most_bytes:
        return {}
    try:
        metadata = json.loads(row.metadata)
    except (ValueError, RecursionError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """Merge ranges in ascending order that touch."""
    merged: list[Range] = []
    for first, last in ranges:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
