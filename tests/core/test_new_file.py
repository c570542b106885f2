"""Writing a file: whole or not at all, private, never through a link, by one of several at once."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.new_file import ANYTHING, FileKind, appended_file, new_file, private_folder
from audit_tui.errors import FileError, FileExists

if TYPE_CHECKING:
    from pathlib import Path

OWN = FileKind("a list", lambda head: head.startswith(b"-"))


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "list"
    with pytest.raises(ZeroDivisionError), new_file(path, OWN) as file:
        file.write("- one")
        file.flush()
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with new_file(path, OWN) as file:
        file.write("- one\r\n\udc80")
        assert not path.exists()
    assert path.read_bytes() == b"- one\r\n\\udc80"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.touch()
    with new_file(path, OWN) as file:
        file.write("- one")
    with pytest.raises(FileExists), new_file(path, OWN, may_replace=False):
        pytest.fail("the block was entered")
    with pytest.raises(FileExists), new_file(path, None):
        pytest.fail("the block was entered")
    path.write_text("one")
    with pytest.raises(FileError, match="is not a list"), new_file(path, OWN, may_replace=False):
        pytest.fail("the block was entered")
    path.write_bytes(b"SQLite format 3\0")
    with pytest.raises(FileError, match="is a database"), new_file(path, ANYTHING):
        pytest.fail("the block was entered")
    assert path.read_bytes() == b"SQLite format 3\0"


def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(FileExists), new_file(path, None) as file:
        file.write("late")
        path.write_text("early")
    assert path.read_text() == "early"
    with pytest.raises(FileError, match="is not a list"), new_file(tmp_path / "x", OWN) as file:
        file.write("- late")
        (tmp_path / "x").write_text("early")
    assert {path.name for path in tmp_path.iterdir()} == {"key", "x"}


def test_of_many_at_once_one_makes_the_key(tmp_path: Path) -> None:
    path, made = tmp_path / "key", []
    start = threading.Barrier(8)

    def make(name: str) -> None:
        start.wait()
        try:
            with new_file(path, None) as file:
                file.write(name)
        except FileExists:
            return
        made.append(name)

    threads = [threading.Thread(target=make, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [path.read_text()]
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_are_being_written_are_no_leftovers(tmp_path: Path) -> None:
    with new_file(tmp_path / "a", OWN) as first, new_file(tmp_path / "b", OWN) as second:
        first.write("- a")
        second.write("- b")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "- a", "b": "- b"}


def test_a_file_that_another_run_takes_for_a_leftover_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    taken: list[tuple[Path, int]] = []

    def taken_first(descriptor: int, operation: int) -> None:
        # Between the making and the lock another run has locked, and not yet removed, the first part.
        if not taken:
            (part,) = tmp_path.iterdir()
            taken.append((part, os.open(part, os.O_RDONLY)))
            flock(taken[0][1], operation)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", taken_first)
    with new_file(tmp_path / "a", OWN) as file:
        taken[0][0].unlink()
        file.write("- a")
    os.close(taken[0][1])
    assert [path.read_text() for path in tmp_path.iterdir()] == ["- a"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No space left"), new_file(tmp_path / "a", OWN) as file:
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        file.write("- a")
    assert list(tmp_path.iterdir()) == []


def test_rejects_grow_and_stay_private(tmp_path: Path) -> None:
    for line in ("- one\n", "- two\n"):
        with appended_file(tmp_path / "list", OWN) as file:
            file.write(line)
    assert (tmp_path / "list").read_text() == "- one\n- two\n"
    assert stat.S_IMODE((tmp_path / "list").stat().st_mode) == 0o600


def test_folders_are_private_all_the_way_down(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private_folder(tmp_path / "a" / "b" / "c")
        private_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    for folder in ("a", "a/b", "a/b/c"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        private_folder(tmp_path / "file" / "x")
