"""Readings of the record as part of the record: openings and exports as events of the store itself.

Switched on by the setting ``record-own-acts``. Whoever may only read the store is not kept from reading
it: that it could not be recorded is told instead.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from audit_tui.core.source import SourceUrl
from audit_tui.core.text import counted
from audit_tui.errors import AuditTuiError

if TYPE_CHECKING:
    from audit_tui.core.export import ExportJob, ExportResult
    from audit_tui.core.source import EventSource

OPENED = "Audit log opened"
EXPORTED = "Audit log exported"
CATEGORY = "Audit log"
SOURCE = "audit-tui"


class OwnActs:
    """Records what is done with a store by this program.

    Acts on a shared engine are recorded in the store of this machine.
    """

    def __init__(self, store: EventSource, *, is_on: bool) -> None:
        self._store = store
        self._is_on = is_on

    def opened(self) -> str:
        """Record that somebody opens the store; gives what to say when it could not be, else nothing."""
        return self._record(OPENED, f"opened the audit log {self._store.name}", {})

    def exported(self, job: ExportJob, result: ExportResult) -> str:
        """Record an export that was written; gives what to say when it could not be, else nothing."""
        sentence = f"exported {counted(result.events, 'event')} of {self._store.name} to {result.path}"
        details = {
            "file": str(result.path.absolute()),
            "events": result.events,
            "format": job.writing.format.value,
        }
        return self._record(EXPORTED, sentence, details)

    def _record(self, event: str, sentence: str, details: dict[str, Any]) -> str:
        if not self._is_on:
            return ""
        import socket

        from audit_tui.store.write.audit_log import AuditLog

        user = _user()
        # A shared engine is only read: what is done with it stands in the store of this machine.
        path, target = (None, str(self._store)) if isinstance(self._store, SourceUrl) else (self._store, None)
        whence = {"host": socket.gethostname()}
        if client := os.environ.get("SSH_CONNECTION", "").partition(" ")[0]:
            whence["client"] = client
        try:
            with AuditLog(path, source=SOURCE) as log:
                log.record(
                    event,
                    category=CATEGORY,
                    user=user,
                    description=f"{user} {sentence}",
                    outcome="success",
                    target=target,
                    metadata=details | whence,
                )
        except AuditTuiError as error:
            return f"Not recorded that you {sentence.partition(' ')[0]} it: {error.message}"
        return ""


def _user() -> str:
    """Return who is really acting: behind sudo, the user who called it."""
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    behind = os.environ.get("SUDO_USER")
    return f"{behind} (as {name})" if behind and behind != name else name
