"""Statements over the events and their names: pure, text with marks, never a value in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.store.tables.schema import ALL_NAME_TABLES, NAME_TABLES

if TYPE_CHECKING:
    from audit_tui.core.columns import NameColumn

MAX_MARKS = 500
"""Values bound to one statement."""

_WHOLE_EVENT = (
    "SELECT seq, key, occurred_us,"
    " (SELECT name FROM event_names WHERE id = event_id),"
    " (SELECT name FROM category_names WHERE id = category_id),"
    " (SELECT name FROM user_names WHERE id = user_id),"
    " description, outcome, severity, source_ip, target,"
    " (SELECT name FROM source_names WHERE id = source_id),"
    " metadata, original FROM events"
)
EVENT_OF_KEY = f"{_WHOLE_EVENT} WHERE key = ?"
WHOLE_EVENTS = f"{_WHOLE_EVENT} WHERE seq"
"""To be followed by ``chosen``."""
_LENGTHS = (
    *(
        f"length(CAST({column} AS BLOB))"
        for column in ("metadata", "description", "target", "key", "source_ip", "original")
    ),
    *(
        f"(SELECT length(CAST(name AS BLOB)) FROM {names.table} WHERE id = {names.column})"  # noqa: S608 - ours
        for names in ALL_NAME_TABLES
    ),
)
SIZES = (
    f"SELECT seq, {' + '.join(f'ifnull({length}, 0)' for length in _LENGTHS)}"  # noqa: S608 - our own
    " FROM events WHERE seq"
)
"""The bytes of the columns that may be long; to be followed by ``chosen``."""
_LISTED = (
    "SELECT seq, occurred_us, event_id, category_id, user_id, source_id, description, outcome, severity,"
    " source_ip, target"
)
LISTED_ROWS = f"{_LISTED}, NULL FROM events WHERE seq"
"""The columns that a list shows; to be followed by ``chosen``."""
LISTED_WITH_METADATA = f"{_LISTED}, metadata FROM events WHERE seq"
"""The same with the metadata in the last place."""


def chosen(seqs: list[int]) -> tuple[str, list[int]]:
    """Return what chooses these rows, and what is bound to it: as few texts as can be, for each is compiled.

    Args:
        seqs: At most ``MAX_MARKS``, and at least one.
    """
    low, high = min(seqs), max(seqs)
    if high - low == len(seqs) - 1:
        return " BETWEEN ? AND ?", [low, high]
    marks = next(marks for marks in (1, 16, 64, 300, MAX_MARKS) if marks >= len(seqs))
    return f" IN ({', '.join('?' * marks)})", seqs + [seqs[-1]] * (marks - len(seqs))


def values(field: NameColumn, *, has_search: bool) -> str:
    """Return the statement for names that contain a text, best first.

    Marks: the text as typed, three times the text folded, the limit; without a search the limit only.
    """
    table = NAME_TABLES[field].table
    if not has_search:
        return (
            f"SELECT name, events, 3, folded FROM {table} WHERE events > 0"  # noqa: S608
            " ORDER BY events DESC, folded, name LIMIT ?"
        )
    rank = "CASE WHEN name = ? THEN 0 WHEN folded = ? THEN 1 WHEN instr(folded, ?) = 1 THEN 2 ELSE 3 END"
    return (
        f"SELECT name, events, {rank} AS rank, folded FROM {table} WHERE instr(folded, ?) > 0 AND events > 0"  # noqa: S608
        " ORDER BY rank, events DESC, folded, name LIMIT ?"
    )
