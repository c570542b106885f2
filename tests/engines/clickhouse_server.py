"""A server that speaks the HTTP of ClickHouse: the engine inside this process, and faults that are wanted."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qsl, urlsplit

import clickhouse_connect
import lz4.frame  # type: ignore[import-untyped]
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.engines.servers import empty_clickhouse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

_INSERT = re.compile(rb"INSERT INTO (\S+) \((.*?)\) FORMAT (\w+)\n", re.DOTALL)
_FORMAT = re.compile(r"\bFORMAT (\w+)\s*$")


@dataclass
class Faults:
    """The faults that a server has from now on."""

    password: str | None = None
    """The one that lets somebody in; None lets everybody in."""
    error: str = ""
    """The text with which statements that name ``audit_`` tables are refused, by 500."""
    breaks_after: int | None = None
    """The bytes of an answer about those tables after which the connection breaks."""
    is_silent: bool = False
    """Statements about those tables are never answered."""
    released: threading.Event = field(default_factory=threading.Event)
    """Set when the test is over."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of the base class
        """Say nothing."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
        if self.headers.get("Content-Encoding") == "lz4":
            body = lz4.frame.decompress(body)
        if (kind := self.headers.get("Content-Type", "")).startswith("multipart/form-data"):
            # As the driver sends many values: the statement is one of the fields.
            form = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\n\n" + body)
            for part in form.walk():
                if name := part.get_param("name", header="Content-Disposition"):
                    parameters[str(name)] = bytes(part.get_payload(decode=True)).decode()
            body = b""
        faults = self.server.faults
        words = self.headers.get("Authorization", "")
        if faults.password is not None and not _knows(words, faults.password):
            self._answer(403, b"Code: 516. DB::Exception: ann: Authentication failed", error="516")
            return
        statement = parameters.get("query", "").encode() + body
        is_ours = b"audit_" in statement[:2_000]
        if is_ours and faults.error:
            self._answer(500, faults.error.encode(), error="241")
            return
        if is_ours and faults.is_silent:
            faults.released.wait()
            return
        try:
            answer = self.server.run(statement, parameters)
        except DatabaseError as error:
            text = str(error).encode()
            number = re.search(rb"Code: (\d+)", text)
            self._answer(500, text, error=number[1].decode() if number else "1")
            return
        self._answer(200, answer, breaks_after=faults.breaks_after if is_ours else None)

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline(), 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _answer(self, code: int, data: bytes, *, error: str = "", breaks_after: int | None = None) -> None:
        self.send_response(code)
        if error:
            self.send_header("X-ClickHouse-Exception-Code", error)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:breaks_after])
        if breaks_after is not None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)


def _knows(header: str, password: str) -> bool:
    import base64

    kind, _, data = header.partition(" ")
    return kind == "Basic" and base64.b64decode(data).decode().partition(":")[2] == password


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    faults: Faults
    _lock: ClassVar = threading.Lock()

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults = Faults()
        self.statements: list[str] = []
        self._client = clickhouse_connect.get_client(dsn=url)
        self.database = str(self._client.database)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""

    def run(self, statement: bytes, parameters: dict[str, str]) -> bytes:
        """Let the engine answer a statement."""
        with self._lock:
            self.statements.append(statement[:2_000].decode(errors="replace"))
            if insert := _INSERT.match(statement):
                table, columns, kind = (part.decode() for part in insert.groups())
                names = [name.strip(" `") for name in columns.split(",")]
                self._client.raw_insert(table, names, statement[insert.end() :], fmt=kind)
                return b""
            values = {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}
            text = statement.decode()
            kind = parameters.get("default_format", "TabSeparated")
            if text.lstrip().upper().startswith(("SELECT", "WITH", "(")) and not _FORMAT.search(text):
                text += f"\nFORMAT {kind}"
            backend = self._client._backend  # type: ignore[attr-defined]
            result = backend._run(text, kind, params=values, database=self.database)
            return bytes(result.bytes() or b"")

    def url(self, user: str = "ann", password: str = "", options: str = "", host: str = "127.0.0.1") -> str:
        secret = f":{password}" if password else ""
        return f"clickhouse://{user}{secret}@{host}:{self.server_address[1]}/{self.database}{options}"


@contextmanager
def clickhouse_server(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[_Server]:
    """A server of an empty database for a block."""
    server = _Server(empty_clickhouse(folder), tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.faults.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
        server._client.close()
