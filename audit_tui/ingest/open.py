"""Opening logs by their content: compression, encoding, constant memory."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_tui.errors import FileError
from audit_tui.formats.record import MAX_RECORD_CHARS
from audit_tui.ingest.archive import (
    DAMAGED_ARCHIVE,
    TAR_HEAD_BYTES,
    ZIP_MAGIC,
    damaged,
    is_tar,
    tar_members,
    zip_members,
)
from audit_tui.ingest.encoding import UTF16_MARKS, Decoding
from audit_tui.ingest.event_log import EVTX_MAGIC
from audit_tui.ingest.find import unreadable
from audit_tui.ingest.follow import Followed, Live, Pipe
from audit_tui.ingest.unpack import (
    CHUNK_BYTES,
    DAMAGED,
    FREE_BYTES,
    HEAD_BYTES,
    MAX_RATIO,
    NO_LOGS,
    TRAILING,
    Source,
    TrailingBytes,
    is_compressed,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from audit_tui.ingest.archive import Member
    from audit_tui.ingest.find import LogFile

_TAR_NAME_BYTES = 200
HEAD_CHARS = 64 * 1024
"""Bytes of a file that are looked at to tell what it is."""


class IsDatabase(FileError):
    """A file is a database of SQLite: its tables may be read, but not as a log."""

    title = "Not a log"


class IsEventLog(FileError):
    """A file is a binary event log of Windows, which has events but no text."""


class NotALog(FileError):
    """A file is not a log that the program knows: in a folder that does no harm."""

    title = "Not a known log"


class UnpacksTooFar(FileError):
    """A file is a bomb: it unpacks to very much more than it is."""


class NotInArchive(NotALog):
    """A file of an archive is not a log that can be read."""


class OpenLog:
    """The text of a log as it is read: decompressed, decoded, at most once, in pieces.

    Bytes that are not UTF-8 become lone surrogates, so that the record's own bytes can be given back.

    Args:
        name: What messages call the log.
        read: Gives its bytes piece by piece, none at the end; None when nothing came for a while.
        position: How many bytes of the file have been read, before decompression.
        on_idle: Is called when nothing came for a while.
        is_ready: Whether there is something to read without waiting.
        encoding: Of the text; None tells it by its bytes.
        is_member: It is a file in an archive.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], bytes | None],
        position: Callable[[], int],
        *,
        on_idle: Callable[[], None] = lambda: None,
        is_ready: Callable[[], bool] | None = None,
        encoding: str | None = None,
        is_member: bool = False,
    ) -> None:
        self.name = name
        self.is_member = is_member
        self.modified_s: float | None = None
        self._encoding = encoding
        self._read_bytes = read
        self._position = position
        self._on_idle = on_idle
        self._is_ready = is_ready
        self._ahead = ""
        self._at_end = False
        self._has_trailing_bytes = False
        self._left_out: str | None = None
        self._remarks: list[str] = []
        self._open()

    def _open(self) -> None:
        first = b""
        while len(first) < 4 and b"\n" not in first and (more := self._wait_for_bytes()):
            first += more
        self._decoder = Decoding(first, self._encoding)
        self._ahead = self._decoder.decode(first, is_final=not first)
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
    def notes(self) -> tuple[str, ...]:
        """Notes on how it was read, each the end of a sentence that begins with its name."""
        notes = (self._left_out, self._decoder.note, TRAILING if self._has_trailing_bytes else None)
        return (*(note for note in notes if note is not None), *self._remarks)

    def remark(self, note: str) -> None:
        """Note how it was read, as the end of a sentence that begins with its name."""
        self._remarks.append(note)

    def leave_out(self, reason: str) -> None:
        """Read no more of it, and say why, as the end of a sentence that begins with its name."""
        self._left_out, self._ahead, self._at_end = reason, "", True

    def encoded(self, text: str) -> bytes:
        """Return the bytes that a part of the text was."""
        return self._decoder.encode(text)

    @property
    def is_live(self) -> bool:
        """Tell whether it is still written while it is read."""
        return self._is_ready is not None

    @property
    def position_bytes(self) -> int:
        """Bytes of the file that have been read, before decompression."""
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
        return self._decoder.decode(data, is_final=not data)

    def _wait_for_bytes(self) -> bytes:
        while (data := self._next_bytes()) is None:
            self._on_idle()
        return data

    def _next_bytes(self) -> bytes | None:
        try:
            return self._read_bytes()
        except TrailingBytes:
            self._has_trailing_bytes = True
            return b""
        except DAMAGED as error:
            raise unreadable(self.name, error) from None


_IDLE = "(nothing came)"


@dataclass(frozen=True, slots=True)
class Opening:
    """Options for opening logs."""

    on_idle: Callable[[], None] = lambda: None
    """Is called when nothing came for a while from a source that stays open."""
    is_unlimited: bool = False
    """Unpack whatever a file may unpack to."""
    follows: bool = False
    """Read on where a file ends, until another takes its place."""
    encoding: str | None = None
    """Of all files; None tells it by their bytes."""


@contextmanager
def open_logs(log: LogFile, opening: Opening = Opening()) -> Iterator[Iterator[OpenLog | FileError]]:
    """Open a log for reading, whatever it is compressed or encoded with; an archive gives its files.

    What is wrong with one file of an archive comes in its place.

    Raises:
        FileError: If it cannot be opened, or is not a log (a database, a picture).
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
            yield _dated(_texts_of(log, stream, opening), stream)
        else:
            yield _live_texts(log.name, live, opening)
    finally:
        if log.path is not None:
            stream.close()


def _live(log: LogFile, stream: BinaryIO, opening: Opening) -> Live | None:
    """The stream as one that stays open; None when it is a file that is there."""
    try:
        descriptor = stream.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (OSError, ValueError):
        return None  # a stream that is not a file
    if not is_file:
        return Pipe(descriptor)
    return Followed(log.path, descriptor) if opening.follows and log.path is not None else None


def _texts_of(log: LogFile, stream: BinaryIO, opening: Opening) -> Iterator[OpenLog | FileError]:
    try:
        head = stream.read(HEAD_BYTES)
        if head.startswith(EVTX_MAGIC) and log.path is not None and stream.seekable():
            raise IsEventLog(f"{log.name} is a binary event log of Windows.")
        if head.startswith(ZIP_MAGIC) and stream.seekable():
            return _of_zip(log, stream, opening)
    except OSError as error:
        raise unreadable(log.name, error) from None
    return _unpacked_texts(log.name, head, Source(head, stream.read), opening)


def _dated(texts: Iterator[OpenLog | FileError], stream: BinaryIO) -> Iterator[OpenLog | FileError]:
    """The logs of a file, which were written before it was last written."""
    try:
        modified_s = os.fstat(stream.fileno()).st_mtime
    except (OSError, ValueError):
        modified_s = None
    for text in texts:
        if isinstance(text, OpenLog):
            text.modified_s = modified_s
        yield text


def _of_zip(log: LogFile, stream: BinaryIO, opening: Opening) -> Iterator[OpenLog | FileError]:
    limit = _Limit(log.name, lambda: 0 if stream.closed else stream.tell(), opening)
    for member in zip_members(log.name, stream):
        yield _member_text(member, limit, opening)


def _live_texts(name: str, live: Live, opening: Opening) -> Iterator[OpenLog | FileError]:
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
    is_binary = b"\x00" in head and not head.startswith(UTF16_MARKS)
    if is_compressed(head) or is_binary or _no_log(head) is not None:
        return _unpacked_texts(name, head, Source(head, read), opening, is_live=True)
    ahead = [head]
    source = Source(b"", lambda _: b"")

    def next_bytes() -> bytes | None:
        data = ahead.pop() if ahead else live.read(CHUNK_BYTES)
        source.count_bytes += len(data or b"")
        return data

    text = OpenLog(
        name,
        next_bytes,
        lambda: source.count_bytes,
        on_idle=opening.on_idle,
        is_ready=live.is_ready,
        encoding=opening.encoding,
    )
    return iter((text,))


class _Limit:
    """Limit how far a file may unpack.

    Args:
        name: The file.
        position: How many of its bytes were read.
        opening: Whether it may unpack without end.
    """

    def __init__(self, name: str, position: Callable[[], int], opening: Opening) -> None:
        self._name = name
        self.position = position
        self._is_unlimited = opening.is_unlimited
        self._total_bytes = 0

    def take(self, data: bytes) -> bytes:
        """Count what was unpacked, and return it. Raises FileError when it is too much."""
        self._total_bytes += len(data)
        if not self._is_unlimited and self._total_bytes > MAX_RATIO * self.position() + FREE_BYTES:
            raise UnpacksTooFar(
                f"{self._name} unpacks to more than {MAX_RATIO:,} times its size:"
                " it was made to fill a disk.",
                "If it is meant to, --no-limit reads it.",
            )
        return data


def _unpacked_texts(
    name: str, head: bytes, source: Source, opening: Opening, *, is_live: bool = False
) -> Iterator[OpenLog | FileError]:
    refused = _no_log(head)
    if refused is not None:
        what, hint = refused
        raise (IsDatabase if head.startswith(b"SQLite") else FileError)(f"{name} {what}.", hint)
    unpacker = unpacked(head, source, is_live=is_live)
    limit = _Limit(name, lambda: source.count_bytes, opening)
    is_bounded = is_compressed(head)

    def unpack() -> bytes:
        data = unpacker.read1(CHUNK_BYTES)
        return limit.take(data) if is_bounded else data

    first, trailing = _first_bytes(name, unpack, is_live=is_live)
    if is_bounded and first.startswith(EVTX_MAGIC):
        raise FileError(f"{name} {NO_LOGS[EVTX_MAGIC][0]}.", "Decompress it first.")

    def read() -> bytes:
        nonlocal first
        if first:
            data, first = first, b""
            return data
        if trailing is not None:
            raise trailing
        return unpack()

    if is_tar(first):
        return _of_tar(name, Source(b"", lambda _: read()), limit, opening)
    # What is compressed tells of idleness while it waits, not piece by piece.
    is_ready = (lambda: False) if is_live else None
    text = OpenLog(name, read, limit.position, is_ready=is_ready, encoding=opening.encoding)
    return iter((text,))


def _first_bytes(
    name: str, unpack: Callable[[], bytes], *, is_live: bool
) -> tuple[bytes, TrailingBytes | None]:
    """The beginning of the data, which tells an archive, and what already came behind it.

    A pipe is waited for only where what came of it may be an archive.
    """
    first = b""
    try:
        while len(first) < TAR_HEAD_BYTES and (more := unpack()):
            first += more
            if is_live and b"\x00" not in first[:_TAR_NAME_BYTES]:
                break
    except TrailingBytes as trailing:
        return first, trailing
    except DAMAGED as error:
        raise unreadable(name, error) from None
    return first, None


def _of_tar(name: str, stream: Source, limit: _Limit, opening: Opening) -> Iterator[OpenLog | FileError]:
    for member in tar_members(name, stream):
        yield _member_text(member, limit, opening)


def _member_text(member: Member, limit: _Limit, opening: Opening) -> OpenLog | FileError:
    """The text of a file in an archive; the error of one that is not a log."""
    try:
        head = member.read(TAR_HEAD_BYTES)
        refused = _no_log(head)
        if refused is not None or is_tar(head):
            what = "is an archive in an archive" if refused is None else refused[0]
            return NotInArchive(f"{member.name} {what}.", "Unpack the archive, and name the folder.")
        unpacker = unpacked(head, Source(head, member.read))
    except (*DAMAGED, *DAMAGED_ARCHIVE) as error:
        return damaged(member.name, error)

    def read() -> bytes:
        try:
            return limit.take(unpacker.read1(CHUNK_BYTES))
        except DAMAGED_ARCHIVE as error:
            raise damaged(member.name, error) from None

    return OpenLog(member.name, read, limit.position, encoding=opening.encoding, is_member=True)


def _no_log(head: bytes) -> tuple[str, str] | None:
    return next((refusal for magic, refusal in NO_LOGS.items() if head.startswith(magic)), None)
