"""The files that arguments name, by their bytes."""

from __future__ import annotations

import gzip
import os
import socket
import sqlite3
from typing import TYPE_CHECKING

import pytest

from audit_tui.errors import AuditTuiError, FileError, UsageError
from audit_tui.ingest.find import Kind, are_logs, kind_of
from tests.cli.running import make_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def things(tmp_path: Path) -> Path:
    """A folder with one of each kind."""
    folder = tmp_path / "things"
    folder.mkdir()
    make_store(folder / "store.json")
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    (folder / "log.db").write_text('{"time": 1}\n')
    (folder / "log.gz").write_bytes(gzip.compress(b"{}", mtime=0))
    (folder / "empty").touch()
    (folder / "short").write_bytes(b"SQLite format 3\x00")
    (folder / "folder").mkdir()
    (folder / "link").symlink_to(folder / "store.json")
    (folder / "dangling").symlink_to(folder / "nothing")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    (folder / "closed").touch(0o000)
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("store.json", Kind.STORE),
        ("link", Kind.STORE),
        ("other.db", Kind.DATABASE),
        ("log.db", Kind.LOG),
        ("log.gz", Kind.LOG),
        ("empty", Kind.LOG),
        ("short", Kind.LOG),
        ("folder", Kind.LOG),
        ("nothing", Kind.MISSING),
        ("dangling", Kind.MISSING),
        ("log.db/under", Kind.MISSING),
        ("loop", Kind.UNREADABLE),
        ("a\x00b", Kind.UNREADABLE),
        ("x" * 300, Kind.UNREADABLE),
        ("pipe", Kind.SPECIAL),
    ],
)
def test_the_bytes_tell(things: Path, name: str, kind: Kind) -> None:
    assert kind_of(str(things / name)) is kind


@pytest.mark.parametrize(
    ("name", "kind"), [("-", Kind.LOG), ("/dev/fd/63", Kind.LOG), ("/dev/null", Kind.SPECIAL)]
)
def test_streams_are_logs_and_devices_are_not(name: str, kind: Kind) -> None:
    assert kind_of(name) is kind


def test_a_socket_is_special(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert kind_of("socket") is Kind.SPECIAL


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_left_to_whoever_says_so(things: Path) -> None:
    assert kind_of(str(things / "closed")) is Kind.UNREADABLE


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("log.db",), True),
        (("folder",), True),
        (("log.db", "log.gz", "folder"), True),
        (("store.json",), False),
        (("other.db",), False),
        (("nothing",), False),
    ],
)
def test_one_store_or_any_number_of_logs(things: Path, names: tuple[str, ...], expected: bool) -> None:
    assert are_logs([str(things / name) for name in names]) is expected


@pytest.mark.parametrize(
    ("names", "kind", "words"),
    [
        (("store.json", "link"), UsageError, "Two stores are named"),
        (("store.json", "store.json"), UsageError, "Two stores are named"),
        (("store.json", "log.gz"), UsageError, "store.json is a store, and .*log.gz is not"),
        (("log.gz", "folder", "store.json"), UsageError, "a store is opened alone"),
        (("log.gz", "nothing"), FileError, "There is no file .*nothing"),
        (("pipe",), FileError, "pipe is neither a file nor a folder"),
        (("pipe", "log.gz"), FileError, "pipe is neither a file nor a folder"),
    ],
)
def test_what_does_not_go_together(
    things: Path, names: tuple[str, ...], kind: type[AuditTuiError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        are_logs([str(things / name) for name in names])


def test_a_pipe_is_read_on_request(things: Path) -> None:
    with pytest.raises(FileError) as told:
        are_logs([str(things / "pipe")])
    assert told.value.hint == f"Read it as: audit-tui - < {things}/pipe"
