"""Logs opened directly in a real terminal: what stands there, how it is left, and that nothing stays."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pty.terminal import AUDIT_TUI, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

EVENTS = 3
CRASHING = """
import sys
from audit_tui.ui.screens.review.screen import ReviewScreen
def crash(self): raise RuntimeError("a bug")
ReviewScreen._show_count = crash
ReviewScreen._show_view = crash
sys.argv = ["audit-tui", *sys.argv[1:]]
from audit_tui.cli.main import main
main()
"""


RUN = "from audit_tui.cli.main import main; main()"
WHEN_ALL_IS_READ = f"from audit_tui.cli.opening import logs; logs.ALL_WAIT_S = 60; {RUN}"
WITH_THE_FIRST_EVENT = f"""
import threading
from audit_tui.cli.opening import logs
class Slow(logs.BackgroundImport):
    begun = threading.Event()
    def _take(self, told):
        if told.arrival.is_done:
            self.begun.wait()
        super()._take(told)
    @property
    def told(self):
        self.begun.set()
        return super().told
logs.ALL_WAIT_S, logs.BackgroundImport = 0, Slow
{RUN}
"""


def line(number: int) -> str:
    return json.dumps({"time": f"2023-05-01T10:00:{number:02}Z", "event": f"login{number}"}) + "\n"


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of logs."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my logs"
    folder.mkdir()
    (folder / "a.jsonl").write_text("".join(line(number) for number in range(EVENTS)))
    return folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, by a name that is a link."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to(folder)
    monkeypatch.setenv("TMPDIR", str(link))
    return folder


def shell(command: str) -> Sequence[str]:
    return ("/bin/sh", "-c", command.replace("AUDIT", shlex.join(AUDIT_TUI)))


@contextmanager
def piped(tmp_path: Path, first: int) -> Iterator[tuple[Terminal, Callable[[bytes], object]]]:
    """A run that reads an open pipe in which some events stand, and what writes more."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # For reading too, or else opening it waits for the other side.
    descriptor = os.open(pipe, os.O_RDWR)
    try:
        for number in range(first):
            os.write(descriptor, line(number).encode())
        with Terminal(shell(f"exec AUDIT open - < {pipe}")) as terminal:
            yield terminal, lambda data: os.write(descriptor, data)
    finally:
        os.close(descriptor)


@contextmanager
def reading(tmp_path: Path) -> Iterator[Terminal]:
    """A run that waits for the first event of its standard input, which does not come."""
    with piped(tmp_path, 0) as (terminal, _):
        terminal.wait_for("reading standard input")
        yield terminal


@pytest.mark.parametrize("begin", [WHEN_ALL_IS_READ, WITH_THE_FIRST_EVENT], ids=["all", "first"])
def test_it_is_shown_and_nothing_stays(logs: Path, temporary: Path, begin: str) -> None:
    """The screen is the same in the end, if it begins with the first event or when all are read."""
    words = ("my logs/ (3 events)", "All Time", "nothing in Last 30 Days", "login2", f"1 of {EVENTS}")
    with Terminal([AUDIT_TUI[0], "-c", begin, "my logs"], columns=120) as terminal:
        for text in ("temporary: audit-tui import keeps it", *words):
            terminal.wait_for(text)
        assert len(list(temporary.iterdir())) == 1
        terminal.press("q")
        assert terminal.wait() == 0
        assert not terminal.is_alternate
        assert "Keep it with: audit-tui import 'my logs'" in terminal.screen_text()
    assert list(temporary.iterdir()) == []


def test_what_was_rejected_is_told_after_the_screen(logs: Path, temporary: Path) -> None:
    (logs / "b.jsonl").write_text("no log\n" + line(9))
    with Terminal([*AUDIT_TUI, "my logs"]) as terminal:
        terminal.wait_for("1 of 5 records rejected")
        terminal.press("q")
        assert terminal.wait() == 1
        screen = terminal.screen_text()
        assert "1 record of 5 could not be read as an event:" in screen
        assert "my logs/b.jsonl:1: " in screen
        assert "audit-tui import --rejects rejects.jsonl 'my logs'" in screen
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_nothing(logs: Path, temporary: Path, number: signal.Signals, code: int) -> None:
    with Terminal([*AUDIT_TUI, "my logs"]) as terminal:
        terminal.wait_for(f"1 of {EVENTS}")
        terminal.signal(number)
        assert terminal.wait() == code
        assert not terminal.is_alternate
    assert list(temporary.iterdir()) == []


def test_ctrl_c_on_the_screen_leaves_nothing(logs: Path, temporary: Path) -> None:
    with Terminal([*AUDIT_TUI, "my logs"]) as terminal:
        terminal.wait_for(f"1 of {EVENTS}")
        terminal.press("ctrl+c", "ctrl+c")
        assert terminal.wait() == 130
    assert list(temporary.iterdir()) == []


def test_a_lost_terminal_leaves_nothing(logs: Path, temporary: Path) -> None:
    with Terminal([*AUDIT_TUI, "my logs"]) as terminal:
        terminal.wait_for(f"1 of {EVENTS}")
        terminal.hang_up()
        assert terminal.wait() == 129
    assert list(temporary.iterdir()) == []


def test_a_crash_leaves_nothing(logs: Path, temporary: Path) -> None:
    with Terminal([AUDIT_TUI[0], "-c", CRASHING, "my logs"]) as terminal:
        assert terminal.wait() == 1
        assert not terminal.is_alternate
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("is_store", [False, True])
def test_what_a_killed_run_leaves_goes_at_the_next_start(logs: Path, temporary: Path, is_store: bool) -> None:
    with Terminal([*AUDIT_TUI, "my logs"]) as terminal:
        terminal.wait_for(f"1 of {EVENTS}")
        terminal.signal(signal.SIGKILL)
        assert terminal.wait() == 137
    assert len(list(temporary.iterdir())) == 1
    with Terminal([*AUDIT_TUI, "open", "--plain", *([] if is_store else ["my logs"])]) as terminal:
        # There is no default store; the run clears up all the same.
        assert terminal.wait() == (3 if is_store else 0)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_while_the_log_is_read_leaves_nothing(
    tmp_path: Path, temporary: Path, number: signal.Signals, code: int
) -> None:
    with reading(tmp_path) as terminal:
        assert len(list(temporary.iterdir())) == 1
        terminal.signal(number)
        assert terminal.wait() == code
        assert "Traceback" not in terminal.screen_text()
        assert b"\x1b[?1049h" not in terminal.output
    assert list(temporary.iterdir()) == []


def test_ctrl_c_while_the_log_is_read_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    with reading(tmp_path) as terminal:
        terminal.press("ctrl+c")
        assert terminal.wait() == 130
        assert "reading" not in terminal.screen_text()
    assert list(temporary.iterdir()) == []


def test_a_pipe_that_stays_open_is_shown_and_goes_on(tmp_path: Path, temporary: Path) -> None:
    with piped(tmp_path, 3) as (terminal, write):
        terminal.wait_for("1 of 3")
        terminal.wait_for("3 events read, waiting for more  Esc ends it")
        write(line(7).encode())
        terminal.wait_for("login7")
        terminal.wait_for("1 of 4")
        terminal.press("down")
        terminal.wait_for("2 of 4")
        write(line(8).encode())
        terminal.wait_for("5 events read")
        assert "login8" not in terminal.screen_text()
        terminal.press("up")
        terminal.wait_for("login8")
        terminal.press("escape")
        terminal.wait_for("Stopped: 5 events were read")
        terminal.press("q")
        assert terminal.wait() == 0
        assert "5 events were read; the rest was not." in terminal.screen_text()
    assert list(temporary.iterdir()) == []


def test_the_end_of_what_comes_is_said(tmp_path: Path, temporary: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR)
    os.write(descriptor, line(1).encode())
    with Terminal(shell(f"exec AUDIT open - < {pipe}")) as terminal:
        terminal.wait_for("waiting for more")
        os.write(descriptor, b"no log\n")
        os.close(descriptor)
        terminal.wait_for("All 1 event are read · 1 of 2 records rejected")
        terminal.press("q")
        assert terminal.wait() == 1
    assert list(temporary.iterdir()) == []


def test_what_reads_ends_with_a_screen_that_is_killed(tmp_path: Path, temporary: Path) -> None:
    with piped(tmp_path, 1) as (terminal, _):
        terminal.wait_for("waiting for more")
        store = next(temporary.iterdir()) / "log.db"
        terminal.signal(signal.SIGKILL)
        assert terminal.wait() == 137
        deadline_s = time.monotonic() + 60
        while holders(store):
            assert time.monotonic() < deadline_s, holders(store)


def holders(path: Path) -> list[str]:
    """Return the processes that have a file open."""
    has = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if any(entry.samefile(path) for entry in (process / "fd").iterdir()):
                has.append(process.name)
    return has


def test_standard_input_leaves_the_keyboard_to_the_screen(logs: Path, temporary: Path) -> None:
    with Terminal(shell("cat 'my logs/a.jsonl' | AUDIT -")) as terminal:
        terminal.wait_for(f"1 of {EVENTS}")
        terminal.press("down")
        terminal.wait_for(f"2 of {EVENTS}")
        terminal.wait_for("standard input")
        terminal.press("q")
        assert terminal.wait() == 0
        assert "What came through a pipe must come again." in terminal.screen_text()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("redirection", [">/dev/null", "2>/dev/null", "</dev/null"])
def test_without_a_screen_nothing_is_read(logs: Path, temporary: Path, redirection: str) -> None:
    with Terminal(shell(f"AUDIT 'my logs' {redirection}; echo code $?")) as terminal:
        assert terminal.wait() == 0
        if redirection != ">/dev/null":
            assert "code 2" in terminal.screen_text()
        if redirection != "2>/dev/null":
            assert "audit-tui open --plain" in terminal.screen_text()
        assert b"\x1b" not in terminal.output


def test_a_dumb_terminal_is_told_what_to_use(logs: Path, temporary: Path) -> None:
    with Terminal([*AUDIT_TUI, "my logs"], env={"TERM": "dumb"}) as terminal:
        assert terminal.wait() == 2
        assert "audit-tui open --plain LOG" in terminal.screen_text()


def test_plain_shows_a_hundred_on_a_terminal_and_says_how_to_get_all(logs: Path, temporary: Path) -> None:
    rows = "".join(json.dumps({"time": 1_700_000_000 + n, "event": f"E{n}"}) + "\n" for n in range(120))
    (logs / "c.jsonl").write_text(rows)
    with Terminal([*AUDIT_TUI, "open", "--plain", "my logs/c.jsonl"], rows=110) as terminal:
        assert terminal.wait() == 0
        assert "100 of 120 events; a pipe or a file gets all." in terminal.screen_text()
