"""The events that are wanted: an expression tree of conditions, each an operator on a field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from math import floor
from typing import TypeAlias

from audit_tui.core.columns import NAME_COLUMNS, Column, Kind
from audit_tui.core.event import MAX_SEVERITY, Outcome, iso_utc, json_text
from audit_tui.core.filter.networks import network_of
from audit_tui.core.filter.operators import (
    AT_LEAST,
    AT_MOST,
    CONTAINS,
    CONTAINS_NOT,
    IN_NETWORK,
    IS,
    IS_NOT,
    LESS,
    MATCHES,
    MORE,
    NOT_IN_NETWORK,
    Operand,
    Operator,
    number_of,
)
from audit_tui.core.record import Record
from audit_tui.core.text import closest, lazy_pattern
from audit_tui.errors import FilterError

_MOMENT = lazy_pattern(r"-?[0-9]{1,18}")
NO_VALUE_WORDS = "(none)"
"""The words for a missing value in a filter."""
FILTER_COLUMNS = (
    *(Column.EVENT, Column.CATEGORY, Column.USER, Column.DESCRIPTION),
    *(Column.OUTCOME, Column.SEVERITY, Column.SOURCE_IP, Column.TARGET),
    *(Column.SOURCE, Column.TIME, Column.SEQ),
)
"""The columns that a condition can look at."""


class AnyText(StrEnum):
    """Several parts of an event at once; the value is its name in commands."""

    TEXT = "text"
    """Description, target, source IP and every value of the metadata: one of them is enough.

    A view also looks at event, category and user: ``everywhere``.
    """

    @property
    def label(self) -> str:
        """The name in sentences."""
        return "Any text"


ANY_TEXT = AnyText.TEXT
META = "meta."
_SEVERITIES = ("unknown", "info", "low", "medium", "high", "critical", "fatal")
SEVERITY_WORDS = {word: str(number) for number, word in enumerate(_SEVERITIES)}
"""The severities by name, as in OCSF."""


class MetaField(Record):
    """A part of the metadata, by its name.

    ``request.role`` looks into objects, a list stands for all its members, and a name that leads to an
    object or a list for all the values inside. A number or a boolean compares by its JSON text.
    """

    path: str

    @property
    def value(self) -> str:
        """The name in commands, ``meta.request.role``; in quotes when it could be read otherwise."""
        path = self.path
        has_sign = path[0] in '"=~!' or path[-1] == "!" or any(sign in path for sign in ("=", "~", '."'))
        if has_sign or path != path.strip():
            return f"{META}{json_text(path)}"
        return f"{META}{path}"

    @property
    def label(self) -> str:
        """The name in sentences."""
        return f"{META}{self.path}"

    def __post_init__(self) -> None:
        if not self.path:
            raise FilterError("A metadata field needs a name.", 'Write it as "meta.region=eu-west-1".')


FilterField: TypeAlias = Column | AnyText | MetaField
_NAMED: dict[str, Column | AnyText] = {field.value: field for field in (*FILTER_COLUMNS, AnyText.TEXT)}
_MEANT = {
    "ip": "source_ip",
    "source ip": "source_ip",
    "address": "source_ip",
    "name": "event",
    "action": "event",
}
"""Names that other programs have for the columns."""
_COLUMNS_HINT = f"Columns are {', '.join(_NAMED)} and meta.NAME."


def field_named(name: str) -> FilterField:
    """Return the field that commands call so; names of columns in any case.

    Raises:
        FilterError: If there is none of that name.
    """
    folded = name.lower()
    if folded.startswith(META):
        return MetaField(_path_of(name[len(META) :]))
    if folded in _NAMED:
        return _NAMED[folded]
    if folded == "host":
        return Column.SOURCE
    close = closest(name, [*_NAMED, *_MEANT], cutoff=0.7)
    meant = f"Did you mean {_MEANT.get(close, close)}? " if close else ""
    raise FilterError(f"There is no column {name!r}.", f"{meant}{_COLUMNS_HINT}")


def _path_of(text: str) -> str:
    """Return the name of a metadata field whose parts may be in quotes, as in a query line."""
    parts: list[str] = []
    while True:
        plain = text.partition(".")[0]
        part, end = _quoted_name(text) if text.startswith('"') else (plain, len(plain))
        parts.append(part)
        if end == len(text):
            return ".".join(parts)
        if text[end] != ".":
            raise FilterError(f"A dot must stand behind the quote in {text!r}.", 'Write it as meta."a b".c.')
        text = text[end + 1 :]


def _quoted_name(text: str) -> tuple[str, int]:
    """Return the JSON text that a text begins with, and its length."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        value, end = None, 0
    if not isinstance(value, str):
        raise FilterError(f"The name {text!r} has no end.", 'Write it as "meta.\\"a=b\\"=value".')
    return value, end


class Condition(Record):
    """One comparison of a field with a value.

    *Is* compares exactly, case included; *contains* without regard to case. An event without a user *is
    not* every user and contains nothing, but an empty search leaves nothing out. A field with several values
    *is* each of them.
    """

    field: FilterField
    operator: Operator
    value: str | None
    """The value to compare with; None is the missing value."""

    def __post_init__(self) -> None:
        operator, value = self.operator, self.value
        if operator.operand is Operand.TEXT:
            return
        if operator.operand is Operand.NETWORK and not (
            has_addresses(self.field) and value and network_of(value)
        ):
            raise FilterError(f"{value!r} is not a network.", 'Write it as "source_ip=10.0.0.0/8".')
        if operator.is_order and (value is None or number_of(value) is None):
            raise FilterError(f"{value!r} is not a number.", f"After {operator.symbol} write a number.")


def has_addresses(field: FilterField) -> bool:
    """Tell whether the values of a field may be addresses, which lie in networks."""
    return isinstance(field, MetaField) or (isinstance(field, Column) and field.kind is Kind.ADDRESS)


def condition_of(field: FilterField, operator: Operator, value: str | None) -> Condition:
    """Return the condition that somebody means who wrote this.

    A source IP that is equal to a network is inside of it, and an address that matches one too. What matches
    ``*`` has a value. Times are compared by ``>=`` and ``<``.
    """
    if value is None or not (value == "*" or "/" in value or field is Column.TIME):
        return Condition(field, operator, value)
    base, is_negated = operator.base, operator.is_negated
    if base is MATCHES and value == "*":
        return Condition(field, IS if is_negated else IS_NOT, None)
    is_network = (base is IS and field is Column.SOURCE_IP) or (base is MATCHES and has_addresses(field))
    if is_network and network_of(value):
        return Condition(field, NOT_IN_NETWORK if is_negated else IN_NETWORK, value)
    if field is Column.TIME and base in (MORE, AT_MOST) and (number := number_of(value)) is not None:
        base, value = AT_LEAST if base is MORE else LESS, str(floor(number) + 1)
        operator = base.negation if is_negated else base
    return Condition(field, operator, value)


class Not(Record):
    """Holds where its part does not."""

    part: Filter


class All(Record):
    """Holds where every part holds; an empty one always holds."""

    parts: tuple[Filter, ...]


class Any(Record):
    """Holds where at least one part holds; an empty one never holds."""

    parts: tuple[Filter, ...]


Filter: TypeAlias = Condition | Not | All | Any
EVERYTHING = All(())


def conditions_in(expression: Filter) -> Iterator[Condition]:
    """Yield the conditions of a tree in their order."""
    match expression:
        case Condition():
            yield expression
        case Not(part=part):
            yield from conditions_in(part)
        case All(parts=parts) | Any(parts=parts):
            for part in parts:
                yield from conditions_in(part)


def with_conditions(expression: Filter, change: Callable[[Condition], Filter]) -> Filter:
    """Return the tree with each condition changed."""
    match expression:
        case Condition():
            return change(expression)
        case Not(part=part):
            return Not(with_conditions(part, change))
        case All(parts=parts):
            return All(tuple(with_conditions(part, change) for part in parts))
        case Any(parts=parts):
            return Any(tuple(with_conditions(part, change) for part in parts))


def everywhere(expression: Filter) -> Filter:
    """Return the tree in which a search of any text looks at the names too: event, category and user.

    A store answers these from another index than texts, so they are conditions of their own.
    """

    def change(condition: Condition) -> Filter:
        operator, value = condition.operator.base, condition.value
        if condition.field is not ANY_TEXT or not value:
            return condition
        names = (Condition(column, operator, value) for column in NAME_COLUMNS)
        anywhere = Any((Condition(ANY_TEXT, operator, value), *names))
        return Not(anywhere) if condition.operator.is_negated else anywhere

    return with_conditions(expression, change)


def two_ways_words(expression: Filter) -> str:
    """Say that a value of a filter can be written in two ways that look alike; empty when none can.

    ``Zoë`` is three characters (NFC) or four (NFD), and only what was typed is looked for.
    """
    for condition in conditions_in(expression):
        value = condition.value
        if value is None or value.isascii():
            continue
        # Imported where it is wanted: 2 ms of the start of every command.
        from unicodedata import normalize

        if normalize("NFC", value) != normalize("NFD", value):
            form = "decomposed" if value == normalize("NFC", value) else "composed"
            return f"{value!r} can also be written with {form} letters, which look the same."
    return ""


def in_words(expression: Filter) -> str:
    """Return the filter as a sentence part, "Category is not Roles and User is bob"; empty for everything.

    The values are as given: clean the result before it is drawn.
    """
    match expression:
        case Condition(field=field, operator=operator, value=value):
            shown = NO_VALUE_WORDS if value is None else value
            if field is Column.TIME and value is not None and _MOMENT.fullmatch(value):
                shown = iso_utc(int(value))
            return f"{field.label} {operator.words} {shown}"
        case Not(part=part):
            return f"not ({in_words(part)})"
        case All(parts=parts):
            return " and ".join(_grouped(part) for part in parts)
        case Any(parts=parts):
            return " or ".join(_grouped(part) for part in parts) if parts else "nothing"


def _grouped(part: Filter) -> str:
    words = in_words(part)
    is_group = isinstance(part, All | Any) and len(part.parts) > 1
    return f"({words})" if is_group else words


_LIKE_NETWORK = lazy_pattern(r"\s*[0-9a-f.:]*[.:][0-9a-f.:]*/\d*\s*", re.IGNORECASE | re.ASCII)
_OUTCOMES = tuple(outcome.value for outcome in Outcome)


class ImpossibleValue(FilterError):
    """No event can have the value.

    ``meant`` is what was probably meant; empty when nobody can tell.
    """

    def __init__(self, message: str, hint: str, meant: str = "") -> None:
        super().__init__(message, hint)
        self.meant = meant


def require_possible(field: FilterField, operator: Operator, value: str | None) -> None:
    """Refuse what no event can match, such as ``outcome=fail`` and ``source_ip=10.0.0.0/99``.

    Raises:
        ImpossibleValue: Names what is possible.
    """
    if not value:
        return
    if field is Column.OUTCOME and not _takes_any(operator, value, _OUTCOMES):
        meant = next((each for each in _OUTCOMES if each.startswith(value.strip("*").casefold())), "")
        possible = f"Outcomes are {' and '.join(_OUTCOMES[:2])}, else {_OUTCOMES[2]}."
        raise ImpossibleValue(f"{value!r} is not an outcome.", possible, meant)
    if field is Column.SEVERITY and not _takes_any(operator, value, tuple(SEVERITY_WORDS.values())):
        raise ImpossibleValue(
            f"No severity {operator.base.words} {value}.",
            f"Severities go from 0 (unknown) to {MAX_SEVERITY} (fatal).",
        )
    if field is Column.SOURCE_IP and _LIKE_NETWORK.fullmatch(value) and network_of(value) is None:
        raise ImpossibleValue(f"{value!r} is not a network.", "Write it as source_ip=10.0.0.0/8.")


def _takes_any(operator: Operator, value: str, possible: tuple[str, ...]) -> bool:
    passes = operator.base.meaning(value)
    return any(map(passes, possible))


_SYMBOLS = {operator.symbol: operator for operator in (IS, IS_NOT, CONTAINS, CONTAINS_NOT)}
_SPLIT = lazy_pattern(
    r'(?<=\.)"(?:[^"\\]|\\.)*"|' + "|".join(sorted(map(re.escape, _SYMBOLS), key=len, reverse=True))
)
"""A sign, or a part of a name in quotes, which may hold one."""


def parse_condition(text: str) -> Condition:
    """Read ``COLUMN=VALUE``, ``COLUMN!=VALUE``, ``COLUMN~VALUE`` or ``COLUMN!~VALUE``; the first splits.

    An empty value is the missing one: ``user=`` means no user. ``source_ip=10.0.0.0/8`` means every address
    in that network.

    Raises:
        FilterError: If there is no operator, the column is unknown, or no event can have the value.
    """
    named = text.lstrip()
    split = next((match for match in _SPLIT.finditer(named) if match[0] in _SYMBOLS), None)
    if split is None:
        raise FilterError(
            f"The filter {text!r} has none of =, !=, ~ and !~.",
            'Write it as "user=alice", "event!=Login" or "description~failed".',
        )
    name, value = named[: split.start()].strip(), named[split.end() :]
    try:
        field = field_named(name)
    except FilterError as error:
        if name.lower().startswith(META):
            raise
        raise FilterError(f"The filter {text!r} names an unknown column {name!r}.", error.hint) from None
    condition = condition_of(field, _SYMBOLS[split[0]], value or None)
    if value and field in (Column.TIME, Column.SEQ) and number_of(value) is None:
        raise FilterError(
            f"{value!r} is not a number, as --filter wants it for {field.value}.",
            'Use --since and --until, or a query: "time:2026-11-01".',
        )
    require_possible(condition.field, condition.operator, condition.value)
    return condition
