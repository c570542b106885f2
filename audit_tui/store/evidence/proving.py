"""Proofs that events are under a checkpoint: what ``export --proof`` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_tui.core.evidence.checkpoint import SignedCheckpoint, read_checkpoint
from audit_tui.core.evidence.leaf import COLUMNS
from audit_tui.core.evidence.merkle import (
    BLOCK_LEAVES,
    HASH_BYTES,
    BlockTree,
    inclusion_proof,
    split_leaves,
    tree_root,
)
from audit_tui.core.evidence.proof import EventProof
from audit_tui.errors import StoreDamaged, StoreError
from audit_tui.store.evidence.content import stored_leaf
from audit_tui.store.evidence.declared import read_declared
from audit_tui.store.evidence.seal_reading import SealedStore, require_seals

if TYPE_CHECKING:
    import os
    from types import TracebackType
    from typing import Self

    from audit_tui.store.evidence.content import FileRow

_CHECK = "Verify the store: audit-tui verify."


class Prover:
    """Makes proofs under the newest checkpoint of a store, as it is now.

    Args:
        path: The store.

    Raises:
        StoreError: One of its kinds, if it cannot be read, or has no seals or events.
        StoreDamaged: If the seals do not lead to the checkpoint.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._store = SealedStore(path)
        try:
            require_seals(self._store)
            with self._store.snapshot():
                head = self._store.newest_head()
                if head is None:
                    raise StoreError("The store has no events, so there is nothing to prove.")
                self._declared = read_declared(self._store.connection)
                blocks = -(-head.size // BLOCK_LEAVES)
                roots = [block.root for block in self._store.blocks(0, blocks, with_leaves=False)]
                rest = head.size % BLOCK_LEAVES
                if len(roots) == blocks and rest:
                    roots[-1] = tree_root(split_leaves(self._leaves(blocks - 1))[:rest])
                self.note: SignedCheckpoint = read_checkpoint(head.note)
            self.size = head.size
            if len(roots) != blocks:
                raise StoreDamaged("Seals are missing, so nothing can be proven.", _CHECK)
            self._tree = BlockTree(self.size, roots, self._leaves)
            if self._tree.root() != self.note.checkpoint.root:
                raise StoreDamaged("The seals do not lead to the newest checkpoint.", _CHECK)
        except BaseException:
            self._store.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()

    def prove(self, seq: int) -> EventProof:
        """One event, with what leads to the checkpoint.

        Raises:
            StoreDamaged: If the event is not there, or not as it was sealed.
        """
        with self._store.snapshot():
            rows = self._store.content.rows(seq, seq)
            if not rows or not 1 <= seq <= self.size:
                raise StoreDamaged(f"Event {seq:,} is not there.", _CHECK)
            leaf = self._tree.leaf(seq - 1)
            made = stored_leaf(rows[0], self._store.content.names)
            proof = tuple(inclusion_proof(self._tree, seq - 1, self.size))
            columns = self._columns(rows[0])
        if made == leaf:
            return EventProof(seq, rows[0].occurred_us, columns, proof)
        if self._declared.redacted.get(seq) != made:
            raise StoreDamaged(f"Event {seq:,} is not as it was sealed.", _CHECK)
        return EventProof(seq, rows[0].occurred_us, columns, proof, leaf)

    def leaf(self, seq: int) -> bytes:
        """The leaf of an event.

        Raises:
            StoreDamaged: If there is none.
        """
        if not 1 <= seq <= self.size:
            raise StoreDamaged(f"Event {seq:,} is not sealed here.", _CHECK)
        with self._store.snapshot():
            return self._tree.leaf(seq - 1)

    def _leaves(self, block: int) -> bytes:
        found = self._store.blocks(block, 1)
        if not found or len(found[0].leaves) != found[0].events * HASH_BYTES:
            raise StoreDamaged("Seals are missing, so nothing can be proven.", _CHECK)
        return found[0].leaves

    def _columns(self, row: FileRow) -> tuple[str | int | bytes | None, ...]:
        names = self._store.content.names
        texts: dict[str, Any] = row._asdict() | {
            "event": names.events[row.event_id][1],
            "category": None if row.category_id is None else names.categories[row.category_id][1],
            "user": None if row.user_id is None else names.users[row.user_id][1],
            "source": None if row.source_id is None else names.sources[row.source_id][1],
        }
        return tuple(_value(name, texts[name]) for name in COLUMNS)


def _value(name: str, value: Any) -> str | int | bytes | None:  # noqa: ANN401 - as it lies in the file
    if value is None or isinstance(value, int):
        return value
    if name == "original":
        return bytes(value)
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise StoreDamaged("An event holds text that is no UTF-8.", _CHECK) from None
