"""Opening logs by their content: compression, encoding, constant memory."""

from __future__ import annotations

import codecs
import os
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_tui.errors import FileError
from audit_tui.formats.record import MAX_RECORD_CHARS
from audit_tui.ingest.find import unreadable
from audit_tui.ingest.follow import Followed, Live, Pipe
from audit_tui.ingest.unpack import (
    CHUNK_BYTES,
    DAMAGED,
    FREE_BYTES,
    HEAD_BYTES,
    MAX_RATIO,
    NO_LOGS,
    Source,
    is_compressed,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from audit_tui.ingest.find import LogFile

HEAD_CHARS = 64 * 1024
"""How much of a file is looked at to tell what it is."""


class IsDatabase(FileError):
    """A file is a database of SQLite: its tables may be read, but not as a log."""

    title = "Not a log"


class OpenLog:
    """The text of a log as it is read: decompressed, decoded, at most once, in pieces.

    Bytes that are not UTF-8 become lone surrogates, so that the record's own bytes can be given back.

    Args:
        name: What messages call the log.
        read: Gives its bytes piece by piece, none at the end; None when nothing came for a while.
        position: How many bytes of the file have been read, before decompression.
        on_idle: Is called when nothing came for a while.
        is_ready: Whether there is something to read without waiting.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], bytes | None],
        position: Callable[[], int],
        *,
        on_idle: Callable[[], None] = lambda: None,
        is_ready: Callable[[], bool] | None = None,
    ) -> None:
        self.name = name
        self._read_bytes = read
        self._position = position
        self._on_idle = on_idle
        self._is_ready = is_ready
        self._ahead = ""
        self._at_end = False
        self._open()

    def _open(self) -> None:
        first = b""
        while len(first) < 4 and b"\n" not in first and (more := self._wait_for_bytes()):
            first += more
        self._decode = _decoder(first)
        self._ahead = self._decode(first, not first)
        self._at_end = not first
        # What is still written is looked at as soon as it has a whole line.
        wanted_lines = 2 if self._is_ready is None else 1
        while len(self._ahead) < HEAD_CHARS and not self._at_end and self._ahead.count("\n") < wanted_lines:
            self._ahead += self._next_text() or ""

    @property
    def head(self) -> str:
        """The beginning of the text, which stays unread."""
        return self._ahead[:HEAD_CHARS]

    @property
    def is_live(self) -> bool:
        """Whether it is still written while it is read."""
        return self._is_ready is not None

    @property
    def position_bytes(self) -> int:
        """How much of the file has been read, before decompression."""
        return self._position()

    def read(self, *, waits: bool = True) -> str:
        """The next piece of text; empty at the end.

        Args:
            waits: Else empty also when there is nothing to read now.

        Raises:
            FileError: If the file cannot be read on.
        """
        if self._ahead:
            ahead, self._ahead = self._ahead, ""
            return ahead
        while not self._at_end and (waits or self._is_ready is None or self._is_ready()):
            text = self._next_text()
            if text:
                return text
        return ""

    def lines(self, *, tells_idle: bool = True) -> Iterator[str]:
        r"""The lines, each with its ``\n``, split at nothing else (never ``str.splitlines``).

        A line longer than a record may be comes in pieces.

        Args:
            tells_idle: Give an empty text when nothing came for a while from a source that stays open.
        """
        rest = ""
        while piece := self._piece(tells_idle=tells_idle):
            if piece is _IDLE:
                yield ""
                continue
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

    def _piece(self, *, tells_idle: bool) -> str:
        """The next piece; ``_IDLE`` when nothing came for a while, empty at the end."""
        if self._ahead or not tells_idle:
            return self.read()
        while not self._at_end:
            text = self._next_text()
            if text is None:
                return _IDLE
            if text:
                return text
        return ""

    def _next_text(self) -> str | None:
        """The next piece, which may be empty; None when nothing came for a while."""
        data = self._next_bytes()
        if data is None:
            self._on_idle()
            return None
        self._at_end = not data
        return self._decode(data, not data)

    def _wait_for_bytes(self) -> bytes:
        while (data := self._next_bytes()) is None:
            self._on_idle()
        return data

    def _next_bytes(self) -> bytes | None:
        try:
            return self._read_bytes()
        except DAMAGED as error:
            raise unreadable(self.name, error) from None


_IDLE = "(nothing came)"


def _decoder(first: bytes) -> Callable[[bytes, bool], str]:
    encoding, errors = "utf-8-sig", "surrogateescape"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding, errors = "utf-16", "replace"
    elif len(first) >= 4 and first[0] and first[2] and not first[1] and not first[3]:
        encoding, errors = "utf-16-le", "replace"
    elif len(first) >= 4 and first[1] and first[3] and not first[0] and not first[2]:
        encoding, errors = "utf-16-be", "replace"
    return codecs.getincrementaldecoder(encoding)(errors).decode


@dataclass(frozen=True, slots=True)
class Opening:
    """How logs are opened."""

    on_idle: Callable[[], None] = lambda: None
    """Is called when nothing came for a while from a source that stays open."""
    is_unlimited: bool = False
    """Unpack whatever a file may unpack to."""
    follows: bool = False
    """Read on where a file ends, until another takes its place."""


@contextmanager
def open_log(log: LogFile, opening: Opening = Opening()) -> Iterator[OpenLog]:
    """Open a log for reading, whatever it is compressed or encoded with.

    Raises:
        FileError: If it cannot be opened, or is not a log (a database, an archive).
    """
    if log.path is None and sys.stdin is None:
        raise FileError("Standard input is closed.")
    try:
        stream = sys.stdin.buffer if log.path is None else log.path.open("rb", buffering=0)
    except OSError as error:
        raise unreadable(log.name, error) from None
    try:
        live = _live(log, stream, opening)
        if live is None:
            yield _text_of(log.name, stream, opening)
        else:
            yield _live_text(log.name, live, opening)
    finally:
        if log.path is not None:
            stream.close()


def _live(log: LogFile, stream: BinaryIO, opening: Opening) -> Live | None:
    """The stream as one that stays open; None when it is a file that is there."""
    try:
        descriptor = stream.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (OSError, ValueError):
        return None  # a stream that is no file at all
    if not is_file:
        return Pipe(descriptor)
    return Followed(log.path, descriptor) if opening.follows and log.path is not None else None


def _text_of(name: str, stream: BinaryIO, opening: Opening) -> OpenLog:
    try:
        head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise unreadable(name, error) from None
    source = Source(head, stream.read)
    return _unpacked_text(name, head, source, opening)


def _live_text(name: str, live: Live, opening: Opening) -> OpenLog:
    def read(size: int) -> bytes:
        while (data := live.read(size)) is None:
            opening.on_idle()
        return data

    try:
        head = b""
        while len(head) < HEAD_BYTES and b"\n" not in head and (more := read(HEAD_BYTES)):
            head += more
    except OSError as error:
        raise unreadable(name, error) from None
    if is_compressed(head) or _no_log(head) is not None:
        return _unpacked_text(name, head, Source(head, read), opening, is_live=True)
    ahead = [head]
    source = Source(b"", lambda _: b"")

    def next_bytes() -> bytes | None:
        data = ahead.pop() if ahead else live.read(CHUNK_BYTES)
        source.count_bytes += len(data or b"")
        return data

    return OpenLog(
        name, next_bytes, lambda: source.count_bytes, on_idle=opening.on_idle, is_ready=live.is_ready
    )


def _unpacked_text(
    name: str, head: bytes, source: Source, opening: Opening, *, is_live: bool = False
) -> OpenLog:
    refused = _no_log(head)
    if refused is not None:
        what, hint = refused
        raise (IsDatabase if head.startswith(b"SQLite") else FileError)(f"{name} {what}.", hint)
    unpacker = unpacked(head, source, is_live=is_live)
    is_bounded = is_compressed(head) and not opening.is_unlimited
    total_bytes = 0

    def read() -> bytes:
        nonlocal total_bytes
        data = unpacker.read1(CHUNK_BYTES)
        total_bytes += len(data)
        if is_bounded and total_bytes > MAX_RATIO * source.count_bytes + FREE_BYTES:
            raise FileError(
                f"{name} unpacks to more than {MAX_RATIO:,} times its size: it was made to fill a disk.",
                "If it is meant to, --no-limit reads it.",
            )
        return data

    # What is compressed tells of idleness while it waits, not piece by piece.
    is_ready = (lambda: False) if is_live else None
    return OpenLog(name, read, lambda: source.count_bytes, is_ready=is_ready)


def _no_log(head: bytes) -> tuple[str, str] | None:
    return next((said for magic, said in NO_LOGS.items() if head.startswith(magic)), None)
