"""The index as it lies in the file: after any acts it says what its rows say, and nothing of what is gone."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.query import AtRow, EventQuery
from audit_tui.errors import StoreDamaged
from audit_tui.store.index import keeper, scratch, session
from audit_tui.store.index.blocks import TimeBlock, pack_seqs, pack_times, unpack_seqs
from audit_tui.store.index.checking import IndexCheck
from audit_tui.store.index.fields import ROWS
from audit_tui.store.index.keeper import due, worth_merging
from audit_tui.store.index.stored import bitmap_of
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.tables.rows import draft
from audit_tui.store.write import derived
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import tiny_segments


@given(
    start_us=st.integers(-(2**62), 2**62),
    steps=st.lists(st.integers(0, 300) | st.integers(0, 2**40), max_size=200),
    unit_us=st.sampled_from([1, 1_000, 1_000_000]),
    data=st.data(),
)
def test_times_are_found_in_a_packed_block(
    start_us: int, steps: list[int], unit_us: int, data: st.DataObject
) -> None:
    times = list(accumulate((step * unit_us for step in steps), initial=start_us))
    block = TimeBlock(pack_times(times), len(times))
    assert [block.at(place) for place in range(len(times))] == times
    start = data.draw(st.integers(0, len(times)))
    stop = data.draw(st.integers(start, len(times)))
    assert block.between(start, stop) == times[start:stop]
    edge = data.draw(st.sampled_from(times)) + data.draw(st.integers(-1, 1))
    assert block.count_before(edge) == sum(time < edge for time in times)


@given(st.permutations(range(5, 30)) | st.just(list(range(7, 5_000))) | st.just([*range(9, 20), 5, 6, 40]))
def test_seqs_come_back(seqs: list[int]) -> None:
    assert list(unpack_seqs(pack_seqs(seqs), min(seqs), len(seqs))) == list(seqs)


@given(
    st.sets(st.integers(0, 400_000), max_size=50),
    st.sets(st.integers(0, 400), max_size=6),
    st.tuples(st.integers(0, 400_000), st.integers(1, 400_000)),
    st.booleans(),
)
def test_a_bitmap_is_cut_to_a_range(
    places: set[int], dense: set[int], range_: tuple[int, int], has_runs: bool
) -> None:
    """A part that is dense has another form than those of a few places."""
    bitmap = BitMap(places).union(*(BitMap(range(1_000 * n, 1_000 * n + 12_000, 2)) for n in dense))
    if has_runs:
        bitmap |= BitMap(range(100_000, 130_000))
        bitmap.run_optimize()
    within = range(range_[0], sum(range_))
    cut = bitmap_of(bitmap.serialize(), 450_000, within)
    assert cut & BitMap(within) == bitmap & BitMap(within)
    assert cut <= bitmap


@given(st.binary(max_size=40), st.integers(0, 300_000))
def test_what_is_not_a_bitmap_is_damage_also_where_it_is_cut(rest: bytes, start: int) -> None:
    try:
        bitmap = bitmap_of(b"\x3a\x30\0\0" + rest, 450_000, range(start, start + 100_000))
    except StoreDamaged:
        return
    assert bitmap <= BitMap(range(450_000))


EVENTS = st.builds(
    AuditEvent,
    event=st.sampled_from(["a", "b", ""]),
    occurred_us=st.integers(-3, 40),
    category=st.sampled_from([None, "x", "y"]),
    user=st.none() | st.integers(0, 12).map(lambda number: f"u{number}"),
    outcome=st.sampled_from(list(Outcome)),
    severity=st.none() | st.integers(0, 6),
    source_ip=st.none() | st.sampled_from(["", "10.0.0.1", "::1", "é"]),
    source=st.none() | st.sampled_from(["s", "t"]),
)
ACTS = st.lists(
    st.tuples(st.just("append"), st.lists(EVENTS, min_size=1, max_size=12))
    | st.tuples(st.just("remove"), st.sets(st.integers(1, 60), min_size=1, max_size=9))
    | st.tuples(st.just("replace"), st.sets(st.integers(1, 60), min_size=1, max_size=4))
    | st.tuples(st.just("compact"), st.none())
    | st.tuples(st.just("reindex"), st.none()),
    max_size=10,
)


def problems(path: Path, *, stretch: int = 7) -> list[str]:
    """Everything that is wrong with the index of a store."""
    with closing(sqlite3.connect(path)) as connection:
        check = IndexCheck(connection)
        messages = list(check.layout_problems())
        (newest,) = connection.execute("SELECT ifnull(max(seq), 0) FROM events").fetchone()
        for first in range(1, newest + 1, stretch):
            ends = (first, first + stretch - 1)
            rows = connection.execute(f"{ROWS} WHERE seq BETWEEN ? AND ? ORDER BY seq", ends).fetchall()
            messages += check.stretch_problems(*ends, [rows])
    return messages


def do(writer: StoreWriter, act: str, what: list[AuditEvent] | set[int] | None) -> None:
    if act == "append":
        writer.append([event for event in what or () if isinstance(event, AuditEvent)])
    elif act == "reindex":
        writer.reindex()
    elif act == "compact":
        writer._merge_segments()
    else:
        with writer.changing() as change:
            rows = change.rows(sorted(seq for seq in what or () if isinstance(seq, int)))
            if act == "remove":
                change.remove(rows)
            else:
                event = AuditEvent("[r]", 0, user="[r]", source_ip="[r]")
                drafts = [draft(replace(event, occurred_us=row.occurred_us, key=row.key)) for row in rows]
                change.replace(rows, drafts)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=ACTS)
def test_after_any_acts_the_index_is_that_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, list[AuditEvent] | set[int] | None]]
) -> None:
    path = tmp_path_factory.mktemp("acts") / "audit.db"
    with tiny_segments(), StoreWriter(path, durable=False) as writer:
        for act, what in acts:
            do(writer, act, what)
            assert problems(path) == []
            newest = writer.newest_seq()
            with closing(sqlite3.connect(path)) as connection:
                unindexed = connection.execute(
                    "SELECT count(*) FROM events WHERE seq > ?", (keeper.indexed_upto(connection),)
                )
                assert unindexed.fetchone()[0] < 4 or not newest


@pytest.mark.parametrize("at_first", [0, 100])
def test_events_that_a_writer_indexes_meanwhile_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_first: int
) -> None:
    for module in (session, scratch):
        monkeypatch.setattr(module, "LEAST_EVENTS", 64)
    monkeypatch.setattr(scratch, "BULK_TAIL_EVENTS", 16)
    path, index = tmp_path / "audit.db", keeper.IndexKeeper(10, 1 << 24)
    events = [AuditEvent(f"e{n % 5}", n, key=str(n)) for n in range(500)]

    def index_more(writer: StoreWriter, upto: int) -> None:
        with writer.changing() as change:
            while (done := keeper.indexed_upto(change.connection)) < upto:
                index.catch_up(change.connection, len(events), done)

    with StoreWriter(path) as writer, StoreReader(path) as reader:
        writer.append(events)
        for begin in (at_first, 0):
            with writer.changing() as change:
                derived.drop(change.connection)
            index_more(writer, begin)
            for upto in range(begin, len(events) + 1, 40):
                index_more(writer, upto)
                assert reader.count(EventQuery()) == reader.info().events == len(events)
                page = reader.page(EventQuery(), AtRow(0), len(events))
                assert [row.seq for row in page.rows] == list(range(len(events), 0, -1))


def test_an_append_does_not_make_the_whole_index_again(tmp_path: Path) -> None:
    with tiny_segments(), StoreWriter(tmp_path / "audit.db") as writer:
        writer.append([AuditEvent("x", n) for n in range(600)])
        with writer.changing() as change:  # as reindex does, in another process
            derived.drop(change.connection)
        writer.append([AuditEvent("x", 600)])
        with writer.changing() as change:
            assert 0 < keeper.indexed_upto(change.connection) < 300


def test_nothing_of_a_redacted_address_is_left(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    secret = "203.0.113.77"
    events = [AuditEvent("e", n, source_ip=secret if n == 9 else f"10.0.0.{n % 3}") for n in range(60)]
    with tiny_segments(), StoreWriter(path, durable=False) as writer:
        for first in range(0, 60, 5):
            writer.append(events[first : first + 5])
        assert secret.encode() in path.read_bytes() + path.with_name("audit.db-wal").read_bytes()
        with writer.changing() as change:
            rows = change.rows([10])
            change.replace(rows, [draft(replace(events[9], source_ip="[redacted]", key=rows[0].key))])
        assert writer.write_back()
    assert secret.encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], None),
        ([4_096] * 7, None),
        ([4_096] * 8, (0, 8)),
        ([32_768, *[4_100] * 8], (1, 9)),
        ([32_768] * 8, (0, 8)),
        ([262_144] * 8, None),
        ([2_000_000, 300_000, *[33_000] * 7, *[5_000] * 8], (9, 17)),
    ],
)
def test_eight_segments_of_a_size_become_one(sizes: list[int], expected: tuple[int, int] | None) -> None:
    assert due(sizes, keeper.TAIL_EVENTS, keeper.MAX_SMALL_MERGE) == expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], None),
        ([10_000_000], None),
        # Ten thousand late events do not cost ten million.
        ([10_000_000, 10_000], None),
        ([8_400_000, 1_600_000], (0, 2)),
        ([10_000_000, 30_000, 5_000], (1, 3)),
        ([16_000_000, 9_000_000], None),
    ],
)
def test_after_an_import_what_is_worth_it_is_merged(
    sizes: list[int], expected: tuple[int, int] | None
) -> None:
    assert worth_merging(sizes) == expected


APPEND_UNTIL_KILLED = """
import sys
from audit_tui.core.event import AuditEvent
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import tiny_segments
with tiny_segments(), StoreWriter(sys.argv[1], durable=False) as writer:
    batch = 0
    while True:
        batch += 1
        late = batch * 7 % 11
        writer.append([AuditEvent("e", n * 3 - late, user=f"u{n % 4}") for n in range(batch, batch + 6)])
        print(batch, flush=True)
"""


@pytest.mark.parametrize("batches", [1, 4, 9])
def test_after_a_kill_a_copy_of_the_store_answers_right_at_once(tmp_path: Path, batches: int) -> None:
    path = tmp_path / "audit.db"
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", APPEND_UNTIL_KILLED, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None
        with child.stdout:
            acknowledged = [int(child.stdout.readline()) for _ in range(batches)][-1]
            child.kill()
            child.wait()
        copy = tmp_path / "copy.db"
        for suffix in ("", "-wal", "-shm"):
            beside = path.with_name(path.name + suffix)
            if beside.exists():
                shutil.copyfile(beside, copy.with_name(copy.name + suffix))
        # What lies in the file depends on how large a block's groups are.
        with tiny_segments():
            assert problems(copy) == []
            with StoreReader(copy) as reader:
                events = reader.count(EventQuery())
                assert events == reader.newest_seq() >= acknowledged * 6
                rows = reader.page(EventQuery(), AtRow(0), events + 1).rows
                assert [row.seq for row in sorted(rows)] == list(range(1, events + 1))
                assert list(rows) == sorted(rows, key=lambda row: (-row.occurred_us, -row.seq))
                some = reader.count(EventQuery(Condition(Column.USER, IS, "u1")))
                assert some == sum(row.user == "u1" for row in rows)
        for suffix in ("", "-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
