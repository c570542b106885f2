"""The tables of a shared engine, and what is derived from an event so that its SQL gives our answers.

An engine's own functions fold case, compare addresses and read JSON differently from each other and from this
program. So whatever depends on that is worked out here, once, when an event is shipped: folded texts where
folding is more than ASCII, addresses in one notation, and the values of the metadata as one text.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from hashlib import sha256
from json import JSONDecoder
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from audit_tui.core.columns import Column
from audit_tui.core.event import NUMBER_BITS
from audit_tui.core.filter.matching import MAX_PATH
from audit_tui.core.filter.networks import address_of
from audit_tui.core.source import CLICKHOUSE, POSTGRESQL
from audit_tui.store.index.row_tests import metadata_leaves
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.filter.networks import Address, Network

Texts: TypeAlias = "Sequence[str | None]"
"""A column of some events."""
FORMATS = {POSTGRESQL: 2, CLICKHOUSE: 3}
"""The version of the tables of an engine."""
MARK_BYTES = 4
"""The part of a leaf that ClickHouse keeps, where a whole one were a third of an event compressed:
it tells which event is not what was sealed, and the roots tell that nothing else is."""
MAX_STORES = 1 << 19
MAX_NUMBER = (1 << NUMBER_BITS) - 1
"""The largest number of an event in its store."""


class Field(IntEnum):
    """The fields whose values are numbered, as they stand in ``audit_names`` and ``audit_totals``."""

    ALL = 0
    """Of the totals only: all events."""
    EVENT = 1
    CATEGORY = 2
    USER = 3
    SOURCE = 4
    PATH = 5
    """The dotted names of the metadata's fields."""


NAME_FIELDS: dict[Column, Field] = {
    Column.EVENT: Field.EVENT,
    Column.CATEGORY: Field.CATEGORY,
    Column.USER: Field.USER,
    Column.SOURCE: Field.SOURCE,
}
COLUMN_OF: dict[Field, str] = {
    Field.EVENT: "event",
    Field.CATEGORY: "category",
    Field.USER: "username",
    Field.SOURCE: "origin",
}
"""The column of ``audit_events`` that holds a name."""
HOUR_US = 3_600_000_000
GRAIN_US: dict[Field, int] = {
    Field.ALL: HOUR_US,
    Field.EVENT: HOUR_US,
    Field.CATEGORY: HOUR_US,
    Field.USER: 24 * HOUR_US,
}
"""The length of the spans that are counted. Hours, since days of most zones begin with one; users by days, or
there would be nearly as many totals as events."""
MONTH_US = 32 * 24 * HOUR_US
"""Each total is kept for spans of this length, too: three years are 35 of them, and 26,000 hours."""
MONTHS = 16
"""Is added to the number of a field for its totals by such spans."""
PAIRS = {(Field.EVENT, Field.CATEGORY): 32, (Field.EVENT, Field.USER): 33, (Field.CATEGORY, Field.USER): 34}
"""The numbers of totals of two names: the first one is their name, the second one their span."""
NO_NAME = 0
"""Stands in the totals for a missing value."""
OUTCOMES = ("unknown", "success", "failure")
"""By their numbers in ``audit_events``."""
BETWEEN, BEFORE_VALUE = "\x1f", "\x1e"
"""``texts`` is BETWEEN mark BEFORE_VALUE value BETWEEN mark BEFORE_VALUE value BETWEEN."""
_scanned = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode
"""Reads one JSON value, as ``metadata_leaves`` does, without looking at what follows it."""
_MARKS = "".join(map(chr, (*range(1, 9), 11, 12, *range(14, 30))))
"""The digits of marks: control characters that no JSON writer leaves in a text."""
MARK_DIGITS = 8
"""Of 50,000 names two have the same mark in one engine of 170."""


class Derived(NamedTuple):
    """The columns of ``audit_events`` that are worked out of the others; None where that gives nothing."""

    folded_description: str | None
    folded_target: str | None
    folded_source_ip: str | None
    target_address: str | None
    source_address: str | None
    texts: str | None
    folded_texts: str | None


class PathMarks(dict[str, str]):
    """The beginning of a value in ``texts`` by its dotted name, for the names that were asked for."""

    def __missing__(self, path: str) -> str:
        if len(path) > MAX_PATH:
            raise ValueError(path)
        mark = self[path] = f"{BETWEEN}{mark_of(stored_text(path))}{BEFORE_VALUE}"
        return mark


def derived(
    description: Texts, target: Texts, source_ip: Texts, metadata: Texts, marks: PathMarks
) -> tuple[Texts, ...]:
    """Work out the columns of ``Derived`` of some events from columns of theirs, as they are stored.

    Args:
        description: Of each event.
        target: Of each event.
        source_ip: Of each event.
        metadata: Their JSON texts.
        marks: The names of values; those that are met are added.
    """
    texts = [None if text is None else _texts_of(text, marks) for text in metadata]
    return (
        _folded(description),
        _folded(target),
        _folded(source_ip),
        [None if text is None else _address_text(text) for text in target],
        [None if text is None else _address_text(text) for text in source_ip],
        texts,
        _folded(texts),
    )


def _texts_of(metadata: str, marks: PathMarks) -> str | None:
    if "\\" not in metadata:
        # Without an escape no text has what is rewritten below, and most metadata are one object of texts.
        try:
            values, end = _scanned(metadata)
            # Raises for one that is not a text, before its name is noted.
            "".join(values.values())
            if end == len(metadata):
                parts = [marks[path] + text for path, text in values.items()]
                return f"{''.join(parts)}{BETWEEN}" if parts else None
        except (ValueError, TypeError, AttributeError, RecursionError):
            # Something else: the long way.
            pass
    parts = [marks[path] + leaf_text(stored_text(text)) for path, text in metadata_leaves(metadata)]
    return f"{''.join(parts)}{BETWEEN}" if parts else None


def _folded(texts: Texts) -> Texts:
    """Return texts without regard to case; None where an engine's ``lower`` of ASCII gives the same."""
    return [None if text is None or text.isascii() else text.casefold() for text in texts]


def leaf_text(text: str) -> str:
    """Return a value of the metadata, or a part of one, as it stands in ``texts``."""
    return text.replace(BEFORE_VALUE, "\u241e").replace(BETWEEN, "\u241f")


@lru_cache(maxsize=50_000)
def mark_of(name: str) -> str:
    """Return what stands for a dotted name in ``texts``: eight digits of its hash, the same on every host."""
    number = int.from_bytes(sha256(name.encode()).digest()[:8])
    digits = []
    for _ in range(MARK_DIGITS):
        number, digit = divmod(number, len(_MARKS))
        digits.append(_MARKS[digit])
    return "".join(digits)


def digest_of(name: str) -> str:
    """Return a short text that stands for a name, which may be too long for an index."""
    return sha256(name.encode()).hexdigest()[:32]


def address_text(address: Address) -> str:
    """Return an address as a text that sorts as addresses do."""
    return f"{address.version}{int(address):0{8 if address.version == 4 else 32}x}"


def network_ends(network: Network) -> tuple[str, str]:
    """Return the first and the last address of a network."""
    return address_text(network.network_address), address_text(network.broadcast_address)


@lru_cache(maxsize=20_000)
def _address_text(text: str) -> str | None:
    address = address_of(text)
    return None if address is None else address_text(address)
