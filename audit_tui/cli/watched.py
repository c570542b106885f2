"""The events that are appended to a store, each once, over replaced files and ended runs."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import mmap
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.cli.source import open_source
from audit_tui.core.filter.matching import matcher
from audit_tui.core.new_file import private_folder
from audit_tui.core.query import Standing
from audit_tui.core.query_line.text import line_of
from audit_tui.errors import FileError, StoreDamaged, StoreMissing
from audit_tui.store.file.closing import Closing

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import EventReader


POLL_S = 0.5
"""The seconds between two looks at the store; a look takes 0.1 ms."""


class Watch(Closing):
    """New events that a filter takes, in the order in which they are appended.

    A store may be replaced by another file, which is then watched from its beginning. A resumed watch begins
    behind the last event of a run before. ``is_hit`` is asked of events that the filter takes, with names as
    they are.
    """

    def __init__(
        self,
        store: Path,
        expression: Filter,
        is_inside: Callable[[int], bool],
        folder: Path,
        redact: RedactMode,
        *,
        is_resumed: bool,
        is_hit: Callable[[AuditEvent, EventReader], bool] = lambda *_: True,
    ) -> None:
        self._store = store
        self._folder = folder
        self._is_inside = is_inside
        self._redact = redact
        self._is_hit = is_hit
        self._words = line_of(expression)
        self._expression = expression
        self._reader = open_source(store)()
        self._store_id = self._reader.info().store_id
        self._cursor = Cursor(folder, self._store_id, self._words)
        newest = self._reader.newest_seq()
        saved = self._cursor.saved if is_resumed else None
        # Of a store that was put back from an older copy, what comes is new.
        self._seq = newest if saved is None else min(saved, newest)
        self._cursor.begin(self._seq)

    def close(self) -> None:
        """Let the store go, and note where the run ended."""
        self._reader.close()
        self._cursor.close()

    def events(self) -> Iterator[AuditEvent]:
        """Yield the events as they come, for ever; ``handled`` notes each.

        Raises:
            StoreDamaged: If the store was cut short, or overwritten.
        """
        while True:
            state = self._reader.state()
            if state.standing is Standing.DAMAGED:
                raise StoreDamaged(f"{self._store} is damaged.", "audit-tui verify tells more.")
            yield from self._appended()
            if state.standing is Standing.IN_PLACE or not self._reopen():
                time.sleep(POLL_S)

    def handled(self, seq: int) -> None:
        """Note that an event needs not come again."""
        if seq > self._seq:
            self._seq = seq
            self._cursor.save(seq)

    def give(self, seq: int, line: str, out: int) -> None:
        """Print the line of an event, so that it comes once even if the run is killed at this moment."""
        self._cursor.send(seq, line.encode("utf-8", "backslashreplace") + b"\n", out)
        self._seq = seq

    def has_given(self, seq: int) -> bool:
        """Tell whether the line of an event was given out, also where a signal came before that was noted."""
        return self._cursor.given_seq == seq

    def _appended(self) -> Iterator[AuditEvent]:
        newest = self._reader.newest_seq()
        names = self._redact.pseudonyms(self._reader)
        is_wanted = matcher(self._redact.real(self._expression))
        while self._seq < newest:
            seq = self._seq + 1
            event = self._reader.event(seq)
            is_inside = event is not None and self._is_inside(event.occurred_us)
            if event is not None and is_inside and is_wanted(event) and self._is_hit(event, self._reader):
                yield event if names is None else names.event(event)
            self.handled(seq)

    def _reopen(self) -> bool:
        """Turn to the file that lies in the store's place now; False while there is none."""
        try:
            reader = open_source(self._store)()
        except StoreMissing:
            return False
        # What was appended to the old file until it was let go.
        self._reader.close()
        self._reader = reader
        store_id = reader.info().store_id
        if store_id != self._store_id:
            self._cursor.close()
            self._store_id, self._seq = store_id, 0
            self._cursor = Cursor(self._folder, store_id, self._words)
            self._seq = self._cursor.saved or 0
            self._cursor.begin(self._seq)
        self._seq = min(self._seq, reader.newest_seq())
        return True


_DIGITS = 20
_HEAD_BYTES = mmap.PAGESIZE
_ACTIVE = 64
"""The place of the number of the slot in force; the slots follow, and what the line goes to."""
_OUT, _OUT_BYTES = 256, 96
_LINES_BYTES = 1024 * 1024
"""A file takes this many bytes of lines before a new one is begun."""
_MAX_LINE_BYTES = 256 * 1024 * 1024
_SLOT = ctypes.c_int64 * 4
_SEQ, _START, _SENT, _END = range(4)


class Cursor:
    """The number of the last event that was handled, in a file that outlives the run.

    The file also holds the lines that are given out. The kernel sends a line from there, and notes in the
    file how far it came, in one call that a kill does not divide. So a run that is killed repeats no line,
    and leaves none out. A loss of power may take the last seconds of notes, after which events come again.

    The words tell what is watched, so that two watches of one store have a place each.
    """

    def __init__(self, folder: Path, store_id: str, words: str) -> None:
        name = hashlib.sha256(f"{store_id}\n{words}".encode("utf-8", "backslashreplace")).hexdigest()[:24]
        self._descriptor = -1
        self._path = folder / f"{name}.seq"
        self._fresh = self._path.with_suffix(f".{os.getpid()}")
        self._end_bytes = _HEAD_BYTES
        try:
            private_folder(folder)
            # Made only with a number in it: somebody may look for it.
            self._open(self._path if self._path.exists() else self._fresh)
            text = os.pread(self._descriptor, _DIGITS, 0)
            self.saved = int(text) if text.isdigit() else None
            """The number of a run before; None when there was none."""
            self._finish_line()
        except OSError as error:
            raise FileError(f"{self._path} cannot be used: {error.strerror}.") from error

    def begin(self, saved: int) -> None:
        """Put a new file in the place of this one, whose lines may still be on their way through a pipe."""
        self.close()
        self._fresh.unlink(missing_ok=True)
        self._open(self._fresh)
        self.save(saved)
        self._fresh.replace(self._path)

    @property
    def given_seq(self) -> int:
        """The number of the event whose line was given out last, by what the kernel notes; 0 for none."""
        slot = self._slots[self._active.value]
        return int(slot[_SEQ]) if slot[_SENT] == slot[_END] else 0

    def save(self, seq: int) -> None:
        """Note the number of an event that was handled."""
        os.pwrite(self._descriptor, f"{seq:0{_DIGITS}}".encode(), 0)

    def send(self, seq: int, line: bytes, out: int) -> None:
        """Give out the line of an event, and note its number."""
        if self._end_bytes > _HEAD_BYTES + _LINES_BYTES:
            self.begin(seq - 1)
        start = self._end_bytes
        self._end_bytes = end = start + len(line)
        os.pwrite(self._descriptor, line, start)
        os.pwrite(self._descriptor, _identity(out), _OUT)
        number = 1 - self._active.value
        slot = self._slots[number]
        slot[_SEQ], slot[_START], slot[_SENT], slot[_END] = seq, start, start, end
        self._active.value = number  # one store into memory: from here on the slot is in force
        self._send(slot, out)
        self.save(seq)

    def close(self) -> None:
        """Let the file go; may be called again."""
        # The map is not closed: a signal that comes while a line is sent leaves a slot in its traceback,
        # and a map that is still looked into refuses.
        for name in ("_active", "_slots", "_map"):
            vars(self).pop(name, None)
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        if os.fstat(self._descriptor).st_size < _HEAD_BYTES:
            os.ftruncate(self._descriptor, _HEAD_BYTES)
        self._map = mmap.mmap(self._descriptor, _HEAD_BYTES)
        self._active = ctypes.c_int64.from_buffer(self._map, _ACTIVE)
        first = _ACTIVE + ctypes.sizeof(ctypes.c_int64)
        self._slots = [_SLOT.from_buffer(self._map, first + place * ctypes.sizeof(_SLOT)) for place in (0, 1)]
        self._active.value &= 1
        self._end_bytes = _HEAD_BYTES

    def _finish_line(self) -> None:
        """Take up the line that the run before was giving out when it ended, if it goes to the same place."""
        slot = self._slots[self._active.value]
        seq, start, sent, end = slot
        if seq <= (self.saved or 0) or not _HEAD_BYTES <= start <= sent <= end <= start + _MAX_LINE_BYTES:
            return
        try:
            out = sys.stdout.fileno()
            noted = os.pread(self._descriptor, _OUT_BYTES, _OUT).rstrip(b"\x00 ")
            before, now = (text.rsplit(b":", 1) for text in (noted, _identity(out)))
            if sent < end and before[0] == now[0] and start < end:
                slot[_SENT] = sent = max(sent, start + self._appended(out, int(before[1]), start, end))
                if sent > start:
                    self._send(slot, out)
        except (AttributeError, OSError, ValueError):
            pass  # standard output is not a file, or has no such place: the line comes again
        if slot[_SENT] == end:
            self.saved = seq

    def _appended(self, out: int, begin_bytes: int, start: int, end: int) -> int:
        """Return how many bytes of a line a file has to which it was to be appended."""
        if not stat.S_ISREG(os.fstat(out).st_mode):
            return 0
        line = os.pread(self._descriptor, end - start, start)
        with Path(f"/dev/fd/{out}").open("rb") as written:
            written.seek(begin_bytes)
            data = written.read(len(line) + _LINES_BYTES)
        return len(line) if line in data else len(data) if line.startswith(data) else 0

    def _send(self, slot: ctypes.Array[ctypes.c_int64], out: int) -> None:
        """Send what is left of a line; OSError if it goes nowhere any more, as through a closed pipe."""
        while slot[_SENT] < slot[_END]:
            if not _send_file(out, self._descriptor, slot):
                # Not for every file, as one that is appended to.
                size = slot[_END] - slot[_SENT]
                slot[_SENT] += os.write(out, os.pread(self._descriptor, size, slot[_SENT]))


def _identity(out: int) -> bytes:
    """Return what tells an open file from others, and its size."""
    status = os.fstat(out)
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}".encode().ljust(_OUT_BYTES)


def _send_file(out: int, source: int, slot: ctypes.Array[ctypes.c_int64]) -> bool:
    """Send on, and have the kernel note in the slot how far; False where the system cannot."""
    send = getattr(ctypes.CDLL(None, use_errno=True), "sendfile64", None)
    if send is None or not sys.platform.startswith("linux"):
        return False
    sent = ctypes.byref(slot, _SENT * ctypes.sizeof(ctypes.c_int64))
    size = send(out, source, sent, ctypes.c_size_t(slot[_END] - slot[_SENT]))
    if size >= 0:
        return bool(size > 0)
    code = ctypes.get_errno()
    if code == errno.EAGAIN:
        select.select([], [out], [])
    elif code in (errno.EINVAL, errno.ENOSYS, errno.EBADF, errno.ESPIPE):
        return False
    elif code != errno.EINTR:
        raise OSError(code, os.strerror(code))
    return True
