"""The texts of many events by field: the columns that the text index is made of.

Event by event this would take half of the time of an import. Most metadata have the same keys as others, so
their values are taken as columns, and each text becomes a number while it is still in the processor's cache.
"""

from __future__ import annotations

import json
import os
import re
from array import array
from collections import defaultdict
from itertools import chain, compress, count
from operator import eq, not_
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.filter.matching import deeper_path
from audit_tui.core.json_encoding import msgspec
from audit_tui.store.tables.rows import NOT_JSON, stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from pyroaring import BitMap

    Values: TypeAlias = tuple[array[int], Sequence[str]]
    """Rows of events, and a text of each."""
    _NamedColumn: TypeAlias = tuple[str, array[int], Sequence[Any]]
    """A name of metadata, rows of events, and the value of each."""

META = "meta."
PLAIN_FIELDS = ("description", "target", "source_ip")
_REPEATED_FIELDS = ("target", "source_ip")
"""Metadata often repeats these: a text that stands in both is stored once, for both fields."""
MAX_TEXT_BYTES = 64 * 1024 * 1024
"""With more text than this a stretch is divided; it is in memory while its index is built."""
LONG_BYTES = 64 * 1024
"""A text is long from here on: few others share its pieces, so that to index it takes 20 times its size."""
MAX_LONG_BYTES = 8 * 1024 * 1024
"""With more of long texts than this a stretch is divided too; those of older programs were not."""
MAX_FIELDS = 50_000
"""With more different fields than this a stretch is divided too."""
BATCH_BYTES = 8 * 1024 * 1024
"""Events are not added together once they have so much text."""
BATCH_EVENTS = 256
"""Events are best added in batches of this size: what is made of them stays in the processor's cache."""
_NO_VALUES: Values = array("H"), ()

ROWS = """
SELECT seq, description, target, source_ip, metadata
FROM events NOT INDEXED WHERE seq BETWEEN ? AND ? ORDER BY seq
"""


class TooMuchText(Exception):
    """The events have more text than an index is built of at once."""


class Divided(NamedTuple):
    """The texts of a column: those that are frequent, and the others, in order."""

    frequent: list[str]
    bitmaps: list[BitMap]
    """The rows of each frequent text."""
    rare: list[str]
    counts: list[int]
    """The number of rows of each rare text."""
    rows: array[int]
    """Of the rare texts, one after the other."""


class Column:
    """The texts that events have in one field, or in the same two; an event may have several."""

    def __init__(self) -> None:
        self.rows = array("H")
        self.numbers = array("I")
        """Of the texts, beside their rows."""
        self._number_of: defaultdict[str, int] = defaultdict(count().__next__)

    @property
    def texts(self) -> list[str]:
        """The different texts, by their numbers."""
        return list(self._number_of)

    def add(self, rows: array[int], texts: Sequence[str]) -> None:
        """Add texts of events."""
        self.rows += rows
        if texts[0] == texts[-1] and texts.count(texts[0]) == len(texts):
            self.numbers += array("I", [self._number_of[texts[0]]]) * len(texts)
        else:
            # From a list: an array takes three times as long to take from anything else.
            self.numbers.fromlist(list(map(self._number_of.__getitem__, texts)))


class TextFields:
    """Gathers the texts of events.

    Args:
        base: The seq that has row 0.
        most_long_bytes: More of long texts are too much.
    """

    def __init__(self, base: int, most_long_bytes: int) -> None:
        self._base = base
        self._most_long_bytes = most_long_bytes
        self._text_bytes = self._long_bytes = 0
        self.rows = array("H")
        """All events, also those without a text."""
        self._repeats: dict[tuple[str, str], bool] = {}
        self.columns: dict[tuple[str, ...], Column] = {}
        """By the fields in which an event has the same text: mostly one, sometimes two. Those of metadata
        are called ``meta.NAME``."""

    def add(self, events: Sequence[Sequence[Any]]) -> None:
        """Add events, as the columns of ``ROWS``, in the order of their seqs.

        Raises:
            TooMuchText: If it becomes too much.
        """
        base = self._base
        seqs, *plain, metadata = zip(*events, strict=True)
        rows = array("H", [seq - base for seq in seqs])
        self.rows += rows
        values = Batch()
        for name, texts in zip(PLAIN_FIELDS, plain, strict=True):
            self._count(present := _present(rows, texts))
            values.put(name, *present)
        self._count(present := _present(rows, metadata))
        values.decode(*present)
        for names, (some_rows, some_texts) in values.shared(self._repeats).items():
            column = self.columns.get(names)
            if column is None:
                if len(self.columns) >= MAX_FIELDS:
                    raise TooMuchText
                column = self.columns[names] = Column()
            column.add(some_rows, some_texts)

    def _count(self, values: Values) -> None:
        lengths = list(map(len, values[1]))
        self._text_bytes += sum(lengths)
        self._long_bytes += sum(filter(LONG_BYTES.__lt__, lengths))
        if self._text_bytes > MAX_TEXT_BYTES or self._long_bytes > self._most_long_bytes:
            raise TooMuchText


def _present(rows: array[int], values: Sequence[object]) -> Values:
    """Return the texts that are not missing."""
    if None not in values and set(map(type, values)) == {str}:
        return rows, values  # type: ignore[return-value]
    pairs = [(row, str(value)) for row, value in zip(rows, values, strict=True) if value is not None]
    return array("H", [row for row, _ in pairs]), [text for _, text in pairs]


class Batch:
    """The texts of a few events by field."""

    def __init__(self) -> None:
        self._parts: defaultdict[str, list[Values]] = defaultdict(list)

    @property
    def columns(self) -> dict[str, Values]:
        """By field, rows and the text of each."""
        return {name: parts[0] if len(parts) == 1 else _joined(parts) for name, parts in self._parts.items()}

    def put(self, name: str, rows: array[int], texts: Sequence[str]) -> None:
        """Add texts of a field."""
        self._parts[name].append((rows, texts))

    def decode(self, rows: array[int], stored: Sequence[str]) -> None:
        """Add the texts in metadata."""
        waiting: list[_NamedColumn] = [("", rows, _decoded(stored))]
        while waiting:
            path, some_rows, values = waiting.pop()
            kinds = set(map(type, values))
            if int in kinds:
                values = [str(value) if type(value) is int else value for value in values]
                kinds = set(map(type, values))
            if kinds == {str}:
                self._put_leaves(path, some_rows, values)
            elif kinds == {dict}:
                waiting += [
                    (deeper_path(path, name), some, inner)
                    for name, some, inner in _by_name(some_rows, values)
                ]
            elif kinds == {list} and len(set(map(len, values))) == 1:
                waiting += [(path, some_rows, some) for some in zip(*values, strict=True)]
            else:
                waiting += self._put_mixed(path, some_rows, values)

    def shared(self, repeats: dict[tuple[str, str], bool]) -> dict[tuple[str, ...], Values]:
        """Return the texts by the fields that an event has them in.

        Args:
            repeats: Of two fields, whether they had a text in common when both were first met; later those
                that had none are not compared.
        """
        combined: dict[tuple[str, ...], Values] = {}
        columns = self.columns
        for name in _REPEATED_FIELDS:
            rows, texts = columns.get(name, _NO_VALUES)
            text_at: dict[int, str | None] = dict(zip(rows, texts, strict=True))
            for other, (other_rows, other_texts) in list(columns.items()):
                if not text_at or not other.startswith(META) or not repeats.get((name, other), True):
                    continue
                is_same = list(map(eq, map(text_at.get, other_rows), other_texts))
                if repeats.setdefault((name, other), any(is_same)) and any(is_same):
                    both = array("H", list(compress(other_rows, is_same)))
                    combined[name, other] = both, list(compress(other_texts, is_same))
                    columns[other] = _without(other_rows, other_texts, is_same)
                    text_at.update(dict.fromkeys(both))
            if text_at:
                is_taken = [text_at[row] is None for row in rows]
                columns[name] = _without(rows, texts, is_taken)
        return combined | {(name,): values for name, values in columns.items() if values[0]}

    def _put_leaves(self, path: str, rows: array[int], texts: Sequence[str]) -> None:
        self.put(META + stored_text(path), rows, texts)

    def _put_mixed(self, path: str, rows: array[int], values: Sequence[Any]) -> list[_NamedColumn]:
        """Put the texts of a column, and return the columns of what lies in its objects and lists.

        The members of a list have the list's name.
        """
        columns: defaultdict[type, tuple[array[int], list[Any]]] = defaultdict(lambda: (array("H"), []))
        for row, value in zip(rows, values, strict=True):
            some_rows, some = columns[type(value)]
            if isinstance(value, list):
                some_rows.extend(array("H", [row]) * len(value))
                some.extend(value)
            else:
                some_rows.append(row)
                some.append(value)
        if str in columns:
            self._put_leaves(path, *columns[str])
        if bool in columns:
            some_rows, some = columns[bool]
            self._put_leaves(path, some_rows, ["true" if value else "false" for value in some])
        return [(path, *columns[kind]) for kind in (dict, list) if columns[kind][0]]


def _joined(parts: Sequence[Values]) -> Values:
    rows = array("H")
    for some, _ in parts:
        rows += some
    return rows, list(chain.from_iterable(texts for _, texts in parts))


def _by_name(rows: array[int], objects: Sequence[dict[str, Any]]) -> Iterable[_NamedColumn]:
    """Yield each name of some objects with the rows of those that have it, and their values."""
    alike: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, names in enumerate(map(tuple, objects)):
        alike[names].append(place)
    parts: defaultdict[str, list[tuple[array[int], Sequence[Any]]]] = defaultdict(list)
    for names, places in alike.items():
        is_all = len(places) == len(objects)
        some_rows = rows if is_all else array("H", map(rows.__getitem__, places))
        some = map(dict.values, objects if is_all else map(objects.__getitem__, places))
        for name, values in zip(names, zip(*some, strict=True), strict=False):
            parts[name].append((some_rows, values))
    for name, columns in parts.items():
        yield (name, *columns[0]) if len(columns) == 1 else (name, *_joined(columns))


def _without(rows: array[int], texts: Sequence[str], is_out: Sequence[bool]) -> Values:
    stays = list(map(not_, is_out))
    return array("H", list(compress(rows, stays))), list(compress(texts, stays))


def _decoded(stored: Sequence[str]) -> list[dict[str, Any]]:
    """Return stored metadata as objects, with numbers as texts, or whole ones as they are."""
    # In one go, so that the decoder knows the names again. Nobody can have stored the text between two.
    mark = f'"{os.urandom(16).hex()}"'
    text = f"[{f',{mark},'.join(stored)}]"
    for decode in _decoders(text):
        try:
            both = decode(text)
        except _UNREADABLE:
            continue
        objects: list[dict[str, Any]] = both[::2]
        if (
            len(both) == 2 * len(stored) - 1
            and set(both[1::2]) <= {mark[1:-1]}
            and set(map(type, objects)) == {dict}
        ):
            return objects
    return list(map(_decoded_alone, stored))


def _decoders(text: str) -> tuple[Callable[[str], Any], ...]:
    """Return what decodes a text, the faster one first; to that -0 is 0."""
    return (_exactly,) if _quickly is None or _MINUS_ZERO.search(text) is not None else (_quickly, _exactly)


def _decoded_alone(stored: str) -> dict[str, Any]:
    try:
        metadata = json.loads(stored, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        metadata = stored
    return metadata if isinstance(metadata, dict) else {NOT_JSON: metadata}


class _Decoder(json.JSONDecoder):
    scan_once: Callable[[str, int], tuple[Any, int]]


# Without the search for white space around the object: 1 of 11 µs.
_scan = _Decoder(parse_int=str, parse_float=str, parse_constant=str).scan_once


def _exactly(text: str) -> Any:  # noqa: ANN401 - a JSON value
    return _scan(text, 0)[0]


_quickly = None if msgspec is None else msgspec.json.Decoder(float_hook=str).decode
_UNREADABLE: tuple[type[Exception], ...] = (ValueError, RecursionError, StopIteration)
if msgspec is not None:
    _UNREADABLE += (msgspec.MsgspecError,)
_MINUS_ZERO = re.compile(r"-0[\s,}\]]")
