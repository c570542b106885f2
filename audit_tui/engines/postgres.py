"""PostgreSQL as a shared engine, by psycopg 3 (``pip install 'audit-tui[postgres]'``)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from audit_tui.core.source import without_password
from audit_tui.engines.pool import not_made, without_secrets
from audit_tui.errors import QueryCancelled, SourceLost, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.dialect import Value

CONNECT_TIMEOUT_S = 10
CANCEL_TIMEOUT_S = 10
_TLS_HINT = "Away from this machine the certificate is checked (sslmode=verify-full, sslrootcert)."

NOT_NOW = (errors.ReadOnlySqlTransaction, errors.DiskFull, errors.OutOfMemory, errors.TooManyConnections)
"""Refusals that end by themselves or by a hand there: a standby before it takes over, a full disk."""


class PostgresConnection:
    """One connection to PostgreSQL; implements ``pool.Connection``.

    Args:
        url: The server and the database.
        is_writing: Not for reading only.

    Raises:
        SourceLost: If it cannot be reached.
        StoreError: If it refuses.
    """

    def __init__(self, url: SourceUrl, *, is_writing: bool = False) -> None:
        self._url = url
        read_only = "" if is_writing else " -c default_transaction_read_only=on"
        try:
            self.raw = psycopg.connect(
                url.secret_text,
                autocommit=True,
                # A plan made for other values may walk all events: each statement is planned for its own.
                prepare_threshold=None,
                application_name="audit-tui",
                options=f"-c client_min_messages=error -c timezone=UTC{read_only}",
                **security(url),
            )
        except psycopg.Error as error:
            raise self._told(error, SourceLost) from None

    def rows(self, statement: str, values: Mapping[str, Value]) -> list[tuple[Any, ...]]:
        """Return all rows of a statement."""
        try:
            return self.raw.execute(statement, values, binary=True).fetchall()
        except errors.QueryCanceled:
            raise QueryCancelled("The query was cancelled.") from None
        except errors.UndefinedTable:
            raise not_made(self._url) from None
        except psycopg.Error as error:
            if self.raw.closed or isinstance(error, errors.AdminShutdown | errors.CrashShutdown):
                raise self._told(error, SourceLost) from None
            raise self._told(error, StoreError) from None

    def interrupt(self) -> None:
        """Ask the server to end the statement; takes a connection of its own."""
        try:
            self.raw.cancel_safe(timeout=CANCEL_TIMEOUT_S)
        except psycopg.Error:
            # Whoever waits for the statement is told of what is wrong.
            return

    def close(self) -> None:
        """Let it go."""
        self.raw.close()

    def _told(self, error: psycopg.Error, kind: type[StoreError]) -> StoreError:
        return told(error, self._url, kind)


def security(url: SourceUrl) -> dict[str, Any]:
    """Return the options of a connection that neither the URL nor the environment sets: TLS above all.

    Raises:
        UsageError: If the URL has what PostgreSQL does not know.
    """
    try:
        given = conninfo_to_dict(url.secret_text)
    except psycopg.Error as error:
        raise UsageError(f"{url} cannot be read: {without_password(str(error))}.") from None
    options: dict[str, Any] = {}
    if "connect_timeout" not in given and "PGCONNECT_TIMEOUT" not in os.environ:
        options["connect_timeout"] = CONNECT_TIMEOUT_S
    is_chosen = "sslmode" in given or "service" in given or {"PGSSLMODE", "PGSERVICE"} & os.environ.keys()
    if not is_chosen and not url.is_local:
        options["sslmode"] = "verify-full"
        has_roots = "sslrootcert" in given or "PGSSLROOTCERT" in os.environ
        if not has_roots and not (Path.home() / ".postgresql" / "root.crt").exists():
            options["sslrootcert"] = "system"
    return options


def told(error: psycopg.Error, url: SourceUrl, kind: type[StoreError] = StoreError) -> StoreError:
    """Return an error of the driver as one of ours: in one line, and without the password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    words = without_secrets(lines[0] if lines else type(error).__name__, url)
    # A server that is killed ends TLS with an "unexpected eof": no certificate is wrong then.
    is_refused = ("SSL" in words or "certificate" in words) and "unexpected eof" not in words
    hint = _TLS_HINT if is_refused else ""
    if kind is SourceLost:
        event = "takes nothing now" if isinstance(error, NOT_NOW) else "cannot be reached"
        return SourceLost(f"{url} {event}: {words}", hint)
    return kind(f"{url} refuses: {words}", hint)
