"""Comparing two stretches of time, first appearances, and what is still open: each against the slow way."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.investigate import compare as comparing
from audit_tui.core.investigate.compare import (
    LAST_WEEK,
    FirstSeen,
    Kind,
    Shift,
    compare,
    compare_rest,
    intervals,
    is_shift,
    new_values,
)
from audit_tui.core.investigate.pairs import Pair, open_pairs, pair_filter
from audit_tui.core.query import EventQuery, Interval
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.time.month import DayRange
from audit_tui.core.time.zones import zone_named
from audit_tui.errors import TimeError
from audit_tui.formats.meaning import pairs
from tests.matching import matches
from tests.ui.fake_reader import FakeReader, row_of

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
CONTEXT = TimeContext(zone_named("UTC"), NOW, 0)
NAMES = (Column.EVENT, Column.USER)
DAY_US = 86_400_000_000

EVENTS = st.lists(
    st.builds(
        AuditEvent,
        event=st.sampled_from(["Login", "Logout", "Delete"]),
        occurred_us=st.integers(0, 99),
        user=st.sampled_from([None, "alice", "bob", "Bob"]),
        source_ip=st.sampled_from([None, "10.0.0.1", "10.0.0.2"]),
        target=st.sampled_from([None, "a", "b"]),
        outcome=st.sampled_from(Outcome),
    ),
    max_size=40,
)
HALVES = (Interval(50, 100), Interval(0, 50))


def ordered(events: list[AuditEvent]) -> list[AuditEvent]:
    """The events as they are stored, in the order of time."""
    reader = FakeReader(events)
    stored = filter(None, map(reader.event, range(1, len(events) + 1)))
    return sorted(stored, key=lambda event: (event.occurred_us, event.seq or 0))


@given(EVENTS)
def test_shifts_are_what_counting_tells(events: list[AuditEvent]) -> None:
    comparison = compare(FakeReader(events), EventQuery(), *HALVES)
    now, before = ([e for e in events if i.start_us <= e.occurred_us < i.end_us] for i in HALVES)  # type: ignore[operator]
    assert (comparison.now_events, comparison.before_events) == (len(now), len(before))
    for column in comparing.COMPARED:
        first, second = (
            Counter(getattr(event, column.attribute) for event in half) for half in (now, before)
        )
        wanted = {
            Shift(column, value, first[value], second[value])
            for value in first | second
            if value or column in NAMES
        }
        assert {shift for shift in comparison.shifts if shift.field is column} == set(
            filter(is_shift, wanted)
        )


@given(EVENTS)
def test_columns_whose_events_must_be_read_come_to_the_same(events: list[AuditEvent]) -> None:
    reader = FakeReader(events)
    wanted = compare(reader, EventQuery(), *HALVES)
    shares: list[float] = []
    with patch.object(comparing, "MOST_EVENTS", 3), patch.object(comparing, "_SLICE_EVENTS", 2):
        some = compare(reader, EventQuery(), *HALVES)
        whole = compare_rest(reader, EventQuery(), some, report=shares.append)
    assert whole.left_out == ()
    assert set(whole.shifts) == set(wanted.shifts)
    assert shares == sorted(shares)
    assert bool(shares) == bool(some.left_out)
    with patch.object(comparing, "MOST_READ_EVENTS", 3):
        assert compare_rest(reader, EventQuery(), some) == (whole if not some.left_out else some)


def test_values_beyond_the_list_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MAX_VALUES", 2)
    events = [AuditEvent("x", 60, user=f"u{n}") for n in range(3) for _ in range(5 - n)]
    events += [AuditEvent("x", 10, user="u0"), AuditEvent("x", 10, user="u1")]
    events += [AuditEvent("x", 10, user=f"v{n}") for n in range(2) for _ in range(3)]
    shifts = compare(FakeReader(events), EventQuery(), *HALVES).shifts
    assert [(s.value, s.now, s.before) for s in shifts if s.field is Column.USER] == [
        ("v0", 0, 3),
        ("v1", 0, 3),
    ]


@pytest.mark.parametrize(
    ("now", "before", "words", "kind"),
    [
        (3, 0, "NEW", Kind.NEW),
        (0, 9, "GONE", Kind.GONE),
        (7, 2, "\u00d73.5", Kind.MORE),
        (5, 200, "÷40", Kind.LESS),
        (9000, 2, "\u00d74,500", Kind.MORE),
    ],
)
def test_a_shift_in_words(now: int, before: int, words: str, kind: Kind) -> None:
    shift = Shift(Column.EVENT, "x", now, before)
    assert (shift.words, shift.kind) == (words, kind)


def test_the_stretches_to_compare() -> None:
    today_us = to_us(NOW.replace(hour=0))
    now, before = intervals(Preset.TODAY, CONTEXT)
    assert now == Interval(today_us, to_us(NOW))
    assert before == Interval(today_us - DAY_US, to_us(NOW) - DAY_US), "the same hours of yesterday"
    assert intervals(Preset.TODAY, CONTEXT, LAST_WEEK)[1] == Interval(
        today_us - 7 * DAY_US, to_us(NOW) - 7 * DAY_US
    )
    days = DayRange((NOW - timedelta(days=3)).date(), (NOW - timedelta(days=2)).date())
    now, before = intervals(days, CONTEXT)
    assert before == Interval((now.start_us or 0) - 2 * DAY_US, now.start_us)
    assert intervals(days, CONTEXT, "2026-11-01..2026-11-02")[1].start_us == to_us(
        datetime(2026, 11, 1, tzinfo=UTC)
    )
    assert intervals(days, CONTEXT, "yesterday")[1] == Interval(today_us - DAY_US, today_us)
    before_1970 = DayRange(datetime(1969, 12, 30).date(), datetime(1969, 12, 31).date())  # noqa: DTZ001 - a day
    assert intervals(before_1970, CONTEXT)[0] == Interval(-2 * DAY_US, 0)
    with pytest.raises(TimeError):
        intervals(Preset.ALL_TIME, CONTEXT)
    with pytest.raises(TimeError):
        intervals(days, CONTEXT, "sometime")


@given(EVENTS)
def test_new_values_are_those_that_never_came_before(events: list[AuditEvent]) -> None:
    query = EventQuery(Condition(Column.EVENT, IS, "Login"), Interval(50, 100))
    values = new_values(FakeReader(events), query, Column.USER, 100)
    now = {e.user for e in events if 50 <= e.occurred_us < 100 and e.event == "Login"}
    before = {e.user for e in events if e.occurred_us < 50}
    assert set(values) == now - before - {None}


@given(EVENTS)
def test_firsts_are_the_first_of_their_kind(events: list[AuditEvent]) -> None:
    reader, seen = FakeReader(events), FirstSeen()
    times = [event.occurred_us for event in events]
    earlier: set[object] = set()
    for event in ordered(events):
        user, address = event.user, event.source_ip
        wanted = []
        for tag, value in (
            ("NEW USER", user and ("user", user)),
            ("NEW IP", address and ("ip", address)),
            ("NEW EVENT", ("event", event.event)),
            ("OTHER IP", user and address and ("both", user, address)),
            ("UNUSUAL", user and ("act", user, event.event)),
        ):
            if value and value not in earlier:
                earlier.add(value)
                wanted.append(tag)
        is_at_the_beginning = event.occurred_us <= min(times) + (max(times) - min(times)) // 20
        told = [first.tag for first in seen.of(reader, row_of(event))]
        assert told == ([] if is_at_the_beginning else wanted)


def test_nothing_is_the_first_of_its_kind_once_an_earlier_event_comes_late() -> None:
    events = [AuditEvent("Login", n, key=str(n), seq=n + 1, user="bob") for n in range(9)]
    new = AuditEvent("Login", 100, key="new", seq=10, user="eve")
    seen = FirstSeen()
    assert seen.of(FakeReader([*events, new]), row_of(new))
    late = AuditEvent("Login", 90, key="late", seq=11, user="eve")
    assert not seen.of(FakeReader([*events, new, late]), row_of(new))


def test_a_name_with_a_space_ends_nothing_of_others() -> None:
    pair = Pair("Login", ("Logout",), "in", *(2 * (((Column.USER, Column.SOURCE_IP), (Column.USER,)),)))
    begun = AuditEvent("Login", 1, key="1", seq=1, user="eve", source_ip="10.0.0.1")
    other = AuditEvent("Logout", 2, key="2", seq=2, user="eve 10.0.0.1")
    (still_open,) = open_pairs(FakeReader([begun, other]), EventQuery(), [pair]).open
    assert (still_open.event, still_open.thing) == (begun, "eve 10.0.0.1")


def test_a_remark_says_no_more_of_a_long_name_than_a_line_holds() -> None:
    early = [AuditEvent(f"e{n}", n, user="alice") for n in range(2)]
    event = AuditEvent("E" * 500, 100, user="x" * 5_000, source_ip="y" * 300)
    firsts = FirstSeen().of(FakeReader([*early, event]), row_of(ordered([*early, event])[-1]))
    assert {first.tag for first in firsts} == {"NEW USER", "NEW IP", "NEW EVENT", "OTHER IP", "UNUSUAL"}
    assert all(len(first.words) < 160 for first in firsts)
    assert firsts[0].words.startswith("No earlier event is by xxx")


PAIR = Pair("Login", ("Logout", "Delete"), "in", ((Column.USER,),), ((Column.USER,),))


@given(EVENTS)
def test_open_is_what_nothing_ended_before_it_began_again(events: list[AuditEvent]) -> None:
    result = open_pairs(FakeReader(events), EventQuery(), [PAIR])
    open_seqs = {each.event.seq for each in result.open}
    told = [event for event in ordered(events) if event.user and event.outcome is not Outcome.FAILURE]
    begun = [event for event in told if event.event == PAIR.begins]
    for event in begun:
        later = [other for other in told[told.index(event) + 1 :] if other.user == event.user]
        assert (event.seq in open_seqs) == (not later or later[0].event == PAIR.begins)
    assert result.closed == len(begun) - len(open_seqs)
    assert [each.event for each in result.open] == [event for event in begun if event.seq in open_seqs]


def test_pairs_that_ship_tell_their_things() -> None:
    made = AuditEvent(
        "CreateAccessKey",
        5,
        user="mallory",
        metadata={"responseElements": {"accessKey": {"accessKeyId": "AKIA1"}}},
    )
    gone = AuditEvent(
        "DeleteAccessKey", 9, user="bob", metadata={"requestParameters": {"accessKeyId": "AKIA1"}}
    )
    other = AuditEvent("DeleteAccessKey", 8, metadata={"requestParameters": {"accessKeyId": "AKIA2"}})
    result = open_pairs(FakeReader([made, other]), EventQuery(), pairs())
    assert [(each.thing, each.event.user) for each in result.open] == [("AKIA1", "mallory")]
    events = pair_filter(result.open[0])
    assert [matches(events, event) for event in (made, gone, other)] == [True, True, False]
    result = open_pairs(FakeReader([made, other, gone]), EventQuery(), pairs())
    assert (result.open, result.closed, result.median_us) == ((), 1, 4)


def test_every_pair_has_other_ends_than_its_beginning() -> None:
    assert len(pairs()) >= 40
    for pair in pairs():
        assert pair.begins not in pair.ends
        assert pair.words
        assert pair.begins_by
        assert pair.ends_by
