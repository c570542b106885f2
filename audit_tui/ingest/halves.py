"""One event of an act that a log tells in two records: that it was asked for, and how it ended."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.record import Halves
    from audit_tui.ingest.events import Mapped

MAX_WAITING = 10_000
"""Up to this many acts are under way at once; the oldest is then given away as it is."""
MAX_WAITING_CHARS = 64 * 1024 * 1024
LIVE_WAIT_S = 10.0
"""An act of a log that is still written is shown as asked for when it has not ended by then."""


class Half(NamedTuple):
    """An event on its way to the store."""

    name: str
    """The log that it comes from."""
    mapped: Mapped
    unless: str | None = None
    """The key of the event that tells the same and how it ended: with that in the store this is not new."""


class Acts:
    """Joins the two halves of each act, in whatever order and however far apart they stand.

    The joined event has the key of its second half, which says all that the first one does. So a store that
    has either never gets a third event of the act.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Half, float]] = {}
        self._chars = 0

    def of(self, name: str, mapped: Mapped, halves: Halves) -> Iterator[Half]:
        """Yield what the next event of a log makes complete.

        Args:
            name: The log.
            mapped: The event.
            halves: The way its format tells acts.
        """
        key = mapped.event.key or ""
        if key.endswith(halves.asked):
            ended = key.removesuffix(halves.asked) + halves.ended
            half = Half(name, mapped, ended)
            if ended in self._waiting:
                yield half  # told once more, by another device of the log
                return
            self._waiting[ended] = half, time.monotonic()
            self._chars += len(mapped.record.text)
            while len(self._waiting) > MAX_WAITING or self._chars > MAX_WAITING_CHARS:
                yield self._taken(next(iter(self._waiting)))
        elif key in self._waiting:
            yield Half(name, _joined(self._taken(key).mapped, mapped, halves))
        else:
            yield Half(name, mapped)

    def overdue(self, wait_s: float = 0.0) -> Iterator[Half]:
        """Yield the acts whose second half did not come for so long; all of them when nothing more comes."""
        now_s = time.monotonic()
        while self._waiting:
            key, (_, since_s) = next(iter(self._waiting.items()))
            if now_s - since_s < wait_s:
                return
            yield self._taken(key)

    def _taken(self, key: str) -> Half:
        half, _ = self._waiting.pop(key)
        self._chars -= len(half.mapped.record.text)
        return half


def _joined(asked: Mapped, ended: Mapped, halves: Halves) -> Mapped:
    """Return the event of both; both texts are its original where the columns do not say all of one."""
    event = halves.join(asked.event, ended.event)
    text = f"{asked.record.text}\n{ended.record.text}"
    if asked.event.original is not None or ended.event.original is not None:
        event = replace(event, original=b"\n".join(map(_original, (asked, ended))))
    return ended._replace(event=event, record=asked.record._replace(fields=ended.record.fields, text=text))


def _original(mapped: Mapped) -> bytes:
    original = mapped.event.original
    return mapped.record.text.encode("utf-8", "surrogateescape") if original is None else original
