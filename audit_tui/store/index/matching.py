"""A filter as bitmaps: the places of a segment that match, and those whose rows must be tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pyroaring import BitMap

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import All, Any, Condition, Filter, Not
from audit_tui.core.filter.operators import AT_LEAST, AT_MOST, IS, LESS, MATCHES, MORE, OPERATORS
from audit_tui.errors import FilterError
from audit_tui.store.index.blocks import damaged
from audit_tui.store.index.fields import BY_NAME, MISSING, IndexField, texts_of
from audit_tui.store.index.row_conditions import Answer
from audit_tui.store.index.row_tests import text_test
from audit_tui.store.index.segment import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.store.index.segment import Segment
    from audit_tui.store.index.session import Session

    RowTest: TypeAlias = Callable[[Condition, BitMap], "Matches"]

MAX_DEPTH = 50
_MOST_DIGITS = 20
"""Of the number of an event."""
_MANY = 256
"""A question with this many bitmaps keeps none for the next one: they would push out all others."""


class Matches(NamedTuple):
    """Places of a segment; both are disjoint."""

    certain: BitMap
    untested: BitMap

    @property
    def possible(self) -> BitMap:
        """The places that match, or may."""
        return self.certain | self.untested if self.untested else self.certain


def check(expression: Filter, depth: int = 0) -> None:
    """Refuse a filter that cannot be answered.

    Raises:
        FilterError: If it is nested too deeply, or has an operator that is not known here.
    """
    if depth > MAX_DEPTH:
        raise FilterError(f"The filter is nested more than {MAX_DEPTH} deep.", "Write it more simply.")
    match expression:
        case Condition(field=field, operator=operator):
            if operator not in OPERATORS:
                raise FilterError(f"The operator {operator.symbol} is not known for {field.value}.")
        case Not(part=part):
            check(part, depth + 1)
        case All(parts=parts) | Any(parts=parts):
            for part in parts:
                check(part, depth + 1)


class Matcher:
    """Answers a filter, segment by segment.

    Args:
        session: The snapshot.
        expression: The filter.

    Raises:
        FilterError: If it cannot be answered.
    """

    def __init__(self, session: Session, expression: Filter) -> None:
        check(expression)
        self._session = session
        self.expression = expression
        self._numbers: dict[Condition, tuple[int, ...]] = {}
        self._answers: dict[Condition, Answer] = {}

    def matches(self, segment: Segment, within: BitMap, test: RowTest | None = None) -> Matches:
        """Return which places match.

        Args:
            segment: Where.
            within: Only these places.
            test: Tells among which places a condition on rows holds; None leaves all of them untested.
        """
        return self._matches(self.expression, segment, within, test)

    def _matches(self, part: Filter, segment: Segment, within: BitMap, test: RowTest | None) -> Matches:
        match part:
            case Condition():
                return self._condition(part, segment, within, test)
            case Not(part=inner):
                certain, untested = self._matches(inner, segment, within, test)
                return Matches(within - certain - untested if untested else within - certain, untested)
            case All(parts=parts):
                return self._all(parts, segment, within, test)
            case Any(parts=parts):
                return self._any(parts, segment, within, test)

    def _all(
        self, parts: tuple[Filter, ...], segment: Segment, within: BitMap, test: RowTest | None
    ) -> Matches:
        certain, possible = within, within
        for part in sorted(parts, key=_is_on_rows):
            if not possible:
                break
            matches = self._matches(part, segment, possible, test)
            # All that is possible is certain, until a part has rows to test.
            certain = matches.certain if certain is possible else certain & matches.certain
            possible = matches.possible
        return Matches(certain, possible - certain if len(possible) > len(certain) else NOTHING)

    def _any(
        self, parts: tuple[Filter, ...], segment: Segment, within: BitMap, test: RowTest | None
    ) -> Matches:
        answers = [self._matches(part, segment, within, test) for part in parts if not _is_on_rows(part)]
        certain = BitMap.union(NOTHING, *(answer.certain for answer in answers))
        untested = BitMap.union(NOTHING, *(answer.untested for answer in answers))
        for part in filter(_is_on_rows, parts):
            matches = self._matches(part, segment, within - certain, test)
            certain = certain | matches.certain
            untested = untested | matches.untested
        return Matches(certain, untested - certain if untested else NOTHING)

    def _condition(
        self, condition: Condition, segment: Segment, within: BitMap, test: RowTest | None
    ) -> Matches:
        if condition.operator.positive is not None:
            opposite = Condition(condition.field, condition.operator.positive, condition.value)
            certain, untested = self._condition(opposite, segment, within, test)
            return Matches(within - certain - untested if untested else within - certain, untested)
        if condition.operator.takes_all_when_empty and not condition.value:
            return Matches(within, NOTHING)
        field = BY_NAME.get(condition.field.value)
        values = None if field is None else self._values(field, condition, segment)
        if field is not None and values is not None:
            return Matches(_with_values(segment, field, values, within), NOTHING)
        return self._row_condition(condition, segment, within, test)

    def _row_condition(
        self, condition: Condition, segment: Segment, within: BitMap, test: RowTest | None
    ) -> Matches:
        if test is not None:
            return test(condition, within)
        return Matches(NOTHING, within & segment.places(self.answer_of(condition).untested))

    def answer_of(self, condition: Condition) -> Answer:
        """Return what is known of a condition on rows without testing them."""
        answer = self._answers.get(condition)
        if answer is None:
            answer = self._answers[condition] = Answer(self._session, condition)
            if condition.field is Column.SEQ:
                answer.untested &= _near(self._session, condition)
        return answer

    def _values(self, field: IndexField, condition: Condition, segment: Segment) -> tuple[int, ...] | None:
        """Return the numbers of the values for which a condition holds; None where they are not known."""
        if condition.value is None:
            return None if segment.counts(field) is None else (MISSING,)
        if field.is_text:
            return self._texts(field, condition, segment)
        numbers = self._numbers.get(condition)
        if numbers is None:
            numbers = self._numbers[condition] = self._of_all(field, condition)
        if len(numbers) <= 1:
            return numbers
        counts = segment.counts(field)
        if counts is None:
            raise damaged(f"has no values of {field.name}")
        return tuple(number for number in numbers if number in counts.events)

    def _of_all(self, field: IndexField, condition: Condition) -> tuple[int, ...]:
        """Return the numbers of names or choices for which a condition holds."""
        if field.names is not None:
            return self._session.names_that(field.names, condition)
        test = text_test(condition)
        choices = range(1, len(field.choices) + 1)
        return tuple(n for n, text in zip(choices, texts_of(field, choices), strict=True) if test(text or ""))

    def _texts(self, field: IndexField, condition: Condition, segment: Segment) -> tuple[int, ...] | None:
        """Return the numbers of a segment's own texts for which a condition holds."""
        counts = segment.counts(field)
        if counts is None or counts.texts is None:
            return None
        test = text_test(condition)
        return tuple(number for number, text in enumerate(counts.texts, 1) if test(text))


def _with_values(segment: Segment, field: IndexField, values: Sequence[int], within: BitMap) -> BitMap:
    """Return which of some places have one of these values."""
    if len(values) == 1:
        (places,) = segment.bitmaps(field, values)
        return places if len(within) == segment.events else within & places
    counts = segment.counts(field)
    if counts is not None and 2 * len(values) > len(counts.events):
        # Every event has one value: of those that it must not have, fewer bitmaps are read.
        others = sorted(counts.events.keys() - set(values))
        return within - BitMap.union(NOTHING, *segment.bitmaps(field, others, is_kept=len(others) < _MANY))
    return within & BitMap.union(NOTHING, *segment.bitmaps(field, values, is_kept=len(values) < _MANY))


def _near(session: Session, condition: Condition) -> BitMap:
    """Return the few events that can meet a condition on their numbers."""
    value, newest, key = condition.value or "", session.newest_seq, condition.operator.key
    is_of_number = condition.operator.is_order or condition.operator in (IS, MATCHES)
    if not is_of_number or not value.isdecimal() or not value.isascii():
        return BitMap(range(1, newest + 1))
    number = min(int(value.lstrip("0")[:_MOST_DIGITS] or "0"), newest + 1)
    first = 1 if key in (LESS.key, AT_MOST.key) else max(1, number)
    last = newest if key in (MORE.key, AT_LEAST.key) else min(number, newest)
    return BitMap(range(first, last + 1))


def _is_on_rows(part: Filter) -> bool:
    """Tell whether a part is about texts: it is asked last, when few places are left."""
    match part:
        case Condition(field=field):
            return field.value not in BY_NAME
        case Not(part=inner):
            return _is_on_rows(inner)
        case All(parts=parts) | Any(parts=parts):
            return any(map(_is_on_rows, parts))
