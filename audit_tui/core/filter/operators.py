"""The operators of a filter: each knows how it is written and said, and what it means for a value.

Rows are tested, and names chosen from an index, by the same function. To add an operator, write it here with
its negation and put both into ``OPERATORS``: parsing, printing, the dialog, the store and the engines follow.
"""

from __future__ import annotations

import operator as comparisons
from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.filter.networks import address_of, address_test, network_of, network_test
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from decimal import Decimal

    TextTest: TypeAlias = Callable[[str], bool]
    """Tells whether one text of an event is meant."""
    Meaning: TypeAlias = Callable[[str], TextTest]
    """Makes the test for what a condition looks for, so that this is worked out once."""
    Parts: TypeAlias = Callable[[str], Sequence[str]]
    """Divides what a condition looks for."""


def _no_parts(value: str) -> Sequence[str]:
    return "", ""


class Operand(Enum):
    """The sort of values that an operator compares with."""

    TEXT = auto()
    NETWORK = auto()
    NUMBER = auto()


class Operator(Record):
    """One way to compare a field with a value.

    A positive operator holds where one of the field's texts passes its test; a negated one exactly where its
    positive one does not, so also where the field has no value.
    """

    key: str
    """The stable name, for saved places and for the store's SQL."""
    symbol: str
    """The sign in a filter. ``=`` stands for two operators, which the value tells apart: networks."""
    label: str
    """The name in the dialog."""
    words: str
    """The words in a sentence."""
    meaning: Meaning
    """The positive meaning for a value."""
    parts: Parts = _no_parts
    """The texts that stand, in this order and any case, in each text that passes for a value: the first at
    its beginning, the last at its end. By these an index finds candidates."""
    is_by_parts: bool = False
    """A text with these parts passes, if there are any: nothing else is tested."""
    positive: Operator | None = None
    """The operator that this one negates; None for a positive one."""
    takes_all_when_empty: bool = False
    """An empty value leaves nothing out, not even what has no value."""
    operand: Operand = Operand.TEXT
    """The sort of values that it compares with."""

    @property
    def base(self) -> Operator:
        """The positive operator: itself, unless it is negated."""
        return self if self.positive is None else self.positive

    @property
    def is_negated(self) -> bool:
        """True when it holds where another operator does not."""
        return self.positive is not None

    @property
    def negation(self) -> Operator:
        """The operator that holds exactly where this one does not."""
        return _NEGATIONS[self.key]

    @property
    def is_order(self) -> bool:
        """True when it compares numbers or times."""
        return self.operand is Operand.NUMBER

    def matches(self, text: str | None, value: str | None) -> bool:
        """Tell whether a value of an event passes, for a field that has one value or none."""
        return self.test(value)(() if text is None else (text,))

    def test(self, value: str | None) -> Callable[[Iterable[str]], bool]:
        """Return the test of all the texts of a field, for many events."""
        if self.positive is not None:
            positive = self.positive.test(value)
            return lambda texts: not positive(texts)
        if self.takes_all_when_empty and not value:
            return lambda texts: True
        if value is None:
            return lambda texts: not any(True for _ in texts)
        passes = self.meaning(value)
        return lambda texts: any(map(passes, texts))


def _equals(value: str) -> TextTest:
    return partial(comparisons.eq, value)


def _contains(value: str) -> TextTest:
    folded = value.casefold()
    return lambda text: folded in text.casefold()


def _matches(value: str) -> TextTest:
    """Return the test of a pattern: the whole text, in any case; ``*`` stands for any text.

    An address also matches in other notation: ``::1`` and ``0:0:0:0:0:0:0:1``.
    """
    first, *others = value.casefold().split("*")
    if not others:
        address = address_of(first)
        if address is None:
            return lambda text: text.casefold() == first
        is_same = address_test(address)
        return lambda text: text.casefold() == first or is_same(text)
    *middle, last = others

    def passes(text: str) -> bool:
        folded = text.casefold()
        if not folded.startswith(first):
            return False
        position = len(first)
        # The leftmost place for each part leaves most room for the others, so no second try is needed.
        for part in middle:
            place = folded.find(part, position)
            if place < 0:
                return False
            position = place + len(part)
        return folded.endswith(last) and len(folded) - len(last) >= position

    return passes


def _pattern_parts(value: str) -> Sequence[str]:
    parts = value.split("*")
    return parts if len(parts) > 1 or address_of(value) is None else _no_parts(value)


def _in_network(value: str) -> TextTest:
    network = network_of(value)
    if network is None:
        return _equals(value)
    folded, is_inside = value.casefold(), network_test(network)
    # The network's own text may stand where an address should.
    return lambda text: is_inside(text) or text.casefold() == folded


def _ordered(compare: Callable[[Decimal, Decimal], bool]) -> Meaning:
    def meaning(value: str) -> TextTest:
        wanted = number_of(value)
        if wanted is None:
            return lambda text: False

        def passes(text: str) -> bool:
            number = number_of(text)
            return number is not None and compare(number, wanted)

        return passes

    return meaning


MAX_NUMBER_CHARS = 400
"""Longer texts are not numbers: Decimal takes a time that grows with the square of their length."""


def number_of(text: str) -> Decimal | None:
    """Return the finite number that a text is; None if it is not one."""
    if len(text) > MAX_NUMBER_CHARS or not text.isascii() or "_" in text:
        return None
    # Imported where it is wanted: 1 ms of the start of every command.
    from decimal import Decimal, InvalidOperation

    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


IS = Operator("is", "=", "Is Equal To", "is", _equals, lambda value: (value,))
CONTAINS = Operator(
    "contains",
    "~",
    "Contains",
    "contains",
    _contains,
    lambda value: ("", value, ""),
    is_by_parts=True,
    takes_all_when_empty=True,
)
MATCHES = Operator("matches", ":", "Matches", "matches", _matches, _pattern_parts, is_by_parts=True)
IN_NETWORK = Operator("in_network", "=", "Is In Network", "is in", _in_network, operand=Operand.NETWORK)
LESS = Operator("less", "<", "Is Less Than", "is less than", _ordered(comparisons.lt), operand=Operand.NUMBER)
AT_MOST = Operator(
    "at_most", "<=", "Is At Most", "is at most", _ordered(comparisons.le), operand=Operand.NUMBER
)
MORE = Operator("more", ">", "Is More Than", "is more than", _ordered(comparisons.gt), operand=Operand.NUMBER)
AT_LEAST = Operator(
    "at_least", ">=", "Is At Least", "is at least", _ordered(comparisons.ge), operand=Operand.NUMBER
)


def _negated(key: str, symbol: str, label: str, words: str, positive: Operator) -> Operator:
    return Operator(key, symbol, label, words, positive.meaning, positive=positive, operand=positive.operand)


IS_NOT = _negated("is_not", "!=", "Is Not Equal To", "is not", IS)
CONTAINS_NOT = _negated("contains_not", "!~", "Does Not Contain", "does not contain", CONTAINS)
MATCHES_NOT = _negated("matches_not", "!:", "Does Not Match", "does not match", MATCHES)
NOT_IN_NETWORK = _negated("not_in_network", "!=", "Is Not In Network", "is not in", IN_NETWORK)
# Not the opposite order: what has no number is neither less nor more.
NOT_LESS = _negated("not_less", "!<", "Is Not Less Than", "is not less than", LESS)
NOT_AT_MOST = _negated("not_at_most", "!<=", "Is Not At Most", "is not at most", AT_MOST)
NOT_MORE = _negated("not_more", "!>", "Is Not More Than", "is not more than", MORE)
NOT_AT_LEAST = _negated("not_at_least", "!>=", "Is Not At Least", "is not at least", AT_LEAST)

OPERATORS = (
    *(IS, IS_NOT, CONTAINS, CONTAINS_NOT, MATCHES, MATCHES_NOT, IN_NETWORK, NOT_IN_NETWORK),
    *(LESS, NOT_LESS, AT_MOST, NOT_AT_MOST, MORE, NOT_MORE, AT_LEAST, NOT_AT_LEAST),
)
"""All of them."""
TEXT_OPERATORS = tuple(each for each in OPERATORS if each.operand is Operand.TEXT and not each.is_negated)
"""The positive operators that compare texts."""
SIGNS = "".join(sorted(set("".join(operator.symbol for operator in OPERATORS))))
"""The characters of their symbols: a name that holds one is written in quotes."""
NAME_OPERATORS = (IS, IS_NOT)
"""The operators that the Filter dialog offers for a column of names."""
BY_KEY = {operator.key: operator for operator in OPERATORS}
_NEGATIONS = {operator.key: operator.base for operator in OPERATORS if operator.is_negated} | {
    operator.base.key: operator for operator in OPERATORS if operator.is_negated
}
