"""The line that tells how far something is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.cli import progress
from audit_tui.cli.opening.logs import _Shown
from audit_tui.cli.progress import ProgressLine
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import LogFile
from audit_tui.ingest.pipeline import Importer, Nowhere

if TYPE_CHECKING:
    import pytest


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr("time.monotonic", lambda: self.now_s)
        monkeypatch.setattr(progress, "on_terminal", lambda: True)


def test_it_is_drawn_at_most_twice_a_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch)
    logs = [LogFile(f"logs/{number}.json", None, 10) for number in range(400)]
    with ProgressLine() as line:
        importer = Importer(Nowhere(), Reading(), lambda _: None)
        with _Shown(line, importer, logs) as shown:
            for log in logs:
                shown.file(log)
                clock.now_s += 0.01
    lines = [text.rstrip() for text in capsys.readouterr().err.split("\r") if text.strip()]
    assert len(lines) == 8
    assert lines[0] == "0 events, 0%, reading 0.json"
    assert lines[-1] == "0 events, 87%, reading 350.json"


def test_it_goes_when_it_is_done_and_quotes_nothing_hostile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Clock(monkeypatch)
    with ProgressLine() as line:
        line.say("long \x1b[2J words")
        line.say("short")
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert shown.split("\r") == ["", "long \\x1b[2J words", "short" + " " * 13, "     ", ""]


def test_nobody_is_told_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine() as line:
        assert not line.is_due
        line.say("words")
    assert capsys.readouterr().err == ""


def test_it_never_wraps(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Clock(monkeypatch)
    monkeypatch.setenv("COLUMNS", "20")
    with ProgressLine() as line:
        line.say("漢字" * 20)
    assert capsys.readouterr().err.split("\r")[1] == "漢字" * 4 + "漢…"
