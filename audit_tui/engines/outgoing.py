"""Events on their way out of a sealed store: read in order, each compared with its seal before it is sent."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.evidence.leaf import Form
from audit_tui.core.evidence.merkle import BLOCK_LEAVES, Frontier, split_leaves
from audit_tui.engines.layout import PathMarks, derived
from audit_tui.errors import StoreDamaged, StoreError
from audit_tui.store.evidence.content import FileRow
from audit_tui.store.evidence.declared import read_declared
from audit_tui.store.evidence.seal_reading import SealedStore
from audit_tui.store.file.closing import Closing
from audit_tui.store.tables.rows import stored_text

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

_VERIFY = "audit-tui verify says more. Nothing after it is sent."
_ROOTS_AT_ONCE = 8_192


class Events(NamedTuple):
    """Events as they are sent, column by column: the texts to the byte as they are sealed."""

    number: Sequence[int]
    occurred_us: Sequence[int]
    key: Sequence[str]
    event: Sequence[str]
    category: Sequence[str | None]
    user: Sequence[str | None]
    description: Sequence[str | None]
    outcome: Sequence[str]
    severity: Sequence[int | None]
    source_ip: Sequence[str | None]
    target: Sequence[str | None]
    source: Sequence[str | None]
    metadata: Sequence[str | None]
    original: Sequence[str | None]
    """In base64."""


class Batch(NamedTuple):
    """Consecutive events of a store, with what proves them."""

    first: int
    last: int
    events: Events
    """Those that exist: what was pruned is missing."""
    derived: Sequence[Sequence[str | None]]
    """The columns of ``Derived`` of these events."""
    paths: frozenset[str]
    """The dotted names that their metadata have."""
    leaves: Sequence[bytes]
    """The sealed leaf of each number."""
    edge: Sequence[bytes]
    """The hashes of the right edge of the tree over all events up to the last."""
    root: str
    """Of that tree, in base64."""
    note: str | None
    """The checkpoint of the store at this size, as it was signed; None where it made none."""


class Removal(NamedTuple):
    """A range of numbers that a declared act removed, or redacted."""

    by: int
    """The event that declares it."""
    first: int
    last: int


class OutgoingStore(Closing):
    """A sealed store that is shipped; for one thread.

    Args:
        path: The store.

    Raises:
        StoreError: One of its kinds, if it cannot be read, or has no seals.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._store = SealedStore(path)
        if not self._store.has_seals or not self._store.store_id:
            self._store.close()
            raise StoreError(f"{path} is not sealed.", "Only sealed events are shipped.")
        self.store_id = self._store.store_id
        self.path = self._store.path
        self._frontier = Frontier()
        self._forms = [Form.EVENT, Form.OLD]

    def close(self) -> None:
        """Let the connection go."""
        self._store.close()

    def size(self) -> int:
        """Return how many events are sealed now."""
        with self._store.snapshot():
            return self._store.number("SELECT max(size) FROM seal_head")

    def removals(self) -> list[Removal]:
        """Return what declared acts removed."""
        with self._store.snapshot():
            rows = self._store.connection.execute("SELECT event_seq, first_seq, last_seq FROM seal_removed")
            return sorted(Removal(*row) for row in rows)

    def root(self, size: int) -> str:
        """Return the root of the tree over the first events.

        Raises:
            StoreDamaged: If the seals do not reach so far.
        """
        with self._store.snapshot():
            return _text_of(self._edge(size))

    def leaves(self, first: int, last: int) -> list[bytes]:
        """Return the sealed leaves of consecutive events.

        Raises:
            StoreDamaged: If there are not as many.
        """
        with self._store.snapshot():
            return self._leaves(first, last)

    def batch(self, first: int, last: int) -> Batch:
        """Read consecutive events, and compare each with its seal.

        Raises:
            StoreDamaged: If one is not what was sealed.
        """
        with self._store.snapshot():
            rows = list(self._store.content.stream(first, last))
            leaves = self._leaves(first, last)
            form = next(
                (form for form in self._forms if self._store.content.leaves(rows, form) == leaves), None
            )
            if form is not None:
                # Most stores have one; the next batch need not try the others first.
                self._forms.sort(key=lambda other: other is not form)
            else:
                self._check(list(map(FileRow._make, rows)), leaves, first)
            note = self._store.connection.execute(
                "SELECT note FROM seal_head WHERE size = ?", (last,)
            ).fetchone()
            events = self._events(rows)
            edge = self._edge(last)
        marks = PathMarks()
        further = derived(events.description, events.target, events.source_ip, events.metadata, marks)
        text = None if note is None else note[0].decode("utf-8", "replace")
        paths = frozenset(map(stored_text, marks))
        return Batch(first, last, events, further, paths, leaves, edge.hashes, _text_of(edge), text)

    def _edge(self, size: int) -> Frontier:
        """Return the right edge of the tree over the first events."""
        full, rest = divmod(size, BLOCK_LEAVES)
        if self._frontier.size > full:
            self._frontier = Frontier()
        while self._frontier.size < full:
            end = min(full, self._frontier.size + _ROOTS_AT_ONCE)
            blocks = self._store.blocks(self._frontier.size, end, with_leaves=False)
            if [block.number for block in blocks] != list(range(self._frontier.size, end)):
                raise StoreDamaged(f"Seals of {self.path} are missing.", _VERIFY)
            for block in blocks:
                self._frontier.push(block.root)
        last = Frontier()
        for leaf in self._leaves(full * BLOCK_LEAVES + 1, size) if rest else ():
            last.push(leaf)
        return Frontier(size, [*self._frontier.hashes, *last.hashes])

    def _leaves(self, first: int, last: int) -> list[bytes]:
        """Return the sealed leaves of consecutive events."""
        begin, end = (first - 1) // BLOCK_LEAVES, (last - 1) // BLOCK_LEAVES + 1
        leaves: list[bytes] = []
        for block in self._store.blocks(begin, end):
            if block.number != begin + len(leaves) // BLOCK_LEAVES or not block.is_whole:
                raise StoreDamaged(f"Seals of {self.path} are damaged.", _VERIFY)
            leaves += split_leaves(block.leaves)
        leaves = leaves[first - 1 - begin * BLOCK_LEAVES : last - begin * BLOCK_LEAVES]
        if len(leaves) != last - first + 1:
            raise StoreDamaged(f"Seals of {self.path} are missing.", _VERIFY)
        return leaves

    def _check(self, rows: list[FileRow], leaves: list[bytes], first: int) -> None:
        """Refuse events that are not what was sealed, and were not removed by a declared act."""
        expected = [leaves[row.seq - first] for row in rows]
        made = self._store.content.leaves(rows, Form.EVENT)
        wrong = [
            row
            for place, row in enumerate(rows)
            if not (made and made[place] == expected[place])
            and self._store.content.form_of(row, expected[place]) is None
        ]
        missing = sorted(set(range(first, first + len(leaves))) - {row.seq for row in rows})
        if not wrong and not missing:
            return
        declared = read_declared(self._store.connection)
        for row in wrong:
            if not declared.is_redacted(self._store.content, row):
                raise StoreDamaged(f"Event {row.seq:,} of {self.path} is not what was sealed.", _VERIFY)
        for number in missing:
            if not declared.is_pruned(number):
                raise StoreDamaged(f"Event {number:,} of {self.path} is missing.", _VERIFY)

    def _events(self, rows: Sequence[Sequence[Any]]) -> Events:
        (seqs, occurred_us, keys, event_ids, category_ids, user_ids, descriptions, outcomes, severities, ips,
         targets, source_ids, metadata, originals) = _columns(rows, len(FileRow._fields))  # fmt: skip
        event_names, category_names, user_names, source_names = self._store.content.names
        try:
            return Events(
                seqs,
                occurred_us,
                _texts(keys),
                _named(event_names.whole, event_ids),
                _named(category_names.whole, category_ids),
                _named(user_names.whole, user_ids),
                _texts(descriptions),
                _texts(outcomes),
                severities,
                _texts(ips),
                _texts(targets),
                _named(source_names.whole, source_ids),
                _texts(metadata),
                [None if data is None else base64.b64encode(data).decode() for data in originals],
            )
        except UnicodeDecodeError:
            for event in rows if len(rows) > 1 else ():
                self._events((event,))
            message = f"Event {rows[0][0]:,} of {self.path} holds bytes that are not text."
            raise StoreDamaged(message, _VERIFY) from None


def _text_of(edge: Frontier) -> str:
    return base64.b64encode(edge.root()).decode()


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * width


def _texts(values: Sequence[bytes | None]) -> list[Any]:
    return [None if value is None else str(value, "utf-8") for value in values]


def _named(whole: Callable[[Any], tuple[int, bytes]], numbers: Sequence[int | None]) -> list[Any]:
    texts = {number: None if number is None else whole(number)[1].decode() for number in set(numbers)}
    return list(map(texts.__getitem__, numbers))
