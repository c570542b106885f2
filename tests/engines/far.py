"""A server that is far away: a proxy before it that counts round trips, takes time, or holds it up."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from audit_tui.core.source import POSTGRESQL
from tests.engines.clickhouse_server import clickhouse_server
from tests.engines.servers import empty_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.ui.waiting import Gate


class Proxy:
    """Stands before a server.

    Args:
        connect: Connects to the server.
        delay_s: The time that data takes, each way; what follows is on the way meanwhile, as on a real line.
    """

    def __init__(self, connect: Callable[[], socket.socket], delay_s: float = 0.0) -> None:
        self._connect = connect
        self.delay_s = delay_s
        self.gate: Gate | None = None
        """Holds up what the server answers."""
        self.round_trips = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._sockets):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connect()
            self._sockets += (client, server)
            for end in (client, server):
                if (
                    end.family == socket.AF_INET
                ):  # as servers do: else an answer in two parts waits 40 ms more
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked = threading.Event()
            for source, target, is_question in ((client, server, True), (server, client, False)):
                words = (source, target, asked, is_question)
                threading.Thread(target=self._pass_on, args=words, daemon=True).start()

    def _pass_on(
        self, source: socket.socket, target: socket.socket, asked: threading.Event, is_question: bool
    ) -> None:
        on_the_way: queue.Queue[tuple[float, bytes]] = queue.Queue()
        threading.Thread(target=_arrive, args=(on_the_way, target), daemon=True).start()
        try:
            while data := source.recv(1 << 20):
                if is_question and not asked.is_set():
                    asked.set()
                    self.round_trips += 1
                elif not is_question:
                    asked.clear()
                    if self.gate is not None:
                        self.gate.pass_through()
                on_the_way.put((time.monotonic() + self.delay_s, data))
        except OSError:
            pass
        on_the_way.put((0.0, b""))


def _arrive(on_the_way: queue.Queue[tuple[float, bytes]], target: socket.socket) -> None:
    """Give data on when it is due; nothing of it ends the line."""
    try:
        while (arrival := on_the_way.get())[1]:
            time.sleep(max(0.0, arrival[0] - time.monotonic()))
            target.sendall(arrival[1])
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def far_engine(engine: str, folder: Path, delay_s: float = 0.0) -> Iterator[tuple[str, Proxy]]:
    """An empty engine behind a proxy: its URL, and the proxy."""
    if engine == POSTGRESQL:
        parts = urlsplit(empty_database(folder.name))
        place = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"

        def connect() -> socket.socket:
            server = socket.socket(socket.AF_UNIX)
            server.connect(place)
            return server

        with closing(Proxy(connect, delay_s)) as proxy:
            yield f"postgresql://postgres@127.0.0.1:{proxy.port}{parts.path}", proxy
        return
    with clickhouse_server(folder) as server:
        address = ("127.0.0.1", int(server.server_address[1]))
        with closing(Proxy(lambda: socket.create_connection(address), delay_s)) as proxy:
            yield f"clickhouse://ann@127.0.0.1:{proxy.port}/{server.database}", proxy
