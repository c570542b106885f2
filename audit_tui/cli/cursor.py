"""The place of a watch: which event was given out last, to the byte, however the run ended."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import mmap
import os
import select
import stat
import sys
from pathlib import Path

from audit_tui.core.new_file import private_folder
from audit_tui.errors import FileError

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

    Args:
        folder: The folder for such files.
        store_id: The store.
        words: What is watched, so that two watches of one store have a place each.
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
        """Put a new file in the place of this one, whose lines may still be on their way through a pipe.

        Args:
            saved: The number that it notes from the first.
        """
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
        """Give out the line of an event, and note its number.

        Args:
            seq: The number of the event.
            line: Its line.
            out: The open file that it goes to.
        """
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
            before, now = (text.rsplit(b":", 1) for text in (self._out(), _identity(out)))
            if sent < end and before[0] == now[0] and start < end:
                slot[_SENT] = sent = max(sent, start + self._appended(out, int(before[1]), start, end))
                if sent > start:
                    self._send(slot, out)
        except (AttributeError, OSError, ValueError):
            pass  # standard output is not a file, or has no such place: the line comes again
        if slot[_SENT] == end:
            self.saved = seq

    def _out(self) -> bytes:
        return os.pread(self._descriptor, _OUT_BYTES, _OUT).rstrip(b"\x00 ")

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
        """Send what is left of a line.

        Raises:
            OSError: If it goes nowhere any more, as through a closed pipe.
        """
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
