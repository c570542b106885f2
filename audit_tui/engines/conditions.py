"""A filter as SQL whose answer is that of ``core.matching``, to the last event.

Most conditions are SQL as they stand. A few compare in a way that no engine knows: addresses in free text,
numbers in metadata. Of those the different values that could pass are read and tested here, and the statement
asks for the ones that did.
"""

from __future__ import annotations

import re
from math import ceil, floor
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.columns import Column
from audit_tui.core.event import MAX_SEVERITY
from audit_tui.core.filter.filters import ANY_TEXT, All, Any, Condition, MetaField, Not
from audit_tui.core.filter.networks import address_of, network_of
from audit_tui.core.filter.operators import (
    AT_LEAST,
    AT_MOST,
    CONTAINS,
    IN_NETWORK,
    IS,
    LESS,
    MATCHES,
    Operand,
    number_of,
)
from audit_tui.engines.layout import (
    BEFORE_VALUE,
    BETWEEN,
    COLUMN_OF,
    NAME_FIELDS,
    OUTCOMES,
    Field,
    address_text,
    leaf_text,
    network_ends,
)
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.filter.operators import Operator, TextTest
    from audit_tui.engines.dialect import Args

    Lookup: TypeAlias = Callable[[str, Args], Sequence[str]]
    """Returns the texts that a statement gives."""

MAX_INT = 2**63 - 1
MAX_ALTERNATIVES = 8
LEAST_INDEXED = 4
"""Texts with fewer characters are not in an index of parts."""
TRUE, FALSE = "1 = 1", "1 = 0"
_TEXT_COLUMNS = (Column.DESCRIPTION, Column.TARGET, Column.SOURCE_IP)
_LIKE = re.compile(r"[\\%_]")
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}\-]")
_WHOLE = re.compile(r"-?[1-9][0-9]{0,18}|0", re.ASCII)
_SPACE = "[^!-~]"
"""All that Python may take for a space, and more: the engines know 5 characters of 29."""
_NUMBERS = f"^([-+.0-9eE]|{_SPACE})+$"
_LIKE_ADDRESS = f"^{_SPACE}*[0-9a-fA-F.:]{{2,45}}(%.*)?{_SPACE}*$"
_SAME_LEAF = f"[^{BETWEEN}]*"
_LEAF = f"({_SAME_LEAF})"


def alternatives(expression: Filter) -> tuple[Filter, ...]:
    """Return filters of which one must hold: an index answers each of them, and none all together."""
    match expression:
        case Any(parts=parts) if 1 < len(parts) <= MAX_ALTERNATIVES:
            return parts
        case All(parts=parts):
            for place, part in enumerate(parts):
                if isinstance(part, Any) and 1 < len(part.parts) <= MAX_ALTERNATIVES:
                    others = parts[:place] + parts[place + 1 :]
                    return tuple(All((choice, *others)) for choice in part.parts)
    return (expression,)


class Conditions:
    """Writes the conditions of one statement.

    Args:
        args: Of the statement.
        lookup: Reads texts with another statement.
    """

    addresses: Mapping[str, str] = {"target": "e.target_address", "source_ip": "e.source_address"}
    """The columns that hold the addresses of others in one notation."""

    def __init__(self, args: Args, lookup: Lookup) -> None:
        self._args = args
        self._dialect = args.dialect
        self._lookup = lookup

    def sql(self, expression: Filter) -> str:
        """Return a filter as a condition on ``e``."""
        match expression:
            case Condition():
                return self._condition(expression)
            case Not(part=part):
                return self._dialect.negated(self.sql(part))
            case All(parts=parts):
                return " AND ".join(f"({self.sql(part)})" for part in parts) or TRUE
            case Any(parts=parts):
                return " OR ".join(f"({self.sql(part)})" for part in parts) or FALSE

    def names(self, field: Field, operator: Operator, value: str) -> str:
        """Return the condition on a row of ``audit_names`` for a positive operator."""
        args, test = self._args, operator.meaning(value)
        where = f"field = {int(field)}"
        if operator is IS:
            return f"{where} AND name = {args(value)}"
        if operator.is_by_parts and not (operator is MATCHES and address_of(value)):
            return f"{where} AND {self._like('folded', operator, value)}"
        guard = self._dialect.matches("name", args(guard_of(operator)))
        could = f"{guard} OR folded = {args(value.casefold())}"
        exact = f"SELECT name FROM audit_names WHERE {where} AND ({could})"
        if field is Field.SOURCE:
            exact += f" UNION ALL SELECT name FROM {self._dialect.stores_table} s WHERE {could}"
        passing = [name for name in self._lookup(exact, args) if test(name)]
        return f"{where} AND {self._dialect.is_one_of(args, 'name', passing)}"

    def _condition(self, condition: Condition) -> str:
        operator, value = condition.operator.base, condition.value
        if operator.takes_all_when_empty and not value:
            positive = TRUE
        elif value is None:
            positive = self._missing(condition.field)
        else:
            positive = self._positive(condition.field, operator, stored_text(value))
        return self._dialect.negated(positive) if condition.operator.is_negated else positive

    def _missing(self, field: FilterField) -> str:
        if isinstance(field, MetaField):
            pattern = self._dialect.leaf_pattern(self._args, stored_text(field.path), "")
            return self._dialect.negated(self._dialect.matches("e.texts", pattern))
        if field is ANY_TEXT:
            return " AND ".join(f"e.{column} IS NULL" for column in (*_TEXT_COLUMNS, "texts"))
        if field in (Column.OUTCOME, Column.TIME, Column.SEQ):
            return FALSE
        return f"{self.column(field)} IS NULL"

    @staticmethod
    def column(field: FilterField) -> str:
        """Return the column of ``audit_events`` that holds a field."""
        if isinstance(field, Column) and field in NAME_FIELDS:
            return f"e.{COLUMN_OF[NAME_FIELDS[field]]}"
        if field is Column.TIME:
            return "e.occurred_us"
        return "e.id" if field is Column.SEQ else f"e.{field.value}"

    def _positive(self, field: FilterField, operator: Operator, value: str) -> str:
        if isinstance(field, MetaField):
            return self._leaf(stored_text(field.path), operator, value)
        if field is ANY_TEXT:
            if operator is CONTAINS and min(value, default="") >= " " and self._dialect.all_texts:
                return self._like(self._dialect.all_texts, operator, value)
            parts = [self._text(column, operator, value) for column in _TEXT_COLUMNS]
            return " OR ".join(f"({part})" for part in (*parts, self._leaf(None, operator, value)))
        if field is Column.OUTCOME:
            return self._numbered(self.column(field), OUTCOMES, operator, value)
        if field is Column.SEVERITY:
            return self._numbered(
                self.column(field), [str(n) for n in range(MAX_SEVERITY + 1)], operator, value
            )
        if field in (Column.TIME, Column.SEQ):
            return self._number(self.column(field), operator, value)
        if isinstance(field, Column) and field in NAME_FIELDS:
            return self._name(NAME_FIELDS[field], operator, value)
        assert isinstance(field, Column)  # noqa: S101 - the columns of filters are all told of above
        return self._text(field, operator, value)

    def _name(self, field: Field, operator: Operator, value: str) -> str:
        if field is Field.SOURCE:
            where = self.names(field, operator, value).replace(f"field = {int(field)}", TRUE, 1)
            stores = f"SELECT store FROM {self._dialect.stores_table} s WHERE {where}"
            store = f"{self._dialect.store_number()} IN ({stores})"
            return f"({self._name_in(field, operator, value)}) OR {store}"
        return self._name_in(field, operator, value)

    def _name_in(self, field: Field, operator: Operator, value: str) -> str:
        if operator is IS:
            return self._dialect.name_is(self._args, field, value)
        names = self.names(field, operator, value)
        key = self._dialect.name_key()
        return f"e.{COLUMN_OF[field]} IN (SELECT {key} FROM audit_names WHERE {names})"

    def _text(self, column: Column, operator: Operator, value: str) -> str:
        return self._text_of(column.value, operator, value)

    def _text_of(self, column: str, operator: Operator, value: str) -> str:
        """Return the condition on a column of texts."""
        args, text, test = self._args, f"e.{column}", operator.meaning(value)
        folded = self._dialect.folded(column)
        if operator is IS:
            return f"{text} = {args(value)}{self._in_index(value)}"
        if operator.is_by_parts:
            like = self._like(folded, operator, value) + self._in_index(value)
            address = address_of(value) if operator is MATCHES else None
            if address is None:
                return like
            if column in self.addresses:
                return f"{like} OR {self.addresses[column]} = {args(address_text(address))}"
        elif (
            operator is IN_NETWORK and column in self.addresses and (network := network_of(value)) is not None
        ):
            first, last = network_ends(network)
            place = self.addresses[column]
            inside = f"({place} >= {args(first)} AND {place} <= {args(last)})"
            # ::ffff:10.0.0.1 is kept as 10.0.0.1, and lies in the networks of both.
            if network.version == 6:
                mapped = f"{place} < '5' AND {self._dialect.matches(text, args(':'))}"
                could = f"({mapped}) OR {folded} = {args(value.casefold())}"
                return f"{inside} OR {self._tested(text, could, test)}"
            return f"{inside} OR {folded} = {args(value.casefold())}"
        elif operator is IN_NETWORK and network_of(value) is None:
            return f"{text} = {args(value)}"
        guard = self._dialect.matches(text, args(guard_of(operator)))
        return self._tested(text, f"{guard} OR {folded} = {args(value.casefold())}", test)

    def _tested(self, text: str, guard: str, test: TextTest) -> str:
        """Return the condition that a column has a text that passes a test, by reading those that could."""
        statement = f"SELECT DISTINCT {text} FROM audit_events e WHERE {guard}"
        passing = [other for other in self._lookup(statement, self._args) if test(other)]
        return self._dialect.is_one_of(self._args, text, passing)

    def _like(self, folded: str, operator: Operator, value: str) -> str:
        """Return the comparison of a folded text with a part of it, or with a pattern."""
        parts = parts_of(operator, value.casefold())
        if len(parts) == 1:
            return f"{folded} = {self._args(parts[0])}"
        return f"{folded} LIKE {self._args('%'.join(map(_like_text, parts)))}"

    def _in_index(self, value: str) -> str:
        """Return a further condition of a text like a value, which an index answers; or nothing."""
        pieces = value.casefold().split("*")
        if not self._dialect.all_texts or len(max(pieces, key=len)) < LEAST_INDEXED:
            return ""
        like = "%".join(map(_like_text, ("", *pieces, "")))
        return f" AND {self._dialect.all_texts} LIKE {self._args(like)}"

    def _leaf(self, path: str | None, operator: Operator, value: str) -> str:
        """Return the condition on the values of the metadata, of all or of a part of them."""
        args, matches = self._args, self._dialect.matches
        folded = self._dialect.folded("texts")
        text = leaf_text(value)
        if operator is IS:
            leaf = f"{BEFORE_VALUE}{text}{BETWEEN}"
            # The second one finds its rows in an index over parts of texts, where there is one.
            indexed = self._dialect.all_texts or folded
            whole = f"e.texts LIKE {args(contains_text(leaf))}"
            whole += f" AND {indexed} LIKE {args(contains_text(leaf.casefold()))}"
            if path is None:
                return whole
            return f"{whole} AND {matches('e.texts', self._pattern(path, _literal(text) + BETWEEN))}"
        if operator is CONTAINS:
            needle = text.casefold()
            part = f"{folded} LIKE {args(contains_text(needle))}"
            # The marks are control characters.
            if path is None and min(needle) >= " ":
                return part
            part += self._in_index(needle)
            return f"{part} AND {matches(folded, self._pattern(path, _SAME_LEAF + _literal(needle)))}"
        if operator.is_by_parts:
            parts = parts_of(operator, text.casefold())
            pattern = self._pattern(path, _SAME_LEAF.join(map(_literal, parts)) + BETWEEN)
            like = matches(folded, pattern) + self._in_index(text)
            if len(parts) > 1 or address_of(value) is None:
                return like
            return f"({like}) OR {self._leaf_values(path, operator, value)}"
        return self._leaf_values(path, operator, value)

    def _leaf_values(self, path: str | None, operator: Operator, value: str) -> str:
        """Return the condition that the metadata have a value that passes a test, by reading the values."""
        args, test = self._args, operator.meaning(value)
        source, each = self._dialect.leaf_values(self._pattern(path, _LEAF))
        guard = self._dialect.matches(each, args(guard_of(operator)))
        could = f"{guard} OR {each} = {args(leaf_text(value))}"
        statement = f"SELECT DISTINCT {each} FROM audit_events e{source} WHERE {could}"
        passing = [text for text in self._lookup(statement, args) if test(text)]
        return self._dialect.has_value_in(args, self._pattern(path, _LEAF), passing)

    def _pattern(self, path: str | None, rest: str) -> str:
        if path is None:
            return self._args(BEFORE_VALUE + rest)
        return self._dialect.leaf_pattern(self._args, path, rest)

    def _numbered(self, column: str, texts: Sequence[str], operator: Operator, value: str) -> str:
        """Return the condition on a column that holds the number of one of a few texts."""
        test = operator.meaning(value)
        numbers = [str(number) for number, text in enumerate(texts) if test(text)]
        return f"{column} IN ({', '.join(numbers)})" if numbers else FALSE

    def _number(self, column: str, operator: Operator, value: str) -> str:
        """Return the condition on a column of numbers, which compares as their text where it must."""
        if operator is IS:
            number = int(value) if _WHOLE.fullmatch(value) else MAX_INT + 1
            return f"{column} = {number}" if abs(number) <= MAX_INT else FALSE
        if operator.is_by_parts:
            return self._like(f"CAST({column} AS TEXT)", operator, value)
        if operator.operand is Operand.TEXT:
            return self._tested(f"CAST({column} AS TEXT)", TRUE, operator.meaning(value))
        wanted = number_of(value)
        if operator is IN_NETWORK or wanted is None:
            return FALSE
        if abs(wanted) > MAX_INT:
            return TRUE if (wanted > 0) == (operator in (LESS, AT_MOST)) else FALSE
        if operator is LESS:
            return f"{column} < {ceil(wanted)}"
        if operator is AT_MOST:
            return f"{column} <= {floor(wanted)}"
        return f"{column} >= {ceil(wanted)}" if operator is AT_LEAST else f"{column} > {floor(wanted)}"


def parts_of(operator: Operator, value: str) -> Sequence[str]:
    """Return the parts that a text needs to pass an operator that is by parts."""
    return value.split("*") if operator is MATCHES else operator.parts(value)


def guard_of(operator: Operator) -> str:
    """Return the pattern of the texts that could pass an operator that no engine knows."""
    if operator.is_order:
        return _NUMBERS
    return _LIKE_ADDRESS if operator in (MATCHES, IN_NETWORK) else ""


def _like_text(text: str) -> str:
    return _LIKE.sub(r"\\\g<0>", text)


def contains_text(text: str) -> str:
    """Return the pattern of LIKE for texts that contain this one."""
    return f"%{_like_text(text)}%"


def _literal(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
