"""Attacks by somebody who may write the file, and the answers of ``verify``."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.evidence.checkpoint import Checkpoint, SignedCheckpoint, origin_of
from audit_tui.core.evidence.leaf import Form
from audit_tui.core.evidence.merkle import BLOCK_LEAVES, split_leaves, tree_root
from audit_tui.store.evidence.content import Content, sealed_leaf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_tui.store.evidence.signing import Signer


class Keys(NamedTuple):
    """The keys of the store and of an attacker."""

    real: Signer
    attacker: Signer


class Attack(NamedTuple):
    """One attack, and what ``verify`` says of it."""

    name: str
    strike: Callable[[sqlite3.Connection, Keys], None]
    seen: str
    """In which columns of RELIABILITY 4.2 it is found: ``yes yes yes`` for nothing given, key, anchor."""
    names: tuple[str, ...] = ()
    """The words of the report that name the place, when it is found with nothing given."""


def _sql(*statements: str) -> Callable[[sqlite3.Connection, Keys], None]:
    def strike(connection: sqlite3.Connection, _: Keys) -> None:
        for statement in statements:
            connection.execute(statement)

    return strike


def _leaf(connection: sqlite3.Connection, seq: int) -> bytes:
    connection.text_factory = bytes
    content = Content(connection)
    (leaf,) = content.leaves(content.rows(seq, seq), Form.EVENT)
    connection.text_factory = str
    return leaf


def _edit_with_leaf(connection: sqlite3.Connection, _: Keys) -> None:
    connection.execute("UPDATE events SET description = 'nothing' WHERE seq = 777")
    block, place = divmod(776, BLOCK_LEAVES)
    leaves = bytearray(
        connection.execute("SELECT leaves FROM seal_block WHERE block = ?", (block,)).fetchone()[0]
    )
    leaves[place * 32 : place * 32 + 32] = _leaf(connection, 777)
    connection.execute("UPDATE seal_block SET leaves = ? WHERE block = ?", (bytes(leaves), block))


def _edit_with_root(connection: sqlite3.Connection, keys: Keys) -> None:
    _edit_with_leaf(connection, keys)
    leaves = connection.execute("SELECT leaves FROM seal_block WHERE block = 3").fetchone()[0]
    root = tree_root(split_leaves(leaves))
    connection.execute("UPDATE seal_block SET root = ? WHERE block = 3", (root,))


def _reseal(connection: sqlite3.Connection, signer: Signer | None) -> None:
    """Make every leaf, block and head again."""
    connection.execute("UPDATE events SET description = 'nothing' WHERE seq = 777")
    store_id = connection.execute("SELECT value FROM store_info WHERE name = 'store_id'").fetchone()[0]
    sizes = [size for (size,) in connection.execute("SELECT size FROM seal_head ORDER BY size")]
    connection.text_factory = bytes
    content = Content(connection)
    sealed = [sealed_leaf(connection, seq) for seq in range(1, sizes[-1] + 1)]
    leaves = [
        content.leaves([row], content.form_of(row, leaf or b"") or Form.EVENT)[0]
        for row, leaf in zip(content.rows(1, sizes[-1]), sealed, strict=True)
    ]
    connection.text_factory = str
    for first in range(0, len(leaves), BLOCK_LEAVES):
        some = leaves[first : first + BLOCK_LEAVES]
        connection.execute(
            "UPDATE seal_block SET root = ?, leaves = ? WHERE block = ?",
            (tree_root(some), b"".join(some), first // BLOCK_LEAVES),
        )
    for size in sizes:
        checkpoint = Checkpoint(origin_of(store_id), size, tree_root(leaves[:size]))
        note = SignedCheckpoint(checkpoint) if signer is None else signer.sign(checkpoint)
        connection.execute(
            "UPDATE seal_head SET root = ?, note = ? WHERE size = ?", (checkpoint.root, note.text(), size)
        )
    if signer is None:
        connection.execute("DELETE FROM store_info WHERE name = 'seal_key'")
    else:
        connection.execute("UPDATE store_info SET value = ? WHERE name = 'seal_key'", (str(signer.public),))


def _truncate(connection: sqlite3.Connection, _: Keys) -> None:
    """Cut the store back to a head that the real key signed."""
    newest = connection.execute("SELECT max(size) FROM seal_head").fetchone()[0]
    (size,) = connection.execute("SELECT max(size) FROM seal_head WHERE size < ?", (newest,)).fetchone()
    block, rest = divmod(size, BLOCK_LEAVES)
    leaves = connection.execute("SELECT leaves FROM seal_block WHERE block = ?", (block,)).fetchone()[0]
    leaves_left = leaves[: rest * 32]
    connection.execute("DELETE FROM seal_head WHERE size > ?", (size,))
    connection.execute("DELETE FROM seal_block WHERE block > ?", (block,))
    connection.execute(
        "UPDATE seal_block SET n = ?, root = ?, leaves = ? WHERE block = ?",
        (rest, tree_root(split_leaves(leaves_left)), leaves_left, block),
    )
    connection.execute("DELETE FROM events WHERE seq > ?", (size,))
    for table, column in (("event_names", "event_id"), ("user_names", "user_id")):
        connection.execute(
            f"UPDATE {table} SET events = (SELECT count(*) FROM events WHERE {column} = {table}.id)"
        )


_COPY = (
    "INSERT INTO events SELECT {seq}, 'forged', occurred_us, event_id, category_id, user_id, description,"
    " outcome, severity, source_ip, target, source_id, metadata, original FROM events WHERE seq = 5"
)
ROLL_BACK = "restore an older file"
ATTACKS = (
    Attack(
        "edit a field",
        _sql("UPDATE events SET outcome = 'failure' WHERE seq = 777"),
        "yes yes yes",
        ("changed 777-777",),
    ),
    Attack(
        "edit one byte of the original",
        _sql("UPDATE events SET original = CAST(x'00' || substr(original, 2) AS BLOB) WHERE seq = 778"),
        "yes yes yes",
        ("changed 778-778",),
    ),
    Attack(
        "TEXT to NULL",
        _sql("UPDATE events SET target = NULL WHERE seq = 778"),
        "yes yes yes",
        ("changed 778-778",),
    ),
    Attack(
        "move a byte across a column border",
        _sql(
            "UPDATE events SET source_ip = source_ip || substr(target, 1, 1), target = substr(target, 2)"
            " WHERE seq = 100"
        ),
        "yes yes yes",
        ("changed 100-100",),
    ),
    Attack(
        "delete from the middle",
        _sql("DELETE FROM events WHERE seq = 1500"),
        "yes yes yes",
        ("missing 1500-1500",),
    ),
    Attack(
        "delete a range with a whole block",
        _sql("DELETE FROM events WHERE seq BETWEEN 257 AND 700"),
        "yes yes yes",
        ("missing 257-700",),
    ),
    Attack(
        "insert before the first",
        _sql(_COPY.format(seq=0)),
        "yes yes yes",
        ("added 0-0",),
    ),
    Attack(
        "insert past the head",
        _sql(_COPY.format(seq=999_999)),
        "yes yes yes",
        ("added 999999-999999",),
    ),
    Attack(
        "swap two rows",
        _sql(
            "UPDATE events SET seq = -1 WHERE seq = 10",
            "UPDATE events SET seq = 10 WHERE seq = 11",
            "UPDATE events SET seq = 11 WHERE seq = -1",
        ),
        "yes yes yes",
        ("changed 10-11",),
    ),
    Attack(
        "delete the newest rows",
        _sql("DELETE FROM events WHERE seq > 3030"),
        "yes yes yes",
        ("missing 3031-3037",),
    ),
    Attack("edit and repair the leaf", _edit_with_leaf, "yes yes yes", ("seal 769-1024",)),
    Attack("edit, repair leaf and block root", _edit_with_root, "yes yes yes", ("seal 2-1500",)),
    Attack("reseal, unsigned", lambda connection, _: _reseal(connection, None), "no yes yes"),
    Attack(
        "reseal with the attacker's key",
        lambda connection, keys: _reseal(connection, keys.attacker),
        "no yes yes",
    ),
    Attack(
        "reseal with the stolen key", lambda connection, keys: _reseal(connection, keys.real), "no no yes"
    ),
    Attack("truncate to an older signed head", _truncate, "no no yes"),
    Attack(ROLL_BACK, _sql(), "no no yes"),
)


def open_raw(path: Path) -> sqlite3.Connection:
    """A connection as an attacker has it."""
    return sqlite3.connect(path, isolation_level=None)
