"""The Filter dialog: opening it with eight rows, and keys in a value among 100,000 users."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.scale.measuring import calibration_ms, figure, print_table, reply_to
from tests.scale.test_review import ENVIRONMENT, KEYS, QUIET_S, began, events_of, opened

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.scale

STARTS = 5
AGAIN = 5
USERS = 100_000
SYLLABLES = ("an", "be", "ca", "do", "el", "fi", "go", "hu", "in", "jo")


@pytest.fixture(scope="module")
def many_users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which everyone did one thing."""
    folder = tmp_path_factory.mktemp("users")
    log, path = folder / "users.jsonl", folder / "users.db"
    with log.open("w", encoding="utf-8") as file:
        for number in range(USERS):
            name = "".join(SYLLABLES[int(digit)] for digit in f"{number:05}")
            moment = f"2026-{1 + number % 10:02}-{1 + number // 10 % 28:02}T12:00:00Z"
            record = {"time": moment, "event": "Login", "category": "Login/Logout", "user": f"{name}@acme.io"}
            file.write(json.dumps(record) + "\n")
    subprocess.run([*AUDIT_TUI, "import", str(log), "--store", str(path)], check=True)
    return path


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
                taken = reply_to(terminal, "f", 2 * QUIET_S).last_ms
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


def test_typing_a_value(many_users: Path) -> None:
    calibrations = [calibration_ms()]
    shown, last = [], []
    with Terminal(opened(many_users), env=ENVIRONMENT) as terminal:
        began(terminal)
        terminal.press("f")
        terminal.read_until_quiet(QUIET_S)
        for number in range(KEYS):
            key = "bedoca"[number % 6] if number % 12 < 6 else "backspace"
            reply = reply_to(terminal, key, QUIET_S)
            shown.append(reply.first_ms)
            last.append(reply.last_ms)
        terminal.press("escape", "escape")
        terminal.wait_until_gone("Filter by")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
    figures = [
        figure("a key in a value, to the first update", shown, must="<= 60"),
        figure("  to the last byte: candidates, and the count after 150 ms", last),
    ]
    print_table(f"a value among {USERS:,} users", figures, [*calibrations, calibration_ms()])
