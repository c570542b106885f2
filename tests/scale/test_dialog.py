"""The Filter dialog: opening it with eight rows, and keys in a value box and in the query line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pty.terminal import Terminal
from tests.scale.measuring import calibration_ms, cpu_ms, figure, print_table, reply_to
from tests.scale.test_review import ENVIRONMENT, QUIET_S, began, events_of, opened

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.scale

STARTS = 3
AGAIN = 5
TYPED_KEYS = 60
"""With what follows, each takes half a second."""
ANSWERED_S = 0.3
"""Twice the pause after which a count is asked for."""


def test_opening_with_eight_rows(store: Path) -> None:
    line = " ".join(f"user!=nobody{number}" for number in range(8))
    first: list[float] = []
    again: list[float] = []
    calibrations = [calibration_ms()]
    for _ in range(STARTS):
        with Terminal(opened(store), env=ENVIRONMENT) as terminal:
            began(terminal)
            terminal.press("f", "up", "up")
            terminal.send(line)
            terminal.read_until_quiet(QUIET_S)
            terminal.press("escape", "enter")
            terminal.wait_for("Filter (8)")
            terminal.read_until_quiet(QUIET_S)
            for number in range(1 + AGAIN):
                taken = reply_to(terminal, "f", QUIET_S).last_ms
                (again if number else first).append(taken)
                terminal.press("escape")
                terminal.read_until_quiet(QUIET_S)
            terminal.press("ctrl+q")
            assert terminal.wait() == 0
        calibrations.append(calibration_ms())
    figures = [
        figure("the first time, key to last byte", first, must="<= 400"),
        figure("again, key to last byte", again, must="<= 200"),
    ]
    print_table(f"the Filter dialog with 8 rows, {events_of(store):,} events", figures, calibrations)


@pytest.mark.parametrize("field", ["a value box", "the query line"])
def test_typing(store: Path, field: str) -> None:
    calibrations = [calibration_ms()]
    shown, last = [], []
    with Terminal(opened(store), env=ENVIRONMENT) as terminal:
        began(terminal)
        terminal.press("f")
        if field == "the query line":
            terminal.press("up", "up")
            terminal.send("user:")
        terminal.read_until_quiet(QUIET_S)
        before_ms = cpu_ms(terminal.pid)
        for number in range(TYPED_KEYS):
            key = "alicem"[number % 6] if number % 12 < 6 else "backspace"
            reply = reply_to(terminal, key, ANSWERED_S)
            shown.append(reply.first_ms)
            last.append(reply.last_ms)
        taken_ms = cpu_ms(terminal.pid) - before_ms
        terminal.press("escape", "escape")
        terminal.wait_until_gone("Filter by")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
    figures = [
        figure("a key, to the first update", shown, must="<= 60"),
        figure("  to the last byte: candidates, and the count after 150 ms", last),
        figure("  CPU of all that follows it, mean", [taken_ms / TYPED_KEYS], must="<= 30"),
    ]
    print_table(f"{field}, {events_of(store):,} events", figures, [*calibrations, calibration_ms()])
