"""The attacks on the record again, by somebody who may write the file: how many are answered right.

    python -m pytest -m scale -s tests/scale/test_attacks.py
    TYPES=300 python -m pytest -m scale -s tests/scale/test_attacks.py -k types

TYPES  how many of the 504 values of another type are tried, each with nine commands (all)
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.evidence.checkpoint import read_checkpoint
from audit_tui.core.evidence.sealed import SealState
from audit_tui.errors import AuditTuiError, StoreError
from audit_tui.store.evidence.seal_status import StoreSealChecker
from audit_tui.store.evidence.verifying import Anchor, Mode, Request, Result, verify
from audit_tui.store.index import keeper
from audit_tui.store.write.removing import Act
from audit_tui.store.write.seal_keys import give_key
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import run
from tests.scale.measuring import memory_mib
from tests.store import forger

if TYPE_CHECKING:
    from audit_tui.core.evidence.checkpoint import PublicKey

pytestmark = [pytest.mark.scale, pytest.mark.timeout(3_600)]
EVENTS, VICTIM = 3_000, 2_000
ACT = Act("root", "host", 10_000_000, "a test")
LONGEST_S = 2.0


class Sealed(NamedTuple):
    """A signed store, with what was kept of it elsewhere."""

    path: Path
    key: PublicKey
    anchor: Anchor


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    path = tmp_path_factory.mktemp("sealed") / "audit.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_TUI_SEAL_KEY", str(path.with_name("key")))
        patch.setattr(keeper.IndexKeeper.__init__, "__defaults__", (256, keeper.MAX_SMALL_MERGE))
        with StoreWriter(path, durable=False) as writer:
            key, _ = give_key(writer, ACT)
            for first in range(1, EVENTS, 500):
                writer.append([event(number) for number in range(first, first + 500)])
    with forger.opened(path) as connection:
        (note,) = connection.execute("SELECT note FROM seal_head ORDER BY size DESC").fetchone()
    return Sealed(path, key, Anchor("kept", read_checkpoint(note)))


def event(number: int) -> AuditEvent:
    return AuditEvent(
        "Login",
        1_700_000_000_000_000 + number,
        key=f"k{number}",
        category="Access",
        user=f"user{number % 7}",
        description=f"thing {number} happened",
        severity=number % 7,
        source_ip="10.0.0.1",
        target=f"t{number}",
        source="test",
        metadata={"n": number},
        original=b"raw",
    )


_COPY = (
    "INSERT INTO events SELECT {seq}, 'k' || hex(randomblob(8)), occurred_us, event_id, category_id, user_id,"
    " 'forged', outcome, severity, source_ip, target, source_id, metadata, original FROM events"
    f" WHERE seq = {VICTIM}"
)
_SET = f"UPDATE events SET {{}} WHERE seq = {VICTIM}"
_VIEW = "CREATE VIEW audit_log AS SELECT seq, '2026' AS time, 'Login' AS event FROM events WHERE seq < 100"
EDITS: dict[str, list[str]] = {
    "description": [_SET.format("description = 'nothing'")],
    "user by its number": [_SET.format("user_id = 1 + user_id % 7")],
    "name of a user": ["UPDATE user_names SET name = 'x', folded = 'x' WHERE name = 'user3'"],
    "outcome": [_SET.format("outcome = 'success'")],
    "time by 1 µs": [_SET.format("occurred_us = occurred_us - 1")],
    "a space in the metadata": [_SET.format("metadata = metadata || ' '")],
    "key": [_SET.format("key = key || 'x'")],
    "category to nothing": [_SET.format("category_id = NULL")],
    "original": [_SET.format("original = x'00'")],
    "severity": [_SET.format("severity = 0")],
    "delete one": [f"DELETE FROM events WHERE seq = {VICTIM}"],
    "delete the first": ["DELETE FROM events WHERE seq = 1"],
    "delete the newest": ["DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)"],
    "delete all": ["DELETE FROM events"],
    "swap two": [
        "UPDATE events SET seq = -1 WHERE seq = 20",
        "UPDATE events SET seq = 20 WHERE seq = 21",
        "UPDATE events SET seq = 21 WHERE seq = -1",
    ],
    "insert seq 0": [_COPY.format(seq=0)],
    "insert below 0": [_COPY.format(seq=-5)],
    "insert past the seals": [_COPY.format(seq=EVENTS + 100)],
    "insert the last seq there is": [_COPY.format(seq=2**63 - 1)],
    "one event of seq 10^11": [f"UPDATE events SET seq = 100000000000 WHERE seq = {VICTIM}"],
    "a list of removals without its event": [
        f"DELETE FROM events WHERE seq = {VICTIM}",
        f"INSERT INTO seal_removed VALUES (2999, {VICTIM}, {VICTIM})",
    ],
    "removals of nobody": ["INSERT INTO seal_removed VALUES (-1, 5, 1)"],
    "no heads": ["DELETE FROM seal_head"],
    "no tables of seals": ["DROP TABLE seal_head", "DROP TABLE seal_block", "DROP TABLE seal_removed"],
    "no list of removals": ["DROP TABLE seal_removed"],
    "another store's id": ["UPDATE store_info SET value = hex(zeroblob(16)) WHERE name = 'store_id'"],
    "root of a block": ["UPDATE seal_block SET root = zeroblob(32) WHERE block = 3"],
    "leaves cut": ["UPDATE seal_block SET leaves = substr(leaves, 1, 32) WHERE block = 3"],
    "block of 257": ["UPDATE seal_block SET n = 257 WHERE block = 3"],
    "no block": ["DELETE FROM seal_block WHERE block = 3"],
    "head beyond the end": ["INSERT INTO seal_head VALUES (9000, zeroblob(32), 1, 'x', NULL)"],
    "head of 0 and below": [
        "INSERT INTO seal_head VALUES (0, zeroblob(32), 1, 'x', NULL)",
        "INSERT INTO seal_head VALUES (-5, zeroblob(32), 1, 'x', NULL)",
    ],
    "head of 2^63": ["INSERT INTO seal_head VALUES (9223372036854775807, zeroblob(32), 1, 'x', NULL)"],
    "times of seals": ["UPDATE seal_head SET at = at - 86400 * 300"],
    "pruned_events": ["INSERT INTO store_info VALUES ('pruned_events', '2900')"],
    "the view lies": ["DROP VIEW audit_log", _VIEW],
    "no view": ["DROP VIEW audit_log"],
    "a trigger": [
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events WHERE seq = new.seq; END"
    ],
    "folded name": ["UPDATE user_names SET folded = 'zz' WHERE name = 'user3'"],
    "count of a name": ["UPDATE user_names SET events = 0 WHERE name = 'user3'"],
    "a name twice": [
        "DROP INDEX user_names_name",
        "DROP INDEX user_names_order",
        "CREATE INDEX user_names_name ON user_names (name)",
        "CREATE INDEX user_names_order ON user_names (folded, name)",
        "INSERT INTO user_names SELECT 1000, name, folded, events - 1 FROM user_names WHERE name = 'user1'",
        "UPDATE events SET user_id = 1000 WHERE user_id = (SELECT id FROM user_names WHERE name = 'user1')"
        " AND seq > 30",
    ],
    "a name twice, no index": [
        "DROP INDEX user_names_name",
        "DROP INDEX user_names_order",
        "INSERT INTO user_names SELECT 1000, name, folded, events FROM user_names WHERE name = 'user1'",
        "UPDATE events SET user_id = 1000 WHERE user_id = (SELECT id FROM user_names WHERE name = 'user1')"
        " AND seq > 30",
    ],
    "partial index": [
        "DROP INDEX user_names_name",
        "CREATE UNIQUE INDEX user_names_name ON user_names (name) WHERE name <> 'user1'",
    ],
    "no index of keys": ["DROP INDEX events_key"],
    "bitmap emptied": ["UPDATE index_bitmaps SET data = zeroblob(length(data))"],
    "bitmaps gone": ["DELETE FROM index_bitmaps"],
    "segment's events": ["UPDATE index_segments SET events = events - 1"],
    "segment's times": ["UPDATE index_segments SET first_us = last_us"],
    "times of a block": ["UPDATE index_blocks SET times = zeroblob(length(times))"],
    "text index emptied": ["UPDATE text_stretch_parts SET data = zeroblob(length(data))"],
    "text index's events": ["UPDATE text_stretches SET events = events - 1"],
    "parts of the text index gone": ["DELETE FROM text_stretch_parts"],
}
HARMLESS: dict[str, list[str]] = {
    "nothing": [],
    "older heads gone": ["DELETE FROM seal_head WHERE size < (SELECT max(size) FROM seal_head)"],
    "edge": ["UPDATE seal_head SET edge = x'00'"],
    "a table of others": ["CREATE TABLE zz (a)"],
    "no index": [
        f"DELETE FROM {table}"
        for table in ("index_segments", "index_values", "index_bitmaps", "index_blocks")
    ],
    "no text index": ["DELETE FROM text_stretches", "DELETE FROM text_stretch_parts"],
}
DERIVED = (
    "folded name",
    "bitmap",
    "segment",
    "times of a block",
    "text index",
    "parts of",
    "count of",
    "no index of keys",
)
"""Beginnings of the names of edits that ``reindex`` mends, and that ``verify`` must find before."""
ONLY_READ = ("bitmap", "segment", "times of a block", "text index", "parts of", "count of")
"""Those that the screen does not look for, as its status says."""
SEALS_ONLY = {"head beyond the end", "head of 0 and below", "head of 2^63", "times of seals"}


def answers(sealed: Sealed, path: Path) -> tuple[list[bool], bool, float]:
    """Ask in five ways, then the screen's check: whether each finds something, and the longest time."""
    key, anchor = (sealed.key,), (sealed.anchor,)
    requests = [
        Request(),
        Request(keys=key),
        Request(Mode.FULL, key, anchor),
        Request(Mode.QUICK, key, anchor),
    ]
    seen, longest_s = [], 0.0
    for request in requests:
        began_s = time.process_time()
        try:
            seen.append(verify(path, request).result is Result.FAILED)
        except AuditTuiError:
            seen.append(True)
        longest_s = max(longest_s, time.process_time() - began_s)
    try:
        with closing(StoreSealChecker(path)) as checker:
            on_screen = checker.run(lambda _: None).state is not SealState.HOLDS
    except StoreError:
        on_screen = True
    return seen, on_screen, longest_s


def told(area: str, tried: int, wrong: list[str]) -> None:
    print(f"{area}: {tried} tried, {tried - len(wrong)} right, wrong: {wrong or 'none'}")  # noqa: T201
    assert wrong == []


def struck(sealed: Sealed, folder: Path, statements: list[str], *, reindexes: bool) -> Path:
    path = Path(shutil.copy(sealed.path, folder / "copy.db"))
    forger.strike(path, *statements)
    if reindexes:
        try:
            with StoreWriter(path, durable=False) as writer:
                writer.reindex()
        except StoreError:
            pass  # what cannot be written is verified as it is
    return path


@pytest.mark.parametrize("reindexes", [False, True])
def test_forgeries(sealed: Sealed, tmp_path: Path, reindexes: bool) -> None:
    wrong, unseen, slow = [], [], []
    edits = {name: sql for name, sql in EDITS.items() if not (reindexes and name.startswith(DERIVED))}
    for name, statements in edits.items():
        seen, on_screen, longest_s = answers(
            sealed, struck(sealed, tmp_path, statements, reindexes=reindexes)
        )
        wrong += [] if all(seen[:3]) else [f"{name} {seen}"]
        unseen += [] if on_screen or name.startswith(ONLY_READ) else [name]
        slow += [] if longest_s < LONGEST_S else [f"{name} {longest_s:.1f} s"]
    told("forgeries, verify with nothing, key, anchor", 3 * len(edits), wrong)
    told("forgeries, the screen's check", len(edits), unseen)
    told("forgeries, time", len(edits), slow)


def test_what_is_harmless(sealed: Sealed, tmp_path: Path) -> None:
    wrong = []
    for name, statements in HARMLESS.items():
        seen, on_screen, _ = answers(sealed, struck(sealed, tmp_path, statements, reindexes=False))
        wrong += [f"{name} {seen} {on_screen}"] if any(seen) or on_screen else []
    told("no false alarm", len(HARMLESS), wrong)


# -- values of another type

VALUES: dict[str, object] = {
    "null": None,
    "int": 7,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "real": 1.5,
    "infinite": float("inf"),
    "text": "abc",
    "json": "[1]",
    "blob": b"\xff\xfe\x00",
    "bad utf-8": "CAST(x'fffe41' AS TEXT)",
    "30 MB": "zeroblob(30000000)",
    "empty": "",
}
COMMANDS = (
    ("query", "--limit", "5"),
    ("query", "--limit", "3", "--format", "jsonl"),
    ("count", "--filter", "user=user3"),
    ("count", "--filter", "text~happened"),
    ("facets", "user"),
    ("histogram",),
    ("info",),
    ("verify",),
    ("doctor",),
)
NO_RANGE = {"info", "verify", "doctor"}


def columns_of(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [
            table
            for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if not table.startswith(("sqlite_", "event_names", "category_", "source_"))
        ]
        return [
            (table, row[1])
            for table in tables
            for row in connection.execute(f"PRAGMA table_info({table})")
            if not row[5]
        ]


def put(path: Path, table: str, column: str, value: object) -> bool:
    """Put a value where the table's definition forbids it; False when even so it does not go."""
    with forger.opened(path) as connection:
        (strict,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        (version,) = connection.execute("PRAGMA schema_version").fetchone()
        information = connection.execute(f"PRAGMA table_info({table})").fetchall()
        columns = ", ".join(
            row[1] + (" INTEGER PRIMARY KEY" * (row[5] and "seq" in row[1])) for row in information
        )
        keys = ", ".join(row[1] for row in information if row[5])
        is_row_id = " INTEGER PRIMARY KEY" in strict
        columns = ", ".join(
            row[1] + " INTEGER PRIMARY KEY" * bool(row[5] and is_row_id) for row in information
        )
        loose = f"CREATE TABLE {table} ({columns}" + (
            ")" if is_row_id or not keys else f", PRIMARY KEY ({keys})) WITHOUT ROWID"
        )
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (loose, table))
        connection.execute(f"PRAGMA schema_version = {version + 1}")
    with forger.opened(path) as connection:
        where = {"events": f"WHERE seq = {EVENTS - 1}", "store_info": "WHERE name = 'store_id'"}.get(
            table, ""
        )
        is_call = isinstance(value, str) and value.startswith(("CAST(", "zeroblob("))
        try:
            connection.execute(f"UPDATE {table} SET {column} = {value if is_call else '?'} {where}",
                               () if is_call else (value,))  # fmt: skip
        except sqlite3.Error:
            return False
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (strict, table))
        connection.execute(f"PRAGMA schema_version = {version + 5}")
    return True


def test_values_of_other_types(sealed: Sealed, tmp_path: Path) -> None:
    variants = [(*each, name) for each in columns_of(sealed.path) for name in VALUES]
    most = int(os.environ.get("TYPES", "0")) or len(variants)
    tried, wrong = 0, []
    for table, column, name in random.Random(1).sample(variants, min(most, len(variants))):
        path = Path(shutil.copy(sealed.path, tmp_path / "copy.db"))
        if not put(path, table, column, VALUES[name]):
            continue
        for command, *options in COMMANDS:
            more = [] if command in NO_RANGE else ["--range", "all-time"]
            began_s = time.process_time()
            tried += 1
            what = f"{table}.{column} {name}: {command}"
            try:
                result = run(command, *options, "-s", str(path), *more)
            except Exception as error:  # noqa: BLE001 - counted, and the test fails
                wrong.append(f"{what}: {error!r}")
                continue
            if result.exit_code not in ((0, 1, 3) if command in ("verify", "doctor") else (0, 3)):
                wrong.append(f"{what}: exit code {result.exit_code}: {result.output[-200:]}")
            if time.process_time() - began_s > LONGEST_S:
                wrong.append(f"{what}: {time.process_time() - began_s:.1f} s")
    print(f"memory {memory_mib(os.getpid()):.0f} MiB")  # noqa: T201
    told("values of another type", tried, wrong)
