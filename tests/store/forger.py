"""An attacker who may write the file and knows its format: sqlite3, hashlib, struct, nothing of audit-tui."""

from __future__ import annotations

import base64
import sqlite3
import struct
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

EVENT, ACT = 2, 3
_ROW = """
SELECT seq, occurred_us, key, (SELECT name FROM event_names WHERE id = event_id),
    (SELECT name FROM category_names WHERE id = category_id),
    (SELECT name FROM user_names WHERE id = user_id), description, outcome, severity, source_ip, target,
    (SELECT name FROM source_names WHERE id = source_id), metadata, original
FROM events WHERE seq = ?
"""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The store's file, each statement at once in force."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def strike(path: Path, *statements: str) -> None:
    """Run statements."""
    with opened(path) as connection:
        for statement in statements:
            connection.execute(statement)


def leaf_of(seq: int, occurred_us: int, columns: Sequence[Any], form: int = EVENT) -> bytes:
    """The leaf of an event, from its twelve columns."""
    encoded = [None if value is None else value if isinstance(value, bytes) else str(value).encode()
               for value in columns]  # fmt: skip
    lengths = [-1 if value is None else len(value) for value in encoded]
    head = struct.pack(">BBqq12i", 0, form, seq, occurred_us, *lengths)
    return sha256(head + b"".join(value or b"" for value in encoded)).digest()


def leaf_in(connection: sqlite3.Connection, seq: int, form: int = EVENT) -> bytes:
    """The leaf of an event as it lies in the file now."""
    row = connection.execute(_ROW, (seq,)).fetchone()
    return leaf_of(row[0], row[1], row[2:], form)


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes."""
    level = list(hashes)
    while len(level) > 1:
        rest = [level[-1]] if len(level) & 1 else []
        level = [node(*pair) for pair in zip(level[::2], level[1::2], strict=False)] + rest
    return level[0] if level else sha256(b"").digest()


def put_seals(connection: sqlite3.Connection, leaves: Sequence[bytes]) -> None:
    """Put other seals in the place of all: these leaves, and one head, unsigned and without a time."""
    blocks = [leaves[first : first + 256] for first in range(0, len(leaves), 256)]
    connection.execute("DELETE FROM seal_block")
    connection.execute("DELETE FROM seal_head")
    connection.executemany(
        "INSERT INTO seal_block (block, n, root, leaves) VALUES (?, ?, ?, ?)",
        [(number, len(some), root_of(some), b"".join(some)) for number, some in enumerate(blocks)],
    )
    (store_id,) = connection.execute("SELECT value FROM store_info WHERE name = 'store_id'").fetchone()
    root = root_of([root_of(some) for some in blocks])
    note = f"audit-tui/{store_id}\n{len(leaves)}\n{base64.b64encode(root).decode()}\n"
    connection.execute("INSERT INTO seal_head VALUES (?, ?, 1700000000, ?, NULL)", (len(leaves), root, note))


def digest_of(ranges: str) -> str:
    """The digest that a declaration holds of its ranges."""
    return sha256(ranges.encode()).hexdigest()
