"""Looking at a store, its place and its SQLite for what could go wrong. Reads only."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

from audit_tui.core.finding import Finding, Level
from audit_tui.core.text import counted, thousands
from audit_tui.store.file import connect, file_system, foreign_log
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.tables import index_layout, schema, seal_layout, text_layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

WAL_RESET_FIXED = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""The releases that mend sqlite.org/wal.html#walresetbug: the last one, and two older lines."""
LITTLE_BYTES = 256 * 1024 * 1024
"""With less room than this an import soon ends."""
_REINDEX = "audit-tui reindex builds them; without them the same answers take longer."


def has_wal_reset_fix(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> bool:
    """Tell whether an SQLite cannot lose commits when one program commits while another checkpoints."""
    is_in_line = any(version[:2] == fixed[:2] and version >= fixed for fixed in WAL_RESET_FIXED)
    return version >= WAL_RESET_FIXED[-1] or is_in_line


def sqlite_finding(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> Finding:
    """Return what to know of the SQLite that Python brings."""
    name = ".".join(map(str, version))
    if version < schema.MIN_SQLITE:
        fix = "Use a Python that brings a newer SQLite."
        return Finding("SQLite", Level.WRONG, f"SQLite {name} is too old: 3.37 is needed.", fix)
    if has_wal_reset_fix(version):
        return Finding("SQLite", Level.OK, f"SQLite {name}, with the fix of the WAL-reset bug.")
    return Finding(
        "SQLite",
        Level.NOTE,
        f"SQLite {name} lacks the fix of the WAL-reset bug; the lock of audit-tui's writers avoids it.",
        "Let no other program write to the store, or use a Python that brings SQLite 3.51.3.",
    )


def place_findings(path: Path) -> Iterator[Finding]:
    """Yield what to know of where a store lies; it need not exist."""
    folder = path.parent
    mount = file_system.mount_of(path)
    if mount is None:
        yield Finding("file system", Level.NOTE, "The system does not tell its kind.")
    elif mount.is_network:
        fix = "Keep the store on a local disk, and copy it with audit-tui backup."
        message = f"{mount.kind}: SQLite's locks and its shared memory are not safe there."
        yield Finding("file system", Level.WRONG, message, fix)
    else:
        read_only = ", read-only: the store is shown as a snapshot" if mount.is_read_only else ""
        yield Finding("file system", Level.OK, f"{mount.kind}{read_only}.")
    free = connect.free_bytes(path)
    level, fix = (
        (Level.OK, "") if free >= LITTLE_BYTES else (Level.WRONG, "Make room before the next import.")
    )
    if folder.is_dir():
        yield Finding("free space", level, f"{thousands(free)} bytes are free for {folder}.", fix)
        yield _folder_finding(folder)


def _folder_finding(folder: Path) -> Finding:
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        message = f"Everybody may replace files in {folder} (mode {stat.S_IMODE(mode):04o})."
        return Finding("folder", Level.WRONG, message, f"chmod o-w {folder}")
    if mode & stat.S_IWGRP and not mode & stat.S_ISVTX:
        message = f"The group of {folder} may replace files in it (mode {stat.S_IMODE(mode):04o})."
        return Finding("folder", Level.NOTE, message, f"chmod g-w {folder}, unless it is meant so.")
    return Finding("folder", Level.OK, f"{folder}, mode {stat.S_IMODE(mode):04o}.")


def private_finding(topic: str, path: Path, *, is_secret: bool = False) -> Finding:
    """Tell whether a file's mode lets others at it.

    Args:
        topic: What the file is.
        path: A file that exists.
        is_secret: Not even its group may read it.

    Raises:
        OSError: If it is not there any more.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    others, group = mode & 0o007, mode & 0o070
    if others or (is_secret and group):
        who = "Everybody" if others else "Its group"
        may = "write" if (others or group >> 3) & 0o002 else "read"
        more = ", its group write" if may == "read" and group & 0o020 else ""
        message = f"{who} may {may}{more} {path} (mode {mode:04o})."
        return Finding(topic, Level.WRONG, message, f"chmod {'go' if is_secret else 'o'}-rwx {path}")
    if group:
        may = "write" if group & 0o020 else "read"
        return Finding(topic, Level.NOTE, f"Its group may {may} {path} (mode {mode:04o}).")
    return Finding(topic, Level.OK, f"{path}, mode {mode:04o}.")


def permission_findings(path: Path) -> Iterator[Finding]:
    """Yield who may read and write a store and what lies beside it."""
    for topic, suffix in (("store", ""), ("log", "-wal"), ("memory", "-shm"), ("lock", ".lock")):
        beside = path.with_name(path.name + suffix)
        try:
            finding = private_finding(topic, beside)
        except OSError:
            continue
        # What lies beside a private store is only told when something is wrong with it.
        if not suffix or finding.level is Level.WRONG:
            yield finding
    if reason := file_system.other_names(path):
        message = f"{reason} Nothing is recorded: by two names, two writers lose events."
        yield Finding("store", Level.WRONG, message, file_system.ONE_NAME)
    if not os.access(path, os.W_OK):
        yield Finding("store", Level.NOTE, "You may read the store, not write it.")


def store_findings(path: Path) -> Iterator[Finding]:
    """Yield what to know of a store itself.

    Raises:
        StoreError: If it cannot be read.
    """
    with StoreReader(path) as reader:
        info = reader.info()
        events, notice = counted(info.events, "event"), info.notice
        yield Finding("schema", Level.OK, f"Version {info.schema_version}, {events}, id {info.store_id}.")
        yield from _structure_findings(reader.path, is_snapshot=reader.is_snapshot)
    if notice:
        yield Finding("reading", Level.NOTE, notice)
    log_bytes = foreign_log.log_bytes(reader.path)
    if log_bytes > LITTLE_BYTES:
        message = f"The write-ahead log holds {thousands(log_bytes)} bytes: a reader keeps it full."
        yield Finding("log", Level.WRONG, message, "End programs that have had the store open for long.")


_ENDS = (
    "SELECT min(seq) FROM events",
    "SELECT max(seq) FROM events",
    "SELECT max(size) FROM seal_head",
)


def _ends_of(connection: sqlite3.Connection, statement: str) -> int:
    """Return one end of a table; 0 where there is none, or no number."""
    try:
        (value,) = connection.execute(statement).fetchone()
    except sqlite3.OperationalError:
        return 0  # a table that is missing is told by itself
    return value if type(value) is int else 0


def _numbers_finding(ends: Sequence[int]) -> Finding | None:
    """Name an event that has a number that no event of this program has; None when there is none."""
    first, last, sealed = ends
    wrong = first if first < 0 else last if last > sealed else None
    if wrong is None:
        return None
    message = (
        f"Event {wrong:,} is not sealed; the seals end at event {sealed:,}. Somebody wrote into the file by"
        " other means than audit-tui, and what is counted or asked may be wrong or slow."
    )
    return Finding("seals", Level.WRONG, message, "audit-tui verify names all that is wrong.")


def _structure_findings(path: Path, *, is_snapshot: bool) -> Iterator[Finding]:
    with connect.store_errors(path), closing(connect.open_viewer(path, immutable=is_snapshot)) as connection:
        mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        has_keys = schema.has_key_index(connection)
        ends = [_ends_of(connection, statement) for statement in _ENDS]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if mode == "wal" or is_snapshot:
        yield Finding("journal", Level.OK, f"Mode {mode}.")
    else:
        fix = "The next import or record sets it."
        yield Finding("journal", Level.NOTE, f"Mode {mode}: readers wait while somebody writes.", fix)
    if not has_keys:
        yield Finding(
            "keys", Level.WRONG, f"The index {schema.KEY_INDEX.name} is missing.", "audit-tui verify"
        )
    for topic, layout in (("index", index_layout.TABLES), ("text index", text_layout.TABLES)):
        if layout.keys() <= tables:
            yield Finding(topic, Level.OK, "There.")
        else:
            yield Finding(topic, Level.NOTE, "Missing.", _REINDEX)
    if seal_layout.TABLES.keys() <= tables:
        yield _numbers_finding(ends) or Finding("seals", Level.OK, "There; audit-tui verify checks them.")
    else:
        yield Finding(
            "seals", Level.WRONG, "They are missing: nothing proves the events.", "audit-tui verify"
        )
