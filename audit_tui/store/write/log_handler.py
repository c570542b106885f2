"""Recording what a program logs: ``from audit_tui import AuditLogHandler``."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audit_tui.store.write.audit_log import AuditLog

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

EXTRA = "audit"
"""The name under which a log call hands over what is known of the event: ``extra={"audit": {...}}``."""
_FIELDS = frozenset(
    {"event", "user", "category", "description", "outcome", "severity", "source_ip", "target", "metadata",
     "occurred_at", "key", "source"}
)  # fmt: skip
_SEVERITIES = (
    (60, 6),
    (logging.CRITICAL, 5),
    (logging.ERROR, 4),
    (logging.WARNING, 3),
    (logging.INFO + 1, 2),
    (1, 1),
)
"""The lowest level of each severity. Between INFO and WARNING is what syslog calls a notice."""


class AuditLogHandler(logging.Handler):
    """Records each log record as an event, durably, before the log call returns.

    The event's name is the logger's, its description the formatted message, its time the record's, its
    source the log's or else the logger's name. The severity follows the level: DEBUG and INFO 1, up to
    WARNING 2, WARNING 3, ERROR 4, CRITICAL 5, from 60 on 6. The outcome is unknown. What is known better
    goes into ``extra``, under the names of ``AuditLog.record``; any other name is metadata::

        logger.warning("refused", extra={"audit": {"event": "Login", "user": "bob", "outcome": "failure"}})

    A record that cannot be stored is given to ``handleError`` and never raises into the program. To keep
    the program from waiting for the disk, put ``logging.handlers.QueueHandler`` in front.

    Args:
        log: Where to: an ``AuditLog``, which stays its owner's to close, or the path of a store.
        level: The lowest level to record.
    """

    def __init__(self, log: AuditLog | str | os.PathLike[str], level: int | str = logging.NOTSET) -> None:
        super().__init__(level)
        self._is_owner = not isinstance(log, AuditLog)
        self.log = log if isinstance(log, AuditLog) else AuditLog(log)
        self._here = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Record it; what goes wrong is for ``handleError``."""
        if getattr(self._here, "is_inside", False):
            # What recording itself logs, or warns of, would come back here for ever.
            return
        self._here.is_inside = True
        try:
            self._record(record)
        except Exception:  # noqa: BLE001 - a handler's contract: the program goes on, whatever its data does
            # RecursionError too, which logging's own handlers raise because what they call may log: here that
            # is stopped above. With the stack nearly full, even telling may fail.
            with suppress(RecursionError):
                self.handleError(record)
        finally:
            self._here.is_inside = False

    def close(self) -> None:
        """Let go of the store, if it was this handler that opened it."""
        if self._is_owner:
            self.log.close()
        super().close()

    def _record(self, record: logging.LogRecord) -> None:
        told = getattr(record, EXTRA, None)
        given: dict[str, Any] = {"event": told} if isinstance(told, str) else dict(told or {})
        fields = {name: value for name, value in given.items() if name in _FIELDS}
        others = {str(name): value for name, value in given.items() if name not in _FIELDS}
        metadata = {**others, **(fields.pop("metadata", None) or {})}
        self.log.record(
            **{
                "event": record.name,
                "description": self.format(record),
                "severity": severity_of(record.levelno),
                "occurred_at": datetime.fromtimestamp(record.created, UTC),
                "metadata": _as_json(metadata),
                "source": self.log.source or record.name,
                **fields,
            }
        )


def severity_of(level: int) -> int:
    """The severity of a log level; 0, unknown, for NOTSET."""
    return next((severity for lowest, severity in _SEVERITIES if level >= lowest), 0)


def _as_json(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata with text for whatever is not JSON: better than to lose the record."""
    return {str(name): _json_value(value) for name, value in metadata.items()}


def _json_value(value: object) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(json.dumps(value, default=str, allow_nan=False))
    except (RecursionError, TypeError, ValueError) as error:
        return f"<{type(value).__name__} that is not JSON: {type(error).__name__}>"
