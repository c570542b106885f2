"""A cache of what was read of segments, for all readers of a store in one process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from audit_tui.store.index.segment import RowSegment

MAX_BYTES = 18 * 1024 * 1024
"""Of bitmaps and blocks: a quarter of those of 10,000,000 events; the others are read in 2 µs a KB."""

Value = TypeVar("Value")


class Cache:
    """The values used last, up to a number of bytes. Keys hold a segment's key, so nothing is ever stale."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.tail: dict[object, RowSegment] = {}
        """The events that were in no segment when a reader looked last, under what they are of."""
        self.scratch: object = None
        """The private index of what is here, because the store has it in no segment."""

    def get(self, key: Hashable, kind: type[Value]) -> Value | None:
        """Return what lies under a key; None if nothing."""
        with self._lock:
            entry = self._values.get(key)
            if entry is None:
                return None
            self._values.move_to_end(key)
            return cast("Value", entry[0])

    def get_all(self, keys: Iterable[Hashable], kind: type[Value]) -> list[Value | None]:
        """Return what lies under each of some keys."""
        get, touch = self._values.get, self._values.move_to_end
        values: list[Value | None] = []
        with self._lock:
            for key in keys:
                entry = get(key)
                if entry is None:
                    values.append(None)
                else:
                    touch(key)
                    values.append(cast("Value", entry[0]))
        return values

    def put(self, key: Hashable, value: object, size_bytes: int) -> None:
        """Put something under a key, and forget what was not used for longest."""
        with self._lock:
            before = self._values.pop(key, None)
            self._bytes += size_bytes - (0 if before is None else before[1])
            self._values[key] = value, size_bytes
            while self._bytes > self._max_bytes and self._values:
                _, (_, dropped_bytes) = self._values.popitem(last=False)
                self._bytes -= dropped_bytes
