"""The review screen over millions of events: start, keys, filters, bytes, memory (see conftest)."""

from __future__ import annotations

import os
import random
import re
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.store.read.reader import StoreReader
from tests.pty.terminal import AUDIT_TUI, TIMEOUT_S, Terminal
from tests.scale.filters import NASTY
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

STARTS = 15
SCREEN_FILTERS = int(os.environ.get("SCALE_SCREEN_FILTERS", "500"))
KEYS = int(os.environ.get("SCALE_KEYS", "200"))
JUMPS = max(3, KEYS // 5)
MEMORY_KEYS = int(os.environ.get("SCALE_MEMORY_KEYS", "10000"))
BYTE_KEYS = min(KEYS, 40)
BASELINE = [sys.executable, "-m", "tests.scale.baseline_app"]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": None, "NO_COLOR": None}
QUIET_S = 0.5
PREPARED_S = 3.0
"""After so long without a key the app has done what waits for the user to rest."""


def events_of(store: Path) -> int:
    with StoreReader(store) as reader:
        return reader.info().events


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
    terminal.read_until_quiet(PREPARED_S)
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
        figure(f"start to the first frame with rows: {events_of(store):,}", taken["ours"]),
    ]
    for name, than, must in (("baseline", figures[0], "<= 1.3"), ("10,000 events", figures[1], "<= 1.1")):
        ratio = figures[2].p50 / than.p50
        figures.append(figure(f"  times {name}, of the medians", [ratio], unit="x", must=must))
    print_table(f"{events_of(store):,} events at 80x24: start", figures, calibrations)


def replies(terminal: Terminal, keys: Sequence[str], number: int = KEYS, quiet_s: float = 0.1) -> list[Reply]:
    return [reply_to(terminal, keys[index % len(keys)], quiet_s) for index in range(number)]


WALKS: tuple[tuple[str, list[str], list[str]], ...] = (
    ("down, up inside the page", [], ["down", "up"]),
    ("down, most of them scroll by a line", [], ["down"]),
    ("up that scrolls by a line", ["end"], ["up"]),
    ("page down", [], ["pagedown"]),
    ("end, home", [], ["end", "home"]),
)
"""The walk: what to press first, and what then in turn."""


def walked(terminal: Terminal, calibrations: list[float], suffix: str, last_must: str) -> Iterator[Figure]:
    for what, first, keys in WALKS:
        terminal.press("home", *first)
        terminal.read_until_quiet(QUIET_S)
        given = replies(terminal, keys)
        calibrations.append(calibration_ms())
        must = "<= 20" if what != "page down" else "<= 20, read <= 60"
        yield figure(f"first update: {what}{suffix}", [reply.first_ms for reply in given], must=must)
        yield figure(f"last byte:    {what}{suffix}", [reply.last_ms for reply in given], must=last_must)


PLACE = re.compile(r" ([\d,]+) of ")


def place_in(terminal: Terminal) -> str:
    """The number of the cursor's row, as the status line says it; empty while that is hidden."""
    match = PLACE.match(terminal.lines[22])
    return match[1] if match else ""


def is_at(place: str, terminal: Terminal) -> bool:
    return place_in(terminal) == place


def is_elsewhere(place: str, terminal: Terminal) -> bool:
    return place_in(terminal) not in ("", place)


def shown_in_ms(terminal: Terminal, sign: Callable[[Terminal], bool]) -> float:
    taken = shown_ms(terminal, "enter", sign)
    terminal.read_until_quiet()
    return taken


def jumped(terminal: Terminal, events: int) -> Iterator[Figure]:
    chance = random.Random(1)
    times = []
    for row in (chance.randrange(events // 2, events) + 1 for _ in range(JUMPS)):
        terminal.press(":", *str(row))
        terminal.read_until_quiet()
        times.append(shown_in_ms(terminal, partial(is_at, f"{row:,}")))
    yield figure("`:` and the number of a row anywhere, to its screen", times, must="<= 60")
    times = []
    for _ in range(JUMPS):
        day = f"20{chance.randrange(24, 27)}-{chance.randrange(1, 11):02}-{chance.randrange(1, 29):02}"
        before = place_in(terminal)
        terminal.press("@", *f"{day} 12:00")
        terminal.read_until_quiet()
        times.append(shown_in_ms(terminal, partial(is_elsewhere, before)))
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
    events = events_of(store)
    with Terminal(opened(store), env=ENVIRONMENT) as terminal:
        began(terminal)
        figures = [*walked(terminal, calibrations, "", ""), *jumped(terminal, events)]
        terminal.press("home", "enter")
        terminal.read_until_quiet(QUIET_S)
        figures += walked(terminal, calibrations, ", pane open", "<= 80")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
    print_table(f"{events:,} events at 80x24: from a key", figures, calibrations)


def chosen(terminal: Terminal, times: Path, number: int) -> list[str]:
    """Choose filters one after the other, each when the one before has come to rest: the lines of times."""
    for done in range(number):
        terminal.press("?")
        deadline = time.monotonic() + TIMEOUT_S
        while lines_of(times) <= done:  # The time is written after the frame is sent.
            assert time.monotonic() < deadline, f"filter {done}: {terminal.screen_text()}"
            terminal.take(0.02)
        terminal.read_until_quiet(0.05)
    return times.read_text(encoding="utf-8").splitlines()


def test_filters_and_memory(store: Path, small_store: Path, tmp_path: Path) -> None:
    """Filters, each used once, then keys in the same process: times, and what it holds at the end."""
    calibrations = [calibration_ms()]
    figures, memories = [], []
    for path in (small_store, store):
        times = tmp_path / f"times-{path.stem}"
        argv = [
            sys.executable,
            "-m",
            "tests.scale.filter_program",
            str(path),
            str(times),
            str(SCREEN_FILTERS),
        ]
        with Terminal(argv, env=ENVIRONMENT) as terminal:
            began(terminal)
            before = tree_memory_mib(terminal.pid)
            lines = [line.split(" ", 2) for line in chosen(terminal, times, SCREEN_FILTERS + NASTY)]
            between = tree_memory_mib(terminal.pid)
            many_keys(terminal)
            memories.append(tree_memory_mib(terminal.pid))
            terminal.press("ctrl+q")
            assert terminal.wait() == 0
        calibrations.append(calibration_ms())
        size = f"{events_of(path):,} events"
        for kind in ("seeded", "nasty"):
            taken = [float(took) for took, of_kind, _ in lines if of_kind == kind]
            what = f"a new filter or range ({kind}) to its first rows, {size}"
            figures.append(figure(what, taken, must="p95 <= 100, worst <= 300"))
        worst_ms, worst_kind, words = max(lines, key=lambda line: float(line[0]))
        print(f"worst: {worst_ms} ms, {worst_kind}: {words}")  # noqa: T201 - for who looks into it
        for when, mib in (("at first", before), (f"after {len(lines)} filters", between)):
            figures.append(figure(f"memory {when}, {size}", [mib], unit="MiB", must="< 120"))
        what = f"memory after {MEMORY_KEYS:,} keys more, {size}"
        figures.append(figure(what, memories[-1:], unit="MiB", must="< 120"))
    figures.append(figure("  more than the small one", [memories[1] - memories[0]], unit="MiB", must="<= 40"))
    print_table("filters at 80x24, and memory of the process and its children", figures, calibrations)


def many_keys(terminal: Terminal) -> None:
    chance = random.Random(2)
    # 100 at once would be drawn in a few frames.
    for _ in range(MEMORY_KEYS // 10):
        terminal.press(*chance.choices(("pagedown", "pageup", "down", "end", "home", "d", "u"), k=10))
        terminal.read_until_quiet(0.02)


def lines_of(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n") if path.exists() else 0


def test_bytes(store: Path, small_store: Path) -> None:
    figures = []
    for path in (small_store, store):
        size = f"{events_of(path):,} events"
        with Terminal(opened(path), env=ENVIRONMENT, answers={}) as terminal:
            began(terminal)
            idle = len(terminal.read_until_quiet(5))
            for what, first, keys, must in (
                ("cursor down", [], ["down", "up"], "<= 300"),
                ("scroll by a line", ["end"], ["up"], "<= 300"),
                ("page down", [], ["pagedown"], "<= 1,600"),
                ("a key in an input", [":", "5"], ["5", "backspace"], "<= 150"),
            ):
                for key in ("home", *first):
                    terminal.press(key)
                    terminal.read_until_quiet(QUIET_S)
                sent = [reply.sent_bytes for reply in replies(terminal, keys, BYTE_KEYS, QUIET_S)]
                figures.append(figure(f"{what}, {size}", sent, unit="B", must=must))
            terminal.press("escape")
            terminal.read_until_quiet(QUIET_S)
            figures.append(figure(f"idle for 5 s, {size}", [idle], unit="B", must="0"))
            terminal.press("ctrl+q")
            assert terminal.wait() == 0
        four = [word for number in range(4) for word in ("--filter", f"user!=nobody{number}")]
        with Terminal([*opened(path), *four], env=ENVIRONMENT, answers={}) as terminal:
            began(terminal)
            dialog = reply_to(terminal, "f", QUIET_S).sent_bytes
            figures.append(
                figure(f"the filter dialog with 4 rows, {size}", [dialog], unit="B", must="<= 7,000")
            )
    print_table("bytes at 80x24, 256 colours", figures, [calibration_ms()])
