"""The review screen over millions of events: start, keys, filters, bytes, memory, in one table.

python -m pytest -m scale -s tests/scale/test_review.py

SCALE_STORE keeps the store for the next run, SCALE_EVENTS says how many events it has (1,000,000),
SCALE_KEYS how often each key is pressed (200), SCALE_FILTERS how many filters are asked (300).
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pty.terminal import AUDIT_TUI, TIMEOUT_S, Terminal
from tests.scale import filters
from tests.scale.measuring import (
    Figure,
    Reply,
    calibration_ms,
    figure,
    print_table,
    reply_to,
    shown_ms,
    tree_memory_mib,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

pytestmark = pytest.mark.scale

EVENTS = int(os.environ.get("SCALE_EVENTS", "1000000"))
STARTS = 15
FILTERS = int(os.environ.get("SCALE_FILTERS", str(filters.FILTERS)))
KEYS = int(os.environ.get("SCALE_KEYS", "200"))
JUMPS = max(3, KEYS // 5)
MEMORY_KEYS = 10_000
BASELINE = [sys.executable, "-m", "tests.scale.baseline_app"]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": None, "NO_COLOR": None}
QUIET_S = 0.5


def make_store(path: Path, events: int) -> Path:
    options = ["--events", str(events), "--days", "1095", "--users", "2000", "--until", "2026-11-22"]
    subprocess.run([*AUDIT_TUI, "demo", *options, "--store", str(path), "--no-open"], check=True)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo store, made once; SCALE_STORE keeps it for the next run."""
    kept = os.environ.get("SCALE_STORE")
    path = Path(kept) if kept else tmp_path_factory.mktemp("scale") / "demo.db"
    return path if path.exists() else make_store(path, EVENTS)


@pytest.fixture(scope="module")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same account with 10,000 events."""
    return make_store(tmp_path_factory.mktemp("scale") / "small.db", 10_000)


def opened(store: Path) -> list[str]:
    return [*AUDIT_TUI, "open", str(store), "--range", "all-time"]


def start_ms(argv: list[str], sign: str) -> float:
    """From the start of a program to the first frame that holds ``sign``."""
    begin = time.perf_counter()
    with Terminal(argv, env=ENVIRONMENT) as terminal:
        terminal.wait_for(sign)
        return (time.perf_counter() - begin) * 1e3


def began(terminal: Terminal) -> Terminal:
    """The terminal when the app has come to rest in it."""
    terminal.wait_for("1 of ")
    terminal.read_until_quiet(QUIET_S)
    return terminal


def test_start(store: Path, small_store: Path) -> None:
    calibrations = [calibration_ms()]
    programs = {"baseline": (BASELINE, "Description"), "small": (opened(small_store), "acme.io")}
    programs["ours"] = (opened(store), "acme.io")
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for argv, sign in programs.values():  # byte code and page cache
        start_ms(argv, sign)
    for _ in range(STARTS):
        for name, (argv, sign) in programs.items():
            taken[name].append(start_ms(argv, sign))
        calibrations.append(calibration_ms())
    figures = [
        figure("start to the first frame: baseline app", taken["baseline"]),
        figure("start to the first frame with rows: 10,000 events", taken["small"]),
        figure(f"start to the first frame with rows: {EVENTS:,}", taken["ours"]),
    ]
    for name, than, must in (("baseline", figures[0], "<= 1.3"), ("10,000 events", figures[1], "<= 1.1")):
        ratio = figures[2].p50 / than.p50
        figures.append(Figure(f"  times {name}, of the medians", ratio, ratio, STARTS, "x", must))
    print_table(f"{EVENTS:,} events at 80x24: start", figures, calibrations)


def replies(terminal: Terminal, keys: Sequence[str], number: int = KEYS, quiet_s: float = 0.1) -> list[Reply]:
    return [reply_to(terminal, keys[index % len(keys)], quiet_s) for index in range(number)]


WALKS: tuple[tuple[str, list[str], list[str]], ...] = (
    ("down, up inside the page", [], ["down", "up"]),
    ("down, most of them scroll by a line", [], ["down"]),
    ("up that scrolls by a line", ["end"], ["up"]),
    ("page down", [], ["pagedown"]),
    ("end, home", [], ["end", "home"]),
)
"""What is walked: what to press first, and what then in turn."""


def walked(terminal: Terminal, calibrations: list[float], suffix: str, last_must: str) -> Iterator[Figure]:
    for what, first, keys in WALKS:
        terminal.press("home", *first)
        terminal.read_until_quiet(QUIET_S)
        given = replies(terminal, keys)
        calibrations.append(calibration_ms())
        must = "<= 20" if what != "page down" else "<= 20, read <= 60"
        yield figure(f"first update: {what}{suffix}", [reply.first_ms for reply in given], must=must)
        yield figure(f"last byte:    {what}{suffix}", [reply.last_ms for reply in given], must=last_must)


def on_row(row: int) -> Callable[[Terminal], bool]:
    return lambda terminal: terminal.lines[22].startswith(f" {row:,} of ")


def jumped(terminal: Terminal) -> Iterator[Figure]:
    chance = random.Random(1)
    times = []
    for _ in range(JUMPS):
        row = chance.randrange(EVENTS // 2, EVENTS) + 1
        terminal.press(":", *str(row))
        terminal.read_until_quiet()
        times.append(shown_ms(terminal, "enter", on_row(row)))
        terminal.read_until_quiet()
    yield figure("`:` and the number of a row anywhere, to its screen", times, must="<= 60")
    times = []
    for _ in range(JUMPS):
        day = f"20{chance.randrange(24, 27)}-{chance.randrange(1, 11):02}-{chance.randrange(1, 29):02}"
        before = terminal.lines[22]
        terminal.press("@", *f"{day} 12:00")
        terminal.read_until_quiet()
        times.append(shown_ms(terminal, "enter", lambda terminal: terminal.lines[22] not in ("", before)))  # noqa: B023
        terminal.read_until_quiet()
    yield figure("`@` and a date anywhere, to its screen", times, must="<= 60")
    times = []
    for number in range(JUMPS):
        terminal.press("home")
        terminal.read_until_quiet()
        terminal.send("\x1b[<0;80;2M")
        terminal.read_until_quiet()
        times.append(reply_to(terminal, f"\x1b[<32;80;{10 + number % 5}M").last_ms)
        terminal.send("\x1b[<0;80;12m")
        terminal.read_until_quiet()
    yield figure("drag to the middle, to the last byte", times, must="<= 60")


def test_keys(store: Path) -> None:
    calibrations = [calibration_ms()]
    with Terminal(opened(store), env=ENVIRONMENT) as terminal:
        began(terminal)
        figures = [*walked(terminal, calibrations, "", ""), *jumped(terminal)]
        terminal.press("home", "enter")
        terminal.read_until_quiet(QUIET_S)
        figures += walked(terminal, calibrations, ", pane open", "<= 80")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
    print_table(f"{EVENTS:,} events at 80x24: from a key", figures, calibrations)


def test_a_new_filter(store: Path, tmp_path: Path) -> None:
    times, calibrations = tmp_path / "times", [calibration_ms()]
    argv = [sys.executable, "-m", "tests.scale.filter_program", str(store), str(times)]
    with Terminal(argv, env=ENVIRONMENT) as terminal:
        began(terminal)
        before = tree_memory_mib(terminal.pid)
        for number in range(FILTERS):
            terminal.press("?")
            deadline = time.monotonic() + TIMEOUT_S
            while lines_of(times) <= number:  # The time is written after the frame is sent.
                assert time.monotonic() < deadline, f"filter {number}: {terminal.screen_text()}"
                terminal.take(0.02)
            terminal.read_until_quiet(0.05)
        memory = tree_memory_mib(terminal.pid)
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
    calibrations.append(calibration_ms())
    lines = [line.split(" ", 1) for line in times.read_text(encoding="utf-8").splitlines()]
    taken = [float(milliseconds) for milliseconds, _ in lines]
    worst = max(taken)
    figures = [
        figure("a new filter or range to its first rows on the screen", taken, must="p95 <= 100"),
        Figure("  the worst of them", worst, worst, len(taken), must="<= 300"),
        Figure(f"memory before and after {FILTERS} filters", before, memory, 1, "MiB", "< 120"),
    ]
    print_table(f"{EVENTS:,} events at 80x24: filters", figures, calibrations)


def lines_of(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n") if path.exists() else 0


def test_bytes(store: Path, small_store: Path) -> None:
    figures = []
    for path in (small_store, store):
        with Terminal(opened(path), env=ENVIRONMENT) as terminal:
            began(terminal)
            idle = len(terminal.read_until_quiet(5))
            for what, first, keys, must in (
                ("cursor down", [], ["down", "up"], "<= 300"),
                ("scroll by a line", ["end"], ["up"], "<= 300"),
                ("page down", [], ["pagedown"], "<= 1,600"),
                ("a key in an input", [":"], ["5", "backspace"], "<= 150"),
            ):
                terminal.press("home", *first)
                terminal.read_until_quiet(QUIET_S)
                sent = [reply.sent_bytes for reply in replies(terminal, keys, 40, QUIET_S)]
                figures.append(Figure(f"{what}, {path.stem}", *p50_and_most(sent), len(sent), "B", must))
            terminal.press("escape")
            terminal.read_until_quiet(QUIET_S)
            dialog = reply_to(terminal, "f", QUIET_S).sent_bytes
            figures.append(
                Figure(f"opening the filter dialog, {path.stem}", dialog, dialog, 1, "B", "<= 7,000")
            )
            figures.append(Figure(f"idle for 5 s, {path.stem}", idle, idle, 1, "B", "0"))
            terminal.press("ctrl+q")
            assert terminal.wait() == 0
    print_table("bytes at 80x24, 256 colours (p50 and the most)", figures, [calibration_ms()])


def p50_and_most(values: Sequence[int]) -> tuple[float, float]:
    return sorted(values)[len(values) // 2], max(values)


def test_memory_after_many_keys(store: Path, small_store: Path) -> None:
    figures = []
    for path in (small_store, store):
        chance = random.Random(2)
        with Terminal(opened(path), env=ENVIRONMENT) as terminal:
            began(terminal)
            before = tree_memory_mib(terminal.pid)
            for _ in range(MEMORY_KEYS // 100):
                terminal.press(
                    *chance.choices(("pagedown", "pageup", "down", "end", "home", "d", "u"), k=100)
                )
                terminal.read_until_quiet(0.05)
            after = tree_memory_mib(terminal.pid)
            figures.append(
                Figure(
                    f"before and after {MEMORY_KEYS:,} keys, {path.stem}", before, after, 1, "MiB", "< 120"
                )
            )
            terminal.press("ctrl+q")
            assert terminal.wait() == 0
    print_table("memory of the process and its children", figures, [calibration_ms()])


def test_commands_and_peers(store: Path) -> None:
    """The first page and a count without a screen; the sqlite3 shell and DuckDB where they are installed."""
    newest = "SELECT seq FROM events ORDER BY occurred_us DESC, seq DESC LIMIT 22"
    page = f"SELECT * FROM audit_log WHERE seq IN ({newest})"
    programs = {
        "python -c 'import click, sqlite3'": [sys.executable, "-c", "import click, sqlite3"],
        "audit-tui count": [*AUDIT_TUI, "count", "--store", str(store)],
        "audit-tui query --limit 22": [*AUDIT_TUI, "query", "--store", str(store), "--limit", "22"],
        "sqlite3: the newest 22 of the view": ["sqlite3", "-readonly", str(store), page],
        "duckdb: the newest 22 of the view": [
            "duckdb", "-c", f"LOAD sqlite; ATTACH '{store}' AS s (TYPE sqlite); USE s; {page}"
        ],
    }  # fmt: skip
    programs = {what: argv for what, argv in programs.items() if shutil.which(argv[0])}
    taken: dict[str, list[float]] = {what: [] for what in programs}
    for _ in range(STARTS):
        for what, argv in programs.items():
            begin = time.perf_counter()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
            taken[what].append((time.perf_counter() - begin) * 1e3)
    figures = [figure(what, times) for what, times in taken.items()]
    print_table(f"{EVENTS:,} events: without a screen", figures, [calibration_ms()])
