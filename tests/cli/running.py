"""Running a command in this process, and a store for it to read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from click.testing import CliRunner

from audit_tui.cli.main import NAME, commands
from audit_tui.cli.session import Session
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from click.testing import Result

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def run(*args: str, now: datetime = NOW) -> Result:
    """Run ``audit-tui`` with these arguments at this moment; an error that is not an exit is raised."""
    result = CliRunner().invoke(commands, args, prog_name=NAME, obj=Session(clock=lambda: now))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def at(text: str) -> int:
    """A moment in UTC, ``2026-11-22 14:00``, as events hold it."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


EVENTS = (
    AuditEvent(
        "Role created",
        at("2026-11-20 09:30:00.25"),
        key="k1",
        category="Roles",
        user="alice@acme.io",
        description="Created Auditor",
        outcome=Outcome.SUCCESS,
        severity=1,
        source_ip="10.20.4.7",
        target="Auditor",
        source="app",
        metadata={"Role ID": "r-17", "nested": {"ok": True, "n": 12345678901234567890}},
    ),
    AuditEvent(
        "Login",
        at("2026-11-22 13:40"),
        key="k2",
        category="Login/Logout",
        user="bob@acme.io",
        description="Refused: wrong password",
        outcome=Outcome.FAILURE,
    ),
    AuditEvent("Heartbeat", at("2026-10-23 23:59:59"), key="k3"),
    AuditEvent("Login", at("2025-03-01 12:00"), key="k4", category="Login/Logout", user="alice@acme.io"),
)
"""Two events of the last 30 days, then one just before them, then one of another year."""


def make_store(path: Path, events: Iterable[AuditEvent] = EVENTS) -> Path:
    """A store with these events."""
    with StoreWriter(path, durable=False) as writer:
        writer.append(list(events))
    return path
