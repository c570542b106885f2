"""Logs that are still written: pipes, and files that rotate."""

from __future__ import annotations

import gzip
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from audit_tui.ingest import follow
from audit_tui.ingest.find import LogFile
from audit_tui.ingest.open import Opening, open_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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
