"""The walk of an investigation in a real terminal: no dialog of filters, no place lost, no value typed."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.ui import incident

if TYPE_CHECKING:
    from pathlib import Path


SIZES = [(80, 24), (160, 50)]
LAST_COUNTED = re.compile(r"Target  \d+ values")


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


def click_on(terminal: Terminal, text: str, *, is_right: bool = False) -> None:
    """Click on a text, wherever it stands by now."""
    terminal.click(*terminal.find(text), is_right=is_right)


def is_other(before: str, terminal: Terminal) -> bool:
    return terminal.screen_text() != before


def command(terminal: Terminal, words: str, line: str) -> None:
    """Click the line of keys open, and there on a command."""
    click_on(terminal, ": commands")
    terminal.wait_for("Commands")
    # The list shrinks with each letter, and the line moves. No command has the last one; when that is taken
    # back, the list stands as it is to be.
    terminal.send(f"{words}~")
    terminal.read_until(lambda shown: f"{words}~" in shown.lines[-2], what="what was typed")
    terminal.wait_until_gone(line)
    terminal.press("backspace")
    click_on(terminal, line)
    terminal.wait_until_gone("Commands")


@pytest.mark.parametrize("size", SIZES)
def test_the_walk_by_mouse(store: Path, size: tuple[int, int]) -> None:
    with opened(store, size) as terminal:
        terminal.wait_for("1 of 300")
        command(terminal, "search", "Search  ")
        terminal.wait_for("Esc cancel")
        terminal.send("stoplogg\r")
        terminal.wait_for("match 1 of 1")
        first = place(terminal)

        # Include, by the menu of the cell.
        _, row = terminal.find("StopLogging")
        user = terminal.lines[row].index(incident.THIEF)
        terminal.click(user, row, is_right=True)
        terminal.wait_for(f"User: {incident.THIEF}")
        click_on(terminal, "Only these")
        terminal.wait_for(f"user={incident.THIEF}")
        terminal.wait_for(f" of {incident.STOLEN_KEY_EVENTS} ")
        narrowed = place(terminal)

        # Look around, and back by the words above.
        click_on(terminal, "StopLogging", is_right=True)
        terminal.wait_for("Event: StopLogging")
        click_on(terminal, "Around this moment")
        terminal.wait_for("around an event")
        terminal.wait_for(first)
        click_on(terminal, "around an event")
        terminal.wait_until_gone("around an event")
        terminal.wait_for(narrowed)

        # Go on by the address, in a reach of its own.
        click_on(terminal, "StopLogging", is_right=True)
        click_on(terminal, "Pivot")
        terminal.wait_for("Events with the same")
        click_on(terminal, "○ ±30 min")
        terminal.wait_for("● ±30 min")
        click_on(terminal, "Source IP")
        terminal.wait_until_gone("Events with the same")
        terminal.wait_for(f"source_ip={incident.THIEF_IP}")
        terminal.wait_for("2026-11-22 08:17 to 09:18")

        # A chip is switched off and on, and taken away.
        click_on(terminal, f"user={incident.THIEF}")
        terminal.wait_for(f"○ user={incident.THIEF}")
        click_on(terminal, f"user={incident.THIEF}")
        terminal.wait_for(f"● user={incident.THIEF}")
        column, row = terminal.find(f"source_ip={incident.THIEF_IP} ✕")
        terminal.click(column + len(f"source_ip={incident.THIEF_IP} "), row)
        terminal.wait_until_gone(f"source_ip={incident.THIEF_IP}")

        # Facets: only what has a value, by its line.
        command(terminal, "facets", "Facets")
        # Its lines stay where they are once the last field is counted: at 80x24 it is below the screen.
        column, row = terminal.find("most frequent first")
        while LAST_COUNTED.search(terminal.screen_text()) is None:
            terminal.scroll_down(column, row + 5)
            terminal.take(0.05)
        # The first click puts the cursor there, the second one takes the value.
        while "outcome=failure" not in (before := terminal.screen_text()):
            click_on(terminal, "failure ")
            terminal.read_until(partial(is_other, before), what="another screen")
        click_on(terminal, "most frequent first")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0


@pytest.mark.parametrize("size", SIZES)
def test_heads_columns_pane_and_splitter_by_mouse(store: Path, size: tuple[int, int]) -> None:
    with opened(store, size) as terminal:
        terminal.wait_for("1 of 300")
        click_on(terminal, "Event ")
        terminal.wait_for("by event")
        click_on(terminal, "Event ")
        terminal.wait_for("by event, descending")
        command(terminal, "columns", "Columns")
        terminal.wait_for("+ Metadata")
        click_on(terminal, "Outcome")
        terminal.wait_for("● Outcome")
        click_on(terminal, "Apply")
        terminal.wait_until_gone("+ Metadata")

        terminal.click(4, 6)
        terminal.click(4, 6)
        terminal.wait_for("source IP")
        is_beside = any("│" in line for line in terminal.lines)
        if is_beside:
            column = next(line for line in terminal.lines if "│" in line).index("│")
            terminal.drag((column, 20), (column - 12, 20))
            terminal.read_until(lambda shown: "│" in shown.lines[20][: column - 8], what="the split moved")
        else:
            row = next(number for number, line in enumerate(terminal.lines) if "────" in line)
            terminal.drag((30, row), (30, row - 3))
            terminal.read_until(lambda shown: "────" in shown.lines[row - 3], what="the split moved")
        while "Around this moment" not in (before := terminal.screen_text()):
            click_on(terminal, "outcome ")
            terminal.read_until(partial(is_other, before), what="another screen")
        click_on(terminal, "Without these")
        terminal.wait_for("!=")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
