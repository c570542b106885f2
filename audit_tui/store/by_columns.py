"""Where the columns answer sooner than SQL: the choice, and the way to them. Without columns, never."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.store import plan
from audit_tui.store.columns import choosing, summary
from audit_tui.store.columns.choosing import Work
from audit_tui.store.columns.coverage import Coverage, Question
from audit_tui.store.read.sql import FIRST_SEQ
from audit_tui.store.segment_layout import FIELD_COLUMNS

if TYPE_CHECKING:
    from audit_tui.core.columns import NameColumn
    from audit_tui.store.columns.engine import Engine
    from audit_tui.store.read.session import Session
    from audit_tui.store.read.sql import Moment
    from audit_tui.store.scope import Scope

MAX_KEPT_TOTALS = 10_000
"""Totals of so many values are kept for the next who asks; more would be megabytes."""


def is_warm() -> bool:
    """Whether numpy is there already."""
    return "numpy" in sys.modules


def engine_of(session: Session) -> Engine | None:
    """What answers from the columns; None where there are none. Imports numpy."""
    coverage = session.coverage
    index = session.columns
    if coverage is None or index is None:
        return None
    from audit_tui.store.columns.engine import Engine

    if not isinstance(session.engine, Engine):
        session.engine = Engine(session, index, coverage)
    return session.engine


def can_answer(scope: Scope) -> bool:
    """Whether the columns hold all that is asked of the events."""
    return choosing.is_columnar(scope.predicate) and scope.session.coverage is not None


def is_counted(scope: Scope, entries: int, ranges: int = 0) -> bool:
    """Whether the columns count sooner than SQL.

    Args:
        scope: Which events.
        entries: How many index entries SQL would read, were the scope the whole store.
        ranges: How many index ranges it would look up, when these are many.
    """
    entries *= choosing.weight(scope.predicate)
    work = _work(scope, (entries + ranges * choosing.RANGE_ENTRIES) * choosing.COUNT_US)
    if work is None:
        return False
    share = work.events / max(1, scope.session.events_total)
    read = int(entries * min(1.0, share)) + ranges * choosing.RANGE_ENTRIES
    return choosing.is_count_by_columns(work, scope.predicate, read)


def is_first(scope: Scope, found: plan.Drivers | None, branches: tuple[plan.Branch, ...]) -> bool:
    """Whether the columns give the first matches sooner than SQL, where these lie worst for it.

    Args:
        scope: Which events.
        found: The index ranges that SQL would read.
        branches: The same, with what is to be tested in them.
    """
    if not branches or all(branch.rest is True for branch in branches):
        return False
    weight = choosing.weight(scope.predicate)
    events = scope.session.events_total if found is None else found.events
    work = _work(scope, events * weight * choosing.TEST_US)
    if work is None:
        return False
    entries = min(events, work.events) * weight
    return choosing.is_first_by_columns(work, scope.predicate, entries)


def is_skipped(scope: Scope, branches: tuple[plan.Branch, ...], offset: int) -> bool:
    """Whether the columns find a far row sooner than SQL, which passes over those before it."""
    if not offset:
        return False
    is_exact = len(branches) == 1 and branches[0].rest is True
    work = _work(scope, offset * 20 * choosing.weight(scope.predicate) * choosing.TEST_US)
    return work is not None and choosing.is_skip_by_columns(work, scope.predicate, offset, is_exact=is_exact)


def is_ranked(scope: Scope) -> bool:
    """Whether the columns tell sooner than SQL how many matches come before a row in time."""
    found = scope.drivers()
    return is_counted(scope, scope.session.events_total if found is None else found.events)


def is_grouped(scope: Scope) -> bool:
    """Whether the columns give an order by name sooner than SQL, which may read all that is in the span."""
    if scope.predicate is True and scope.is_whole_store:
        return False
    weight = choosing.weight(scope.predicate)
    work = _work(scope, scope.session.events_total * weight * choosing.TEST_US)
    return work is not None and choosing.is_first_by_columns(work, scope.predicate, work.events * weight)


def count(scope: Scope) -> int:
    """Exactly how many events match."""
    engine, question = _engine(scope), _question(scope)
    ends = (scope.span.after, scope.span.before)
    if all(end is None or end.seq == FIRST_SEQ for end in ends):
        return summary.summary_of(engine, question).total
    # The span ends at a row, as no other question will.
    return engine.count(question)


def first(scope: Scope, limit: int, offset: int, *, newest_first: bool) -> list[Moment]:
    """The matches in order of time, from a row on."""
    return _engine(scope).first(_question(scope), limit, offset, newest_first=newest_first)


def enter(scope: Scope, row: int, *, newest_first: bool) -> tuple[Scope, int] | None:
    """Where to read from for a row: a narrower scope, and how many matches to pass in it.

    Returns:
        None when the row is past the end.
    """
    found = summary.summary_of(_engine(scope), _question(scope))
    if row >= found.total:
        return None
    span, offset = found.enter(scope.span, row, newest_first=newest_first)
    return replace(scope, span=span), offset


def prepare(scope: Scope) -> None:
    """Make what ``enter`` and ``rank`` need, if they will need it."""
    found = scope.drivers()
    branches = plan.branches(scope.predicate, found)
    if scope.predicate is not False and is_skipped(scope, branches, scope.session.events_total):
        summary.summary_of(_engine(scope), _question(scope))


def rank(scope: Scope, moment: Moment, *, newest_first: bool) -> int:
    """How many matches come before a moment in order of time."""
    return summary.rank(_engine(scope), _question(scope), moment, newest_first=newest_first)


def binned(scope: Scope, edges: list[int]) -> list[int]:
    """How many matches lie before the first edge, from each to the next, and from the last on."""
    return _engine(scope).binned(_question(scope), edges)


def totals(scope: Scope, field: NameColumn) -> dict[int, int]:
    """How many matches have each name of a field, by its number."""
    engine, question = _engine(scope), _question(scope)
    key = engine.key(f"totals of {field}", question)
    found = engine.summaries.find(key)
    if found is None:
        found = engine.totals(question, FIELD_COLUMNS[field])
        if len(found) <= MAX_KEPT_TOTALS:
            engine.summaries.put(key, found)
    return dict(found)


def valued(scope: Scope, field: NameColumn) -> list[tuple[int, Moment]]:
    """All matches, with the number of their name in a field; for few."""
    return _engine(scope).valued(_question(scope), FIELD_COLUMNS[field])


def _engine(scope: Scope) -> Engine:
    engine = engine_of(scope.session)
    assert engine is not None  # noqa: S101 - whoever asks was told that the columns are there
    return engine


def _question(scope: Scope) -> Question:
    return Question(scope.predicate, scope.span, scope.upto_seq)


def _work(scope: Scope, by_sql_us: float) -> Work | None:
    """What the columns would have to read; None where they are of no use, or SQL is quick anyway."""
    if by_sql_us / 1e3 < choosing.QUICK_MS or not choosing.is_columnar(scope.predicate):
        return None
    coverage: Coverage | None = scope.session.coverage
    if coverage is None:
        return None
    question = _question(scope)
    touched = [segment for segment in coverage.segments if question.touches(segment)]
    loose = sum(last - first + 1 for first, last in coverage.loose)
    return Work(sum(one.events for one in touched) + loose, len(touched) + bool(loose), is_warm())
