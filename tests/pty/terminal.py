"""A program in a pseudo-terminal: what it writes, what would stand on the screen, how it ends.

    with Terminal([*AUDIT_TUI, "open", str(store)]) as terminal:
        terminal.wait_for("Role created")
        terminal.press("down", "enter")
        terminal.wait_for("An edit of a custom role")
        terminal.press("q")
        assert terminal.wait() == 0

Nothing here sleeps: each wait ends with the bytes, or the end of the program, that it waits for.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import pyte

from tests.pty import forking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    Predicate: TypeAlias = Callable[["Terminal"], bool]

AUDIT_TUI = (sys.executable, "-m", "audit_tui")
TIMEOUT_S = 60.0
"""The time to wait before a test fails: far longer than anything takes, for a busy machine."""

SYNCHRONIZED = {b"\x1b[?2026$p": b"\x1b[?2026;2$y"}
"""The answer of a terminal that is told where a frame begins and ends, as most are."""
_FRAME_BEGINS, _FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"

KEYS = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "ctrl+home": "\x1b[1;5H",
    "ctrl+end": "\x1b[1;5F",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "f1": "\x1bOP",
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "escape": "\x1b",
    "backspace": "\x7f",
    "space": " ",
}
"""The bytes that a terminal sends for a key; a single character, and ctrl+letter, stand for themselves."""


def key_text(name: str) -> str:
    """Return what a terminal sends for a key of this name.

    Raises:
        ValueError: If there is no such key here.
    """
    if name in KEYS:
        return KEYS[name]
    if name.startswith("ctrl+") and len(name) == 6:
        return chr(ord(name[-1].upper()) ^ 0x40)
    if len(name) == 1:
        return name
    raise ValueError(f"no key {name!r}")


class _Screen(pyte.Screen):
    """pyte 0.8.2 with three faults mended.

    It keeps only rows that were written, and moves no others over what they should cover; it leaves the
    cursor where it is when the margins are taken away (DECSTBM sends it home); and it cannot show a row
    in which half of a wide character is written over, and the other half not yet.
    """

    @property
    def display(self) -> list[str]:
        columns = range(self.columns)
        return ["".join(self.buffer[row][column].data for column in columns) for row in range(self.lines)]

    def set_margins(self, top: int | None = None, bottom: int | None = None) -> None:
        super().set_margins(top, bottom)
        self.cursor_position()

    def insert_lines(self, count: int | None = None) -> None:
        self._write_all_rows()
        super().insert_lines(count)

    def delete_lines(self, count: int | None = None) -> None:
        self._write_all_rows()
        super().delete_lines(count)

    def _write_all_rows(self) -> None:
        for row in range(self.lines):
            self.buffer[row]  # a default dictionary: to look is to make


class Terminal:
    r"""A program in a terminal of its own; leaving the ``with`` block kills what is left of it.

    Args:
        argv: The program and its arguments.
        columns: The terminal's width.
        rows: Its height.
        env: What is set in the environment, over this process's own; None as a value takes one away.
        answers: What the terminal answers to which query, as ``{b"\x1b[6n": b"\x1b[1;1R"}``. By default it
            asks to be told where frames begin and end, so that nobody looks at half of one.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str | None] | None = None,
        answers: Mapping[bytes, bytes] = SYNCHRONIZED,
    ) -> None:
        self.output = bytearray()
        """Every byte that the program has written."""
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._answers = dict(answers)
        self._status: int | None = None
        self._ended = threading.Event()
        self._is_open = True
        self._primary, secondary = pty.openpty()
        os.set_blocking(self._primary, False)
        self._set_size(columns, rows)
        self._pid, self._end = _spawn(argv, os.ttyname(secondary), env or {})
        os.close(secondary)
        self._reaper = threading.Thread(target=self._reap, daemon=True)
        self._reaper.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The program's process number."""
        return self._pid

    @property
    def screen(self) -> pyte.Screen:
        """The screen as pyte draws it, with the cursor and the attributes of each cell."""
        return self._screen

    @property
    def lines(self) -> list[str]:
        """The rows of the screen, without the spaces at their ends."""
        return [line.rstrip() for line in self._screen.display]

    def screen_text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    @property
    def is_alternate(self) -> bool:
        """Tell whether the program shows the alternate screen."""
        return self.output.rfind(b"\x1b[?1049h") > self.output.rfind(b"\x1b[?1049l")

    def send(self, data: str | bytes) -> None:
        """Type this, as it is."""
        pending = data.encode() if isinstance(data, str) else data
        while pending:
            # The program may wait for its output to be taken before it reads on.
            readable, writable, _ = select.select([self._primary], [self._primary], [], TIMEOUT_S)
            if readable:
                self._read_ready()
            if writable:
                pending = pending[os.write(self._primary, pending) :]

    def press(self, *names: str) -> None:
        """Press keys by their names: ``down``, ``ctrl+c``, ``f``."""
        self.send("".join(key_text(name) for name in names))

    def click(self, column: int, row: int, *, is_right: bool = False) -> None:
        """Click the left or the right button on a cell, counted from 0 at the left and the top."""
        button = 2 if is_right else 0
        self.send(f"\x1b[<{button};{column + 1};{row + 1}M\x1b[<{button};{column + 1};{row + 1}m")

    def scroll_down(self, column: int, row: int) -> None:
        """Turn the wheel of the mouse by a notch over a cell."""
        self.send(f"\x1b[<65;{column + 1};{row + 1}M")

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the left button on a cell, and let it go on another."""
        (x, y), (to_x, to_y) = start, end
        self.send(f"\x1b[<0;{x + 1};{y + 1}M\x1b[<32;{to_x + 1};{to_y + 1}M\x1b[<0;{to_x + 1};{to_y + 1}m")

    @property
    def _is_amid_a_frame(self) -> bool:
        return self._is_open and self.output.rfind(_FRAME_BEGINS) > self.output.rfind(_FRAME_ENDS)

    def find(self, text: str) -> tuple[int, int]:
        """Return where a text stands on the screen, as column and row from 0; wait for it.

        A frame comes in pieces: that another text stands there does not mean that this one does.

        Raises:
            AssertionError: If the time is up before it does.
        """
        self.wait_for(text)
        for row, line in enumerate(self._screen.display):
            if (index := line.find(text)) >= 0:
                # The cell after a wide character holds no text of its own.
                cells = self._screen.buffer[row]
                starts = [column for column in range(self._screen.columns) if cells[column].data]
                return starts[index], row
        raise AssertionError(f"{text!r} is not on the screen:\n{self.screen_text()}")

    def read_until(self, predicate: Predicate, timeout_s: float = TIMEOUT_S, what: str = "") -> None:
        """Read what the program writes until something holds.

        Args:
            predicate: Is asked at once, and after each piece of output that ends no frame half way.
            timeout_s: How long to wait.
            what: What is waited for, for the message of a failure.

        Raises:
            AssertionError: If the time is up, or the program has ended, before it holds.
        """
        deadline = time.monotonic() + timeout_s
        while self._is_amid_a_frame or not predicate(self):
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not self._read(left_s):
                ended = "time is up" if left_s <= 0 or self._is_open else "the program ended"
                raise AssertionError(f"{ended}, waited for {what or predicate}:\n{self.screen_text()}")

    def wait_for(self, text: str, timeout_s: float = TIMEOUT_S) -> str:
        """Read until a text stands on the screen, and return the screen."""
        self.read_until(lambda terminal: text in terminal.screen_text(), timeout_s, repr(text))
        return self.screen_text()

    def wait_until_gone(self, text: str, timeout_s: float = TIMEOUT_S) -> str:
        """Read until a text stands no more on the screen, and return the screen."""
        self.read_until(lambda terminal: text not in terminal.screen_text(), timeout_s, f"no {text!r}")
        return self.screen_text()

    def wait_for_bytes(self, data: bytes, start: int = 0, timeout_s: float = TIMEOUT_S) -> None:
        """Read until these bytes were written, from the place ``start`` of the output on."""
        self.read_until(lambda terminal: terminal.output.find(data, start) >= 0, timeout_s, repr(data))

    def wait_readable(self, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until the program has written something, without taking it: pyte takes 1 ms for 300 bytes."""
        assert select.select([self._primary], [], [], timeout_s)[0], "nothing came"

    def take(self, timeout_s: float) -> bool:
        """Take what comes next; False when nothing comes for this long."""
        return self._read(timeout_s)

    def read_until_quiet(self, quiet_s: float = 0.2) -> bytes:
        """Read until nothing has come for this long, and return what came."""
        start = len(self.output)
        while self._read(quiet_s):
            pass
        return bytes(self.output[start:])

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the kernel tells the program."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal, unless it has ended."""
        # It may end between the question and the signal.
        with suppress(ProcessLookupError):
            if not self._ended.is_set():
                os.kill(self._pid, number)

    def hang_up(self) -> None:
        """Close the terminal under the program, as a lost line does."""
        if self._primary >= 0:
            os.close(self._primary)
        self._primary, self._is_open = -1, False

    def wait(self, timeout_s: float = TIMEOUT_S) -> int:
        """Take the output until the program ends.

        Returns:
            Its exit code; 128 and the signal's number if a signal killed it.

        Raises:
            AssertionError: If it does not end.
        """
        deadline = time.monotonic() + timeout_s
        while self._is_open and not self._ended.is_set() and (left_s := deadline - time.monotonic()) > 0:
            self._read(min(left_s, 0.05))
        assert self._ended.wait(max(0.0, deadline - time.monotonic())), f"still runs:\n{self.screen_text()}"
        while self._is_open and self._read(0.0):
            pass
        assert self._status is not None
        code = os.waitstatus_to_exitcode(self._status)
        return 128 - code if code < 0 else code

    def kill(self) -> None:
        """End the program and what it has started, and close the terminal."""
        if not self._ended.is_set():
            # It may end between the question and the kill.
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
        self._reaper.join(TIMEOUT_S)
        self.hang_up()

    def _read(self, timeout_s: float) -> bool:
        """Take what the program has written; False when nothing came, or nothing can come any more."""
        if not self._is_open:
            return False
        ready, _, _ = select.select([self._primary], [], [], timeout_s)
        return bool(ready) and self._read_ready()

    def _read_ready(self) -> bool:
        try:
            data = os.read(self._primary, 1 << 16)
        except OSError:
            # Linux says EIO when the last program has closed its side.
            data = b""
        if not data:
            self._is_open = False
            return False
        self.output += data
        self._stream.feed(data)
        for query, answer in self._answers.items():
            for _ in range(data.count(query)):
                os.write(self._primary, answer)
        return True

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._primary, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _reap(self) -> None:
        self._status = os.waitpid(self._pid, 0)[1] if self._end is None else forking.status(self._end)
        self._ended.set()


def _spawn(argv: Sequence[str], tty: str, env: Mapping[str, str | None]) -> tuple[int, int | None]:
    """Start a program as the leader of a session whose terminal is ``tty``.

    Returns:
        Its number, and what ``forking.status`` waits for; None for a child of this process.

    Not pty.fork: this process may have threads, and Python 3.12 warns of a fork then. A session's leader
    that opens a terminal gets it as its own.
    """
    environment = {name: value for name, value in {**os.environ, **env}.items() if value is not None}
    if tuple(argv[:2]) == AUDIT_TUI[:2] and (forked := forking.start(argv[2], [*argv[3:]], tty, environment)):
        return forked
    program = shutil.which(argv[0])
    assert program is not None, f"no program {argv[0]}"
    pid = os.posix_spawn(
        program,
        list(argv),
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, tty, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ],
        setsid=True,
        # Python ignores these two, and a child would inherit that.
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )
    return pid, None
