"""Commands without a screen, other programs beside ours, and what the store's parts weigh.

A peer is timed when it is installed: the sqlite3 shell and DuckDB on the store itself, lnav, VisiData,
Toolong and harlequin from their start to the first rows in a terminal (the readers of files on the newest
events as JSON lines).
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event_text import json_text
from audit_tui.store.read.reader import StoreReader
from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.scale.measuring import calibration_ms, figure, print_table, tree_memory_mib
from tests.scale.test_review import ENVIRONMENT, ROOT, STARTS, events_of, opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.scale.measuring import Figure

pytestmark = pytest.mark.scale

PEER_EVENTS = 1_000_000
"""This many are exported for readers of files: 350 MB."""
PEER_STARTS = 5
SAMPLED = 20_000
EVENT = "Role created"
NEWEST = "SELECT seq FROM events ORDER BY occurred_us DESC, seq DESC LIMIT 22"
PAGE = f"SELECT * FROM audit_log WHERE seq IN ({NEWEST})"
COUNT = f"SELECT count(*) FROM audit_log WHERE event = '{EVENT}'"


def runs_ms(programs: dict[str, list[str]], runs: int) -> dict[str, list[float]]:
    """Programs run in turn; one that fails is left out."""
    taken: dict[str, list[float]] = {what: [] for what in programs}
    for _ in range(runs):
        for what, argv in programs.items():
            begin = time.perf_counter()
            ended = subprocess.run(
                argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
            )
            if not ended.returncode:
                taken[what].append((time.perf_counter() - begin) * 1e3)
    return {what: times for what, times in taken.items() if times}


def installed(programs: dict[str, list[str]]) -> dict[str, list[str]]:
    return {what: argv for what, argv in programs.items() if shutil.which(argv[0])}


def test_without_a_screen(store: Path) -> None:
    base = "python -c 'import click, sqlite3'"
    of_store = ["--store", str(store)]
    duckdb = f"LOAD sqlite; ATTACH '{store}' AS s (TYPE sqlite, READ_ONLY); USE s; "
    ours = {
        "audit-tui count": ["count", *of_store],
        "audit-tui query --limit 22": ["query", *of_store, "--limit", "22"],
        "audit-tui facets user": ["facets", "user", *of_store],
        "audit-tui histogram": ["histogram", *of_store],
        f"audit-tui count, {EVENT}, all time": [
            "count", *of_store, "--range", "all-time", "--filter", f"event={EVENT}"
        ],
    }  # fmt: skip
    programs = {base: [sys.executable, "-c", "import click, sqlite3"]}
    programs |= {what: [*AUDIT_TUI, *words] for what, words in ours.items()}
    programs |= {
        "sqlite3: the newest 22 of the view": ["sqlite3", "-readonly", str(store), PAGE],
        f"sqlite3: count of the view, {EVENT}": ["sqlite3", "-readonly", str(store), COUNT],
        "duckdb: the newest 22 of the view": ["duckdb", "-c", duckdb + PAGE],
        f"duckdb: count of the view, {EVENT}": ["duckdb", "-c", duckdb + COUNT],
    }
    taken = runs_ms(installed(programs), STARTS)
    assert len([what for what in taken if what.startswith("audit-tui")]) == len(ours)
    figures = [figure(what, times) for what, times in taken.items()]
    for what in ("audit-tui count", "audit-tui query --limit 22"):
        more = [mine - other for mine, other in zip(sorted(taken[what]), sorted(taken[base]), strict=True)]
        figures.append(figure(f"  {what}: more than python", more, must="p50 <= 80"))
    print_table(f"{events_of(store):,} events: without a screen", figures, [calibration_ms()])


def test_starts_of_peers(store: Path, tmp_path: Path) -> None:
    file_readers = {"lnav": ["lnav"], "VisiData": ["vd"], "Toolong": ["tl"]}
    others = {"harlequin": ["harlequin", "--adapter", "sqlite", "--read-only", str(store)]}
    programs = {"audit-tui": opened(store)} | installed(others)
    signs = {"audit-tui": "acme.io", "harlequin": "audit_log"}
    if readers := installed(file_readers):
        log = tmp_path / "newest.jsonl"
        written = exported(store, log)
        programs |= {f"{name}, {written:,} events": [*argv, str(log)] for name, argv in readers.items()}
    figures = []
    for what, argv in programs.items():
        figures += started(what, argv, signs.get(what, "acme.io"))
    print_table("beside others: start to the first rows at 80x24", figures, [calibration_ms()])


def exported(store: Path, log: Path) -> int:
    """The newest events as JSON lines."""
    command = [*AUDIT_TUI, "query", "--store", str(store), "--range", "all-time", "--format", "jsonl"]
    with log.open("wb") as file:
        subprocess.run([*command, "--limit", str(PEER_EVENTS)], check=True, stdout=file)
    return min(events_of(store), PEER_EVENTS)


def started(what: str, argv: Sequence[str], sign: str) -> list[Figure]:
    taken, memory = [], []
    for _ in range(PEER_STARTS):
        begin = time.perf_counter()
        with Terminal(list(argv), env=ENVIRONMENT) as terminal:
            terminal.wait_for(sign)
            taken.append((time.perf_counter() - begin) * 1e3)
            memory.append(tree_memory_mib(terminal.pid))
    return [figure(what, taken), figure("  memory then", memory, unit="MiB")]


PARTS = {
    "rows of events": ("events",),
    "key (events_key)": ("events_key",),
    "indexes of time, event, category, user": (
        "events_time", "events_event", "events_category", "events_user"
    ),
    "columns": ("segments", "segment_columns"),
    "text index": ("text_stretches", "text_stretch_parts"),
    "seals": ("seal_block", "seal_head", "seal_removed"),
}  # fmt: skip


def test_size(store: Path) -> None:
    """Whole pages of each part, in bytes an event, and beside compact JSON lines without originals."""
    with sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True) as connection:
        weights = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall())
    connection.close()
    with StoreReader(store) as reader:
        events = reader.info().events
        some = [reader.event(1 + number * events // SAMPLED) for number in range(min(SAMPLED, events))]
    lines = [len(json_text(event).encode()) + 1 for event in some if event is not None]
    line_bytes = sum(lines) / len(lines)
    whole = sum(weights.values())
    figures = []
    for what, names in PARTS.items():
        weight = sum(weights.pop(name, 0) for name in names)
        figures.append(figure(f"{what}: {weight / whole:.0%}", [weight / events], unit="B/ev"))
    figures.append(figure("names and the rest", [sum(weights.values()) / events], unit="B/ev"))
    figures.append(figure("all", [whole / events], unit="B/ev"))
    figures.append(figure(f"a line of compact JSON, of {len(lines):,}", [line_bytes], unit="B/ev"))
    figures.append(
        figure("the store beside JSON lines", [whole / events / line_bytes], unit="x", must="<= 2.0")
    )
    print_table(f"size of {events:,} events", figures, [calibration_ms()])
