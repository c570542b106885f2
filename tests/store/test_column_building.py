"""Segments are in step with the events, whatever happens to these."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.filters import Condition
from audit_tui.core.operators import IS, IS_NOT
from audit_tui.core.query import AtRow, EventQuery
from audit_tui.errors import QueryCancelled, StoreDamaged, StoreError
from audit_tui.store import result, segment_layout
from audit_tui.store.columns import building, choosing
from audit_tui.store.columns.building import SegmentBuilder
from audit_tui.store.columns.engine import Part
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.segment_layout import SegmentColumn, pack, pack_times
from audit_tui.store.tables.rows import StoredRow
from audit_tui.store.tables.schema import EVENT_COLUMNS
from audit_tui.store.verify_segments import all_problems
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from audit_tui.store.columns.blocks import Numbers
    from audit_tui.store.tables.rows import Draft

SIZE = 10
NOT_LOGIN = EventQuery(Condition(Column.EVENT, IS_NOT, "Login"))


class Failing:
    """A companion behind the segments that fails."""

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        raise ValueError("no")

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None: ...

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None: ...

    def forget(self) -> None: ...


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the columns answer whatever they can."""
    for name in ("is_first_by_columns", "is_count_by_columns", "is_skip_by_columns"):
        monkeypatch.setattr(choosing, name, lambda *_, **__: True)
    monkeypatch.setattr(choosing, "QUICK_MS", -1.0)
    monkeypatch.setattr(result, "SMALL_EVENTS", -1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of 90 events in segments of ten."""
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False, companions=(SegmentBuilder(SIZE),)) as writer:
        writer.append(EVENTS)
    return path


def stretches(path: Path) -> list[tuple[int, int, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT first_seq, last_seq, events FROM segments").fetchall()


def problems(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [problem for _, problem in all_problems(connection)]


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def spied(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None] | None = None) -> list[Part]:
    """The parts of blocks that are looked at from now on."""
    asked: list[Part] = []
    real = Part.numbers

    def numbers(part: Part, column: SegmentColumn) -> Numbers:
        asked.append(part)
        if meanwhile is not None:
            meanwhile()
        return real(part, column)

    monkeypatch.setattr(Part, "numbers", numbers)
    return asked


def row(connection: sqlite3.Connection, seq: int) -> StoredRow:
    columns = ", ".join(EVENT_COLUMNS)
    return StoredRow(*connection.execute(f"SELECT {columns} FROM events WHERE seq = ?", (seq,)).fetchone())


def test_an_append_writes_the_segments_that_it_completes(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False, companions=(SegmentBuilder(SIZE),)) as writer:
        for first, last, expected in ((0, 9, 0), (9, 10, 1), (10, 35, 3), (35, 39, 3), (39, 61, 6)):
            writer.append(EVENTS[first:last])
            assert len(stretches(path)) == expected
    assert stretches(path) == [(first, first + 9, 10) for first in range(1, 61, 10)]
    assert problems(path) == []


def test_a_segment_goes_with_the_append_that_is_undone(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False, companions=(SegmentBuilder(SIZE), Failing())) as writer:
        with pytest.raises(ValueError, match="no"):
            writer.append(EVENTS)
        assert stretches(path) == []


def test_a_reader_sees_what_is_appended_behind_the_segments(path: Path) -> None:
    with StoreReader(path) as reader, StoreWriter(path, durable=False) as writer:
        expected = reader.count(NOT_LOGIN)
        for number in range(25):
            late = AuditEvent(event="Late", occurred_us=number % 7 - 3, key=f"late {number}")
            writer.append([late, AuditEvent(event="Login", occurred_us=5, key=f"login {number}")])
            expected += 1
            assert reader.count(NOT_LOGIN) == expected
            assert reader.histogram(NOT_LOGIN, [-100, 100]) == (expected,)
            assert len(reader.page(NOT_LOGIN, AtRow(0), 500).rows) == expected


def test_what_is_removed_or_replaced_is_forgotten_at_once(path: Path) -> None:
    builder = SegmentBuilder(SIZE)
    with StoreReader(path) as reader:
        before = reader.count(NOT_LOGIN)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            removed = [row(connection, seq) for seq in (2, 3, 25)]
            builder.on_remove(connection, removed)
            connection.execute("DELETE FROM events WHERE seq IN (2, 3, 25)")
        gone = sum(EVENTS[one.seq - 1].event != "Login" for one in removed)
        assert len(stretches(path)) == 7
        assert reader.count(NOT_LOGIN) == before - gone
        with closing(sqlite3.connect(path)) as connection, connection:
            for stretch in building.outstanding(connection, SIZE):
                building.build(connection, stretch)
        assert stretches(path)[:3] == [(1, 10, 8), (11, 20, 10), (21, 30, 9)]
        assert problems(path) == []
        assert reader.count(NOT_LOGIN) == before - gone
        with closing(sqlite3.connect(path)) as connection, connection:
            changed = row(connection, 40)
            builder.on_remove(connection, [changed])
            connection.execute("UPDATE events SET source_ip = '192.0.2.77' WHERE seq = 40")
            builder.on_replace(connection, [row(connection, 40)], [])
        assert problems(path) == []
        assert len(stretches(path)) == 9


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE events SET occurred_us = occurred_us + 1 WHERE seq = 15", "11 to 20"),
        ("UPDATE events SET user_id = 1 WHERE seq = 15", "differs from them in user"),
        ("UPDATE events SET source_ip = '::1' WHERE seq = 90", "differs from them in address texts"),
        ("DELETE FROM segment_columns WHERE place = 16", "differs from them in time"),
        ("UPDATE segments SET events = 9 WHERE first_seq = 1", "how many events it has"),
        ("UPDATE segments SET last_seq = 12 WHERE first_seq = 1", "11 to 20 overlaps another"),
    ],
)
def test_what_differs_from_the_rows_is_told(path: Path, statement: str, said: str) -> None:
    assert problems(path) == []
    change(path, statement)
    assert said in " ".join(problems(path))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE segment_columns SET data = x'0102' WHERE place % 16 = 2",
        "UPDATE segment_columns SET data = zeroblob(80) WHERE place % 16 = 0",
        "DELETE FROM segment_columns WHERE place % 16 = 2",
        "UPDATE segments SET events = 11 WHERE first_seq = 1",
        "UPDATE segments SET last_seq = 12 WHERE first_seq = 1",
        "UPDATE segments SET first_us = NULL WHERE first_seq = 1",
    ],
)
def test_columns_that_cannot_be_right_are_an_error_with_what_to_do(path: Path, statement: str) -> None:
    change(path, statement)
    with StoreReader(path) as reader, pytest.raises(StoreDamaged) as told:
        reader.page(NOT_LOGIN, AtRow(0), 50)
    assert told.value.hint


@pytest.mark.parametrize(
    "statement", ["DROP TABLE segments", "DROP TABLE segment_columns", "DELETE FROM segments"]
)
def test_without_segments_the_answers_are_the_same(path: Path, statement: str) -> None:
    with StoreReader(path) as reader:
        expected = reader.page(NOT_LOGIN, AtRow(3), 500), reader.facets(NOT_LOGIN, Column.USER, 5)
    change(path, statement)
    with StoreReader(path) as reader:
        assert (reader.page(NOT_LOGIN, AtRow(3), 500), reader.facets(NOT_LOGIN, Column.USER, 5)) == expected
    with StoreWriter(path, durable=False, companions=(SegmentBuilder(SIZE),)) as writer:
        writer.append(
            [AuditEvent(event="Login", occurred_us=place, key=f"new {place}") for place in range(15)]
        )
    with StoreReader(path) as reader:
        assert reader.count(NOT_LOGIN) == len(expected[0].rows) + 3


def test_a_view_in_place_of_a_table_is_refused(path: Path) -> None:
    change(path, "DROP TABLE segments")
    change(path, "CREATE VIEW segments AS SELECT 1 AS first_seq")
    with pytest.raises(StoreError):
        StoreReader(path)


def test_reindex_builds_everything_anew(path: Path) -> None:
    change(path, "UPDATE segment_columns SET data = x''")
    change(path, "UPDATE event_names SET events = 7, folded = 'x' || id")
    change(path, "DROP INDEX events_user")
    parts: list[str] = []
    with StoreWriter(path, durable=False) as writer:
        writer.reindex(parts.append)
    assert "events_user" in parts
    with StoreReader(path) as reader:
        assert reader.count(NOT_LOGIN) == sum(event.event != "Login" for event in EVENTS)
        assert [one.value for one in reader.values(Column.EVENT, "role", 5)] == ["Role created"]


def test_what_is_asked_of_outcomes_and_addresses_is_answered_by_the_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.db"
    events = [
        AuditEvent(event="Login", occurred_us=place, source_ip=None if place % 4 else f"192.0.2.{place}")
        for place in range(40)
    ]
    with StoreWriter(path, durable=False, companions=(SegmentBuilder(SIZE),), has_text_index=False) as writer:
        writer.append(events)
    asked = spied(monkeypatch)
    with StoreReader(path) as reader:
        for condition, expected in (
            (Condition(Column.SOURCE_IP, IS, "192.0.2.8"), 1),
            (Condition(Column.SOURCE_IP, IS, None), 30),
            (Condition(Column.SOURCE_IP, IS_NOT, None), 10),
            (Condition(Column.OUTCOME, IS, "unknown"), 40),
            (Condition(Column.OUTCOME, IS_NOT, "unknown"), 0),
        ):
            query = EventQuery(condition)
            assert reader.count(query) == expected
            assert sum(one.events for one in reader.facets(query, Column.EVENT, 5)) == expected
    assert asked


def test_a_cancelled_question_ends_between_two_segments(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = CancelToken()
    asked = spied(monkeypatch, token.cancel)
    with StoreReader(path) as reader, pytest.raises(QueryCancelled):
        reader.facets(NOT_LOGIN, Column.USER, 5, token)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("numbers", "width_bytes"),
    [((0, 0), 0), ((0, 255), 1), ((256, 0), 2), ((1 << 16, 1), 4), ((1 << 32, 1), 8)],
)
def test_numbers_are_packed_as_narrowly_as_they_fit(numbers: tuple[int, ...], width_bytes: int) -> None:
    data = pack(numbers)
    assert len(data) == width_bytes * len(numbers)
    assert [
        int.from_bytes(data[place : place + width_bytes], "little")
        for place in range(0, len(data), width_bytes or 1)
    ] == (list(numbers) if width_bytes else [])


def test_times_far_apart_are_stored_as_they_are() -> None:
    assert len(pack_times([5, 6, 1 << 40])) == 24
    assert len(pack_times([5, 6, 260])) == 3
    assert pack_times([-7, -7]) == b""


def test_a_number_below_0_is_damage() -> None:
    with pytest.raises(StoreDamaged):
        pack([1, -1])


def test_each_column_has_a_row_of_its_own() -> None:
    places = {
        segment_layout.STORED.place_of(first, column) for first in (1, 2, 3) for column in SegmentColumn
    }
    assert len(places) == 3 * len(SegmentColumn)
