"""The statements of a reader: what they may touch, how they run, and how they end."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.columns import LISTABLE_COLUMNS, NAME_COLUMNS, Column, NameColumn
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import EVERYTHING, All, Condition, Filter, Not
from audit_tui.core.filter.filters import (
    Any as AnyOf,
)
from audit_tui.core.filter.operators import IS, IS_NOT, Operator
from audit_tui.core.query import After, AtRow, Before, EventQuery, EventReader, Interval, PageKey, Sort
from audit_tui.errors import FilterError, QueryCancelled
from audit_tui.store.file.guard import authorize
from audit_tui.store.index import matching
from audit_tui.store.index.session import Session
from audit_tui.store.read.reader import StoreReader, open_store
from audit_tui.store.tables import schema
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import EVENTS, NAMES, fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from audit_tui.core.query import ReaderFactory


def is_(field: NameColumn, value: str | None) -> Condition:
    return Condition(field, IS, value)


def is_not(field: NameColumn, value: str | None) -> Condition:
    return Condition(field, IS_NOT, value)


FILTERS: tuple[Filter, ...] = (
    EVERYTHING,
    is_(Column.USER, "bob"),
    is_(Column.USER, None),
    is_not(Column.USER, "bob"),
    is_not(Column.CATEGORY, None),
    All((is_(Column.EVENT, "Login"), is_(Column.USER, "bob"))),
    All((is_not(Column.EVENT, "Login"), is_not(Column.USER, "bob"))),
    AnyOf((is_(Column.EVENT, "Login"), is_(Column.USER, "bob"), is_(Column.CATEGORY, None))),
    AnyOf((is_(Column.EVENT, "Login"), is_not(Column.USER, "bob"))),
    Not(AnyOf((All((is_(Column.EVENT, "Login"), is_(Column.USER, "Bob"))), is_(Column.CATEGORY, "x%_y")))),
    is_(Column.EVENT, "'; DROP TABLE events; --"),
)
SORTS = [Sort(column, is_down) for column in LISTABLE_COLUMNS for is_down in (False, True)]
INTERVALS = (Interval(), Interval(3, None), Interval(None, 9), Interval(3, 9))


@pytest.fixture
def reader(store_path: Path) -> Iterator[StoreReader]:
    with StoreReader(store_path) as opened:
        yield opened


@pytest.fixture
def statements(reader: StoreReader) -> list[str]:
    """Every statement that the reader runs, as it runs."""
    seen: list[str] = []
    ask = reader._session.rows

    def rows(statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        seen.append(statement)
        return ask(statement, parameters)

    reader._session.rows = rows  # type: ignore[method-assign]
    return seen


def ask_everything(reader: StoreReader, sorts: list[Sort]) -> None:
    """Each kind of question about each kind of query."""
    for expression in FILTERS:
        for interval in INTERVALS:
            for upto_seq in (None, 40):
                for sort in sorts:
                    query = EventQuery(expression, interval, sort, upto_seq)
                    reader.count(query)
                    page = reader.page(query, AtRow(2), 3)
                    for row in page.rows[:1]:
                        key = PageKey.of(row, sort)
                        reader.page(query, After(key), 3)
                        reader.page(query, Before(key), 3)
                        reader.locate(query, key)


def test_every_plan_finds_its_rows_by_their_place(
    reader: StoreReader, statements: list[str], store_path: Path
) -> None:
    ask_everything(reader, SORTS)
    texts = {text for text in statements if not text.startswith("PRAGMA")}
    assert len(texts) > 5
    with closing(sqlite3.connect(store_path)) as connection:
        for text in texts:
            marks = (1,) * text.count("?")
            plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", marks)]
            assert not [step for step in plan if "TEMP B-TREE" in step or "AUTOMATIC" in step], text
            for step in plan:
                if re.match(r"(SCAN|SEARCH) events\b", step):
                    assert "INTEGER PRIMARY KEY" in step or "max(seq)" in text, (text, plan)


def test_a_page_takes_three_statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "audit.db"
    events = [AuditEvent("e", n * 7 % 997, user=f"u{n % 50}") for n in range(9_000)]
    with StoreWriter(path, durable=False) as writer:
        for first in range(0, len(events), 4_500):
            writer.append(events[first : first + 4_500])
    with StoreReader(path) as reader:
        query = EventQuery(is_not(Column.USER, "u7"))
        first_page = reader.page(query, AtRow(0), 256)
        seen: list[str] = []
        ask = reader._session.rows

        def rows(statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
            seen.append(statement)
            return ask(statement, parameters)

        monkeypatch.setattr(reader._session, "rows", rows)
        page = reader.page(query, After(PageKey.of(first_page.rows[-1], query.sort)), 256)
        assert len(page.rows) == 256
        assert len([text for text in seen if not text.startswith("PRAGMA")]) <= 3, seen


def test_no_statement_holds_a_value(reader: StoreReader, statements: list[str]) -> None:
    ask_everything(reader, SORTS)
    for field in NAME_COLUMNS:
        for value in NAMES[field.value]:
            reader.values(field, value or "", 5)
            reader.locate(EventQuery(sort=Sort(field)), PageKey(value, 5, 5))
    reader.event(7)
    assert statements
    for text in set(statements):
        # Our own words and marks, an empty text, and the constants that we wrote; no number of a name.
        assert re.fullmatch(r"[A-Za-z_0-9 .,()?*<>=']+", text), text
        assert "'" not in text.replace("''", ""), text
        assert set(re.findall(r"\d+", text)) <= {"0", "1", "2", "3"}, text
        assert not re.search("bob|Login|DROP|none", text), text


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH 'other.db' AS other",
        "DELETE FROM events",
        "INSERT INTO store_info (name, value) VALUES ('a', 'b')",
        "UPDATE events SET target = NULL",
        "CREATE TEMP TABLE t (x)",
        "DROP TABLE events",
        "VACUUM INTO 'copy.db'",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA table_info(events)",
        "SELECT load_extension('x')",
        "SELECT randomblob(1000000000)",
        "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT * FROM audit_log",
        "SELECT * FROM pragma_database_list",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    ],
)
def test_a_viewer_can_do_nothing_but_read(reader: StoreReader, store_path: Path, statement: str) -> None:
    with pytest.raises(sqlite3.DatabaseError):
        reader._connection.execute(statement).fetchall()
    assert not store_path.with_name("copy.db").exists()


def test_the_settings_of_a_viewer(store_path: Path) -> None:
    with StoreReader(store_path) as reader:
        connection = reader._connection
        connection.set_authorizer(None)
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in (
                "query_only",
                "trusted_schema",
                "cell_size_check",
                "mmap_size",
                "temp_store",
                "cache_size",
            )
        }
        assert settings == {
            "query_only": 1,
            "trusted_schema": 0,
            "cell_size_check": 1,
            "mmap_size": 0,
            "temp_store": 2,
            "cache_size": -3072,
        }
        assert connection.getlimit(sqlite3.SQLITE_LIMIT_ATTACHED) == 0
        with pytest.raises(sqlite3.DatabaseError):
            connection.execute("ATTACH 'other.db' AS other")
        connection.set_authorizer(authorize)


def test_a_store_reader_is_an_event_reader(store_path: Path) -> None:
    opener: ReaderFactory = open_store(store_path)
    reader: EventReader = opener()
    other: EventReader = opener()
    assert reader is not other
    assert reader.newest_seq() == other.newest_seq() == len(EVENTS)
    reader.close()
    other.close()


def test_what_is_known_without_a_query(reader: StoreReader, store_path: Path) -> None:
    info = reader.info()
    assert (info.name, info.path, info.events) == ("audit.db", str(store_path), len(EVENTS))
    assert (info.first_us, info.last_us) == (-3, 19)
    assert len(info.store_id) == 32
    assert info.schema_version == schema.VERSION
    assert info.size_bytes == store_path.stat().st_size
    assert info.notice == ""


def test_an_empty_store(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "audit.db"):
        pass
    with StoreReader(tmp_path / "audit.db") as reader:
        info = reader.info()
        assert (info.events, info.first_us, info.last_us) == (0, None, None)
        for column in LISTABLE_COLUMNS:
            page = reader.page(EventQuery(sort=Sort(column)), AtRow(0), 5)
            assert (page.rows, page.is_end) == ((), True)
        assert reader.count(EventQuery(is_not(Column.USER, "bob"))) == 0
        assert reader.values(Column.USER, "", 5) == ()
        assert reader.event(1) is None
        assert list(reader.events(EventQuery())) == []


def test_events_that_are_appended_appear_but_for_a_fixed_end(store_path: Path) -> None:
    with StoreReader(store_path) as reader, StoreWriter(store_path) as writer:
        fixed = EventQuery(upto_seq=reader.newest_seq())
        stream = reader.events(EventQuery())
        next(stream)
        writer.append([AuditEvent("late", 1, user="late")])
        assert reader.newest_seq() == len(EVENTS) + 1
        assert reader.count(EventQuery()) == len(EVENTS) + 1
        assert reader.count(fixed) == len(EVENTS)
        assert reader.count(EventQuery(is_(Column.USER, "late"), upto_seq=fixed.upto_seq)) == 0
        assert len(list(stream)) == len(EVENTS) - 1


def test_a_cancelled_question_is_not_asked(reader: StoreReader) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(QueryCancelled):
        reader.count(EventQuery(), token)
    with pytest.raises(QueryCancelled):
        reader.page(EventQuery(), AtRow(0), 5, token)
    with pytest.raises(QueryCancelled):
        next(iter(reader.events(EventQuery(), token)))
    assert reader.count(EventQuery()) == len(EVENTS)


def test_no_values_may_be_asked_for(tmp_path: Path) -> None:
    fill(tmp_path / "audit.db", [AuditEvent(f"e{n % 5}", n, user=f"u{n % 7}") for n in range(1_000)])
    with StoreReader(tmp_path / "audit.db") as reader:
        facet = reader.facets(EventQuery(Condition(Column.EVENT, IS, "e1")), Column.USER, 0)
    assert (facet.values, facet.counted) == ((), 200)


def test_a_long_question_ends_when_its_token_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    fill(path, [AuditEvent("e", n, description=f"d{n}") for n in range(20_000)])
    token = CancelToken()
    begun = threading.Event()
    with StoreReader(path) as reader:

        def cancel_once_begun() -> None:
            begun.wait()
            token.cancel()

        def slow(statement: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
            for row in ask(statement, parameters):
                yield row
                # Some rows are read when the token is cancelled.
                if "description FROM events" in statement and not begun.is_set():
                    begun.set()
                    canceller.join()

        ask = reader._session.stream
        canceller = threading.Thread(target=cancel_once_begun, daemon=True)
        reader._session.stream = slow  # type: ignore[method-assign]
        canceller.start()
        with pytest.raises(QueryCancelled):
            reader.page(EventQuery(sort=Sort(Column.DESCRIPTION)), AtRow(0), 5, token)
        assert not reader._connection.in_transaction
        assert reader.count(EventQuery()) == 20_000


def test_the_progress_handler_alone_ends_a_statement(tmp_path: Path) -> None:
    # An interrupt misses a statement that has not begun.
    path = tmp_path / "audit.db"
    fill(path, [AuditEvent("e", n, user=f"u{n % 50}") for n in range(20_000)])
    token = CancelToken()
    with StoreReader(path) as reader:
        reader._connection.execute("BEGIN")
        token.cancel()
        reader._watch._cancel = token
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            reader._connection.execute(
                "SELECT count(*) FROM events AS a, events AS b WHERE a.seq < b.seq"
            ).fetchall()
        reader._watch._cancel = None
        reader._connection.execute("ROLLBACK")


def nested(depth: int) -> Filter:
    expression: Filter = is_(Column.USER, "bob")
    for place in range(depth):
        expression = All((expression,)) if place % 2 else Not(expression)
    return expression


def test_filters_of_any_size_are_answered_or_refused(reader: StoreReader) -> None:
    assert reader.count(EventQuery(nested(40))) >= 0
    with pytest.raises(FilterError, match="nested"):
        reader.count(EventQuery(nested(500)))
    users = tuple(is_(Column.USER, name) for name in NAMES["user"])
    pairs = tuple(
        All((is_not(Column.EVENT, "Login"), Not(AnyOf((user, is_(Column.CATEGORY, None)))))) for user in users
    )
    wide = AnyOf(pairs * 60)
    assert reader.count(EventQuery(wide)) == reader.count(EventQuery(AnyOf(pairs)))


def test_an_operator_of_tomorrow_is_refused() -> None:
    unknown = Operator("near", "~", "Is Near", "is near", lambda value: value.__eq__)
    with pytest.raises(FilterError, match="~"):
        matching.check(Condition(Column.USER, unknown, "x"))


def test_text_that_is_not_utf8_does_not_end_a_query(store_path: Path) -> None:
    with closing(sqlite3.connect(store_path)) as connection:
        connection.execute("UPDATE events SET description = CAST(x'41ff42' AS TEXT) WHERE seq = 1")
        connection.execute("UPDATE user_names SET name = CAST(x'ff' AS TEXT) WHERE id = 1")
        connection.commit()
    with StoreReader(store_path) as reader:
        rows = reader.page(EventQuery(), AtRow(0), len(EVENTS)).rows
        assert "A\\xffB" in [row.description for row in rows]
        assert "\\xff" in [row.user for row in rows]
        assert "\\xff" in [value.value for value in reader.values(Column.USER, "", 50)]


def test_reading_imports_the_standard_library_only() -> None:
    script = (
        "import sys\n"
        "import audit_tui.store.read.reader\n"
        "print([name for name in ('click', 'textual', 'rich', 'asyncio', 'platformdirs')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_stream_holds_few_bytes_at_a_time(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = [AuditEvent("Huge", 2, metadata={"v": "x" * 1_000_000}, original=b"\0" * 5_000_000)] * 30
    with StoreWriter(store_path) as writer:
        writer.append([replace(event, key=str(number)) for number, event in enumerate(huge)])
    batches: list[int] = []
    whole = Session.whole_events

    def counted(session: Session, seqs: Sequence[int]) -> dict[int, tuple[object, ...]]:
        batches.append(len(seqs))
        return whole(session, seqs)

    monkeypatch.setattr(Session, "whole_events", counted)
    with StoreReader(store_path) as reader:
        events = list(reader.events(EventQuery()))
        assert len(events) == 30 + len(EVENTS)
        assert all(event.original is None for event in events)
        # 8 MiB of them at a time, and all the small ones at once.
        assert max(batches) <= 8 + len(EVENTS)
        rows = reader.page(EventQuery(), AtRow(0), 1_000).rows
        assert [event.seq for event in events] == [row.seq for row in rows]
        event = reader.event(len(EVENTS) + 1)
        assert event is not None
        assert event.original == b"\0" * 5_000_000
