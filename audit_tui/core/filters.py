"""Which events are wanted: an expression tree over a table of operators.

The Filter dialog and ``--filter`` make the flat ones (all of these, any of these); the tree holds what a
query language needs later.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.event import json_text
from audit_tui.core.networks import network_of
from audit_tui.core.record import Record
from audit_tui.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_VALUE_WORDS = "(none)"
"""How a missing value reads in a filter."""


class Field(StrEnum):
    """The columns of names, which the Filter dialog offers; the value is the name in commands."""

    EVENT = "event"
    CATEGORY = "category"
    USER = "user"

    @property
    def label(self) -> str:
        """The name on the screen."""
        return self.value.capitalize()


class TextField(StrEnum):
    """A further part of an event that a condition can look at; the value is its name in commands."""

    DESCRIPTION = "description"
    OUTCOME = "outcome"
    SOURCE_IP = "source_ip"
    TARGET = "target"
    ANY = "text"
    """Description, target, source IP and every value of the metadata: one of them is enough."""

    @property
    def label(self) -> str:
        """The name in sentences."""
        return _LABELS.get(self.value, self.value.capitalize())


_LABELS = {"source_ip": "Source IP", "text": "Any text"}
_META = "meta."


class MetaField(Record):
    """What stands in the metadata under a name.

    ``request.role`` looks into objects, a list stands for all its members, and a name that leads to an
    object or a list for all the values inside. A number or a boolean compares by its JSON text.
    """

    path: str

    @property
    def value(self) -> str:
        """The name in commands, ``meta.request.role``; in quotes when it could be read otherwise."""
        path = self.path
        if path != path.strip() or path[0] in '"=~!' or path[-1] == "!" or "=" in path or "~" in path:
            return f"{_META}{json_text(path)}"
        return f"{_META}{path}"

    @property
    def label(self) -> str:
        """The name in sentences."""
        return f"{_META}{self.path}"

    def __post_init__(self) -> None:
        if not self.path:
            raise FilterError("A metadata field needs a name.", 'Write it as "meta.region=eu-west-1".')


AnyField: TypeAlias = Field | TextField | MetaField
_NAMED: dict[str, Field | TextField] = {field.value: field for field in (*Field, *TextField)}
_MEANT = {
    "ip": "source_ip",
    "source ip": "source_ip",
    "address": "source_ip",
    "name": "event",
    "action": "event",
}
"""What the columns are called elsewhere."""
_MAX_NAME = 100
_KNOWN = f"Columns are {', '.join(_NAMED)} and meta.NAME."


def field_named(name: str) -> AnyField:
    """The field that commands call so; names of columns in any case.

    Raises:
        FilterError: If there is none of that name.
    """
    folded = name.lower()
    if folded.startswith(_META):
        path = name[len(_META) :]
        if path.startswith('"'):
            path = _quoted(path)[0]
        return MetaField(path)
    if folded in _NAMED:
        return _NAMED[folded]
    raise FilterError(f"There is no column {name!r}.", _known(name))


def _known(name: str) -> str:
    """What to do about a column that is not there."""
    # Imported where it is wanted: 10 ms of the start of every command.
    from difflib import get_close_matches

    close = get_close_matches(name[:_MAX_NAME].lower(), [*_NAMED, *_MEANT], n=1, cutoff=0.7)
    meant = f"Did you mean {_MEANT.get(close[0], close[0])}? " if close else ""
    return f"{meant}{_KNOWN}"


def _quoted(text: str) -> tuple[str, int]:
    """The JSON text that a text begins with, and its length."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        value, end = None, 0
    if not isinstance(value, str):
        raise FilterError(f"The name {text!r} has no end.", 'Write it as "meta.\\"a=b\\"=value".')
    return value, end


class Match(StrEnum):
    """How the rows of a flat filter combine."""

    ALL = "all"
    ANY = "any"

    @property
    def label(self) -> str:
        """The name on the dialog's tab."""
        return "AND" if self is Match.ALL else "OR"


class Operator(Record):
    """One way to compare a field with a value."""

    key: str
    """The stable name, for saved views and for the store's SQL."""
    symbol: str
    """How it is written in ``--filter``."""
    label: str
    """How the dialog names it."""
    words: str
    """How a sentence says it."""


IS = Operator("is", "=", "Is Equal To", "is")
IS_NOT = Operator("is_not", "!=", "Is Not Equal To", "is not")
CONTAINS = Operator("contains", "~", "Contains", "contains")
CONTAINS_NOT = Operator("contains_not", "!~", "Does Not Contain", "does not contain")
IN_NETWORK = Operator("in_network", "=", "Is In Network", "is in")
NOT_IN_NETWORK = Operator("not_in_network", "!=", "Is Not In Network", "is not in")
OPERATORS = (IS, IS_NOT)
"""What the Filter dialog offers."""
ALL_OPERATORS = (*OPERATORS, CONTAINS, CONTAINS_NOT, IN_NETWORK, NOT_IN_NETWORK)
POSITIVE = {IS_NOT: IS, CONTAINS_NOT: CONTAINS, NOT_IN_NETWORK: IN_NETWORK}
"""Each negated operator, which holds exactly where the other does not."""


class Condition(Record):
    """One comparison of a field with a value.

    *Is* compares exactly, case included; *contains* without regard to case. An event without a user *is
    not* every user and contains nothing, but an empty search leaves nothing out. A field with several values
    *is* each of them.
    """

    field: AnyField
    operator: Operator
    value: str | None
    """What to compare with; None is the missing value."""

    def __post_init__(self) -> None:
        is_asked = POSITIVE.get(self.operator, self.operator) is IN_NETWORK
        if is_asked and not _is_network(self.field, self.value):
            raise FilterError(
                f"{self.value!r} is no network for {self.field.label}.",
                'Write it as "source_ip=10.0.0.0/8".',
            )


def _is_network(field: AnyField, value: str | None) -> bool:
    return field is TextField.SOURCE_IP and value is not None and network_of(value) is not None


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


class FlatFilter(Record):
    """What the Filter dialog edits: rows, and one choice of how they combine."""

    match: Match = Match.ALL
    conditions: tuple[Condition, ...] = ()

    def expression(self) -> Filter:
        """The same as a tree; everything when there are no rows."""
        if not self.conditions:
            return EVERYTHING
        if len(self.conditions) == 1:
            return self.conditions[0]
        return (All if self.match is Match.ALL else Any)(self.conditions)


class Draft(Record):
    """A row of the Filter dialog while it is edited: a condition that may lack its parts."""

    field: AnyField | None = None
    """None while no column is chosen."""
    operator: Operator = IS
    text: str | None = None
    """The value as typed or picked, exactly; None while there is none. The empty text can be picked."""
    is_missing: bool = False
    """The missing value was picked; ``text`` says nothing then. The text "(none)" is another value."""

    @classmethod
    def of(cls, condition: Condition) -> Draft:
        """The row that edits this condition."""
        return cls(condition.field, condition.operator, condition.value, condition.value is None)

    @property
    def has_value(self) -> bool:
        """Whether there is something to compare with."""
        return self.is_missing or self.text is not None

    @property
    def is_complete(self) -> bool:
        """Whether it makes a condition."""
        return self.field is not None and self.has_value

    @property
    def is_untouched(self) -> bool:
        """Whether it says nothing yet: neither column nor value. An operator alone is nothing to mark."""
        return self.field is None and not self.has_value

    def condition(self) -> Condition | None:
        """What it says; None while a part is missing."""
        if self.field is None or not self.has_value:
            return None
        value = None if self.is_missing else self.text
        operator = self.operator
        if POSITIVE.get(operator, operator) is IN_NETWORK and not _is_network(self.field, value):
            # The column or the value was changed to what has no networks.
            operator = IS if operator is IN_NETWORK else IS_NOT
        return Condition(self.field, operator, value)


def flat_filter(match: Match, drafts: Iterable[Draft]) -> FlatFilter:
    """The complete rows as a filter; the others are left out."""
    conditions = (draft.condition() for draft in drafts)
    return FlatFilter(match, tuple(condition for condition in conditions if condition is not None))


NO_FILTER = FlatFilter()


def in_words(expression: Filter) -> str:
    """The filter as a sentence part, "Category is not Roles and User is bob"; empty for everything.

    The values are as given: clean the result before it is drawn.
    """
    match expression:
        case Condition(field=field, operator=operator, value=value):
            said = NO_VALUE_WORDS if value is None else value
            return f"{field.label} {operator.words} {said}"
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


_SPLIT = re.compile("!=|!~|=|~")


def parse_condition(text: str) -> Condition:
    """Read ``COLUMN=VALUE``, ``COLUMN!=VALUE``, ``COLUMN~VALUE`` or ``COLUMN!~VALUE``; the first splits.

    An empty value is the missing one: ``user=`` means no user. ``source_ip=10.0.0.0/8`` means every address
    in that network.

    Raises:
        FilterError: If there is no operator, or the column is unknown.
    """
    named = text.lstrip()
    begin = len(_META) if named[: len(_META)].lower() == _META else 0
    if begin and named.startswith('"', begin):
        begin += _quoted(named[begin:])[1]
    split = _SPLIT.search(named, begin)
    if split is None:
        raise FilterError(
            f"The filter {text!r} has none of =, !=, ~ and !~.",
            'Write it as "user=alice", "event!=Login" or "description~failed".',
        )
    name, value = named[: split.start()].strip(), named[split.end() :]
    if not name.lower().startswith(_META) and name.lower() not in _NAMED:
        raise FilterError(f"The filter {text!r} names an unknown column {name!r}.", _known(name))
    field = field_named(name)
    operator = next(one for one in ALL_OPERATORS if one.symbol == split[0])
    if operator in OPERATORS and _is_network(field, value):
        operator = IN_NETWORK if operator is IS else NOT_IN_NETWORK
    return Condition(field, operator, value or None)


def condition_text(condition: Condition) -> str:
    """The condition as ``--filter`` reads it: the inverse of ``parse_condition``."""
    return f"{condition.field.value}{condition.operator.symbol}{condition.value or ''}"
