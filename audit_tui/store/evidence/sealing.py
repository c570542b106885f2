"""Sealing: the leaves of new events, the blocks they lie in, and a head, in the events' own transaction."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from audit_tui.core.evidence.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    origin_of,
    read_checkpoint,
    read_public_key,
)
from audit_tui.core.evidence.leaf import EncodedValues, Encodings, Form, make_leaves
from audit_tui.core.evidence.merkle import (
    BLOCK_LEAVES,
    HASH_BYTES,
    Frontier,
    split_leaves,
    tree_root,
)
from audit_tui.errors import CheckpointError, SigningKeyError, StoreDamaged
from audit_tui.store.evidence import signing
from audit_tui.store.tables import schema
from audit_tui.store.tables.seal_layout import SEAL_KEY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from audit_tui.store.tables.rows import Draft, StoredRow

HEAD_EVERY_S = 60
HEAD_EVERY_EVENTS = 1_000
"""A head is kept when it is so far from the one before it; the newest always is."""
_VERIFY = "Verify the store: audit-tui verify."

_HEADS = "SELECT size, root, at, edge, note FROM seal_head ORDER BY size DESC LIMIT 2"
_SAVE_BLOCK = (
    "INSERT INTO seal_block (block, n, root, leaves) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (block) DO UPDATE SET n = excluded.n, root = excluded.root, leaves = excluded.leaves"
)
_SAVE_HEAD = "INSERT INTO seal_head (size, root, at, note, edge) VALUES (?, ?, ?, ?, ?)"


class Seals:
    """Keeps the seals in step with the events, for one writer.

    What it remembers between transactions is the right edge of the tree; when another writer has moved the
    newest head, it is read again: the edge beside that head and the leaves of the last block.
    """

    def __init__(self) -> None:
        values = EncodedValues()
        self._encodings = Encodings(values, values, values, values, values)
        self._form = Form.EVENT
        self.forget()

    def on_append(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Seal new events.

        Raises:
            StoreDamaged: If these would not be the next events after the newest seal.
            SigningKeyError: If the store's seals are signed, and its key is not to be had.
        """
        heads = connection.execute(_HEADS).fetchall()
        size = int(heads[0][0]) if heads else 0
        if self._size != size:
            self._load(connection, heads)
        first = rows[0].seq
        if first != size + 1:
            raise StoreDamaged(
                f"The seals end at event {size:,}, but event {first:,} would be the next:"
                " somebody added events past them, or took seals away.",
                _VERIFY,
            )
        changed = self._grow(iter(make_leaves(_rows_of(rows, drafts), self._encodings, self._form)))
        connection.executemany(_SAVE_BLOCK, changed)
        self._save_head(connection, heads)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Seal what is appended inside this block as acts of this program (``leaf.Form.ACT``)."""
        self._form = Form.ACT
        try:
            yield
        finally:
            self._form = Form.EVENT

    def on_remove(self, connection: sqlite3.Connection, rows: Sequence[StoredRow]) -> None:
        """Leave the seals of what is removed: its leaf is the proof of what was there."""

    def on_replace(
        self, connection: sqlite3.Connection, rows: Sequence[StoredRow], drafts: Sequence[Draft]
    ) -> None:
        """Leave the seals of what was redacted."""

    def forget(self) -> None:
        """Forget the edge of the tree; the next append reads it."""
        self._size = -1
        self._blocks = Frontier()
        self._last: list[bytes] = []
        self._edge = Frontier()
        self._origin = ""
        self._signer: signing.Signer | None = None

    def _load(self, connection: sqlite3.Connection, heads: Sequence[Sequence[object]]) -> None:
        """Read where the tree ends, and what signs it."""
        self.forget()
        self._origin = origin_of(_info(connection, schema.STORE_ID) or "")
        self._signer = find_signer(connection, str(heads[0][4]) if heads else "")
        if not heads:
            self._size = 0
            return
        size, root, _, edge, _ = heads[0]
        assert isinstance(size, int)  # noqa: S101 - the primary key of a STRICT table
        full, open_leaves = divmod(size, BLOCK_LEAVES)
        with suppress(ValueError):
            self._blocks = Frontier(full, split_leaves(edge) if isinstance(edge, bytes) else [])
        if open_leaves:
            row = connection.execute("SELECT n, leaves FROM seal_block WHERE block = ?", (full,)).fetchone()
            if row is None or row[0] != open_leaves or len(row[1]) != open_leaves * HASH_BYTES:
                raise _broken(size)
            self._last = split_leaves(row[1])
            for leaf in self._last:
                self._edge.push(leaf)
        if self._blocks.size != full or self._root() != root:
            # The edge only saves reading the blocks: one that was altered must not end all recording.
            self._blocks = _frontier(connection, full)
            if self._blocks.size != full or self._root() != root:
                raise _broken(size)
        self._size = size

    def _grow(self, leaves: Iterator[bytes]) -> list[tuple[int, int, bytes, bytes]]:
        """Take new leaves in, and give the blocks that changed."""
        changed = []
        while new := list(islice(leaves, BLOCK_LEAVES - len(self._last))):
            block = self._blocks.size
            self._size += len(new)
            self._last += new
            if len(new) == BLOCK_LEAVES:
                root = tree_root(new)
            else:
                for leaf in new:
                    self._edge.push(leaf)
                root = self._edge.root()
            changed.append((block, len(self._last), root, b"".join(self._last)))
            if len(self._last) == BLOCK_LEAVES:
                self._blocks.push(root)
                self._last, self._edge = [], Frontier()
        return changed

    def _root(self) -> bytes:
        return self._blocks.root(self._edge.root() if self._last else None)

    def _save_head(self, connection: sqlite3.Connection, heads: Sequence[Sequence[object]]) -> None:
        """Write the newest head; the one before it stays only if it is far enough from its own."""
        now = int(time.time())
        checkpoint = Checkpoint.sealed(self._origin, self._size, self._root(), now)
        note = SignedCheckpoint(checkpoint) if self._signer is None else self._signer.sign(checkpoint)
        if heads and not _is_kept(heads):
            connection.execute("DELETE FROM seal_head WHERE size = ?", (heads[0][0],))
        elif heads:
            connection.execute("UPDATE seal_head SET edge = NULL WHERE size = ?", (heads[0][0],))
        edge = b"".join(self._blocks.hashes)
        connection.execute(_SAVE_HEAD, (self._size, checkpoint.root, now, note.text(), edge))


def _rows_of(rows: Sequence[StoredRow], drafts: Sequence[Draft]) -> Iterator[tuple[Any, ...]]:
    """Rows as ``make_leaves`` takes them, with the texts of names."""
    for row, draft in zip(rows, drafts, strict=True):
        (key, occurred_us, event, category, user, description, outcome, severity, source_ip, target, source,
         metadata, original, _) = draft  # fmt: skip
        yield (
            row[0], occurred_us, key.encode(), event, category, user,
            None if description is None else description.encode(), outcome, severity, source_ip,
            None if target is None else target.encode(), source,
            None if metadata is None else metadata.encode(), original,
        )  # fmt: skip


def _is_kept(heads: Sequence[Sequence[object]]) -> bool:
    """Tell whether the newest head is to stay when a newer one comes; the first head does."""
    if len(heads) < 2:
        return True
    (size, _, at, *_), (size_before, _, at_before, *_) = heads
    assert isinstance(size, int) and isinstance(size_before, int)  # noqa: S101 - of a STRICT table
    assert isinstance(at, int) and isinstance(at_before, int)  # noqa: S101 - as above
    # A clock that was set back must not keep every head until it has caught up.
    return size - size_before >= HEAD_EVERY_EVENTS or at - at_before >= HEAD_EVERY_S


def _frontier(connection: sqlite3.Connection, full: int) -> Frontier:
    """The edge of the tree from all its blocks: 6 ms a million events."""
    edge = Frontier()
    for (root,) in connection.execute("SELECT root FROM seal_block WHERE block < ? ORDER BY block", (full,)):
        edge.push(root)
    return edge


def find_signer(connection: sqlite3.Connection, newest_note: str) -> signing.Signer | None:
    """Find the key that signs this store; None when nothing does.

    Args:
        connection: The store.
        newest_note: The checkpoint of its newest head; empty in a store without events.

    Raises:
        SigningKeyError: If its seals are signed and the key is not to be had, or is another.
    """
    key_id = sealing_key_id(connection, newest_note)
    store_id = _info(connection, schema.STORE_ID) or ""
    if key_id is None:
        if (own_key := signing.own_key(store_id)) is not None:
            raise SigningKeyError(
                f"This store's seals are not signed, but a key that signs them is here: {own_key}. Somebody"
                " took the signatures away, so nothing is added unsigned.",
                f"{_VERIFY} If the key never signed this store, move its file away.",
            )
        return None
    path = signing.key_path(store_id, key_id)
    try:
        signer = signing.load_signer(path)
    except SigningKeyError as error:
        raise SigningKeyError(
            f"This store's seals are signed, so nothing is added unsigned. {error.message}", error.hint
        ) from error
    if signer.public.key_id != key_id:
        raise SigningKeyError(
            f"{path} is not the key {key_id.hex()} that signs this store.",
            "Put the right key there; audit-tui seal key show tells which.",
        )
    return signer


def sealing_key_id(connection: sqlite3.Connection, newest_note: str) -> bytes | None:
    """The id of the key that signs a store, by its own note, else by its newest seal; None when unsigned.

    Raises:
        SigningKeyError: If that cannot be read.
    """
    public_key = _info(connection, SEAL_KEY)
    try:
        if public_key is not None:
            return read_public_key(public_key).key_id
        signatures = read_checkpoint(newest_note).signatures if newest_note else ()
    except CheckpointError as error:
        raise SigningKeyError(
            f"What this store says of the key that signs it cannot be read. {error.message}", _VERIFY
        ) from error
    return signatures[0].key_id if signatures else None


def _info(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM store_info WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _broken(size: int) -> StoreDamaged:
    return StoreDamaged(f"The seals up to event {size:,} were altered or are damaged.", _VERIFY)
