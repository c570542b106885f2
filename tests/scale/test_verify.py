"""Sealing and verifying a large store: time and bytes an event, and the time of each kind of check.

python -m pytest -m scale -s tests/scale/test_verify.py
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.store.evidence import sealing
from audit_tui.store.evidence.verifying import Mode, Request, Result, verify
from audit_tui.store.tables import seal_layout
from audit_tui.store.tables.rows import StoredRow, draft
from tests.scale.measuring import calibration_ms, figure, print_table

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.store.tables.rows import Draft

pytestmark = pytest.mark.scale

QUICK_RUNS = 5
BATCH_EVENTS = 5_000


def test_verifying(store: Path) -> None:
    before = calibration_ms()
    started = time.process_time()
    full = verify(store, Request(indexes=False))
    cpu_s = time.process_time() - started
    quick_s = []
    for _ in range(QUICK_RUNS):
        begun = time.perf_counter()
        quick = verify(store, Request(Mode.QUICK))
        quick_s.append(time.perf_counter() - begun)
    whole = verify(store, Request())
    assert full.result is quick.result is whole.result is Result.NOT_ANCHORED
    bytes_each = _seal_bytes(store) / full.size
    figures = [
        figure("verify, events and seals", [full.seconds], unit="s", must="70 for 10,000,000"),
        figure("the same, CPU an event", [cpu_s / full.size * 1e6], unit="µs", must="7"),
        figure("verify --quick", quick_s, unit="s", must="1 for 10,000,000"),
        figure("verify, with the indexes", [whole.seconds], unit="s", must="120 for 10,000,000"),
        figure("seals, bytes an event", [bytes_each], unit="B", must="40"),
    ]
    print_table(f"{full.size:,} events, {full.heads:,} heads", figures, [before, calibration_ms()])
    assert bytes_each <= 40


def test_sealing() -> None:
    """The cost that sealing adds to an append: the leaves, the tree, the blocks and the head."""
    drafts = [_draft(number) for number in range(BATCH_EVENTS * 20)]
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE store_info (name TEXT PRIMARY KEY, value TEXT)")
    connection.execute("INSERT INTO store_info VALUES ('store_id', 'x')")
    seal_layout.create_tables(connection)
    seals = sealing.Seals()
    spent_s = []
    for first in range(0, len(drafts), BATCH_EVENTS):
        some = drafts[first : first + BATCH_EVENTS]
        rows = [_row(first + place, event) for place, event in enumerate(some, 1)]
        started = time.process_time()
        connection.execute("BEGIN")
        seals.on_append(connection, rows, some)
        connection.execute("COMMIT")
        spent_s.append(time.process_time() - started)
    connection.close()
    each_us = [spent / BATCH_EVENTS * 1e6 for spent in spent_s]
    print_table(
        f"{len(drafts):,} events in batches of {BATCH_EVENTS:,}",
        [figure("sealing, CPU an event", each_us, unit="µs", must="8")],
        [calibration_ms()],
    )


def _draft(number: int) -> Draft:
    return draft(
        AuditEvent(
            f"Role {number % 25}",
            1_700_000_000_000_000 + number,
            category="Roles",
            user=f"user{number % 2_000}@acme.io",
            description=f"user{number % 2_000} created the role number {number}",
            outcome=Outcome.SUCCESS,
            source_ip=f"10.0.{number % 7}.{number % 250}",
            target=f"role-{number}",
            source="bench",
            metadata={"Role ID": f"rol_{number:024d}", "User Agent": "Mozilla/5.0 " * 10},
        )
    )


def _row(seq: int, event: Draft) -> StoredRow:
    return StoredRow(
        seq, event.key, event.occurred_us, 1, 1, 1, event.description, event.outcome, event.severity,
        event.source_ip, event.target, 1, event.metadata, event.original,
    )  # fmt: skip


def _seal_bytes(store: Path) -> int:
    """Bytes of the tables of the seals, in whole pages where SQLite can tell, else their content."""
    connection = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)
    try:
        (blocks,) = connection.execute(
            "SELECT sum(length(leaves) + length(root) + 12) FROM seal_block"
        ).fetchone()
        (heads,) = connection.execute(
            "SELECT sum(length(note) + length(root) + ifnull(length(edge), 0) + 16) FROM seal_head"
        ).fetchone()
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        (count,) = connection.execute("SELECT count(*) FROM seal_block").fetchone()
    finally:
        connection.close()
    # A block's leaves fill two pages of 4,096 and about 500 bytes of a third that eight blocks share.
    assert page_size == 4_096
    return max(int(blocks + heads), int(count * (2 * page_size + page_size / 8) + heads))
