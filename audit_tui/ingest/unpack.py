"""Compressed logs, told by their first bytes, and how far one may unpack."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from typing import TYPE_CHECKING, Any, Protocol

from audit_tui.errors import FileError
from audit_tui.ingest.event_log import EVTX_MAGIC

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_BYTES = 256 * 1024
HEAD_BYTES = 16
"""The first bytes of a file, as many as tell what it is."""
MAX_RATIO = 1_000
"""A file may unpack to this many times its size, and ``FREE_BYTES`` more; gzip reaches 1,029 on zeros."""
FREE_BYTES = 1024**3
ZSTD_WINDOW_BYTES = 128 * 1024 * 1024
_ZSTD_STEP_BYTES = 1_024
"""A block of zstd may be four bytes for 128 KiB: fed with so much at a time, it gives 32 MiB at most."""

_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"
_XZ = (b"\xfd7zXZ\x00", b"\x5d\x00\x00")

NO_LOGS = {
    b"SQLite format 3\x00": ("is a database, not a log", "Name its table: --table TABLE."),
    b"PK\x03\x04": ("is a zip archive that comes through a pipe, or in an archive", "Unpack it first."),
    b"7z\xbc\xaf\x27\x1c": ("is a 7z archive", "Unpack it first."),
    b"\x04\x22\x4d\x18": ("is compressed with lz4, which is not read", "Decompress it first."),
    b"\x1f\x9d": ("is compressed with compress, which is not read", "Decompress it first."),
    b"\x89PNG": ("is a picture, not a log", ""),
    b"%PDF": ("is a PDF, not a log", ""),
    b"\x7fELF": ("is a program, not a log", ""),
    EVTX_MAGIC: (
        "is a binary event log of Windows that comes through a pipe, or in an archive",
        "Name the file itself.",
    ),
    b"LPKSHHRH": (
        "is a binary journal",
        "Give its events: journalctl --file FILE -o json | audit-tui import -",
    ),
}
"""First bytes of what is not a log -> what it is, and what to do."""


TRAILING = "has bytes behind its compressed data, which were ignored"


class TrailingBytes(Exception):
    """Something that is not compressed comes behind compressed data, and the data was read whole."""


class DamagedContainer(Exception):
    """Compressed data that cannot be unpacked."""


DAMAGED = (DamagedContainer, EOFError, OSError, zlib.error, lzma.LZMAError)
"""Errors that reading compressed data may raise."""


class Bytes(Protocol):
    """Something that gives bytes piece by piece."""

    def read1(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes, at least one; none at the end."""
        ...


class Source(io.RawIOBase):
    """A stream with the bytes back in front that were taken to look at; counts what was read of it.

    Args:
        head: What was taken.
        read: Gives the rest: at most as many bytes as it is asked for, none at the end.
    """

    def __init__(self, head: bytes, read: Callable[[int], bytes]) -> None:
        super().__init__()
        self._head = head
        self._read = read
        self.count_bytes = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def read1(self, size: int = CHUNK_BYTES) -> bytes:
        """Return what comes next."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            data = self._read(size)
        self.count_bytes += len(data)
        return data

    def readinto(self, target: Any) -> int:  # noqa: ANN401 - a buffer, which 3.11 has no name for
        """Read what comes next into a buffer."""
        data = self.read1(len(target))
        target[: len(data)] = data
        return len(data)


def is_compressed(head: bytes) -> bool:
    """Tell whether a file that begins so is compressed in a way that is read."""
    return head.startswith((_GZIP, _BZIP2, *_XZ)) or _is_zstd(head)


def unpacked(head: bytes, source: Source, *, is_live: bool = False) -> Bytes:
    """The bytes inside a file, however it is compressed.

    Args:
        head: Its first bytes, which ``source`` gives again.
        source: The file.
        is_live: Wait for no more than is needed.
    """
    if not is_compressed(head):
        return source
    # A buffer saves calls, and waits until it is full.
    packed: Any = source if is_live else io.BufferedReader(source, CHUNK_BYTES)
    if head.startswith(_GZIP):
        return _Gzip(packed)
    if head.startswith(_BZIP2):
        return bz2.BZ2File(packed)
    if head.startswith(_XZ):
        return lzma.LZMAFile(packed) if is_live else io.BufferedReader(lzma.LZMAFile(packed), CHUNK_BYTES)
    return _Zstd(packed, is_live=is_live)


class _Gzip:
    """Members of gzip, one after another, and what is behind them told apart."""

    def __init__(self, packed: Any) -> None:  # noqa: ANN401 - a raw or a buffered reader
        self._file = gzip.GzipFile(fileobj=packed)
        self._has_data = False

    def read1(self, size: int = CHUNK_BYTES, /) -> bytes:
        try:
            data = self._file.read1(size)
        except gzip.BadGzipFile as error:
            if self._has_data and str(error).startswith("Not a gzipped file"):
                raise TrailingBytes from None
            raise
        self._has_data = self._has_data or bool(data)
        return data


def _is_zstd(head: bytes) -> bool:
    is_skipped = head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    return is_skipped or head.startswith(b"\x28\xb5\x2f\xfd")


class _Zstd:
    """Frames of zstd, one after another; one that is cut off is an error, which stream_reader hides."""

    def __init__(self, source: Bytes, *, is_live: bool) -> None:
        try:
            import zstandard
        except ModuleNotFoundError:
            raise FileError(
                "It is compressed by zstd, and the package zstandard is not installed.",
                "Install it (pip install 'audit-tui[zstd]'), or unpack the file: zstd -d FILE",
            ) from None

        self._source = source
        self._is_live = is_live
        self._error: type[Exception] = zstandard.ZstdError
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
        self._frame = self._decompressor.decompressobj()
        self._rest = b""
        self._is_between = True
        self._has_frame = False
        self._is_behind = False

    def read1(self, size: int = CHUNK_BYTES, /) -> bytes:
        if self._is_behind:
            raise TrailingBytes
        parts: list[bytes] = []
        wanted = size
        while wanted > 0 and not (self._is_live and wanted < size):
            data = self._rest or self._source.read1(_ZSTD_STEP_BYTES)
            if not data:
                if not self._is_between and not any(parts):
                    raise EOFError
                break
            if self._frame.eof:
                self._frame = self._decompressor.decompressobj()
            try:
                part = self._frame.decompress(data)
            except self._error as error:
                if self._is_between and self._has_frame:
                    if any(parts):
                        self._rest = b""
                        self._is_behind = True
                        break
                    raise TrailingBytes from None
                raise DamagedContainer(str(error)) from None
            self._is_between = self._frame.eof
            self._has_frame = self._has_frame or self._frame.eof
            self._rest = self._frame.unused_data if self._is_between else b""
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)
