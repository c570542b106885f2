"""ClickHouse as a shared engine, by its official client (``pip install 'audit-tui[clickhouse]'``)."""

from __future__ import annotations

import logging
import os
import re
import uuid
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver import exceptions
from urllib3.exceptions import InsecureRequestWarning

from audit_tui.engines.pool import not_made, without_secrets
from audit_tui.errors import QueryCancelled, SourceLost, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clickhouse_connect.driver.client import Client

    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.dialect import Value

PORT, SECURE_PORT = 8123, 8443
CONNECT_TIMEOUT_S = 10
ANSWER_TIMEOUT_S = 120
"""The longest silence: while it works on a statement, a server sends its progress."""
_MISSING_TABLE, _CANCELLED, _READ_ONLY = "Code: 60", "Code: 394", "Code: 164"
ERRORS = (exceptions.Error, OSError, RuntimeError)
"""The last one is of the engine inside this process."""
_MOST_CHARS = 300
_NO = ("0", "false", "no")
_OPTIONS = frozenset({"secure", "verify", "ca_cert"})
_REASON = re.compile(r"\[Errno -?\d+\] ([^)'\"]+)|(certificate verify failed[^()]*)")
"""The reason of the system, inside 280 characters of the driver's classes and addresses."""
_SERVER_WORDS = re.compile(r"DB::Exception: (.*?)(?: \(for url [^)]*\))?$")
"""The words of the server, inside those of the driver."""
_HINTS = {
    "code: 516": "The password comes from CLICKHOUSE_PASSWORD, or stands in the URL.",
    "certificate": "Name the certificate of who signed it: ?ca_cert=FILE.",
}
# Without a handler Python writes the driver's warnings to the terminal, over the screen.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())


class ClickHouseConnection:
    """One client of ClickHouse; implements ``pool.Connection``.

    Args:
        url: The server and the database.

    Raises:
        SourceLost: If it cannot be reached.
        StoreError: If it refuses.
    """

    def __init__(self, url: SourceUrl) -> None:
        self._url = url
        self._query_id = ""
        self.client = self._connect()

    def rows(self, statement: str, values: Mapping[str, Value]) -> list[tuple[Any, ...]]:
        """Return all rows of a statement."""
        self._query_id = uuid.uuid4().hex
        try:
            settings = {"query_id": self._query_id}
            result = self.client.query(statement, parameters=dict(values), settings=settings)
            # Its rows may still be on their way.
            return list(map(tuple, result.result_rows))
        except ERRORS as error:
            raise told(error, self._url) from None

    def interrupt(self) -> None:
        """Ask the server to end the statement; takes a client of its own."""
        try:
            client = self._connect()
            client.command("KILL QUERY WHERE query_id = {id:String}", parameters={"id": self._query_id})
            client.close()
        except (StoreError, exceptions.Error):
            # Whoever waits for the statement is told of what is wrong.
            return

    def close(self) -> None:
        """Let it go."""
        self.client.close()

    def _connect(self) -> Client:
        try:
            return clickhouse_connect.get_client(**options(self._url))
        except ERRORS as error:
            raise told(error, self._url) from None


def options(url: SourceUrl) -> dict[str, Any]:
    """Return how to connect: by TLS with a checked certificate, except on this machine.

    Raises:
        UsageError: If the URL has an option that it must not have.
    """
    parts = urlsplit(url.secret_text)
    if parts.scheme == "chdb":
        # The engine inside this process.
        return {"dsn": url.secret_text}
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := given.keys() - _OPTIONS:
        raise UsageError(
            f"{url} does not know the option {min(unknown)}.",
            f"Options are {', '.join(sorted(_OPTIONS))}.",
        )
    is_secure = given.get("secure", str(not url.is_local)).lower() not in _NO
    is_verified = given.get("verify", "true").lower() not in _NO
    if not is_verified:
        # Whoever turned it off knows; the warning of each request would go over the screen.
        warnings.filterwarnings("ignore", category=InsecureRequestWarning)
    password = (
        os.environ.get("CLICKHOUSE_PASSWORD", "") if parts.password is None else unquote(parts.password)
    )
    return {
        "host": parts.hostname or "localhost",
        "port": parts.port or (SECURE_PORT if is_secure else PORT),
        "username": unquote(parts.username) if parts.username else None,
        "password": password,
        "database": unquote(parts.path.strip("/")) or "__default__",
        "secure": is_secure,
        "verify": is_verified,
        "ca_cert": given.get("ca_cert"),
        "connect_timeout": CONNECT_TIMEOUT_S,
        "send_receive_timeout": ANSWER_TIMEOUT_S,
        "autogenerate_session_id": False,
        "client_name": "audit-tui",
    }


def told(error: Exception, url: SourceUrl) -> Exception:
    """Return an error of the driver as one of ours, in one line, without the password; others as they are."""
    text = str(error)
    if _CANCELLED in text:
        return QueryCancelled("The query was cancelled.")
    if _MISSING_TABLE in text:
        return not_made(url)
    if not isinstance(error, ERRORS):
        return error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = without_secrets(lines[0] if lines else type(error).__name__, url)
    if server := _SERVER_WORDS.search(words):
        words = server[1]
    hint = next((hint for mark, hint in _HINTS.items() if mark in text), "")
    if not isinstance(error, exceptions.OperationalError | exceptions.InterfaceError | OSError):
        return StoreError(f"{url} refuses: {words[:_MOST_CHARS]}", hint)
    if "Read timed out" in text:
        words = f"it did not answer within {ANSWER_TIMEOUT_S} s"
    elif reason := _REASON.search(words):
        words = (reason[1] or reason[2]).strip()
    return SourceLost(f"{url} cannot be reached: {words[:_MOST_CHARS]}", hint)
