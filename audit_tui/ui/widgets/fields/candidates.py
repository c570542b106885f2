"""The values that a field offers while one types, with the number of their events in the range in force."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import NAME_COLUMNS, Column, is_name_column
from audit_tui.core.filter.filters import NO_VALUE_WORDS, SEVERITY_WORDS, Any, AnyText, Condition, FilterField
from audit_tui.core.filter.operators import CONTAINS, IS
from audit_tui.core.query import EventQuery, Interval
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventReader, FacetField
    from audit_tui.ui.lane import Lane

MAX_CANDIDATES = 50
"""More is not read by anybody; typing one more letter is quicker."""
MOST_EVENTS = 1_000
"""The newest events whose values are counted where no index counts them: 10 to 70 ms."""
MAX_LISTED = 20_000
"""Up to this many values of a column are read at once, and searched here: 0.15 s once, then 5 ms a letter."""
LISTED = (Column.OUTCOME, Column.SEVERITY, Column.SOURCE_IP, Column.SOURCE)
"""The columns whose values an index counts, and that cannot be asked by a part of the value as names can."""
EMPTY_WORDS = "(empty)"
_LIKE_ADDRESS = re.compile(r"[0-9a-f]*[.:][0-9a-f.:]*", re.ASCII | re.IGNORECASE)
SEVERITY_NOTES = {number: word for word, number in SEVERITY_WORDS.items()}


class Candidate(NamedTuple):
    """A value of the store that is offered."""

    field: FacetField
    value: str | None
    events: int

    @property
    def words(self) -> str | None:
        if self.value is None:
            return NO_VALUE_WORDS
        return EMPTY_WORDS if self.value == "" else None

    @property
    def note(self) -> str:
        return SEVERITY_NOTES.get(self.value or "", "") if self.field is Column.SEVERITY else ""

    def is_other_case_of(self, text: str) -> bool:
        """Tell whether the value and the text differ by case alone; "(none)" means the missing one."""
        if self.value is None:
            return text.casefold() == NO_VALUE_WORDS
        return self.value != text and self.value.casefold() == text.casefold()


class Candidates(Record):
    """The answer to one question for candidates."""

    values: tuple[Candidate, ...] = ()
    is_whole: bool = True
    """All events of the range were counted; False: its newest."""


class CandidateSource:
    """The place where the fields of a dialog ask for candidates."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.interval = Interval()
        self.range_words = ""
        self._listed: dict[FacetField, list[Candidate]] = {}

    def begin(self, interval: Interval, range_words: str) -> None:
        self.interval, self.range_words = interval, range_words
        self._listed = {}

    def read(
        self, reader: EventReader, field: FilterField | None, search: str, cancel: CancelToken
    ) -> Candidates:
        """In a thread: return the values of a field that contain a text.

        Without a field those of all columns of names, and the addresses, if the text may be one.
        """
        if isinstance(field, AnyText):
            return Candidates()
        if field is not None and not is_name_column(field):
            return self._by_events(reader, field, search, cancel)
        fields = NAME_COLUMNS if field is None else (field,)
        values = [
            Candidate(each, value.value, value.events)
            for each in fields
            for value in reader.values(each, search, MAX_CANDIDATES, cancel)
        ]
        if self.interval != Interval():
            values = self._counted_in_range(reader, values, search, cancel)
        if field is None and _LIKE_ADDRESS.fullmatch(search):
            values += self._by_events(reader, Column.SOURCE_IP, search, cancel).values
        return Candidates(_best(values, search))

    def _counted_in_range(
        self, reader: EventReader, values: list[Candidate], search: str, cancel: CancelToken
    ) -> list[Candidate]:
        """Count values of the whole store in the range; with an empty search, take those of the range."""
        counted: list[Candidate] = []
        for field in dict.fromkeys(value.field for value in values):
            conditions = [Condition(value.field, IS, value.value) for value in values if value.field is field]
            query = EventQuery(interval=self.interval)
            if search:
                query = EventQuery(Any(tuple(conditions)), self.interval)
            facet = reader.facets(query, field, MAX_CANDIDATES, cancel)
            counts = {value.value: value.events for value in facet.values}
            names = [condition.value for condition in conditions] if search else list(counts)
            counted += [Candidate(field, name, counts.get(name, 0)) for name in names]
        return counted

    def _by_events(
        self, reader: EventReader, field: FacetField, search: str, cancel: CancelToken
    ) -> Candidates:
        if field in LISTED and field not in self._listed:
            facet = reader.facets(EventQuery(interval=self.interval), field, MAX_LISTED, cancel)
            if len(facet.values) < MAX_LISTED:
                self._listed[field] = [Candidate(field, each.value, each.events) for each in facet.values]
        if field in self._listed:
            return Candidates(_best(_containing(self._listed[field], search), search))
        query = EventQuery(interval=self.interval)
        if search:
            query = EventQuery(Condition(field, CONTAINS, search), self.interval)
        facet = reader.facets(query, field, MAX_CANDIDATES, cancel, most_events=MOST_EVENTS)
        values = [Candidate(field, value.value, value.events) for value in facet.values]
        # A list brings its other members too.
        return Candidates(_best(_containing(values, search), search), facet.is_whole)


def _containing(values: list[Candidate], search: str) -> list[Candidate]:
    wanted = search.casefold()
    return [
        each
        for each in values
        if wanted in (NO_VALUE_WORDS if each.value is None else f"{each.value} {each.note}").casefold()
    ]


def _best(answers: Iterable[Candidate], search: str) -> tuple[Candidate, ...]:
    """The candidates in the reader's order; those of several columns mixed in the same order."""
    wanted = search.casefold()

    def rank(candidate: Candidate) -> tuple[bool, bool, bool, int]:
        value = NO_VALUE_WORDS if candidate.value is None else candidate.value
        folded = value.casefold()
        return value != search, folded != wanted, not folded.startswith(wanted), -candidate.events

    return tuple(sorted(answers, key=rank)[:MAX_CANDIDATES])
