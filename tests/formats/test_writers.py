"""The output formats over any text at all: what comes back, what a terminal would get, what fits."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from audit_tui.core.columns import COLUMNS, Column
from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.event_text import json_text
from audit_tui.core.export import Format, Writing
from audit_tui.core.text import cells_of, clean, cut
from audit_tui.core.time.dates import TimeContext
from audit_tui.output.writers import SAMPLE_ROWS, write_events

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTEXT = TimeContext(UTC, datetime(2026, 11, 22, 14, 0, tzinfo=UTC))
ANYTHING = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["=1", "+1", "-1", "@a", "\t=1", "\r=1", '"=1', "a,b", 'a"b', "a\nb", "a\rb", " ", "'", ",", ""]
)
EVENTS = st.lists(
    st.builds(
        AuditEvent,
        event=ANYTHING,
        occurred_us=st.integers(-(2**63), 2**63 - 1),
        user=st.none() | ANYTHING,
        category=st.none() | ANYTHING,
        description=st.none() | ANYTHING,
        outcome=st.sampled_from(Outcome),
        severity=st.none() | st.integers(0, 6),
        metadata=st.dictionaries(ANYTHING, ANYTHING | st.integers() | st.none(), max_size=3),
    ),
    max_size=5,
)


def written(events: list[AuditEvent], form: Format, width_cells: int | None = None) -> str:
    out = io.StringIO(newline="")
    assert write_events(events, out, Writing(form, CONTEXT, width_cells=width_cells)) == len(events)
    return out.getvalue()


def test_a_date_alone_is_not_cut() -> None:
    out = io.StringIO()
    writing = Writing(Format.TABLE, CONTEXT, (Column.TIME,), width_cells=8)
    write_events([AuditEvent("Login", 0)], out, writing)
    assert out.getvalue().split("\n")[1] == " 1970-01-01 00:00:00"


@given(EVENTS)
def test_json_comes_back_as_it_was_and_moves_no_cursor(events: list[AuditEvent]) -> None:
    expected = [event.to_json() for event in events]
    assert json.loads(written(events, Format.JSON)) == expected
    lines = written(events, Format.JSONL).splitlines()
    assert [json.loads(line) for line in lines] == expected
    assert all(json_text(event).isprintable() or _is_harmless(json_text(event)) for event in events)


def _is_harmless(text: str) -> bool:
    """Tell whether it is no more than new letters or rare spaces, which Python does not call printable."""
    return clean(text) == text


@given(EVENTS)
def test_csv_comes_back_cell_by_cell_and_holds_no_formula(events: list[AuditEvent]) -> None:
    rows = list(csv.DictReader(io.StringIO(written(events, Format.CSV), newline="")))
    assert len(rows) == len(events)
    for row, event in zip(rows, events, strict=True):
        assert tuple(row) == COLUMNS
        for name in ("event", "user", "description"):
            text = getattr(event, name) or ""
            assert row[name] in (text, f"'{text}")
            assert not row[name].lstrip(" \"'\n\x0b\x0c").startswith(("=", "+", "-", "@", "\t", "\r")) or row[
                name
            ].startswith("'")
        assert (json.loads(row["metadata"]) if row["metadata"] else {}) == event.metadata


@given(EVENTS, st.none() | st.integers(1, 200))
def test_a_table_has_one_row_an_event_and_fits(events: list[AuditEvent], width_cells: int | None) -> None:
    lines = written(events, Format.TABLE, width_cells).split("\n")
    assert lines[-1] == ""
    assert len(lines) - 1 == (len(events) + 1 if events else 0)
    assert all(clean(line) == line for line in lines)
    # Narrower than a mark, three columns and two gaps it cannot be.
    if width_cells is not None and width_cells >= 36:
        assert all(cells_of(line) <= width_cells for line in lines)


@given(EVENTS)
def test_markdown_has_one_row_an_event_with_five_cells(events: list[AuditEvent]) -> None:
    lines = written(events, Format.MARKDOWN).split("\n")
    assert len(lines) == len(events) + 3
    for line in lines[:-1]:
        assert line.replace("\\\\", "").replace("\\|", "").count("|") == 6


@given(st.text(max_size=40).map(clean), st.integers(0, 50))
def test_what_is_cut_fits_and_begins_as_the_text_does(text: str, width_cells: int) -> None:
    shown = cut(text, width_cells)
    assert cells_of(shown) <= width_cells
    assert shown == text or text.startswith(shown.removesuffix("…"))


@pytest.mark.parametrize("text", ["", "abc", "é", "漢字", "ﾊﾝｶｸ", "e\u0301x", "✗ ␛ … �", "한글"])
def test_cells_are_counted_as_terminals_count_them(text: str) -> None:
    assert cells_of(text) == wcswidth(text)


def test_later_rows_are_cut_to_the_columns_that_the_first_ones_made() -> None:
    events = [AuditEvent("short", 0, user="u")] * SAMPLE_ROWS + [AuditEvent("very " * 20, 0, user="u")]
    lines = written(events, Format.TABLE, 80).splitlines()
    assert len(lines[-1]) <= 80
    assert lines[-1].startswith(" very…")
    assert written(events, Format.TABLE).splitlines()[-1].startswith(" " + ("very " * 20).rstrip())


@pytest.mark.parametrize("form", Format)
def test_events_are_written_as_they_come(form: Format) -> None:
    out = io.StringIO()
    lengths: list[int] = []

    def watched() -> Iterator[AuditEvent]:
        for number in range(SAMPLE_ROWS + 3):
            lengths.append(out.tell())
            yield AuditEvent("E", number)

    write_events(watched(), out, Writing(form, CONTEXT))
    # A table holds its sample back; no format holds back more than one event after that.
    assert lengths[-3] < lengths[-2] < lengths[-1]
