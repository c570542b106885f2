"""Finding log files and opening them by their content: compression, encoding, constant memory."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import stat
import sys
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from audit_tui.errors import FileError
from audit_tui.formats.record import MAX_RECORD_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

STDIN = "-"
CHUNK_BYTES = 256 * 1024
HEAD_CHARS = 64 * 1024
"""How much of a file is looked at to tell what it is."""
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)
_BINARY_MAGIC = {
    b"SQLite format 3\x00": "is a database, not a log",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd, which is not read yet; decompress it first",
    b"PK\x03\x04": "is a zip archive; unpack it first",
    b"\x89PNG": "is a picture, not a log",
}


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that is to be read."""

    name: str
    """What messages call it: the path as the user gave it; hostile until cleaned."""
    path: Path | None
    """None for standard input."""
    size_bytes: int
    """0 when unknown."""
    is_named: bool = True
    """The user named it; otherwise it was found in a folder."""


def file_identity(path: Path) -> tuple[int, int] | None:
    """What tells whether two paths are one file; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def find_logs(
    paths: Iterable[str], never_open: Collection[tuple[int, int]] = ()
) -> Iterator[LogFile | FileError]:
    """The files that paths name, in the order given; those of a folder sorted by name, folders after them.

    Hidden files, and what is not a regular file, are left out of folders.

    Args:
        paths: Files, folders, ``-`` for standard input.
        never_open: Identities of files that must not be opened: closing the store's file once more in a
            process that writes it drops its locks (RELIABILITY finding 3).
    """
    for name in paths:
        if name == STDIN:
            yield LogFile("standard input", None, 0)
            continue
        path = Path(name)
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            yield _unreadable(name, error)
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _in_folder(path, never_open)
        elif (status.st_dev, status.st_ino) in never_open:
            yield FileError(f"{name} is the store itself.", "Name the logs to import into it.")
        else:
            size_bytes = status.st_size if stat.S_ISREG(status.st_mode) else 0
            yield LogFile(name, path, size_bytes)


def _in_folder(folder: Path, never_open: Collection[tuple[int, int]]) -> Iterator[LogFile | FileError]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield _unreadable(str(folder), error)
        return
    folders = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            folders.append(Path(entry.path))
            continue
        try:
            status = entry.stat()
        except OSError as error:
            yield _unreadable(entry.path, error)
            continue
        if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in never_open:
            yield LogFile(entry.path, Path(entry.path), status.st_size, is_named=False)
    for inner in folders:
        yield from _in_folder(inner, never_open)


class LogText:
    """The text of a log as it is read: decompressed, decoded, at most once, in pieces.

    Bytes that are not UTF-8 become lone surrogates, so that the record's own bytes can be given back.
    """

    def __init__(self, name: str, read: Callable[[], bytes], position: Callable[[], int]) -> None:
        self.name = name
        self._read_bytes = read
        self._position = position
        self._ahead = ""
        self._at_end = False
        first = self._next_bytes()
        self._decode = _decoder(first)
        self._ahead = self._decode(first, not first)
        self._at_end = not first
        while len(self._ahead) < HEAD_CHARS and not self._at_end and self._ahead.count("\n") < 2:
            self._ahead += self._next_text()

    @property
    def head(self) -> str:
        """The beginning of the text, which stays unread."""
        return self._ahead[:HEAD_CHARS]

    @property
    def position_bytes(self) -> int:
        """How much of the file has been read, before decompression."""
        return self._position()

    def read(self) -> str:
        """The next piece of text; empty at the end.

        Raises:
            FileError: If the file cannot be read on.
        """
        if self._ahead:
            ahead, self._ahead = self._ahead, ""
            return ahead
        while not self._at_end:
            text = self._next_text()
            if text:
                return text
        return ""

    def lines(self) -> Iterator[str]:
        r"""The lines, each with its ``\n``, split at nothing else (never ``str.splitlines``).

        A line longer than a record may be comes in pieces.
        """
        rest = ""
        while piece := self.read():
            *whole, last = piece.split("\n")
            if whole:
                yield f"{rest}{whole[0]}\n"
                for line in whole[1:]:
                    yield f"{line}\n"
                rest = last
            else:
                rest += last
            if len(rest) > MAX_RECORD_CHARS:
                yield rest
                rest = ""
        if rest:
            yield rest

    def _next_text(self) -> str:
        data = self._next_bytes()
        self._at_end = not data
        return self._decode(data, not data)

    def _next_bytes(self) -> bytes:
        try:
            return self._read_bytes()
        except _DAMAGED as error:
            raise _unreadable(self.name, error) from None


def _decoder(first: bytes) -> Callable[[bytes, bool], str]:
    encoding, errors = "utf-8-sig", "surrogateescape"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding, errors = "utf-16", "replace"
    elif len(first) >= 4 and first[0] and first[2] and not first[1] and not first[3]:
        encoding, errors = "utf-16-le", "replace"
    elif len(first) >= 4 and first[1] and first[3] and not first[0] and not first[2]:
        encoding, errors = "utf-16-be", "replace"
    return codecs.getincrementaldecoder(encoding)(errors).decode


class _Rejoined(io.RawIOBase):
    """A stream with the bytes back in front that were taken to look at."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._head:
            data, self._head = self._head[: len(target)], self._head[len(target) :]
        else:
            read1 = getattr(self._rest, "read1", self._rest.read)
            data = read1(len(target))
        target[: len(data)] = data
        return len(data)


@contextmanager
def open_log(log: LogFile) -> Iterator[LogText]:
    """Open a log for reading, whatever it is compressed or encoded with.

    Raises:
        FileError: If it cannot be opened, or is not a log (a database, an archive).
    """
    if log.path is None and sys.stdin is None:
        raise FileError("Standard input is closed.")
    try:
        stream: IO[bytes] = sys.stdin.buffer if log.path is None else log.path.open("rb")
    except OSError as error:
        raise _unreadable(log.name, error) from None
    try:
        try:
            head = stream.read(16)
        except OSError as error:
            raise _unreadable(log.name, error) from None
        for magic, what in _BINARY_MAGIC.items():
            if head.startswith(magic):
                raise FileError(f"{log.name} {what}.")
        position = stream.tell if stream.seekable() else lambda: 0
        opened = _decompressed(head, io.BufferedReader(_Rejoined(head, stream), CHUNK_BYTES))
        yield LogText(log.name, lambda: opened.read1(CHUNK_BYTES), position)
    finally:
        if log.path is not None:
            stream.close()


def _decompressed(head: bytes, stream: io.BufferedReader) -> io.BufferedReader | gzip.GzipFile | bz2.BZ2File:
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=stream)
    if head.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    if head.startswith(b"\xfd7zXZ\x00"):
        return io.BufferedReader(lzma.LZMAFile(stream))
    return stream


def _unreadable(name: str, error: Exception) -> FileError:
    if isinstance(error, EOFError):
        return FileError(f"{name} ends too soon: it is cut off or still being written.")
    if isinstance(error, FileNotFoundError):
        return FileError(f"There is no file {name}.")
    if isinstance(error, PermissionError):
        return FileError(f"{name} may not be read.", "Ask its owner, or run as a user who may.")
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return FileError(f"{name} cannot be read: {said or type(error).__name__}.")
