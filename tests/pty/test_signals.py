"""However the app ends or stops, the terminal is as it was found, and the shell knows why."""

from __future__ import annotations

import os
import select
import shutil
import signal
import stat
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pty.small_app import SECRET
from tests.pty.terminal import TIMEOUT_S, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
RESTORED = (
    b"\x1b[?1049l",  # main screen
    b"\x1b[?25h",  # visible cursor
    b"\x1b[?7h",  # line wrap
    b"\x1b[?1000l",  # no mouse reports
    b"\x1b[?1002l",
    b"\x1b[?1006l",
    b"\x1b[?2004l",  # no bracketed paste
    b"\x1b[?1004l",  # no focus reports
    b"\x1b[<u",  # no kitty keys
)
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}
LAST_LINE = "line 23 é"
"""At the bottom of the screen: what is drawn last."""
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


def small_app(what: str = "lines", directory: Path | None = None) -> list[str]:
    return [sys.executable, "-m", "tests.pty.small_app", what, *([str(directory)] if directory else [])]


def assert_restored(output: bytes | bytearray) -> None:
    for sequence in RESTORED:
        assert output.rfind(sequence) > output.rfind(b"\x1b[?1049h"), sequence


def until(predicate: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not predicate():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_it_in_good_order(number: signal.Signals, code: int) -> None:
    with Terminal(small_app(), env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        terminal.signal(number)
        assert terminal.wait() == code
        assert_restored(terminal.output)
        assert "Traceback" not in terminal.screen_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_frozen_screen_gives_the_terminal_back_too(number: signal.Signals, tmp_path: Path) -> None:
    with Terminal(small_app("lines", tmp_path), env=ENVIRONMENT) as terminal:
        before = termios.tcgetattr(terminal._primary)
        terminal.wait_for("▶ line 0")
        assert termios.tcgetattr(terminal._primary) != before
        terminal.press("z")
        until((tmp_path / "frozen").exists)
        terminal.signal(number)
        assert terminal.wait() == 128 + number
        assert_restored(terminal.output)
        assert termios.tcgetattr(terminal._primary) == before


def test_quitting_restores_the_terminal_too() -> None:
    with Terminal(small_app(), env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        terminal.press("q")
        assert terminal.wait() == 0
        assert_restored(terminal.output)


def test_a_lost_line_ends_it() -> None:
    with Terminal(small_app(), env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        terminal.hang_up()
        assert terminal.wait() == 129


@needs_bash
def test_a_lost_line_ends_it_where_nobody_sends_sighup() -> None:
    # nohup leaves SIGHUP ignored; a shell without job control and with a trap passes nothing on.
    command = " ".join(f"'{word}'" for word in small_app())
    with Terminal(["bash", "-c", f"trap '' HUP; {command}; exit $?"], env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        terminal.hang_up()
        assert terminal.wait() == 129


@needs_bash
def test_the_end_of_its_input_ends_it() -> None:
    # A terminal that is gone may also say so: no error, and nothing to read, for ever.
    command = " ".join(f"'{word}'" for word in small_app())
    with Terminal(["bash", "-c", f"{command} </dev/null; exit $?"], env=ENVIRONMENT) as terminal:
        assert terminal.wait() == 129
        assert_restored(terminal.output)


def test_a_terminal_that_takes_no_output_does_not_keep_it(tmp_path: Path) -> None:
    with Terminal(small_app("flood", tmp_path), columns=200, rows=60, env=ENVIRONMENT) as terminal:
        until((tmp_path / "full").exists)
        terminal.signal(signal.SIGTERM)
        # Reads nothing while it waits.
        until(lambda: not is_running(terminal.pid))
        assert terminal.wait() == 143


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_stopped_and_continued_from_outside_it_draws_all_again() -> None:
    with Terminal(small_app(), env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        terminal.wait_for(LAST_LINE)
        before = terminal.lines
        terminal.signal(signal.SIGSTOP)
        terminal.screen.reset()
        terminal.signal(signal.SIGCONT)
        terminal.read_until(lambda terminal: terminal.lines == before, what="the screen as before")
        terminal.press("down")
        terminal.wait_for("▶ line 1 ")
        terminal.press("q")
        assert terminal.wait() == 0


@needs_bash
def test_ctrl_z_suspends_and_fg_draws_all_again() -> None:
    command = " ".join(f"'{word}'" for word in small_app())
    environment = {**ENVIRONMENT, "PS1": "ready> ", "HISTFILE": None}
    with Terminal(["bash", "--norc", "--noprofile", "-i"], env=environment) as terminal:
        terminal.wait_for("ready>")
        terminal.send(f"{command}; echo code $?\n")
        terminal.wait_for("▶ line 0")
        terminal.wait_for(LAST_LINE)
        before = terminal.lines
        for _ in range(2):
            terminal.press("ctrl+z")
            terminal.wait_for("Stopped")
            assert not terminal.is_alternate
            terminal.send("stty -a\n")
            terminal.wait_for(" icanon ")
            assert " echo " in terminal.screen_text()
            terminal.screen.reset()
            terminal.send("fg\n")
            terminal.read_until(lambda terminal: terminal.lines == before, what="the screen as before")
        terminal.press("down")
        terminal.wait_for("▶ line 1 ")
        terminal.press("q")
        terminal.wait_for("ready>")
        assert_restored(terminal.output)


@needs_bash
def test_a_line_lost_while_suspended_leaves_no_process() -> None:
    command = " ".join(f"'{word}'" for word in small_app())
    with Terminal(["bash", "--norc", "--noprofile", "-i"], env={**ENVIRONMENT, "PS1": "ready> "}) as terminal:
        terminal.wait_for("ready>")
        terminal.send(f"{command}\n")
        terminal.wait_for("▶ line 0")
        terminal.press("ctrl+z")
        terminal.wait_for("Stopped")
        terminal.screen.reset()
        terminal.send("jobs -p\n")
        terminal.read_until(lambda terminal: any(map(str.isdigit, terminal.lines)), what="its number")
        numbers = [int(line) for line in terminal.lines if line.isdigit()]
        terminal.hang_up()
        until(lambda: not any(map(is_alive, numbers)))


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


MOUSE_ON = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h"
MOUSE_OFF = b"\x1b[?1000l\x1b[?1002l\x1b[?1006l"


def test_clicks_and_drags_are_asked_for_and_no_motion() -> None:
    with Terminal(small_app(), env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        assert MOUSE_ON in terminal.output
        terminal.press("m")
        terminal.wait_for_bytes(MOUSE_OFF)
        before = len(terminal.output)
        terminal.press("m")
        terminal.wait_for_bytes(MOUSE_ON, before)
        assert b"\x1b[?1003h" not in terminal.output


def test_without_the_mouse_none_is_asked_for_until_it_is_switched_on() -> None:
    with Terminal(small_app("no-mouse"), env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        assert b"\x1b[?100" not in terminal.output.replace(b"\x1b[?1004h", b"")
        terminal.press("m")
        terminal.wait_for_bytes(MOUSE_ON)


@pytest.mark.parametrize("what", ["handler", "thread", "worker", "compose"])
def test_a_crash_is_told_in_two_lines_and_logged(tmp_path: Path, what: str) -> None:
    directory = tmp_path / "state" / "logs"
    with Terminal(small_app(what, directory), columns=200, env=ENVIRONMENT) as terminal:
        if what != "compose":
            terminal.wait_for("▶ line 0")
            terminal.press("x")
        assert terminal.wait() == 1
        assert_restored(terminal.output)
        text = terminal.screen_text()
    assert "audit-tui ended because of an error of its own (ValueError)." in text
    assert "Traceback" not in text
    assert b"\x1b]0;" not in terminal.output
    [log] = directory.iterdir()
    assert str(log) in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    logged = log.read_text()
    assert "small_app.py" in logged
    assert "Textual 8." in logged
    for words in (text, logged):
        assert SECRET not in words
        assert "\x1b" not in words


def test_an_error_that_a_user_can_mend_is_told_in_its_own_words(tmp_path: Path) -> None:
    with Terminal(small_app("store", tmp_path), env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        terminal.press("x")
        assert terminal.wait() == 3
        assert "The store audit.db is damaged." in terminal.screen_text()
        assert "Restore it from a backup." in terminal.screen_text()
    assert not list(tmp_path.iterdir())


def test_a_crash_without_a_place_for_its_log(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Terminal(small_app("handler", tmp_path / "file" / "logs"), columns=200, env=ENVIRONMENT) as terminal:
        terminal.wait_for("▶ line 0")
        terminal.press("x")
        assert terminal.wait() == 1
        assert "The details could not be written to" in terminal.screen_text()
