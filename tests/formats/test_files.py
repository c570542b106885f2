"""Finding and opening files by their content."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
import zstandard

from audit_tui.core.new_file import file_identity
from audit_tui.errors import FileError
from audit_tui.ingest.find import LogFile, find_logs
from audit_tui.ingest.open import OpenLog
from tests.formats.logs import open_log, read, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = '{"who": "Zoë"}\n'


def whole(log: LogFile) -> str:
    with open_log(log) as text:
        return "".join(iter(text.read, ""))


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xff\xfe" + TEXT.encode("utf-16-le"),
        gzip.compress(TEXT.encode(), mtime=0),
        gzip.compress(TEXT.encode()[:5], mtime=0) + gzip.compress(TEXT.encode()[5:], mtime=0),
        gzip.compress(TEXT.encode("utf-16"), mtime=0),
        bz2.compress(TEXT.encode()),
        lzma.compress(TEXT.encode()),
        lzma.compress(TEXT.encode(), lzma.FORMAT_ALONE),
        zstandard.compress(TEXT.encode()),
        b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip" + zstandard.compress(TEXT.encode()),
        zstandard.compress(TEXT.encode()[:5]) + zstandard.compress(TEXT.encode()[5:]),
    ],
)
def test_compression_and_encoding_are_told_by_content(tmp_path: Path, data: bytes) -> None:
    assert whole(write(tmp_path, data, "named.wrongly.txt")) == TEXT


def test_without_its_package_zstd_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(FileError, match="package zstandard is not installed") as caught:
        read(write(tmp_path, zstandard.compress(b'{"time": 1, "event": "e"}')))
    assert "pip install 'audit-tui[zstd]'" in caught.value.hint


def test_bytes_that_are_no_text_can_be_given_back(tmp_path: Path) -> None:
    data = b'{"a": "\xff\xc3"}\x80'
    assert whole(write(tmp_path, data)).encode("utf-8", "surrogateescape") == data


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
@pytest.mark.parametrize("cut", [8, 25, -4])
def test_a_damaged_file_gives_what_is_whole_and_then_an_error(
    tmp_path: Path, cut: int, compress: Callable[[bytes], bytes]
) -> None:
    data = compress(TEXT.encode() * 50_000)[:cut]
    with pytest.raises(FileError, match=r"a\.log (ends too soon|cannot be read)"):
        whole(write(tmp_path, data))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"SQLite format 3\x00 and so on", "is a database"),
        (b"\x04\x22\x4d\x18....", "compressed with lz4"),
        (b"PK\x03\x04....", "cannot be read as an archive"),
    ],
)
def test_what_cannot_be_a_log_is_named(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(FileError, match=what):
        whole(write(tmp_path, data))


def test_lines_end_at_line_feeds_only() -> None:
    data = "a\x1db\x85c\u2028d\x0be\r\n\nlast"
    for piece_bytes in (1, 3, 100):
        text = OpenLog("a", partial(io.BytesIO(data.encode()).read, piece_bytes), lambda: 0)
        assert list(text.lines()) == ["a\x1db\x85c\u2028d\x0be\r\n", "\n", "last"]


def test_a_small_file_that_unpacks_to_a_huge_line_is_read_in_pieces(tmp_path: Path) -> None:
    log = write(tmp_path, gzip.compress(b"x" * 40_000_000, mtime=0))
    with open_log(log) as text:
        pieces = [len(line) for line in text.lines()]
    assert sum(pieces) == 40_000_000
    assert max(pieces) < 17 * 1024 * 1024


def test_a_folder_gives_its_files_sorted_without_what_is_hidden_or_no_file(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", ".hidden", "in/c.json", "in/.git/d.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEXT)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "a.json")
    (tmp_path / "loop").symlink_to(tmp_path)
    store = tmp_path / "store.db"
    store.write_text("")
    identity = file_identity(store)
    assert identity is not None
    logs = list(find_logs([str(tmp_path)], {identity}))
    assert [log.name.removeprefix(f"{tmp_path}/") for log in logs if isinstance(log, LogFile)] == [
        "a.json",
        "b.json",
        "link",
        "in/c.json",
    ]
    assert all(isinstance(log, LogFile) and not log.is_named for log in logs)


def test_the_store_itself_and_what_is_not_there_are_named(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    store.write_text("")
    identity = file_identity(store)
    assert identity is not None
    problems = list(find_logs([str(store), str(tmp_path / "none"), "a\x00b"], {identity}))
    assert [type(problem) for problem in problems] == [FileError] * 3
    assert "is the store itself" in str(problems[0])
    assert "There is no file" in str(problems[1])
    assert file_identity(tmp_path / "none") is None


def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(TEXT.encode(), mtime=0),))
    writer.start()
    (log,) = find_logs([str(path)])
    assert isinstance(log, LogFile)
    assert whole(log) == TEXT
    writer.join()
