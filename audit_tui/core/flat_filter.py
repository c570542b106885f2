"""The filters of the Filter dialog and of ``--filter`` with ``--match``: rows, and how they combine.

Everything else holds a filter as a tree (``core.filters``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum, StrEnum, auto
from itertools import chain, combinations
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column, Kind
from audit_tui.core.event import MAX_SEVERITY, Outcome
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    EVERYTHING,
    All,
    Any,
    Condition,
    MetaField,
    Not,
    condition_of,
    has_addresses,
    in_words,
    require_possible,
)
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
    TEXT_OPERATORS,
    number_of,
)
from audit_tui.core.record import Record
from audit_tui.errors import FilterError

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.filter.operators import Operator


class Match(StrEnum):
    """The way in which the rows of a flat filter combine."""

    ALL = "all"
    ANY = "any"

    @property
    def label(self) -> str:
        """The name on the dialog's tab."""
        return "AND" if self is Match.ALL else "OR"


class FlatFilter(Record):
    """A filter as the Filter dialog edits it: rows, and one choice of how they combine."""

    match: Match = Match.ALL
    conditions: tuple[Filter, ...] = ()
    """A condition each, or a group that says "is one of" or "is none of"."""

    def expression(self) -> Filter:
        """Return the same as a tree; everything when there are no rows."""
        if not self.conditions:
            return EVERYTHING
        if len(self.conditions) == 1:
            (row,) = self.conditions
            # One row stays one: several values at the top would be rows that are combined by OR.
            return row if isinstance(row, Condition) else All((row,))
        return (All if self.match is Match.ALL else Any)(self.conditions)


def flat(expression: Filter) -> FlatFilter | None:
    """Return a tree as rows; None if it is not all, or any, of some rows."""
    match expression:
        case Condition():
            return FlatFilter(Match.ALL, (expression,))
        case All(parts=parts) | Any(parts=parts):
            is_any = isinstance(expression, Any)
            is_rows = all(isinstance(part, Condition) or _listed(part) for part in parts)
            if is_rows and (parts or not is_any):
                return FlatFilter(Match.ANY if is_any else Match.ALL, parts)
    return None


def _listed(part: Filter) -> tuple[Condition, ...]:
    """Return the conditions of a group that says "is one of" or "is none of"; none of any other."""
    if not isinstance(part, Any | All):
        return ()
    wanted = IS if isinstance(part, Any) else IS_NOT
    conditions = tuple(each for each in part.parts if isinstance(each, Condition) and each.operator is wanted)
    is_list = len(conditions) == len(part.parts) > 1 and len({each.field for each in conditions}) == 1
    return conditions if is_list and all(each.value is not None for each in conditions) else ()


class Form(Enum):
    """The way in which a row says what an operator compares with."""

    VALUE = auto()
    START = auto()
    """The beginning of the value: a pattern without the ``*`` at its end."""
    LIST = auto()
    """Several values, separated by commas."""
    EMPTY = auto()
    """Nothing: it has no value, or has one."""


class RowOperator(NamedTuple):
    """An operator as a row offers it."""

    operator: Operator
    form: Form
    label: str
    short: str
    """The label for a narrow field."""


def _plain(*operators: Operator) -> tuple[RowOperator, ...]:
    return tuple(RowOperator(each, Form.VALUE, each.label, each.symbol) for each in operators)


_EQUAL = _plain(IS, IS_NOT)
_CONTAINS = _plain(CONTAINS, CONTAINS_NOT)
_STARTS = (RowOperator(MATCHES, Form.START, "Starts With", "a*"),)
_LISTS = (
    RowOperator(IS, Form.LIST, "Is One Of", "=()"),
    RowOperator(IS_NOT, Form.LIST, "Is None Of", "!=()"),
)
_EMPTY = (
    RowOperator(IS, Form.EMPTY, "Is Empty", "none"),
    RowOperator(IS_NOT, Form.EMPTY, "Is Not Empty", "any"),
)
_NETWORKS = tuple(each._replace(short=f"{each.short}/") for each in _plain(IN_NETWORK, NOT_IN_NETWORK))
_ORDER = _plain(MORE, LESS)
_TEXTS = _plain(*chain.from_iterable((each, each.negation) for each in TEXT_OPERATORS if each is not MATCHES))
_OF_TEXTS = (*_TEXTS, *_STARTS, *_LISTS, *_EMPTY)


def row_operators(field: FilterField | None) -> tuple[RowOperator, ...]:
    """Return what a row offers for a field, the most usual first."""
    if field is ANY_TEXT:
        return _CONTAINS
    if field is Column.OUTCOME:
        return (*_EQUAL, *_LISTS)
    if isinstance(field, Column) and field.kind is Kind.NUMBER:
        return (*_EQUAL, *_ORDER, *_plain(AT_LEAST, AT_MOST), *_LISTS, *_EMPTY)
    networks = _NETWORKS if field is not None and has_addresses(field) else ()
    return (*_OF_TEXTS, *networks, *(_ORDER if isinstance(field, MetaField) else ()))


class Draft(Record):
    """A row of the Filter dialog while it is edited: a condition that may lack its parts."""

    field: FilterField | None = None
    """None while no column is chosen."""
    operator: Operator = IS
    text: str | None = None
    """The value as typed or picked, exactly; None while there is none. The empty text can be picked."""
    is_missing: bool = False
    """The missing value was picked; ``text`` says nothing then. The text "(none)" is another value."""
    form: Form = Form.VALUE

    @classmethod
    def of(cls, row: Filter) -> Draft:
        """Return the row that edits this condition, or this list; ValueError if no row can."""
        if not isinstance(row, Condition):
            conditions = _listed(row)
            if not conditions:
                raise ValueError("not a row")
            text = list_text([each.value or "" for each in conditions])
            return cls(conditions[0].field, conditions[0].operator, text, form=Form.LIST)
        field, operator, value = row.field, row.operator, row.value
        if value is None:
            form = Form.EMPTY if operator.base is IS else Form.VALUE
            return cls(field, operator, None, True, form)
        if operator is MATCHES and len(value) > 1 and value.find("*") == len(value) - 1:
            return cls(field, operator, value[:-1], form=Form.START)
        return cls(field, operator, value)

    @property
    def has_value(self) -> bool:
        """True when it has something to compare with."""
        return self.is_missing or self.text is not None or self.form is Form.EMPTY

    @property
    def is_untouched(self) -> bool:
        """True when it says nothing yet: neither column nor value. An operator alone is nothing to mark."""
        return self.field is None and (not self.has_value or self.form is Form.EMPTY)

    def condition(self) -> Filter | None:
        """Return the condition that it says; None while a part is missing, or where it can match nothing."""
        return None if self.problem() is not None else self._condition()

    def problem(self) -> FilterError | None:
        """Return what is wrong with it; None when nothing is, or a part is still missing."""
        try:
            self._condition()
        except FilterError as error:
            return error
        return None

    def _condition(self) -> Filter | None:
        if self.field is None or not self.has_value:
            return None
        operator, text = self.operator, self.text
        if self.is_missing or self.form is Form.EMPTY or text is None:
            return condition_of(self.field, operator, None)
        if self.form is Form.LIST:
            members = tuple(self._compared(self.field, value) for value in listed_texts(text))
            kind = All if operator.is_negated else Any
            return members[0] if len(members) == 1 else kind(members)
        return self._compared(self.field, f"{text}*" if self.form is Form.START else text)

    def _compared(self, field: FilterField, text: str) -> Condition:
        operator = self.operator
        if isinstance(field, Column) and field.kind is Kind.NUMBER and number_of(text) is None:
            # Imported where it is wanted: with the language comes its scanner.
            from audit_tui.core.query_line.parse import number_text

            text = number_text(field, text)
        require_possible(field, operator, text)
        if operator.base is IN_NETWORK and not has_addresses(field):
            # The column was changed to what has no networks.
            operator = IS_NOT if operator.is_negated else IS
        return condition_of(field, operator, text)


def list_text(values: Sequence[str]) -> str:
    """Return values as a row lists them: separated by commas, in quotes where that is not clear."""
    return ", ".join(_list_value(value) for value in values)


def _list_value(value: str) -> str:
    is_plain = value and value == value.strip() and not any(sign in value for sign in ',"\\')
    if is_plain:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def listed_texts(text: str) -> list[str]:
    """Return the values that a list names; at least one, maybe empty."""
    values: list[str] = []
    part: list[str] = []
    is_quoted = was_quoted = False
    characters = iter(text)
    for character in characters:
        if is_quoted and character == "\\":
            part.append(next(characters, ""))
        elif character == '"' and (is_quoted or not "".join(part).strip()):
            is_quoted = not is_quoted
            part = part if was_quoted else []
            was_quoted = True
        elif character == "," and not is_quoted:
            values.append("".join(part) if was_quoted else "".join(part).strip())
            part, was_quoted = [], False
        elif is_quoted or not was_quoted:
            part.append(character)
    last = "".join(part) if was_quoted else "".join(part).strip()
    return [*values, last] if last or was_quoted or not values else values


def list_so_far(text: str) -> tuple[list[str], str]:
    """Return the values of a list that are finished, and the text of the last one, which is being typed."""
    # A letter at the end keeps a part that is still empty.
    *done, typed = listed_texts(f"{text}x")
    return done, typed[:-1]


def flat_filter(match: Match, drafts: Iterable[Draft]) -> FlatFilter:
    """Return the complete rows as a filter; the others are left out."""
    conditions = (draft.condition() for draft in drafts)
    return FlatFilter(match, tuple(condition for condition in conditions if condition is not None))


_DOMAINS: dict[Column, tuple[str | None, ...]] = {
    Column.OUTCOME: tuple(Outcome),
    Column.SEVERITY: (*map(str, range(MAX_SEVERITY + 1)), None),
}
"""The columns that have few values: all of them."""


def contradiction(rows: FlatFilter) -> tuple[Filter, Filter] | None:
    """Return the first two rows that no event can pass both; None where there are none, as far as is plain.

    A column has one value, so *is A* leaves no room for *is B*. A field of the metadata may have several.
    """
    if rows.match is Match.ALL:
        for pair in combinations(rows.conditions, 2):
            if _exclude_each_other(*pair):
                return pair
    return None


def contradiction_words(pair: tuple[Filter, Filter]) -> str:
    """Say that two rows can never hold together. From data: clean it before drawing."""
    first, second = map(in_words, pair)
    return f"never together: {first}, and {second}"


def _exclude_each_other(first: Filter, second: Filter) -> bool:
    field = _field_of(first)
    if field is None or field != _field_of(second):
        return False
    values = None
    if isinstance(field, Column):
        values = _DOMAINS.get(field) or _values_of(first) or _values_of(second)
    if values is None:
        if not isinstance(first, Condition) or not isinstance(second, Condition):
            return False
        is_searched = bool(first.value) or not first.operator.base.takes_all_when_empty
        return is_searched and first.operator.negation == second.operator and first.value == second.value
    tests = _test_of(first), _test_of(second)
    return not any(all(test(value) for test in tests) for value in values)


def _conditions(row: Filter) -> Iterable[Condition]:
    parts = row.parts if isinstance(row, All | Any) else (row,)
    return [part for part in parts if isinstance(part, Condition)]


def _field_of(row: Filter) -> object:
    fields = {condition.field for condition in _conditions(row)}
    return fields.pop() if len(fields) == 1 and not isinstance(row, Not) else None


def _values_of(row: Filter) -> tuple[str | None, ...] | None:
    """Return all values that a row lets through; None where they cannot be listed."""
    conditions = tuple(_conditions(row))
    if isinstance(row, All) or any(condition.operator is not IS for condition in conditions):
        return None
    return tuple(condition.value for condition in conditions)


def _test_of(row: Filter) -> Callable[[str | None], bool]:
    kind = all if isinstance(row, All) else any
    conditions = tuple(_conditions(row))
    return lambda value: kind(each.operator.matches(value, each.value) for each in conditions)
