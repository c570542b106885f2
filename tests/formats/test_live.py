"""Logs that are still written: pipes, and files that rotate."""

from __future__ import annotations

import gzip
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from audit_tui.ingest import batches, follow
from audit_tui.ingest.batches import LogReader
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import LogFile
from audit_tui.ingest.open import Opening
from tests.formats.logs import open_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_tui.errors import FileError, UsageError
    from audit_tui.ingest.batches import Batch


class Idle(Exception):
    """Nothing more came: the test has seen enough."""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "IDLE_S", 0.02)
    monkeypatch.setattr(follow, "POLL_S", 0.001)


class Steps:
    """Does one thing each time a source is idle, and ends the reading when there is none left."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = list(steps)

    def __call__(self) -> None:
        if not self._steps:
            raise Idle
        self._steps.pop(0)()


def add(path: Path, text: str) -> Callable[[], object]:
    def append() -> None:
        with path.open("a") as file:
            file.write(text)

    return append


def read_until_idle(path: Path, *steps: Callable[[], object]) -> list[list[str]]:
    """The lines of each file that the path led to; the last is read until nothing comes."""
    on_idle = Steps(*steps)
    lines_of_files: list[list[str]] = []
    with pytest.raises(Idle):
        while True:
            lines_of_files.append([])
            with open_log(LogFile("a", path, 1), Opening(on_idle, follows=True)) as text:
                for line in text.lines():
                    lines_of_files[-1] += [line] if line else []
    return lines_of_files


@contextmanager
def pipe(path: Path) -> Iterator[int]:
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    try:
        yield keeper
    finally:
        os.close(keeper)


def test_an_idle_pipe_is_told_between_lines(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    with pipe(path) as writer:
        os.write(writer, b"one\ntw")
        seen: list[str] = []
        with open_log(LogFile("a", path, 0), Opening(Steps(lambda: os.write(writer, b"o\n")))) as text:
            lines = text.lines()
            while len(seen) < 3:
                seen.append(next(lines))
    assert seen == ["one\n", "", "two\n"]


def test_a_compressed_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    with pipe(path) as writer:
        os.write(writer, gzip.compress(b"one\n", mtime=0) + gzip.compress(b"two\n", mtime=0))
        idle = Steps()
        with open_log(LogFile("a", path, 0), Opening(idle)) as text:
            lines = text.lines()
            assert [next(lines), next(lines)] == ["one\n", "two\n"]


def test_a_file_that_grows_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\ntw")
    assert read_until_idle(path, add(path, "o\nthr"), add(path, "ee\n")) == [["one\n", "two\n", "three\n"]]


def test_a_file_that_is_renamed_is_read_to_its_end_and_the_new_one_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\n")
    old = tmp_path / "a.log.1"

    def rotate() -> None:
        path.rename(old)
        add(old, "late\n")()

    def begin() -> None:
        add(old, "later\n")()
        path.write_text("new\n")

    lines_of_files = read_until_idle(path, rotate, begin)
    assert lines_of_files == [["one\n", "late\n", "later\n"], ["new\n"]]


@pytest.mark.parametrize("new", ["n\n", "a new text that is longer than what was there before\n"])
def test_a_file_that_is_copied_and_truncated_is_read_from_its_beginning(tmp_path: Path, new: str) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\n")

    def truncate() -> None:
        os.truncate(path, 0)
        add(path, new)()

    assert read_until_idle(path, truncate) == [["one\n", "two\n"], [new]]


class Watcher:
    """A receiver that does one thing each time nothing comes, and ends the run when there is none left."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self.names: list[str] = []
        self.errors: list[str] = []
        self.hand_over = Steps(*steps)

    def opened(self) -> None:
        return None

    def take(self, batch: Batch) -> None:
        self.names += [draft.event for draft in batch.drafts]

    def failed(self, error: FileError | UsageError) -> None:
        self.errors.append(error.message)

    def noted(self, notes: list[str], naive_times: int) -> None:
        return None


def test_a_followed_file_that_is_not_a_log_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "POLL_S", 0.001)
    path = tmp_path / "a.log"
    path.write_text("no log\n")
    record = '{"time": "2026-11-01T14:00:00Z", "event": "login"}\n'
    idle = [lambda: None] * 20
    watcher = Watcher(*idle, add(path, "nor this\n"), *idle, lambda: path.write_text(record), *idle)
    with pytest.raises(Idle):
        LogReader(Reading(), watcher).follow(LogFile("a.log", path, 1))
    assert len(watcher.errors) == 1
    assert "is not a log that is known" in watcher.errors[0]
    assert watcher.names == ["login"]
