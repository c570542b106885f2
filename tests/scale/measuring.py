"""Measuring a program in a terminal: how long, how much memory, with what the machine did meanwhile.

The machines are shared: a figure is the p50 and p95 of a stated number of runs, and the time of one fixed
loop stands beside it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.pty.terminal import Terminal

LOOP = 2_000_000
HEADING = f"{'':<64} {'p50':>9} {'p95':>9} {'worst':>9} {'':<4} {'runs':>5} {'calib.':>6}  must be"


TABLES: list[str] = []
"""The tables that were printed, to be printed again as one table at the end."""


class Figure(NamedTuple):
    """One line of the table of a benchmark."""

    what: str
    p50: float
    p95: float
    worst: float
    runs: int
    unit: str
    must: str
    calibration_ms: float
    """The time that the fixed loop took beside it: the speed of the machine then."""

    def __str__(self) -> str:
        values = f"{self.p50:9,.1f} {self.p95:9,.1f} {self.worst:9,.1f} {self.unit:<4} {self.runs:5d}"
        return f"{self.what:<64} {values} {self.calibration_ms:6.0f}  {self.must}"


def figure(what: str, values: Sequence[float], *, unit: str = "ms", must: str = "") -> Figure:
    """The p50, p95 and worst of measured values, with the speed of the machine now: call it at once."""
    ordered = sorted(values)
    p50, p95 = percentile(ordered, 50), percentile(ordered, 95)
    return Figure(what, p50, p95, ordered[-1], len(ordered), unit, must, calibration_ms())


def percentile(ordered: Sequence[float], share: int) -> float:
    """The value that ``share`` percent of the sorted values do not exceed."""
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def calibration_ms() -> float:
    """The time that one fixed loop takes now: the speed of the machine at this moment."""
    begin = time.perf_counter()
    total = 0
    for number in range(LOOP):
        total += number
    assert total > 0
    return (time.perf_counter() - begin) * 1e3


def print_table(title: str, figures: Sequence[Figure], calibrations: Sequence[float]) -> None:
    """Print the figures, with the calibration loop beside them; and all tables as one at the end."""
    loop = figure(f"calibration: {LOOP:,} additions in Python", calibrations)
    TABLES.append("\n".join([f"-- {title}", *map(str, figures), str(loop)]))
    print(f"\n{HEADING}\n{TABLES[-1]}")  # noqa: T201 - the table is what a benchmark is for


class Reply(NamedTuple):
    """The answer of a program to a key."""

    first_ms: float
    """From the key to the first update that follows it."""
    last_ms: float
    """To the last byte before it is quiet again."""
    sent_bytes: int


def reply_to(terminal: Terminal, key: str, quiet_s: float = 0.1) -> Reply:
    """Press a key, or send what a mouse sends, and take all that follows. It must be quiet before."""
    start = len(terminal.output)
    begin = last = time.perf_counter()
    if key.startswith("\x1b["):
        terminal.send(key)
    else:
        terminal.press(key)
    terminal.wait_readable()
    first = time.perf_counter()
    while terminal.take(quiet_s):
        last = time.perf_counter()
    return Reply((first - begin) * 1e3, (max(first, last) - begin) * 1e3, len(terminal.output) - start)


def shown_ms(terminal: Terminal, key: str, sign: Callable[[Terminal], bool]) -> float:
    """From a key to the screen on which something can be seen; pyte's reading of it, 1 to 4 ms, is in it."""
    begin = time.perf_counter()
    terminal.press(key)
    terminal.read_until(sign)
    return (time.perf_counter() - begin) * 1e3


def memory_mib(pid: int, field: str = "VmHWM") -> float:
    """The memory of a process: VmHWM is the most it had, VmRSS what it has."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no {field} for {pid}")


def cpu_ms(pid: int) -> float:
    """The time that a process has worked so far, in all its threads; in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf("SC_CLK_TCK")


def tree_memory_mib(pid: int) -> float:
    """The most memory that a process had, with that of its children that still run."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return memory_mib(pid) + sum(tree_memory_mib(int(child)) for child in children)
