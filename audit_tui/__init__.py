"""Read and record audit logs in a terminal.

A program records with ``AuditLog``, or with ``AuditLogHandler`` what it logs anyway, and imports log files
with ``import_logs``. Each is loaded when it is first asked for, so that the commands do not pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit_tui.ingest.import_logs import import_logs
    from audit_tui.store.write.audit_log import AuditLog
    from audit_tui.store.write.log_handler import AuditLogHandler

__all__ = ["AuditLog", "AuditLogHandler", "__version__", "import_logs"]

__version__ = "0.1.0"

_MODULES = {
    "AuditLog": "audit_tui.store.write.audit_log",
    "AuditLogHandler": "audit_tui.store.write.log_handler",
    "import_logs": "audit_tui.ingest.import_logs",
}

# Type checkers know the names from above; to them this would make every other name valid too.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value

    def __dir__() -> list[str]:
        """The public names, imported or not."""
        return sorted({*globals(), *__all__})
