"""A filter as the one line of the query language that means it: the inverse of ``parse``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.event import MAX_US, MIN_US, iso_utc
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    EVERYTHING,
    META,
    All,
    Any,
    Condition,
    MetaField,
    Not,
    condition_of,
)
from audit_tui.core.filter.operators import CONTAINS, IN_NETWORK, IS, SIGNS

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import Filter, FilterField

WORD = re.compile(r"(?:and|or|not)(?=[\s()]|$)", re.IGNORECASE)
HAS_SYMBOL = re.compile(f"[{re.escape(SIGNS.replace('!', ''))}]")
_BARE = re.compile(r'[^\s()"\\,@][^\s()"\\,]*')
PLAIN_NAME = rf'[^\s()".{re.escape(SIGNS)}]+'
"""A part of a field's name that needs no quotes."""
_PLAIN_PART = re.compile(PLAIN_NAME)


def normal(part: Filter) -> Filter:
    """Return the same filter in the form that ``parse`` gives, without needless groups."""
    match part:
        case Condition(field=field, operator=operator, value=value):
            if operator.base is not IS and value is None:
                value = ""
            return condition_of(field, operator, value)
        case Not(part=inner):
            plain = normal(inner)
            if plain == EVERYTHING:
                return Any(())
            return EVERYTHING if plain == Any(()) else negation(plain)
        case All(parts=parts) | Any(parts=parts):
            kind: type[All] | type[Any] = All if isinstance(part, All) else Any
            neutral, absorbing = (EVERYTHING, Any(())) if kind is All else (Any(()), EVERYTHING)
            plains = [plain for plain in map(normal, parts) if plain != neutral]
            if absorbing in plains:
                return absorbing
            return joined(kind, plains) if plains else neutral


def line_of(expression: Filter) -> str:
    """Return the one line of a filter; empty for everything."""
    part = normal(expression)
    if part == EVERYTHING:
        return ""
    return _NOTHING if part == Any(()) else _text(part)


_NOTHING = "seq<0"
"""The line of a filter that takes no event."""


def _text(part: Filter) -> str:
    match part:
        case Condition():
            return _condition_text(part)
        case Not(part=inner):
            return f"-({_text(inner)})"
        case All(parts=parts):
            return " ".join(
                f"({text})" if isinstance(first, Any) and not is_list else text
                for text, first, is_list in _runs(parts, is_any=False)
            )
        case Any(parts=parts):
            return " or ".join(text for text, _, _ in _runs(parts, is_any=True))


def _runs(parts: Sequence[Filter], *, is_any: bool) -> list[tuple[str, Filter, bool]]:
    """Return the texts of parts, each with its first part; neighbours of one field are one list."""
    runs: list[list[Filter]] = []
    key = None
    for part in parts:
        its_key = _list_key(part, is_any=is_any)
        if its_key is not None and its_key == key:
            runs[-1].append(part)
        else:
            runs.append([part])
        key = its_key
    texts = []
    for run in runs:
        first = run[0]
        if len(run) > 1:
            texts.append((_list_text(run), first, True))
        else:
            inner = isinstance(first, Any) and len(_runs(first.parts, is_any=True)) == 1
            texts.append((_text(first), first, inner))
    return texts


def _list_key(part: Filter, *, is_any: bool) -> tuple[FilterField, str] | None:
    """Return what conditions must have in common to be a list; None for what is in none."""
    if not isinstance(part, Condition) or part.value is None or part.operator.is_negated is is_any:
        return None
    if part.operator.is_order or (part.field is ANY_TEXT and part.operator.base is CONTAINS):
        return None
    return part.field, _symbol(part)


def _list_text(run: Sequence[Filter]) -> str:
    first, *_ = conditions = [part for part in run if isinstance(part, Condition)]
    values = ", ".join(_value_text(condition) for condition in conditions)
    return f"{field_text(first.field)}{_symbol(first)}({values})"


def _symbol(condition: Condition) -> str:
    operator = condition.operator
    if operator.base is IN_NETWORK:
        # For "=" means a network of the source IP only.
        return "!:" if operator.is_negated else ":"
    return operator.symbol


def _condition_text(condition: Condition) -> str:
    field, operator, value = condition.field, condition.operator, condition.value
    if value is None:
        return f"{field_text(field)}{':*' if operator.is_negated else '='}"
    if field is ANY_TEXT and operator.base is CONTAINS:
        text = value_text(value, is_alone=True)
        return f"-{text}" if operator.is_negated else text
    if operator.is_order and operator.is_negated:
        return f"-{field_text(field)}{operator.base.symbol}{_value_text(condition)}"
    return f"{field_text(field)}{_symbol(condition)}{_value_text(condition)}"


def _value_text(condition: Condition) -> str:
    value = condition.value or ""
    if condition.field is Column.TIME and value.lstrip("-").isdigit():
        return time_text(int(value))
    return value_text(value)


def time_text(occurred_us: int) -> str:
    """Return a time as the line has it: in UTC, without a fraction of zeros; one out of range as a number."""
    if not MIN_US <= occurred_us <= MAX_US:
        return "9999-12-31T23:59:59.999999Z" if occurred_us > 0 else "0001-01-01T00:00:00Z"
    return iso_utc(occurred_us).replace(".000000", "")


def value_text(value: str, *, is_alone: bool = False) -> str:
    """Return a value as the line has it, in quotes where it needs them; alone it has no column before it."""
    is_bare = _BARE.fullmatch(value) is not None and not WORD.fullmatch(value)
    if is_alone and is_bare:
        is_bare = value[0] not in "-!" and not HAS_SYMBOL.search(value)
    return value if is_bare else quoted(value)


def field_text(field: FilterField) -> str:
    """Return a field as the line has it."""
    if not isinstance(field, MetaField):
        return field.value
    parts = (part if _PLAIN_PART.fullmatch(part) else quoted(part) for part in field.path.split("."))
    return META + ".".join(parts)


def quoted(text: str) -> str:
    """Return a text in quotes, which it means literally."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def joined(kind: type[All] | type[Any], parts: list[Filter]) -> Filter:
    """Return parts as one group, without groups of the same kind in it."""
    if len(parts) == 1:
        return parts[0]
    if not any(isinstance(part, kind) for part in parts):
        return kind(tuple(parts))
    flat: list[Filter] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else (part,)
    return kind(tuple(flat))


def negation(part: Filter) -> Filter:
    """Return the filter that holds where another does not, without a double "not"."""
    match part:
        case Condition(field=field, operator=operator, value=value):
            return Condition(field, operator.negation, value)
        case Not(part=inner):
            return inner
        case _:
            return Not(part)
