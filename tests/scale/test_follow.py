"""Following a writer of 500 events a second for a minute, and the first event of a pipe, in a real terminal.

python -m pytest -m scale -s tests/scale/test_follow.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.query import AtRow, EventQuery
from audit_tui.store.read.reader import open_store
from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.scale.measuring import TABLES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.scale, pytest.mark.timeout(600)]

RATE = 500
BATCH = 25
EVENTS = RATE * int(os.environ.get("SCALE_FOLLOW_S", "60"))
MOST_BYTES = 4_096
MOST_REPAINTS = 2.0
WRITER = """
import sys, time
from audit_tui.core.event import AuditEvent
from audit_tui.store.write.writer import StoreWriter
path, total, rate, batch = sys.argv[1], *map(int, sys.argv[2:])
names = ["Login", "Logout", "Role assigned", "API Key created", "Model deployed"]
with StoreWriter(path, durable=False) as writer:
    begin = time.time()
    for first in range(0, total, batch):
        now_us = int(time.time() * 1e6)
        writer.append([
            AuditEvent(
                names[n % 5], now_us + n - first, category="Test", user=f"user{n % 97}@acme.io",
                description=f"Did thing {n}", source_ip=f"10.0.0.{n % 250}",
            )
            for n in range(first, first + batch)
        ])
        time.sleep(max(0, begin + (first + batch) / rate - time.time()))
"""
PLACE = re.compile(r"(\d[\d,]*) of ([\d,]+)")


def test_a_writer_of_500_events_a_second(tmp_path: Path) -> None:
    store = tmp_path / "audit.db"
    run = [sys.executable, "-c", WRITER, str(store)]
    subprocess.run([*run, "100", "10000", "25"], check=True)
    with Terminal(
        [*AUDIT_TUI, "open", str(store), "--range", "all-time"], env={"COLORTERM": None}
    ) as terminal:
        terminal.wait_for("1 of")
        terminal.press("F")
        terminal.wait_for("Following")
        writer = subprocess.Popen([*run, str(EVENTS), str(RATE), str(BATCH)])
        begin_s, begin_bytes = time.monotonic(), len(terminal.output)
        places, numbers = set(), set()
        while writer.poll() is None:
            terminal.take(0.05)
            if (match := PLACE.search(terminal.lines[-2])) is not None:
                places.add(match[1])
                numbers.add(match[2])
        seconds = time.monotonic() - begin_s
        sent = len(terminal.output) - begin_bytes
        with closing(open_store(store)()) as reader:
            total = reader.count(EventQuery())
            rows = reader.page(EventQuery(), AtRow(0), 20).rows
        terminal.wait_for(f"1 of {total:,}")
        shown = [line for line in terminal.lines if "Did thing" in line or "@acme.io" in line]
    TABLES.append(
        f"{EVENTS:,} events followed in {seconds:.0f} s: {len(numbers) / seconds:.2f} repaints/s,"
        f" {sent / seconds:,.0f} bytes/s"
    )
    assert len(shown) == len(set(shown)) > 15
    assert rows[0].event[:12] in shown[0]
    assert total == EVENTS + 100
    assert places == {"1"}, "the cursor stays in its place"
    assert sent / seconds <= MOST_BYTES
    assert len(numbers) / seconds <= MOST_REPAINTS


def test_the_first_event_of_a_pipe(tmp_path: Path) -> None:
    """Its time to the screen, over that of a store with one event."""
    store = tmp_path / "audit.db"
    subprocess.run([sys.executable, "-c", WRITER, str(store), "1", "100", "1"], check=True)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR)
    record = json.dumps({"time": "2026-11-20T10:00:00Z", "event": "login", "user": "alice"})
    figures: dict[str, list[float]] = {"store": [], "pipe": []}
    for _ in range(int(os.environ.get("SCALE_STARTS", "10"))):
        for name, command in (
            ("store", f"exec AUDIT open {store} --range all-time"),
            ("pipe", f"exec AUDIT open - < {pipe}"),
        ):
            if name == "pipe":
                os.write(descriptor, f"{record}\n".encode())
            begin_s = time.monotonic()
            shell = ("/bin/sh", "-c", command.replace("AUDIT", " ".join(AUDIT_TUI)))
            with Terminal(shell) as terminal:
                terminal.wait_for("1 of 1")
                figures[name].append(time.monotonic() - begin_s)
    os.close(descriptor)
    middle = {name: sorted(times)[len(times) // 2] for name, times in figures.items()}
    worst = {name: max(times) for name, times in figures.items()}
    TABLES.append(f"first event on the screen, s: {middle}, worst {worst}")
    assert middle["pipe"] - middle["store"] <= 1.0
