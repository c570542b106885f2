"""The same rows and the same questions in DuckDB, in one process: ours must be the quicker one.

python -m pytest -m scale -s tests/scale/test_duckdb.py
"""

from __future__ import annotations

import csv
import sqlite3
import time
from collections import defaultdict
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import All, Condition, Filter, Not
from audit_tui.core.filter.filters import Any as AnyOf
from audit_tui.core.query import AtRow
from audit_tui.store.read.reader import StoreReader
from tests.scale.filters import seeded, values_of
from tests.scale.measuring import calibration_ms, figure, percentile, print_table
from tests.scale.test_queries import edges_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_tui.core.query import EventQuery

pytestmark = pytest.mark.scale
duckdb = pytest.importorskip("duckdb")

FILTERS = 40
THREADS = 2
NAMES = {"event": "event_names", "category": "category_names", "user": "user_names"}


def as_sql(part: Filter) -> tuple[str, list[object]]:
    """A filter of equal and not equal values as a condition of DuckDB."""
    match part:
        case Condition(field=field, operator=operator, value=value):
            word = "IS DISTINCT FROM" if operator.is_negated else "IS NOT DISTINCT FROM"
            return f'"{field.value}" {word} ?', [value]
        case Not(part=inner):
            text, values = as_sql(inner)
            return f"NOT ({text})", values
        case All(parts=parts) | AnyOf(parts=parts):
            word = " AND " if isinstance(part, All) else " OR "
            texts = [as_sql(part) for part in parts]
            joined = word.join(f"({text})" for text, _ in texts)
            return joined or str(isinstance(part, All)), [value for _, values in texts for value in values]


def where(query: EventQuery) -> tuple[str, list[object]]:
    text, values = as_sql(query.filter)
    for sign, edge in ((">=", query.interval.start_us), ("<", query.interval.end_us)):
        if edge is not None:
            text, values = f"({text}) AND time {sign} ?", [*values, edge]
    return text, values


def loaded(store: Path, folder: Path) -> Any:  # noqa: ANN401 - it comes without types
    """The list's columns of all events in a database of DuckDB."""
    log = folder / "events.csv"
    with closing(sqlite3.connect(store)) as connection, log.open("w", newline="") as file:
        names: dict[str, dict[int | None, str | None]] = {
            field: dict(connection.execute(f"SELECT id, name FROM {table}").fetchall()) | {None: None}
            for field, table in NAMES.items()
        }
        writer = csv.writer(file)
        columns = connection.execute("SELECT seq, occurred_us, event_id, category_id, user_id FROM events")
        events, categories, users = names.values()
        writer.writerows((seq, us, events[e], categories[c], users[u]) for seq, us, e, c, u in columns)
    database = duckdb.connect(str(folder / "events.duckdb"), config={"threads": THREADS})
    schema = (
        "{'seq': 'BIGINT', 'time': 'BIGINT', 'event': 'VARCHAR', 'category': 'VARCHAR', 'user': 'VARCHAR'}"
    )
    # An empty text of these events is a missing one.
    source = f"read_csv('{log}', header = false, columns = {schema})"
    database.execute(f"CREATE TABLE events AS SELECT * FROM {source} ORDER BY time, seq")
    log.unlink()
    return database


def rows_of(database: Any, values: list[object], text: str) -> list[Any]:  # noqa: ANN401 - as above
    """All rows of a statement."""
    rows: list[Any] = database.execute(text, values).fetchall()
    return rows


def test_ours_is_quicker_than_duckdb(store: Path, tmp_path: Path) -> None:
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)

    def ask(what: str, who: str, question: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it answers
        begin = time.perf_counter()
        answer = question()
        taken[what, who].append((time.perf_counter() - begin) * 1e3)
        return answer

    calibrations = [calibration_ms()]
    with StoreReader(store) as reader, loaded(store, tmp_path) as database:
        for asked in seeded(values_of(reader), FILTERS, seed=2):
            query = asked.query()
            chosen, values = where(query)
            edges = edges_of(reader, query)
            width = (edges[-1] - edges[0]) // (len(edges) - 1) or 1

            sql = partial(rows_of, database, values)
            newest = f"SELECT * FROM events WHERE {chosen} ORDER BY time DESC, seq DESC LIMIT 100"
            page = ask("newest 100", "ours", partial(reader.page, query, AtRow(0), 100))
            others = ask("newest 100", "DuckDB", partial(sql, newest))
            assert [row[0] for row in others] == [row.seq for row in page.rows]
            count = ask("count", "ours", partial(reader.count, query))
            counted = f"SELECT count(*) FROM events WHERE {chosen}"
            assert ask("count", "DuckDB", partial(sql, counted)) == [(count,)]
            ask("histogram of 120", "ours", partial(reader.histogram, query, edges))
            binned = f"SELECT (time - {edges[0]}) // {width}, count(*) FROM events WHERE {chosen} GROUP BY 1"
            ask("histogram of 120", "DuckDB", partial(sql, binned))
            top = ask("top 10 users", "ours", partial(reader.facets, query, Column.USER, 10))
            users = f'SELECT "user", count(*) FROM events WHERE {chosen} GROUP BY 1 ORDER BY 2 DESC LIMIT 10'
            others = ask("top 10 users", "DuckDB", partial(sql, users))
            assert [value.events for value in top.values] == [events for _, events in others]
            calibrations.append(calibration_ms())
    figures = [figure(f"{what}, {who}", values) for (what, who), values in sorted(taken.items())]
    print_table(f"{FILTERS} filters against DuckDB {duckdb.__version__}", figures, calibrations)
    for what in {what for what, _ in taken}:
        ours, others = (sorted(taken[what, who]) for who in ("ours", "DuckDB"))
        for share in (50, 95):
            assert percentile(ours, share) < percentile(others, share), what
