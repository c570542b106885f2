"""Checking events against the seals of their blocks: leaves against the root, events against leaves."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from audit_tui.core.evidence.leaf import Form, make_leaves
from audit_tui.core.evidence.merkle import BLOCK_LEAVES, split_leaves, tree_root
from audit_tui.core.evidence.sealed import Wrong, WrongRuns
from audit_tui.store.evidence.content import NOT_A_ROW, FileRow
from audit_tui.store.evidence.declared import declares_removal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audit_tui.store.evidence.declared import Declared
    from audit_tui.store.evidence.seal_reading import Block, SealedStore

MAX_UNDECLARED = 1_000


class BlockCheck:
    """Checks blocks, one after the other, and counts what it meets.

    Args:
        store: In a snapshot while a block is checked.
        size: How many events are sealed.
        declared: Removals that are not damage.
        stream: Reads the rows of a block, once more if they are not of the form of those before; None is how
            the store does.
    """

    def __init__(
        self,
        store: SealedStore,
        size: int,
        declared: Declared,
        stream: Callable[[int, int], Iterator[Sequence[Any]]] | None = None,
    ) -> None:
        self.size = size
        self._stream = store.content.stream if stream is None else stream
        self.declared = declared
        self.wrong = WrongRuns()
        self.blocks = 0
        self.matching_blocks = 0
        self.checked_events = 0
        """Events whose content was looked at."""
        self.matching_events = 0
        self.redacted_events = 0
        self.pruned_events = 0
        self.undeclared: list[int] = []
        """Acts that say they removed something which is not in the list of removals."""
        self._store = store
        self._form = Form.EVENT
        """The form of the newest event that matched: its neighbours are likely of the same."""

    def check_seal(self, block: Block) -> list[bytes] | None:
        """Check a block's leaves against its root, and return the leaves; None when it is not whole."""
        self.blocks += 1
        if not block.is_whole or block.events < self.events_in(block.number):
            self.note_seal(block.number)
            return None
        leaves = split_leaves(block.leaves)
        if tree_root(leaves) == block.root:
            self.matching_blocks += 1
        else:
            self.note_seal(block.number)
        return leaves

    def check_events(self, block: Block, leaves: Sequence[bytes]) -> None:
        """Check a block's events against its leaves, or against its root where leaves were replaced."""
        first = block.number * BLOCK_LEAVES + 1
        wanted = self.events_in(block.number)
        leaves = leaves[:wanted]
        self.checked_events += wanted
        for form in (self._form, *(form for form in (Form.EVENT, Form.OLD) if form is not self._form)):
            made = self._leaves(first, first + wanted - 1, form)
            if made == leaves or (len(made) == wanted and tree_root(made) == block.root):
                self.matching_events += wanted
                self._form = form
                return
        self._compare(first, leaves)

    def events_in(self, number: int) -> int:
        """Count the events that a block seals."""
        return min(BLOCK_LEAVES, self.size - number * BLOCK_LEAVES)

    def note_seal(self, first: int, last: int | None = None) -> None:
        """Note blocks whose seals are broken; one when ``last`` is None."""
        last = first if last is None else last
        self.wrong.add(Wrong.SEAL, first * BLOCK_LEAVES + 1, min(self.size, (last + 1) * BLOCK_LEAVES))

    def _leaves(self, first: int, last: int, form: Form) -> list[bytes]:
        """Make the leaves of events in a form; an empty list when they cannot be read or made."""
        try:
            return make_leaves(self._stream(first, last), self._store.content.encodings, form)
        except NOT_A_ROW:
            return []
        except sqlite3.DatabaseError as error:
            raise_unless_damaged(error)
            return []

    def _compare(self, first: int, leaves: Sequence[bytes]) -> None:
        """Look at each event of a block in which not all is as it was sealed."""
        rows = self._rows(first, first + len(leaves) - 1)
        row = next(rows, None)
        for seq, leaf in enumerate(leaves, first):
            if row is None or row[0] != seq:
                if self.declared.is_pruned(seq):
                    self.pruned_events += 1
                else:
                    self.wrong.add(Wrong.MISSING, seq)
                continue
            self._compare_event(seq, leaf, row)
            row = next(rows, None)

    def _rows(self, first: int, last: int) -> Iterator[Sequence[Any]]:
        """Yield the events that can be read, and the mere numbers of those that cannot."""
        content, upto = self._store.content, first - 1
        try:
            for row in content.stream(first, last):
                upto = row[0]
                yield row
        except sqlite3.DatabaseError as error:
            raise_unless_damaged(error)
        else:
            return
        for seq in range(upto + 1, last + 1):
            try:
                yield from content.stream(seq, seq)
            except sqlite3.DatabaseError as error:
                raise_unless_damaged(error)
                yield (seq,)

    def _compare_event(self, seq: int, leaf: bytes, row: Sequence[Any]) -> None:
        content = self._store.content
        if len(row) == 1:
            self.wrong.add(Wrong.UNREADABLE, seq)
        elif self.declared.is_pruned(seq):
            self.wrong.add(Wrong.RETURNED, seq)
        elif (form := content.form_of(row, leaf)) is not None:
            self.matching_events += 1
            if form is Form.ACT:
                self._look_at_act(FileRow._make(row))
            else:
                self._form = form
        elif self.declared.is_redacted(content, FileRow._make(row)):
            self.redacted_events += 1
        else:
            self.wrong.add(Wrong.CHANGED, seq)

    def _look_at_act(self, row: FileRow) -> None:
        is_known = row.seq in self.declared.declaring
        if not is_known and declares_removal(row) and len(self.undeclared) < MAX_UNDECLARED:
            self.undeclared.append(row.seq)


def raise_unless_damaged(error: sqlite3.DatabaseError) -> None:
    """Go on after damage; let everything else, an interrupt above all, end the check."""
    if (getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF) not in _DAMAGE:
        raise error


_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
