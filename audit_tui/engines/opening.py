"""Opening a shared engine by its URL. The driver is imported here, and only when a URL is opened.

Everything here raises UsageError if that is not installed, and StoreError if the engine cannot be read.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from audit_tui.core.source import CLICKHOUSE, POSTGRESQL
from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_tui.core.query import ReaderFactory
    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.dialect import Dialect
    from audit_tui.engines.pool import Connection, Pool
    from audit_tui.engines.shipping import Shipper
    from audit_tui.engines.writing import SharedWriter
    from audit_tui.formats.mapping import Mapping

EXTRAS = {POSTGRESQL: "postgres", CLICKHOUSE: "clickhouse"}


def open_shared(url: SourceUrl, deadline_s: float | None = None) -> ReaderFactory:
    """Connect to an engine, and return a function that opens readers of it.

    Args:
        url: The engine.
        deadline_s: The longest time that an answer may take; None is for ever.
    """
    from audit_tui.engines.reader import SharedReader

    pool, dialect = connected(url, deadline_s)
    return lambda: SharedReader(pool, dialect, url)


def connected(url: SourceUrl, deadline_s: float | None = None) -> tuple[Pool, Dialect]:
    """Return connections to an engine whose tables were checked, and its SQL."""
    from audit_tui.engines.pool import Pool

    connect, dialect = _engine(url)
    pool = Pool(connect, deadline_s)
    # What is wrong is told now, not by the first question.
    pool.rows("SELECT 1", {})
    return pool, dialect


def open_table(
    url: SourceUrl, table: str, mapping: Mapping | None, deadline_s: float | None = None
) -> ReaderFactory:
    """Look at another program's table in PostgreSQL, and return a function that opens readers of it."""
    if url.engine != POSTGRESQL:
        raise UsageError(f"A table is read from PostgreSQL, not {url}.", "Leave out --table.")
    with _driver_of(url):
        from audit_tui.engines.foreign import ForeignPool, ForeignReader, view_of
        from audit_tui.engines.postgres import PostgresConnection
    pool = ForeignPool(lambda: PostgresConnection(url), deadline_s)
    connection = PostgresConnection(url)
    try:
        pool.view = view_of(connection, url, table, mapping)
    finally:
        connection.close()
    return lambda: ForeignReader(pool, url, table)


def _engine(url: SourceUrl) -> tuple[Callable[[], Connection], Dialect]:
    """Return what connects to an engine, and checks its tables the first time, and its SQL."""
    dialect: Dialect
    with _driver_of(url):
        if url.engine == CLICKHOUSE:
            from audit_tui.engines.clickhouse import ClickHouseConnection
            from audit_tui.engines.clickhouse_sql import ClickHouseDialect

            open_: Callable[[SourceUrl], Connection] = ClickHouseConnection
            dialect = ClickHouseDialect()
        else:
            from audit_tui.engines.postgres import PostgresConnection
            from audit_tui.engines.postgres_sql import PostgresDialect

            open_, dialect = PostgresConnection, PostgresDialect()
    from audit_tui.engines.pool import check_format

    is_checked = False

    def connect() -> Connection:
        nonlocal is_checked
        connection = open_(url)
        try:
            if not is_checked:
                check_format(connection, url)
        except BaseException:
            connection.close()
            raise
        is_checked = True
        return connection

    return connect, dialect


@contextmanager
def _driver_of(url: SourceUrl) -> Iterator[None]:
    """Say what to install, where a driver cannot be imported."""
    try:
        yield
    except ImportError:
        raise UsageError(
            f"The driver for {url} is not installed.", f"pip install 'audit-tui[{EXTRAS[url.engine]}]'"
        ) from None


def shipper_of(path: Path, url: SourceUrl, name: str) -> Shipper:
    """Return what ships a store to an engine."""
    from audit_tui.engines.shipping import Shipper

    return Shipper(path, url, name, writer_of(url))


def writer_of(url: SourceUrl) -> Callable[[], SharedWriter]:
    """Return what opens an engine for writing."""
    with _driver_of(url):
        if url.engine == CLICKHOUSE:
            from audit_tui.engines.clickhouse_writing import ClickHouseWriter

            return lambda: ClickHouseWriter(url)
        from audit_tui.engines.postgres_writing import PostgresWriter

        return lambda: PostgresWriter(url)


def printed_schema(url: SourceUrl) -> str:
    """Return the SQL that makes the tables of an engine, and the roles for who reads and who ships."""
    from importlib import import_module

    from audit_tui.engines.writing import schema_sql

    name = "clickhouse_writing" if url.engine == CLICKHOUSE else "postgres_writing"
    with _driver_of(url):
        module = import_module(f"audit_tui.engines.{name}")
    return f"{schema_sql(name.removesuffix('_writing'))}\n{module.ROLES}"
