"""A screen that is left and resumed, in a real terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.cli.opening.resuming import FILE_NAME
from audit_tui.config import state_directory
from audit_tui.core.event import AuditEvent
from tests.cli.running import at, make_store
from tests.pty.terminal import AUDIT_TUI, Terminal

if TYPE_CHECKING:
    from pathlib import Path

SCREEN_BEGINS, SCREEN_ENDS = "\x1b[?1049h", "\x1b[?1049l"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    events = [
        AuditEvent(f"Event {number}", at("2025-01-01") + number * 60_000_000, user=f"user{number % 2}")
        for number in range(100)
    ]
    return make_store(tmp_path / "own.db", events)


def shown(terminal: Terminal) -> list[str]:
    """The chips and the rows up to their dates: who or what is new is said a moment later."""
    lines = terminal.lines[1:-2]
    end = next((line.index("Description") for line in lines if "Description" in line), None)
    return [line[:end] for line in lines]


def test_it_begins_where_it_was_left(store: Path) -> None:
    with Terminal([*AUDIT_TUI, str(store), "--range", "all-time", "--filter", "user=user1"]) as terminal:
        terminal.wait_for("1 of 50")
        terminal.press(":")
        terminal.wait_for("a command, row, time")
        terminal.press(*"31", "enter")
        terminal.wait_for("31 of 50")
        terminal.press("s")
        terminal.wait_for("17 of 50   by event")
        lines = shown(terminal)
        terminal.press("q")
        assert terminal.wait() == 0
    for words in (["--resume"], ["open", "--resume", str(store)]):
        with Terminal([*AUDIT_TUI, *words]) as terminal:
            terminal.wait_for("17 of 50   by event")
            terminal.read_until(lambda terminal: shown(terminal) == lines, what="\n".join(lines))
            terminal.read_until(lambda terminal: "own.db" in terminal.lines[0], what="its name above")
            terminal.press("q")
            assert terminal.wait() == 0


def test_a_setting_does_it_always_and_the_command_line_wins(store: Path) -> None:
    env = {"AUDIT_TUI_RESUME": "yes"}
    with Terminal([*AUDIT_TUI, str(store), "--range", "all-time"], env=env) as terminal:
        terminal.wait_for("1 of 100")
        terminal.press("down")
        terminal.wait_for("2 of 100")
        terminal.press("q")
        assert terminal.wait() == 0
    with Terminal([*AUDIT_TUI, "open", "--filter", "user=user0"], env=env) as terminal:
        terminal.wait_for("1 of 50")
        terminal.read_until(lambda terminal: "All Time" in terminal.lines[0], what="its range above")
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize("content", ["{", '{"version": 1, "stores": {"x": {"store": "/nowhere/gone.db"}}}'])
def test_what_cannot_be_resumed_is_told_in_one_line(store: Path, content: str) -> None:
    state_directory().mkdir(parents=True)
    (state_directory() / FILE_NAME).write_text(content)
    with Terminal([*AUDIT_TUI, "--resume"], env={"AUDIT_TUI_STORE": str(store)}) as terminal:
        terminal.wait_for("nothing in Last 30 Days")
        terminal.press("q")
        assert terminal.wait() == 0
        farewell = terminal.output.decode().replace(SCREEN_ENDS, SCREEN_BEGINS).split(SCREEN_BEGINS)
        words = [line for piece in (farewell[0], farewell[-1]) for line in piece.splitlines() if ": " in line]
        assert len(words) == 1, words
        assert "a new one was started" in words[0] or "is gone: /nowhere/gone.db" in words[0]
