"""The changes that an event tells of: before and after, element by element, in its metadata.

Logs write changes in many ways: two objects called old and new, a list of properties with an old and a new
value each, a request beside its response. Whatever looks like one of these is compared.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.columns import COLUMNS, Column
from audit_tui.core.filter.filters import META
from audit_tui.core.filter.matching import deeper_path, leaves

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent

MAX_DIFFERENCES = 500
MAX_JSON_CHARS = 100_000
"""A longer text is not read as JSON."""
PAIRS = (
    ("old", "new"),
    ("before", "after"),
    ("from", "to"),
    ("oldvalue", "newvalue"),
    ("oldvalues", "newvalues"),
    ("oldval", "newval"),
    ("oldobject", "newobject"),
    ("oldstate", "newstate"),
    ("olddata", "newdata"),
    ("previous", "current"),
    ("previous", "new"),
    ("previousvalue", "newvalue"),
    ("previousvalue", "currentvalue"),
    ("original", "updated"),
    ("removed", "added"),
    ("requestparameters", "responseelements"),
)
"""The names of what was before and after, without case and signs."""
_ONE_SIDED = PAIRS[3:9]
"""The pairs where one name alone tells a change: the other value was none."""
_ANSWERED = PAIRS[-1]
_LISTS = ("changes", "changed", "modifiedproperties", "diff")
"""The names of lists or objects of changes, which say nothing of what changed."""
_NAMES = ("displayname", "name", "field", "fieldname", "property", "propertyname", "attribute", "key", "path")
_COMPARED = (
    *(Column.EVENT, Column.CATEGORY, Column.USER, Column.DESCRIPTION, Column.OUTCOME),
    *(Column.SEVERITY, Column.SOURCE_IP, Column.TARGET, Column.SOURCE),
)
"""The columns that events differ in; the time always differs."""
_SIGNS = re.compile(r"[\s_.\-]")


class Difference(NamedTuple):
    """A part that is otherwise than it was."""

    name: str
    before: str | None
    """None when there was nothing."""
    after: str | None
    """None when there is nothing any more."""


def changes_in(event: AuditEvent) -> list[Difference]:
    """Return what an event says that it changed, in the order of its metadata; empty when it says nothing."""
    changes: dict[Difference, None] = {}
    # RecursionError: brackets in brackets in brackets, which nobody writes to tell a change.
    with suppress(RecursionError):
        for difference in _in_value("", event.metadata):
            changes[difference] = None
            if len(changes) >= MAX_DIFFERENCES:
                break
    return list(changes)


def differences(before: AuditEvent, after: AuditEvent) -> list[Difference]:
    """Return in what two events differ, columns first; their times and numbers always do and are left out."""
    table = compared([before, after])
    return [Difference(name, first, second) for name, (first, second) in table]


def compared(events: Sequence[AuditEvent]) -> list[tuple[str, list[str | None]]]:
    """Return the fields in which events differ, each with the text of every event; None where it has none."""
    texts = [_texts(event) for event in events]
    names = dict.fromkeys(name for each in texts for name in each)
    table = [(name, [each.get(name) for each in texts]) for name in names]
    ordered = [row for row in table if row[0] in _LABELS] + [row for row in table if row[0] not in _LABELS]
    return [(name, row) for name, row in ordered if len(set(row)) > 1]


def compare_values(name: str, before: object, after: object) -> Iterator[Difference]:
    """Yield in what two JSON values differ: objects by their names, lists by their elements."""
    before, after = _opened(before), _opened(after)
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from compare_values(deeper_path(name, key), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(name, before, after)
    elif isinstance(before, dict | list) or isinstance(after, dict | list):
        for value, is_before in ((before, True), (after, False)):
            for path, text in _flat(name, value):
                yield Difference(path, text, None) if is_before else Difference(path, None, text)
    elif (first := _text(before)) != (second := _text(after)):
        yield Difference(name, first, second)


def _compare_lists(name: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    """Yield the elements that went, then those that came; the order of a list does not count."""
    gone = Counter(map(_element, before))
    came = Counter(map(_element, after))
    for text, count in (gone - came).items():
        yield from [Difference(name, text, None)] * count
    for text, count in (came - gone).items():
        yield from [Difference(name, None, text)] * count


def _in_value(name: str, value: object) -> Iterator[Difference]:
    value = _opened(value)
    if isinstance(value, list):
        for part in value:
            yield from _in_value(name, part)
    elif isinstance(value, dict):
        taken: set[str] = set()
        yield from _in_sides(name, value, taken)
        for key, part in value.items():
            if key in taken:
                continue
            if _SIGNS.sub("", key).casefold() in _LISTS:
                yield from _in_pairs(name, part)
            else:
                yield from _in_value(deeper_path(name, key), part)


def _in_sides(name: str, value: Mapping[str, Any], taken: set[str]) -> Iterator[Difference]:
    """Yield the changes of an object that has sides, before and after; adds their names to those taken."""
    by_name = {_SIGNS.sub("", key).casefold(): key for key in value}
    for pair in PAIRS:
        keys = [by_name.get(side) for side in pair]
        present = {key for key in keys if key is not None}
        if len(present) < 2 and not (present and pair in _ONE_SIDED):
            continue
        first, second = (None if key is None else value[key] for key in keys)
        if pair == _ANSWERED:
            yield from _answered(first, second)
        elif not taken & present:
            yield from compare_values(_label(name, value, by_name), first, second)
        taken |= present


def _in_pairs(name: str, value: object) -> Iterator[Difference]:
    """Yield the changes of an object of changes: its parts may be lists of the old and the new value."""
    value = _opened(value)
    if not isinstance(value, dict):
        yield from _in_value(name, value)
        return
    rest: dict[str, Any] = {}
    for key, part in value.items():
        if isinstance(part, list) and len(part) == 2 and not any(isinstance(each, dict) for each in part):
            yield from compare_values(deeper_path(name, key), part[0], part[1])
        else:
            rest[key] = part
    yield from _in_value(name, rest)


def _answered(request: object, response: object) -> Iterator[Difference]:
    """Yield where a response differs from its request; what only one of them has is not a change."""
    request, response = _opened(request), _opened(response)
    if isinstance(request, dict) and isinstance(response, dict):
        for key in request:
            if key in response and not isinstance(request[key], dict | list):
                yield from compare_values(key, request[key], response[key])


def _label(name: str, value: Mapping[str, Any], by_name: Mapping[str, str]) -> str:
    """Return the name of what changed: the object may tell it beside the values."""
    for wanted in _NAMES:
        key = by_name.get(wanted)
        if key is not None and isinstance(value[key], str):
            return str(value[key])
    return name


def _texts(event: AuditEvent) -> dict[str, str]:
    texts: dict[str, str] = {}
    for column in _COMPARED:
        value = getattr(event, column.attribute)
        if value is not None:
            texts[column.label] = str(value)
    several: dict[str, list[str]] = {}
    for path, text in leaves(event.metadata):
        several.setdefault(path, []).append(text)
    # A field of the metadata may be called as a column is: it must not stand in the place of that.
    return texts | {
        f"{META}{path}" if path in _LABELS else path: ", ".join(values) for path, values in several.items()
    }


_LABELS = {column.label for column in COLUMNS}


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(deeper_path(name, key), part)
    elif isinstance(value, list):
        for part in value:
            yield name, _element(part)
    elif (text := _text(value)) is not None:
        yield name, text


def _opened(value: object) -> object:
    """Return the object or list that a text holds as JSON, as Microsoft's logs have them; else the value."""
    if isinstance(value, str) and value[:1] in ("[", "{") and len(value) <= MAX_JSON_CHARS:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _element(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _text(value: object) -> str | None:
    return None if value is None else _element(value)
