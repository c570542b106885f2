"""Searching, looking around, pivots and the strip of time over millions of events (see conftest)."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.filter.filters import ANY_TEXT, Condition
from audit_tui.core.filter.operators import CONTAINS
from audit_tui.core.query import AtRow, PageKey
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.view import View
from audit_tui.store.read.reader import StoreReader
from audit_tui.ui.seeking import Seek, rank, seek
from audit_tui.ui.time_buckets import read_buckets
from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.scale.filters import nasty, values_of
from tests.scale.measuring import calibration_ms, figure, print_table, reply_to, shown_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytestmark = pytest.mark.scale

LOOKS = int(os.environ.get("SCALE_LOOKS", "20"))
NEEDLES = ("agent", "failed", "denied", "10.20.4", "svc-deploy", "llama-3", "xyzzyq")
ROWS = 34
"""A terminal in which the strip is shown."""
CONTEXT = TimeContext(UTC, datetime(2026, 11, 30, tzinfo=UTC))


def taken_ms(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def test_reader(store: Path) -> None:
    calibrations = [calibration_ms()]
    firsts, ranks, nexts, strips = [], [], [], []
    view = View(time_range=Preset.ALL_TIME)
    for needle in NEEDLES:
        with StoreReader(store) as reader:
            result = replace(view.query(CONTEXT), upto_seq=reader.newest_seq())
            row = reader.page(result, AtRow(0), 1).rows[0]
            condition = Condition(ANY_TEXT, CONTAINS, needle)
            query = replace(view.narrowed(condition).query(CONTEXT), upto_seq=result.upto_seq)
            wish = Seek(result, query, PageKey.of(row, result.sort), 1)
            begin = time.perf_counter()
            hit = seek(reader, wish)
            firsts.append((time.perf_counter() - begin) * 1e3)
            if hit is not None:
                row = hit.row
                ranks.append(taken_ms(lambda: rank(reader, wish, row)))  # noqa: B023 - called at once
                further = replace(wish, key=PageKey.of(row, result.sort))
                nexts.append(taken_ms(lambda: seek(reader, further)))  # noqa: B023 - called at once
        calibrations.append(calibration_ms())
    with StoreReader(store) as reader:
        queries = [view.query(CONTEXT), *(each.view.query(CONTEXT) for each in nasty(values_of(reader)))]
    for query in queries:
        with StoreReader(store) as reader:
            strips.append(taken_ms(lambda: read_buckets(reader, query, 78, CONTEXT)))  # noqa: B023 - called at once
    figures = [
        figure("search: first hit, asked first", firsts, must="<= 300"),
        figure("  its rank and how many there are, after that", ranks),
        figure("  the next hit", nexts, must="<= 300"),
        figure("strip of time, asked first, all time and nasty filters", strips, must="<= 500"),
    ]
    print_table("searching and the strip of time", figures, calibrations)


def test_screen(store: Path) -> None:
    calibrations = [calibration_ms()]
    chance = random.Random(3)
    looks, backs, pivots, undone, keys = [], [], [], [], []
    argv = [*AUDIT_TUI, "open", str(store), "--range", "all-time", "-q", "event:Role*"]
    environment = {"TERM": "xterm-256color", "COLORTERM": None, "NO_COLOR": None}
    with Terminal(argv, rows=ROWS, env=environment) as terminal:
        terminal.wait_for("1 of ")
        terminal.read_until_quiet(3.0)
        for _ in range(LOOKS):
            terminal.press(":", *str(chance.randrange(1, 20_000)))
            terminal.read_until_quiet()
            terminal.press("enter")
            terminal.read_until_quiet(0.3)
            keys += [reply_to(terminal, key).sent_bytes for key in ("down", "up")]
            looks.append(shown_ms(terminal, "x", lambda shown: "around an event" in shown.lines[0]))
            terminal.read_until_quiet(0.4)
            terminal.press("p")
            terminal.wait_for("Events with the same")
            terminal.read_until_quiet(0.3)
            pivots.append(shown_ms(terminal, "i", lambda shown: "source_ip=" in shown.lines[1]))
            terminal.read_until_quiet(0.4)
            undone.append(shown_ms(terminal, "u", lambda shown: "source_ip=" not in shown.lines[1]))
            terminal.read_until_quiet(0.4)
            backs.append(shown_ms(terminal, "x", lambda shown: "around an event" not in shown.lines[0]))
            terminal.read_until_quiet(0.4)
            calibrations.append(calibration_ms())
    figures = [
        figure("x: the events around one", looks, must="<= 100"),
        figure("x again: back", backs, must="<= 100"),
        figure("p and a value: its first rows", pivots, must="<= 100"),
        figure("u: undone", undone, must="<= 100"),
        figure("a cursor key with strip and chip", keys, unit="B", must="<= 300"),
    ]
    print_table(f"investigating at 80x{ROWS}", figures, calibrations)
