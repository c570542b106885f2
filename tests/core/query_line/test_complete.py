"""Completion at the cursor: names of fields, and values as they may stand there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import FilterField, MetaField
from audit_tui.core.query_line.complete import Part, completions, place_at
from audit_tui.core.query_line.parse import parse
from tests.core.query_line.test_round_trip import CONTEXT
from tests.ui.fake_reader import FakeReader

READER = FakeReader(
    [
        AuditEvent(name, 0, user=user)
        for name, user in (("Role created", "al"), ("Login", "a b"), ("Login", 'q"x'))
    ]
)


@pytest.mark.parametrize(
    ("line", "part", "start", "typed", "field"),
    [
        ("", Part.FIELD, 0, "", None),
        ("us", Part.FIELD, 0, "us", None),
        ("user:al us", Part.FIELD, 8, "us", None),
        ("(us", Part.FIELD, 1, "us", None),
        ("-us", Part.FIELD, 1, "us", None),
        ("a or ca", Part.FIELD, 5, "ca", None),
        ("user:", Part.VALUE, 5, "", Column.USER),
        ("USER!=al", Part.VALUE, 6, "al", Column.USER),
        ('user:"a b', Part.VALUE, 5, "a b", Column.USER),
        ('user:"a b" ev', Part.FIELD, 11, "ev", None),
        ("event:(Login, Ro", Part.VALUE, 14, "Ro", Column.EVENT),
        ('event:("Role created", ', Part.VALUE, 23, "", Column.EVENT),
        ("event:(Login) us", Part.FIELD, 14, "us", None),
        ("severity>=h", Part.VALUE, 10, "h", Column.SEVERITY),
        ("meta.x=a", Part.VALUE, 7, "a", MetaField("x")),
        ("since:2", Part.VALUE, 6, "2", None),
    ],
)
def test_what_is_typed_at_the_cursor(
    line: str, part: Part, start: int, typed: str, field: FilterField | None
) -> None:
    place = place_at(line, len(line))
    assert (place.part, place.start, place.typed, place.field) == (part, start, typed, field)


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("us", ["user:"]),
        ("me", ["meta."]),
        ("meta.mo", ['meta."Model ID":']),
        ("s", ["severity:", "source_ip:", "source:", "seq:", "since:"]),
        ("user:a", ["al", '"a b"']),
        ("user:q", ['"q\\"x"']),
        ("event:(Login, role", ['"Role created"']),
        ("outcome:f", ["failure"]),
        ("severity>=f", ["fatal"]),
        ("since:t", ["today", "this-week", "this-month"]),
        ("description:x", []),
        ("nonsense", []),
    ],
)
def test_what_may_stand_there(line: str, texts: list[str]) -> None:
    place = place_at(line, len(line))
    offers = completions(place, READER, 50, {"Model ID": 7, "region": 0})
    assert sorted(offer.text for offer in offers) == sorted(texts)
    assert all(offer.events == 7 for offer in offers if "Model ID" in offer.text)
    for offer in offers:
        if place.part is Part.VALUE:
            whole = line[: offer.start] + offer.text
            parse(whole + ")" * whole.count("("), CONTEXT)


@given(st.text('user:al "()-!=,\\', max_size=30))
def test_any_line_has_a_place(line: str) -> None:
    for cursor in range(len(line) + 1):
        place = place_at(line, cursor)
        assert 0 <= place.start <= cursor
        completions(place, READER, 5)
