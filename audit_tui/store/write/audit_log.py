"""Recording events from a program: ``from audit_tui import AuditLog``."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.recording import catalogue, completed, is_same, moment_us, outcome_named, require_known
from audit_tui.core.source import local_path
from audit_tui.errors import EventError
from audit_tui.store.tables.rows import random_key, stored_text
from audit_tui.store.write import kept_writer

if TYPE_CHECKING:
    import os
    from types import TracebackType

    from audit_tui.store.write.kept_writer import Recorded


class AuditLog:
    """Records events in a store, each acknowledged when it is on the disk.

    One is enough for a program: any thread may use it, it stays open between events, several processes may
    record into one store, and a fork does no harm. An event takes a few milliseconds, most of it the disk's;
    in asyncio: ``await asyncio.to_thread(log.record, ...)``.

    ::

        with AuditLog("audit.db", source="billing") as log:
            log.record("Role deleted", user="alice@acme.io", outcome="success")

    Args:
        path: The store, made when something is recorded and nothing is there. None is the one that the
            commands use: ``AUDIT_TUI_STORE``, the setting, else ``audit.db`` in the data directory.
        strict: Refuse what the catalogue does not know: other events, a category that is not the event's,
            expected metadata that is missing, metadata of another name. Else all of it is recorded as it is
            given, and the screen shows what was expected.
        source: The program or host that records, for all events that do not say; None leaves it open.

    Raises:
        ConfigError: If the path is None and the settings cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        strict: bool = False,
        source: str | None = None,
    ) -> None:
        self.path = _default_path() if path is None else Path(path).absolute()
        self.strict = strict
        self.source = source
        _import_what_it_takes()
        self._writer = kept_writer.take(self.path)
        # When the program ends all are closed anyway, and this could come before somebody's last event.
        weakref.finalize(self, kept_writer.let_go, self._writer).atexit = False

    def __repr__(self) -> str:
        return f"AuditLog({str(self.path)!r}, strict={self.strict!r}, source={self.source!r})"

    def __enter__(self) -> Self:
        self._writer.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def record(
        self,
        event: str,
        *,
        user: str | None = None,
        category: str | None = None,
        description: str | None = None,
        outcome: str = Outcome.UNKNOWN,
        severity: int | None = None,
        source_ip: str | None = None,
        target: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        occurred_at: datetime | None = None,
        key: str | None = None,
        source: str | None = None,
    ) -> AuditEvent:
        """Record an event, and return it once no power cut can lose it.

        Args:
            event: Its name, as "Role created": one of the catalogue, or any other.
            user: Who did it; None when nobody is named.
            category: What kind of thing it happened to; None takes the catalogue's.
            description: A sentence for people.
            outcome: "success", "failure" or "unknown". It is unknown unless told: that a program got as far
                as recording does not say how the act ended.
            severity: 0 (unknown) to 6 (fatal), as OCSF severity_id.
            source_ip: Where the user acted from; None takes the metadata "IP Address".
            target: What was acted upon; None takes the name, else the ID, in the metadata of a known event.
            metadata: Everything else, as JSON.
            occurred_at: When, an aware datetime; None is now.
            key: What makes recording it again store nothing, as a request's id; None is a random one.
            source: The program, part of it, or host that records; None is the log's own.

        Returns:
            The event as it is in the store, with its number ``seq``: of two with one key, the first.

        Raises:
            EventError: If it cannot be stored as it is given, strict recording does not know it, or the key
                is that of an event that says something else.
            StoreBusy: If another program keeps the store locked for 10 seconds.
            StoreFull: If there is no space left.
            StoreError: If there is another thing at the path, or it cannot be written.
        """
        if not isinstance(metadata, Mapping | None):
            raise EventError(f"The metadata must be a mapping, not {type(metadata).__name__}.")
        given = AuditEvent(
            event=event,
            occurred_us=moment_us(datetime.now(UTC) if occurred_at is None else occurred_at),
            key=key,
            category=category,
            user=user,
            description=description,
            outcome=outcome_named(outcome),
            severity=severity,
            source_ip=source_ip,
            target=target,
            source=source or self.source,
            metadata=dict(metadata or {}),
        )
        return self.add(given).event

    def add(self, event: AuditEvent) -> Recorded:
        """Record an event that is made already; the same as ``record``, and tells whether it is new.

        Raises:
            EventError: As ``record``.
            StoreError: As ``record``.
        """
        whole = completed(event)
        if self.strict:
            require_known(whole)
        wanted = _as_stored(whole)
        recorded = self._writer.append(wanted)
        if not recorded.is_new and not is_same(recorded.event, wanted):
            raise EventError(
                f"The key {wanted.key!r} is that of event {recorded.event.seq}, which says something else.",
                "Give each event a key of its own, or none.",
            )
        return recorded

    def close(self) -> None:
        """Leave one file behind, and let it go; recording again opens it again. Never fails."""
        self._writer.close()


def _import_what_it_takes() -> None:
    """Import what is imported late: a child of a fork hangs on what another thread was importing then."""
    catalogue()
    random_key()


def _default_path() -> Path:
    from audit_tui.config import default_store_path, load

    return local_path(load().settings.store or default_store_path()).absolute()


def _as_stored(event: AuditEvent) -> AuditEvent:
    """The event with its texts as the store will give them back, and with a key."""
    return replace(
        event,
        event=stored_text(event.event),
        key=_stored(event.key) or random_key(),
        category=_stored(event.category),
        user=_stored(event.user),
        description=_stored(event.description),
        source_ip=_stored(event.source_ip),
        target=_stored(event.target),
        source=_stored(event.source),
    )


def _stored(text: str | None) -> str | None:
    return None if text is None else stored_text(text)
