"""Shipping a sealed store to a shared engine: each event once, in order, from where it ended before."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.text import counted
from audit_tui.engines.outgoing import OutgoingStore
from audit_tui.engines.pool import LEAST_WAIT_S, MOST_WAIT_S
from audit_tui.errors import SourceLost, StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.outgoing import Batch
    from audit_tui.engines.writing import SharedWriter

LOOK_S = 1.0
"""The time between two looks for new events."""


class NotShipped(StoreError):
    """The shared engine has other events of this store than the store itself."""

    title = "Not shipped"


class Shipped(NamedTuple):
    """The result of a run."""

    sent: int
    already: int
    """Events that the engine had before."""
    outdated: int
    """Events that a declared act removed or redacted here after they were shipped: they still stand there."""


class Shipper:
    """Ships one store.

    Args:
        path: The store.
        url: The engine.
        name: The name of the store in the engine.
        connect: Opens the engine for writing.
        batch_events: The events in one transaction; None as the engine likes it.
    """

    def __init__(
        self,
        path: Path,
        url: SourceUrl,
        name: str,
        connect: Callable[[], SharedWriter],
        batch_events: int | None = None,
    ) -> None:
        self._path = path
        self._url = url
        self._name = name
        self._connect = connect
        self._batch_events = batch_events
        self._writer: SharedWriter | None = None
        self._sent = 0
        self._already: int | None = None
        self._outdated = 0

    @property
    def result(self) -> Shipped:
        """The numbers of this run so far."""
        return Shipped(self._sent, self._already or 0, self._outdated)

    def run(self, report: Callable[[int, int], None]) -> None:
        """Send what is not there yet.

        Args:
            report: Is told after each batch how many events are there, and how many the store has.

        Raises:
            NotShipped: If the engine has events that are not the store's.
            SourceLost: If the engine cannot be reached; what was sent is there.
            StoreError: If the store cannot be read, or an event is not what was sealed.
        """
        with OutgoingStore(self._path) as outgoing:
            writer = self._writer = self._writer or self._connect()
            try:
                self._ship(outgoing, writer, report)
            except SourceLost:
                self.close()
                raise

    def follow(self, report: Callable[[int, int], None], tell: Callable[[str], None]) -> None:
        """Send what comes, until the process is ended; an engine that is away is waited for.

        Args:
            report: As in ``run``.
            tell: Is told in a sentence when all is shipped first, when the engine goes, and when it is back.
        """
        wait_s, is_lost, is_told = LEAST_WAIT_S, False, False
        while True:
            try:
                self.run(report)
            except SourceLost as error:
                if not is_lost:
                    tell(f"{error.message.rstrip('.')}. Trying again; nothing is lost: {self._behind()}.")
                is_lost = True
                time.sleep(wait_s)
                wait_s = min(wait_s * 2, MOST_WAIT_S)
                continue
            if is_lost:
                tell(f"{self._url} can be reached again; all is shipped.")
            elif not is_told:
                # The log of a service would else be empty until it ends.
                events = counted(self._sent + (self._already or 0), "event")
                tell(f"{self._url} has all {events} of {self._path}. New ones are sent as they come.")
            wait_s, is_lost, is_told = LEAST_WAIT_S, False, True
            time.sleep(LOOK_S)

    def close(self) -> None:
        """Let the connection go."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _behind(self) -> str:
        with OutgoingStore(self._path) as outgoing:
            size = outgoing.size()
        if self._already is None:
            return f"the store has {counted(size, 'event')}"
        return f"{counted(max(size - self._already - self._sent, 0), 'event')} wait here"

    def _ship(
        self, outgoing: OutgoingStore, writer: SharedWriter, report: Callable[[int, int], None]
    ) -> None:
        store = writer.register(outgoing.store_id, self._name)
        done = self._checked_head(outgoing, writer, store)
        if self._already is None:
            self._already = done
        begun = done
        size = outgoing.size()
        # First of all: whoever is killed after the batches would never tell them.
        new = [removal for removal in outgoing.removals() if removal.by > begun]
        writer.declare(store, new, outgoing.leaves)
        batch_events = self._batch_events or writer.batch_events
        # The next batch is read while the engine takes one.
        with ThreadPoolExecutor(1) as ahead:

            def read(after: int) -> Future[Batch] | None:
                last = min(after + batch_events, size)
                return ahead.submit(outgoing.batch, after + 1, last) if after < last else None

            waiting = read(done)
            while waiting is not None:
                batch = waiting.result()
                waiting = read(batch.last)
                try:
                    writer.send(store, batch)
                except StoreBusy:
                    # Another shipper of the same store: what it sent must be the same.
                    done = ahead.submit(self._checked_head, outgoing, writer, store).result()
                    waiting = read(done)
                    continue
                self._sent += batch.last - done
                done = batch.last
                report(done, size)
        self._outdated += sum(
            min(removal.last, begun) - removal.first + 1 for removal in new if removal.first <= begun
        )

    def _checked_head(self, outgoing: OutgoingStore, writer: SharedWriter, store: int) -> int:
        """Return how many events are there, once they are known to be this store's first ones."""
        number, root = writer.head(store)
        size = outgoing.size()
        if number > size:
            raise NotShipped(
                f"{self._url} has {counted(number, 'event')} of this store, and here are only {size:,}:"
                " this is an older copy of it.",
                "Nothing was sent. Ship the store itself, or import this copy into a new store.",
            )
        if number and outgoing.root(number) != root:
            raise NotShipped(
                f"{self._url} has other events under the id of this store: another copy of it was written to"
                " and shipped, or its seals were changed.",
                "Nothing was sent. Import this copy into a new store to ship it beside the other.",
            )
        return number
