"""The walk of an investigation in a real terminal: no dialog of filters, no place lost, no value typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.ui import incident

if TYPE_CHECKING:
    from pathlib import Path


SIZES = [(80, 24), (160, 50)]


def place(terminal: Terminal) -> str:
    """Return the row of the cursor, "5 of 300", as the status line says it."""
    return " ".join(terminal.lines[-2].split()[:3])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "incident.db"
    incident.write_store(path)
    return path


def opened(store: Path, size: tuple[int, int]) -> Terminal:
    columns, rows = size
    argv = [*AUDIT_TUI, "open", str(store), "--range", "all-time", "--tz", "UTC"]
    return Terminal(argv, columns=columns, rows=rows)


@pytest.mark.parametrize("size", SIZES)
def test_the_walk_by_keys(store: Path, size: tuple[int, int]) -> None:
    with opened(store, size) as terminal:
        terminal.wait_for("1 of 300")
        terminal.press("/")
        terminal.wait_for("Search")
        terminal.send("stoplogg")
        terminal.press("enter")
        terminal.wait_for("match 1 of 1")
        first = place(terminal)

        terminal.press("l", "l", "=")
        terminal.wait_for(f"user={incident.THIEF}")
        terminal.wait_for(f" of {incident.STOLEN_KEY_EVENTS} ")
        narrowed = place(terminal)

        terminal.press("x")
        terminal.wait_for("around an event")
        terminal.wait_for("◂ here")
        terminal.wait_for(first)

        terminal.press("p")
        terminal.wait_for("Events with the same")
        terminal.press("i")
        terminal.wait_for(f"source_ip={incident.THIEF_IP}")
        terminal.wait_for(f" of {incident.THEFTS} ")
        terminal.wait_for("2026-11-22 07:47 to 09:48")

        terminal.press("S")
        terminal.wait_for("most frequent first")
        terminal.press("escape")
        terminal.press("escape")
        terminal.wait_until_gone("around an event")
        terminal.wait_for(narrowed)
        terminal.press("escape")
        terminal.wait_until_gone(f"user={incident.THIEF}")
        terminal.wait_for(first)
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize("size", SIZES)
def test_a_stretch_of_time_by_mouse(store: Path, size: tuple[int, int]) -> None:
    def bars(shown: Terminal) -> int | None:
        return next((number for number, line in enumerate(shown.lines) if "█" in line), None)

    with opened(store, size) as terminal:
        terminal.wait_for("1 of 300")
        if size[1] < 30:
            terminal.press("i")
        terminal.read_until(lambda shown: bars(shown) is not None, what="the strip")
        row = next(number for number, line in enumerate(terminal.lines) if "█" in line)
        column = terminal.lines[row].index("█")
        terminal.click(column, row)
        terminal.wait_for("only these")
        terminal.click(column, row)
        terminal.wait_until_gone("300")
        terminal.press("u")
        terminal.wait_for("of 300")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
