"""Records whose keys come in several spellings, as vendors, SDKs and warehouses write them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from audit_tui.formats.addresses import source_address
from audit_tui.formats.decoding import inner_object
from audit_tui.formats.record import RecordError
from audit_tui.formats.times import is_plain_utc, parse_time
from audit_tui.formats.values import content_key, first_text, mark_denied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_tui.formats.record import Fields

WAREHOUSE_PREFIX = "p_"
"""Panther's warehouse adds keys of its own, among them when it parsed the record: no part of the content."""
LOG_TYPE = "p_log_type"
BY_NAME = "by_name"
"""The paths at which the metadata holds lists of names and values once more, as maps that can be filtered."""

_USUAL_CHARS = 64
"""Longer keys are not remembered: a hostile log could fill the memory with them."""
_MAX_JSON_CHARS = 1024 * 1024
_NAMES = ("name", "key", "displayName")
_VALUES = ("value", "intValue", "boolValue", "multiValue", "multiIntValue", "newValue")


_SIGNS = str.maketrans("", "", "_ -()@")


def fold(name: str) -> str:
    """Return a key as spellings are compared: ``callerIp``, ``caller_ip`` and ``Caller IP`` are one."""
    return _short_fold(name) if len(name) <= _USUAL_CHARS else name.translate(_SIGNS).lower()


@lru_cache(maxsize=8_192)
def _short_fold(name: str) -> str:
    return name.translate(_SIGNS).lower()


@lru_cache(maxsize=2_048)
def _steps(path: str) -> tuple[str, str]:
    first, _, rest = path.partition(".")
    return first, rest


def of_warehouse(fields: Fields, prefix: str) -> bool:
    """Tell whether the warehouse that a record comes from names its log so."""
    log_type = fields.get(LOG_TYPE)
    return isinstance(log_type, str) and log_type.startswith(prefix)


class Loose:
    """A record, read by any spelling of its keys; remembers what went into columns as it stood.

    The record itself is never changed.
    """

    __slots__ = ("_fields", "_folded", "_has_dots", "_inner", "_taken")

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._folded: dict[str, str] | None = None
        self._has_dots: bool | None = None
        self._inner: dict[str, Loose | None] = {}
        self._taken: set[str] = set()

    def key(self, name: str) -> str | None:
        """Return the key as the record spells it; None when it has it in no spelling."""
        if name in self._fields:
            return name
        if self._folded is None:
            self._folded = {fold(key): key for key in reversed(self._fields)}
        return self._folded.get(fold(name))

    def names(self) -> Iterable[str]:
        """Return the keys of the record itself."""
        return self._fields.keys()

    def get(self, name: str) -> Any:  # noqa: ANN401 - a JSON value has no narrower type
        """The value of a key of the record itself; None when it is absent."""
        key = self.key(name)
        return None if key is None else self._fields[key]

    def at(self, path: str) -> Any:  # noqa: ANN401 - a JSON value has no narrower type
        """Return the value at a dotted path through objects, lists and objects written out as JSON.

        A key may hold the dots of the path itself, as tables have it: ``actor.alternate_id``.
        """
        first, rest = _steps(path)
        if not rest:
            return self.get(first)
        place = self.inner(first)
        value = None if place is None else place.at(rest)
        return self.get(path) if value is None and self._is_flat() else value

    def _is_flat(self) -> bool:
        if self._has_dots is None:
            self._has_dots = any("." in key for key in self._fields)
        return self._has_dots

    def inner(self, name: str) -> Loose | None:
        """The object under a key; that of a list are its places; None when there is none."""
        if name not in self._inner:
            value = self.get(name)
            if isinstance(value, list):
                value = {str(place): item for place, item in enumerate(value[:20])}
            elif isinstance(value, str):
                value = written_out(value)
            self._inner[name] = Loose(value) if isinstance(value, dict) else None
        return self._inner[name]

    def text(self, *paths: str) -> str | None:
        """The first of several paths that holds a text or a number, as a column's text."""
        for path in paths:
            text = first_text(self.at(path))
            if text is not None:
                return text
        return None

    def take(self, *names: str) -> str | None:
        """The same for keys of the record itself; one that the column holds exactly leaves the rest."""
        for name in names:
            text = self.text(name)
            if text is not None:
                self.taken(name, text)
                return text
        return None

    def taken(self, name: str, text: str | None) -> None:
        """Say that a column holds this text of a key; what is exactly that leaves the rest."""
        key = self.key(name)
        if key is not None and text is not None and self._fields[key] == text:
            self._taken.add(key)

    def address(self, *paths: str) -> str | None:
        """The first of several paths that holds an address, in one spelling."""
        for path in paths:
            value = self.at(path)
            address = source_address(value)
            if address is not None:
                if "." not in path:
                    self.taken(path, address)
                return address
        return None

    def time(self, *paths: str) -> int:
        """The first of several paths that holds a time, in microseconds since 1970.

        Raises:
            RecordError: If none does.
        """
        problem: RecordError | None = None
        for path in paths:
            value = self.at(path)
            if value is None or value == "":
                continue
            try:
                occurred_us = parse_time(value)
            except RecordError as error:
                problem = problem or error
                continue
            self.taken_time(path)
            return occurred_us
        raise problem or RecordError(f"it has no {' or '.join(paths[:2])}")

    def taken_time(self, path: str) -> None:
        """Say that the time of the event was read there; a plain spelling of it leaves the rest."""
        key = self.key(path)
        if key is not None and is_plain_utc(self._fields[key]):
            self._taken.add(key)

    def rest(self, *, is_denied: bool = False, by_name: Fields | None = None) -> Fields:
        """The fields that no column holds exactly, as they were.

        Args:
            is_denied: Say so: the outcome only says failure.
            by_name: Lists of names and values, as maps; they stay as they were besides.
        """
        rest = {key: value for key, value in self._fields.items() if key not in self._taken}
        if is_denied:
            mark_denied(rest)
        maps = {name: value for name, value in (by_name or {}).items() if value}
        if maps:
            rest.setdefault(BY_NAME, maps)
        return rest

    def content_key(self, source: str) -> str:
        """A key of the content, without what a warehouse adds when it delivers the record once more."""
        fields = {key: value for key, value in self._fields.items() if not key.startswith(WAREHOUSE_PREFIX)}
        return content_key(source, fields)


def written_out(text: str) -> Fields | None:
    """The object or list that a text holds as JSON, as an object; None when it holds none."""
    head = text[:1]
    if head not in ("{", "[") or len(text) > _MAX_JSON_CHARS:
        return None
    try:
        if head == "{":
            return inner_object(text, "")
        items = inner_object(f'{{"":{text}}}', "")[""]
    except RecordError:
        return None
    return {str(place): item for place, item in enumerate(items[:20])} if isinstance(items, list) else None


def named_values(pairs: object) -> Fields:
    """A list of names and values as a map: ``[{"Name": "To", "Value": "bob"}]`` is ``{"To": "bob"}``.

    Old and new values become ``{"old": ..., "new": ...}``. What is a map already stays one; what is
    neither is an empty one. A name that comes again keeps its first value.
    """
    if isinstance(pairs, dict):
        return pairs
    if isinstance(pairs, str):
        written = written_out(pairs)
        pairs = None if written is None else list(written.values())
    if not isinstance(pairs, list):
        return {}
    values_by_name: Fields = {}
    for pair in pairs:
        if not isinstance(pair, dict):
            continue
        named = Loose(pair)
        name = named.text(*_NAMES)
        if name is None:
            continue
        old = named.get("oldValue")
        new = next((value for value in map(named.get, _VALUES) if value is not None), None)
        values_by_name.setdefault(name, new if old is None else {"old": old, "new": new})
    return values_by_name
