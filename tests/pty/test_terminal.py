"""The pseudo-terminal driver itself: what the other tests of this folder stand on."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.pty.terminal import Terminal, key_text

ECHO = r"""
import os, signal, sys, tty

def say(*words):
    print(*words, end="\r\n", flush=True)

signal.signal(signal.SIGWINCH, lambda *_: say("size", *os.get_terminal_size()))
tty.setraw(0)
say("ready", *map(os.isatty, range(3)), os.ctermid(), *os.get_terminal_size())
while (typed := os.read(0, 64)) != b"q":
    say(f"<{typed.hex()}>")
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_program_sees_a_terminal_of_its_own_and_ends_with_its_code() -> None:
    with Terminal(python(ECHO), columns=100, rows=30) as terminal:
        terminal.wait_for("ready True True True /dev/tty 100 30")
        terminal.press("down", "enter")
        terminal.wait_for("<1b5b420d>")
        terminal.press("q")
        assert terminal.wait() == 0


def test_a_new_size_reaches_the_program_and_the_screen() -> None:
    with Terminal(python(ECHO)) as terminal:
        terminal.wait_for("ready")
        terminal.resize(40, 10)
        terminal.wait_for("size 40 10")
        assert (len(terminal.lines), terminal.screen.columns) == (10, 40)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, 137)])
def test_a_signal_is_told_as_a_shell_tells_it(number: signal.Signals, code: int) -> None:
    with Terminal(python(ECHO)) as terminal:
        terminal.wait_for("ready")
        terminal.signal(number)
        assert terminal.wait() == code


def test_control_characters_reach_a_program_as_signals() -> None:
    with Terminal(python("print('go', flush=True); input()")) as terminal:
        terminal.wait_for("go")
        terminal.press("ctrl+c")
        assert terminal.wait() == 130
        assert "KeyboardInterrupt" in terminal.screen_text()


def test_a_lost_line_hangs_the_program_up() -> None:
    with Terminal(python(ECHO)) as terminal:
        terminal.wait_for("ready")
        terminal.hang_up()
        assert terminal.wait() == 129


def test_a_failed_wait_shows_the_screen() -> None:
    ended = pytest.raises(AssertionError, match=r"the program ended.*\n.*something else")
    with Terminal(python("print('something else')")) as terminal, ended:
        terminal.wait_for("ready")


def test_a_long_text_is_typed_while_the_program_writes() -> None:
    echo = "import os,tty; tty.setraw(0); print('go', flush=True)\nwhile 1: os.write(1, os.read(0, 9999) * 9)"
    with Terminal(python(echo)) as terminal:
        terminal.wait_for("go")
        terminal.send("x" * 30_000)
        terminal.wait_for_bytes(b"x" * 1000)


def test_the_terminal_answers_queries() -> None:
    ask = r"import os,tty; tty.setraw(0); os.write(1, b'\x1b[6n'); print(os.read(0, 99).hex(), flush=True)"
    with Terminal(python(ask), answers={b"\x1b[6n": b"\x1b[1;1R"}) as terminal:
        terminal.wait_for("1b5b313b3152")


@pytest.mark.parametrize(
    ("name", "sent"), [("a", "a"), ("ctrl+c", "\x03"), ("ctrl+p", "\x10"), ("f1", "\x1bOP")]
)
def test_keys_by_name(name: str, sent: str) -> None:
    assert key_text(name) == sent
    with pytest.raises(ValueError, match="no key"):
        key_text("hyper+" + name)


def test_a_text_is_found_at_its_cell_behind_wide_characters() -> None:
    with Terminal(python("print('one\\n漢字 two')")) as terminal:
        terminal.wait_for("two")
        assert terminal.find("two") == (5, 1)
