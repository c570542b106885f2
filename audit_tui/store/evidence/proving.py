"""Proofs that events are under a checkpoint: what ``export --proof`` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_tui.core.evidence.checkpoint import SignedCheckpoint, read_checkpoint
from audit_tui.core.evidence.leaf import COLUMNS, Form
from audit_tui.core.evidence.merkle import (
    BLOCK_LEAVES,
    BlockTree,
    inclusion_proof,
    split_leaves,
    tree_root,
)
from audit_tui.core.evidence.proof import EventProof
from audit_tui.errors import StoreDamaged, StoreError
from audit_tui.store.evidence.declared import read_declared
from audit_tui.store.evidence.seal_reading import SealedStore, require_seals
from audit_tui.store.file.closing import Closing

if TYPE_CHECKING:
    import os

_CHECK = "Verify the store: audit-tui verify."


class Prover(Closing):
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

    def close(self) -> None:
        """Let the connection go."""
        self._store.close()

    def prove(self, seq: int) -> EventProof:
        """Prove one event: what leads from it to the checkpoint.

        Raises:
            StoreDamaged: If it does not exist, or is not as it was sealed.
        """
        content = self._store.content
        with self._store.snapshot():
            rows = content.rows(seq, seq)
            if not rows or not 1 <= seq <= self.size:
                raise StoreDamaged(f"Event {seq:,} does not exist.", _CHECK)
            row, leaf = rows[0], self._tree.leaf(seq - 1)
            proof = tuple(inclusion_proof(self._tree, seq - 1, self.size))
            form, redacted_leaf = content.form_of(row, leaf), None
            if form is None and self._declared.is_redacted(content, row):
                form, redacted_leaf = content.form_of(row, self._declared.redacted[seq].leaf), leaf
            if form is None:
                raise StoreDamaged(f"Event {seq:,} is not as it was sealed.", _CHECK)
            texts = content.texts(row)
            columns = tuple(map(_value, COLUMNS, texts[2:]))
        return EventProof(seq, row.occurred_us, columns, proof, form, redacted_leaf)

    def prove_act(self, seq: int) -> EventProof | None:
        """Prove the act that redacted an event; None when it has been declared in the old form.

        Args:
            seq: The redacted event.

        Raises:
            StoreDamaged: As ``prove``.
        """
        act = self.prove(self._declared.redacted[seq].event_seq)
        return act._replace(is_declaring=True) if act.form is Form.ACT else None

    def is_redacted(self, seq: int) -> bool:
        """Tell whether the store declares an event as redacted."""
        return seq in self._declared.redacted

    def leaf(self, seq: int) -> bytes:
        """Return the leaf of an event.

        Raises:
            StoreDamaged: If it has none.
        """
        if not 1 <= seq <= self.size:
            raise StoreDamaged(f"Event {seq:,} is not sealed here.", _CHECK)
        with self._store.snapshot():
            return self._tree.leaf(seq - 1)

    def _leaves(self, block: int) -> bytes:
        blocks = self._store.blocks(block, block + 1)
        if not blocks or not blocks[0].is_whole:
            raise StoreDamaged("Seals are missing, so nothing can be proven.", _CHECK)
        return blocks[0].leaves


def _value(name: str, value: Any) -> str | int | bytes | None:  # noqa: ANN401 - as it lies in the file
    if value is None or isinstance(value, int):
        return value
    if name == "original":
        return bytes(value)
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise StoreDamaged("An event holds text that is not UTF-8.", _CHECK) from None
