"""The frame diff on the real screen: few bytes, and in tmux the same screen as Textual's own output."""

from __future__ import annotations

import os
import random
import re
import select
import shutil
import subprocess
import sys
import time
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from audit_tui.ui.terminal.frame import PLAIN, Cell, Pen, clusters, pen_of
from tests.pty.review_program import AT_REST
from tests.pty.terminal import TIMEOUT_S, Terminal
from tests.ui.terminal.model import seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    State: TypeAlias = tuple[list[list[Cell]], str]

ROOT = Path(__file__).parents[2]
REVIEW = (sys.executable, "-m", "tests.pty.review_program")
NO_DIFF = "AUDIT_TUI_NO_DIFF"
GLANCE_S = 0.1
QUIET_S = 0.5
F12 = "\x1b[24~"


def environment(**diffed: str) -> dict[str, str | None]:
    return {"PYTHONPATH": str(ROOT), "COLORTERM": None, "NO_COLOR": None, "TMUX": None, **diffed}


# -- bytes


class Meter:
    """Counts the bytes that a key costs."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def bytes_of(self, *keys: str) -> int:
        before = len(self.terminal.output)
        self.terminal.press(*keys)
        return self.wait_for_rest(before) - before

    def wait_for_rest(self, start: int = 0) -> int:
        """Wait until the program has done what it has to do, and return the size of its output."""
        self.terminal.send(F12)
        self.terminal.wait_for_bytes(AT_REST.encode(), start)
        return self.terminal.output.index(AT_REST.encode(), start)


@pytest.fixture(name="meter", scope="module")
def _meter() -> Iterator[Meter]:
    with Terminal(REVIEW, env=environment(), answers={}) as terminal:
        terminal.wait_for("1 of ")
        meter = Meter(terminal)
        meter.wait_for_rest()
        yield meter


def test_keys_in_the_list_cost_few_bytes(meter: Meter) -> None:
    assert max(meter.bytes_of("down") for _ in range(4)) <= 300
    meter.bytes_of(*["down"] * 16)
    assert max(meter.bytes_of("down") for _ in range(4)) <= 300
    assert max(meter.bytes_of("pagedown") for _ in range(3)) <= 1600


def test_dialogs_and_inputs_cost_few_bytes(meter: Meter) -> None:
    assert meter.bytes_of("f") <= 7000
    meter.bytes_of("escape")
    meter.bytes_of(":")
    meter.bytes_of(*"12345")
    assert max(meter.bytes_of(key) for key in "678") <= 150
    meter.bytes_of("escape")


def test_nothing_is_sent_while_nothing_happens(meter: Meter) -> None:
    meter.wait_for_rest(len(meter.terminal.output))
    assert meter.terminal.read_until_quiet(QUIET_S) == b""


def test_redraw_sends_all_again(meter: Meter) -> None:
    assert meter.bytes_of("ctrl+l") > 1500


def test_without_the_diff_textual_draws() -> None:
    with Terminal(REVIEW, env=environment(AUDIT_TUI_NO_DIFF="1"), answers={}) as terminal:
        terminal.wait_for("1 of ")
        meter = Meter(terminal)
        meter.wait_for_rest()
        assert meter.bytes_of("pagedown") > 3000
        terminal.press("q")
        assert terminal.wait() == 0


# -- the same as Textual's own output

_TOKEN = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\]8;([^\x1b]*)\x1b\\|([^\x1b]+)")
_ENDS = {"22": {"1", "2"}, "23": {"3"}, "24": {"4", "21"}, "25": {"5"}, "27": {"7"}, "28": {"8"}, "29": {"9"}}


def cells_of(capture: str, width: int) -> list[list[Cell]]:
    """The cells of what ``tmux capture-pane -e`` prints, without differences that cannot be seen."""
    rows = []
    pen = PLAIN
    for line in capture.split("\n"):
        row: list[Cell] = []
        for codes, _, text in _TOKEN.findall(line):
            if text:
                for cluster, cells in clusters(text):
                    row += [seen((cluster, pen)), *[("", PLAIN)] * (cells - 1)]
            else:
                pen = styled(pen, codes)
        rows.append(row + [(" ", PLAIN)] * (width - len(row)))
    return rows


def styled(pen: Pen, codes: str) -> Pen:
    """The pen after an SGR sequence."""
    for code in re.findall(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)|\d+", codes or "0"):
        added = pen_of(code)
        if code == "0":
            pen = PLAIN
        elif code in _ENDS:
            pen = pen._replace(attributes=tuple(sorted({*pen.attributes} - _ENDS[code])))
        elif code in ("39", "49"):
            pen = pen._replace(foreground="") if code == "39" else pen._replace(background="")
        else:
            attributes = tuple(sorted({*pen.attributes, *added.attributes}))
            pen = Pen(attributes, added.foreground or pen.foreground, added.background or pen.background)
    return pen


class Tmux:
    """A tmux server with two windows: Textual's own output, and ours."""

    def __init__(self, socket: Path, command: str) -> None:
        self.size = (100, 30)
        self._tmux = ["tmux", "-S", str(socket), "-f", os.devnull]
        for name, no_diff in (("stock", "1"), ("ours", "")):
            size = ["-x", str(self.size[0]), "-y", str(self.size[1])]
            shell = f"{NO_DIFF}={no_diff} PS1='ready> ' exec bash --norc --noprofile -i"
            self.run("new-session", "-d", "-s", name, *size, shell)
            self.run("send-keys", "-t", name, command, "Enter")

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def both(self, *arguments: str) -> None:
        for name in ("stock", "ours"):
            self.run(arguments[0], "-t", name, *arguments[1:])

    def resize(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.both("resize-window", "-x", str(width), "-y", str(height))

    def state(self, name: str) -> State:
        capture = self.run("capture-pane", "-e", "-N", "-p", "-t", name)
        cursor = self.run("display-message", "-p", "-t", name, "#{cursor_x},#{cursor_y}")
        return cells_of(capture.removesuffix("\n"), self.size[0]), cursor

    def shows(self, name: str, text: str, wanted: bool = True) -> bool:
        return (text in self.run("capture-pane", "-p", "-t", name)) is wanted

    def wait_for(self, text: str) -> None:
        for name in ("stock", "ours"):
            until(partial(self.shows, name, text), text)

    def wait_until_gone(self, text: str) -> None:
        for name in ("stock", "ours"):
            until(partial(self.shows, name, text, False), f"no {text}")

    def kill(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def difference(self) -> str:
        """Return where the two screens differ; empty if they come to rest and are the same."""
        deadline = time.monotonic() + TIMEOUT_S
        before = None
        while True:
            stock, ours = self.state("stock"), self.state("ours")
            difference = difference_of(stock, ours)
            if ours == before and not difference:
                return ""
            if time.monotonic() > deadline:
                return difference or "it does not come to rest"
            before = ours
            select.select([], [], [], GLANCE_S)


def difference_of(stock: State, ours: State) -> str:
    empty: list[Cell] = []
    for y, (screen_line, other) in enumerate(zip_longest(stock[0], ours[0], fillvalue=empty)):
        pairs = enumerate(zip_longest(screen_line, other))
        cells = [f"{x}: {theirs} {diffed}" for x, (theirs, diffed) in pairs if not is_same(theirs, diffed)]
        if cells:
            return "\n".join([f"row {y}", text_of(screen_line), text_of(other), *cells])
    return "" if stock[1] == ours[1] else f"cursor {stock[1]} {ours[1]}"


def is_same(theirs: Cell | None, diffed: Cell | None) -> bool:
    # Where Textual writes over half of a wide character, tmux blanks the other half in its own colours; we
    # send that half too, in the colours that it had.
    return theirs == diffed or (theirs == (" ", PLAIN) and diffed is not None and diffed[0] == " ")


def text_of(row: list[Cell]) -> str:
    return "".join(text for text, _ in row)


def until(predicate: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not predicate():
        assert time.monotonic() < deadline, what
        select.select([], [], [], 0.05)


MOVES = ("Down", "Up", "PageDown", "PageUp", "Down")
KEYS = (
    *["moves"] * 14,
    *["Tab", "BTab", "Left", "Right", "Home", "End", "Space", "Escape", "Escape", "Escape"],
    *["f", "t", "s", "J", "T", "C-l", "?", ":", "G", "g", "a", "5", "BSpace", "漢", "é", "suspend", "resize"],
)
KEYS_AND_ENTER = (*KEYS, "Enter", "Enter")
SIZES = ((100, 30), (80, 24), (130, 40), (60, 15), (40, 10))


def fuzz(tmux: Tmux, seed: int, steps: int, keys: Sequence[str] = KEYS) -> None:
    """Press keys in both windows; compare whenever they have come to rest."""
    rng = random.Random(seed)
    history: list[str] = []
    for _ in range(steps):
        key = rng.choice(keys)
        history.append(key)
        match key:
            case "moves":
                moves = rng.choices(MOVES, k=rng.randint(1, 6))
                history[-1] = " ".join(moves)
                tmux.both("send-keys", *moves)
            case "resize":
                size = rng.choice(SIZES)
                history[-1] = f"resize {size}"
                tmux.resize(*size)
            case "suspend":
                tmux.both("send-keys", "C-z")
                tmux.wait_for("Stopped")
                tmux.both("send-keys", "clear; fg", "Enter")
                tmux.wait_until_gone("Stopped")
            case "Escape":
                # The sequence for it: a lone ESC would join with the next key if that comes too early.
                tmux.both("send-keys", "-l", "\x1b[27u")
            case _:
                tmux.both("send-keys", key)
        difference = tmux.difference()
        assert not difference, f"seed {seed} after {history[-12:]}: {difference}"


@pytest.fixture(name="tmux")
def _tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    for name, value in environment().items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    tmux = Tmux(tmp_path / "socket", " ".join(f"'{word}'" for word in (*REVIEW, "wide")))
    try:
        tmux.wait_for("1 of ")
        yield tmux
    finally:
        tmux.kill()


needs_tmux = pytest.mark.skipif(
    shutil.which("tmux") is None or shutil.which("bash") is None, reason="no tmux or no bash"
)


@needs_tmux
def test_the_screen_is_the_same_in_tmux(tmux: Tmux) -> None:
    fuzz(tmux, seed=1, steps=14)


@needs_tmux
@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 8))
def test_the_screen_is_the_same_in_tmux_at_length(tmux: Tmux, seed: int) -> None:
    fuzz(tmux, seed, 300, KEYS_AND_ENTER)
