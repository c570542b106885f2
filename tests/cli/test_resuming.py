"""The file that keeps where each store was left: private, whole, and never trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from audit_tui.cli.opening.resuming import FILE_NAME, MAX_FILE_BYTES, MAX_STORES, Places
from audit_tui.core.left import Left
from audit_tui.core.query import PageKey, StoreInfo
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.errors import FileError
from tests.cli.running import run

LEFT = Left(View(time_range=Preset.ALL_TIME), PageKey(None, 5, 7), 2)


def info(store_id: str, path: str = "/data/audit.db") -> StoreInfo:
    return StoreInfo("audit.db", path, store_id, 1, 0, None, None, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "audit-tui" / FILE_NAME


def test_what_is_kept_is_there_in_the_next_run(path: Path) -> None:
    assert Places(path).left_in("a") is None
    Places(path).keep(info("a"), LEFT)
    Places(path).keep(info("b", "/data/b.db"), Left(View()))
    places = Places(path)
    assert (places.left_in("a"), places.left_in("b"), places.left_in("c")) == (LEFT, Left(View()), None)
    assert (places.last_store, places.problem) == (Path("/data/b.db"), "")
    places.keep(info("a"), LEFT)
    assert Places(path).last_store == Path("/data/audit.db")


@pytest.mark.parametrize("seen", [None, 0, 9, "x", -1])
def test_the_newest_event_when_a_store_was_left_is_noted(path: Path, seen: int | None) -> None:
    Places(path).keep(info("a"), LEFT, seen)
    assert Places(path).seen_in("a") == (seen if seen in (0, 9) else None)
    assert (Places(path).seen_in("b"), Places(path).left_in("a")) == (None, LEFT)


def test_it_is_for_its_owner_alone(path: Path) -> None:
    Places(path).keep(info("a"), LEFT)
    assert [oct(place.stat().st_mode & 0o777) for place in (path, path.parent)] == ["0o600", "0o700"]
    assert [entry.name for entry in path.parent.iterdir()] == [FILE_NAME]


def test_what_another_screen_kept_meanwhile_stays(path: Path) -> None:
    first, second = Places(path), Places(path)
    first.keep(info("a"), LEFT)
    second.keep(info("b"), LEFT)
    assert Places(path).left_in("a") == LEFT


def test_the_oldest_are_forgotten(path: Path) -> None:
    for number in range(MAX_STORES + 5):
        Places(path).keep(info(str(number)), LEFT)
    assert Places(path).left_in("4") is None
    assert Places(path).left_in("5") == LEFT


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 2, "stores": {}}',
        b'{"version": 1, "stores": []}',
        b"[" * 100_000,
        b'{"version": ' + b"9" * 5000 + b"}",
        b" " * (MAX_FILE_BYTES + 1),
    ],
)
def test_a_broken_file_is_told_and_started_again(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    places = Places(path)
    assert (places.left_in("a"), places.last_store) == (None, None)
    assert (
        places.problem
        == f"The file of the places where you left off cannot be read; a new one was started: {path}."
    )
    places.keep(info("a"), LEFT)
    assert Places(path).left_in("a") == LEFT


@pytest.mark.parametrize("last", [None, 5, "relative.db", "/nul\0.db", ["/x"]])
def test_a_last_store_that_is_no_path_is_none(path: Path, last: object) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 1, "stores": {"a": {"store": last}}}))
    assert Places(path).last_store is None


def test_a_store_whose_place_is_hostile_begins_as_usual(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 1, "stores": {"a": {"sort": ["1; DROP", True]}}}))
    places = Places(path)
    assert places.left_in("a") is None
    assert places.problem


def test_a_pipe_and_a_link_are_not_read_nor_replaced(path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert Places(path).problem
    with pytest.raises(FileError):
        Places(path).keep(info("a"), LEFT)
    path.unlink()
    target = path.with_name("target")
    target.write_text("mine")
    path.symlink_to(target)
    assert Places(path).problem
    with pytest.raises(FileError, match="link"):
        Places(path).keep(info("a"), LEFT)
    assert target.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        Places(tmp_path / "file" / "x" / FILE_NAME).keep(info("a"), LEFT)


def test_what_cannot_be_resumed_is_refused(store: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("{}\n")
    for words, message in (
        (("open", "--resume", "--plain", str(store)), "--resume is for the screen"),
        (("open", "--resume", str(log)), "Logs are read again each time"),
    ):
        result = run(*words)
        assert result.exit_code == 2
        assert result.stderr.startswith(message)
