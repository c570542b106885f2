"""Copied texts arrive where they are said to go."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from audit_tui.ui.terminal.clipboard import MAX_OSC52_BYTES, Clipboard, Place
from tests.pty.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux")
TEXT = "Zeile eins: 漢字 👩\nzweite Zeile\t$(touch x) 'quoted' \"twice\"\n"


class Sent(list[str]):
    """The text that was written to the terminal."""

    def text(self) -> str:
        begin, _, encoded = "".join(self).removesuffix("\x07").rpartition(";")
        assert begin == "\x1b]52;c"
        return b64decode(encoded, validate=True).decode()


def test_without_tmux_the_terminal_gets_it(tmp_path: Path) -> None:
    sent = Sent()
    result = Clipboard(sent.append, tmp_path, {}).copy(TEXT)
    assert result.place is Place.TERMINAL
    assert sent.text() == TEXT
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("length", "place"), [(MAX_OSC52_BYTES, Place.TERMINAL), (75_000, Place.FILE)])
def test_what_is_too_long_goes_to_a_file(tmp_path: Path, length: int, place: Place) -> None:
    sent = Sent()
    result = Clipboard(sent.append, tmp_path / "new" / "folder", {}).copy("x" * length)
    assert result.place is place
    if place is Place.TERMINAL:
        assert len(sent[0]) == 100_000
        return
    assert result.path is not None
    assert result.path.read_text() == "x" * length
    assert stat.S_IMODE(result.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(result.path.parent.stat().st_mode) == 0o700
    assert str(result.path) in result.words
    assert not sent


def test_files_do_not_overwrite_each_other(tmp_path: Path) -> None:
    clipboard = Clipboard(Sent().append, tmp_path, {})
    paths = {clipboard.copy("x" * 80_000).path for _ in range(3)}
    assert len(paths) == 3


def test_in_gnu_screen_it_is_sent_through_in_pieces(tmp_path: Path) -> None:
    sent = Sent()
    Clipboard(sent.append, tmp_path, {"STY": "1234.pts-0.host"}).copy(TEXT * 20)
    pieces = sent[0].removeprefix("\x1bP").removesuffix("\x1b\\").split("\x1b\\\x1bP")
    assert len(pieces) > 5
    assert all(len(piece) + 4 <= 256 for piece in pieces)
    assert Sent(["".join(pieces)]).text() == TEXT * 20


def test_a_tmux_that_does_not_answer_is_told(tmp_path: Path) -> None:
    sent = Sent()
    environment = {"TMUX": f"{tmp_path}/none,1,0", "PATH": os.environ["PATH"]}
    result = Clipboard(sent.append, tmp_path / "copies", environment).copy(TEXT)
    assert result.place is Place.FILE
    assert "tmux" in result.words
    assert not sent


def test_nowhere_to_go_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = {"TMUX": "none,1,0", "PATH": ""}
    result = Clipboard(Sent().append, tmp_path / "file" / "folder", environment).copy(TEXT)
    assert result.place is Place.NOWHERE
    assert result.path is None
    assert "Not copied" in result.words


def test_lone_surrogates_do_no_harm(tmp_path: Path) -> None:
    sent = Sent()
    Clipboard(sent.append, tmp_path, {}).copy("a\ud800b")
    assert sent.text() == "a?b"


COPY = """
import pathlib, sys
from audit_tui.ui.terminal.clipboard import Clipboard
sent = []
result = Clipboard(sent.append, pathlib.Path(sys.argv[1])).copy(sys.argv[2])
print("place:", result.place.name, len(sent), flush=True)
input()
"""


@needs_tmux
@pytest.mark.parametrize(
    ("terminal_type", "place"), [("xterm-256color", "TMUX_AND_TERMINAL"), ("vt100", "TMUX")]
)
def test_it_comes_out_of_a_tmux_with_default_settings(tmp_path: Path, terminal_type: str, place: str) -> None:
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", os.devnull]
    program = [sys.executable, "-c", COPY, str(tmp_path), TEXT]
    environment = {"TERM": terminal_type, "TMUX": None}
    with Terminal([*tmux, "new-session", *program], env=environment) as outside:
        try:
            outside.wait_for(f"place: {place} 0")
            buffer = subprocess.run([*tmux, "show-buffer"], capture_output=True, check=True).stdout
            assert buffer.decode() == TEXT
            if place == "TMUX":
                return
            outside.read_until(lambda terminal: b"\x1b]52;" in terminal.output, what="OSC 52")
            outside.wait_for_bytes(b"\x07", outside.output.find(b"\x1b]52;"))
            sequence = outside.output.partition(b"\x1b]52;")[2].partition(b"\x07")[0]
            assert b64decode(sequence.partition(b";")[2]).decode() == TEXT
        finally:
            subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)
