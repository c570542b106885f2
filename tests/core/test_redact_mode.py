"""Redact mode: the same questions with the same answers, but for the names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit_tui.core.columns import LISTABLE_COLUMNS, Column, ListColumn
from audit_tui.core.filter.filters import All, Condition, Not
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.privacy.redact_mode import RedactingReader, RedactMode
from audit_tui.core.query import After, AtRow, Before, EventQuery, PageKey, Sort
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import account

KEY = bytes(32)


def readers(*, is_on: bool = True) -> tuple[FakeReader, RedactingReader, RedactMode]:
    plain = FakeReader(account(60))
    mode = RedactMode(lambda: KEY, is_on=is_on)
    return plain, RedactingReader(plain, mode), mode


def test_switched_off_nothing_changes_and_no_key_is_needed() -> None:
    plain, reader, _ = readers(is_on=False)
    query = EventQuery()
    assert reader.page(query, AtRow(0), 10) == plain.page(query, AtRow(0), 10)
    assert reader.event(5) == plain.event(5)
    assert reader.values(Column.USER, "", 9) == plain.values(Column.USER, "", 9)


@pytest.mark.parametrize("column", list(LISTABLE_COLUMNS))
def test_every_page_is_the_plain_one_without_names(column: ListColumn) -> None:
    plain, reader, mode = readers()
    query = EventQuery(sort=Sort(column, descending=False))
    names = mode.pseudonyms(plain)
    assert names is not None
    rows = [names.row(row) for row in plain.page(query, AtRow(0), 60).rows]
    assert not any("@acme.io" in (row.user or "") for row in rows)
    for place in (10, 41):
        key = PageKey.of(rows[place], query.sort)
        assert reader.locate(query, key) == place
        assert reader.page(query, After(key), 5).rows == tuple(rows[place + 1 : place + 6])
        assert reader.page(query, Before(key), 5).rows == tuple(rows[place - 5 : place])


def test_a_filter_by_pseudonym_asks_by_name() -> None:
    plain, reader, mode = readers()
    names = mode.pseudonyms(plain)
    assert names is not None
    value = next(value.value for value in reader.values(Column.USER, "user-", 3) if value.value)
    [real] = names.originals(value)
    assert real.endswith("@acme.io")
    shown = EventQuery(
        All((Condition(Column.USER, IS, value), Not(Condition(Column.EVENT, IS_NOT, "Login"))))
    )
    asked = replace(
        shown, filter=All((Condition(Column.USER, IS, real), Condition(Column.EVENT, IS, "Login")))
    )
    assert reader.count(shown) == plain.count(asked)
    facets = reader.facets(shown, Column.USER, 5).values
    assert [value.value for value in facets] == ([value] if facets else [])


def test_an_export_and_an_event_hold_no_names() -> None:
    _, reader, _ = readers()
    events = list(reader.events(EventQuery()))
    assert not any("@acme.io" in str(event.to_json()) or event.source_ip == "10.20.4.7" for event in events)
    event = reader.event(3)
    assert event is not None
    assert "10.20.4.7" not in str(event.to_json())


def test_the_mode_is_switched_while_it_runs() -> None:
    plain, reader, mode = readers()
    mode.is_on = False
    assert reader.event(4) == plain.event(4)
    mode.is_on = True
    assert reader.event(4) != plain.event(4)
