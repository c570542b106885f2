"""The values of a text field among the events that match, counted by the text index."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from pyroaring import BitMap

from audit_tui.core.investigate.facets import add_texts, chosen_values, facet_of
from audit_tui.core.query import Facet
from audit_tui.store.index.text_index import LEFT_OUT
from audit_tui.store.index.text_parts import Parts
from audit_tui.store.index.text_search import Entry, entries_of
from audit_tui.store.index.text_stretch import TextStretch
from audit_tui.store.tables.text_layout import block_of

if TYPE_CHECKING:
    from audit_tui.core.query import FacetField
    from audit_tui.store.index.session import Session
    from audit_tui.store.index.timeline import Bitmaps

MOST_TEXTS = 30_000
"""With more different texts they are not all counted: they would take 10 MB."""
MOST_UNINDEXED = 20_000
"""With more events in no stretch nothing is counted here: their rows are read, in 0.3 s."""
_ROWS_AT_ONCE = 2_048
_PLACES_AT_ONCE = 65_536


def text_facets(
    session: Session, matching: Bitmaps, field: FacetField, limit: int, *, rarest: bool = False
) -> Facet | None:
    """Return the values of a field with how many events have each; without how many there are if too many.

    Args:
        session: The snapshot.
        matching: Which events.
        field: The target, or a field of the metadata.
        limit: The most values to return.
        rarest: The rarest first.

    Returns:
        None where the index does not tell.

    Raises:
        QueryCancelled: If the answer is no longer wanted.
        StoreDamaged: If the index does not hold what it should.
    """
    stretches, rest = _stretches(session, matching)
    if len(rest) > MOST_UNINDEXED:
        return None
    totals, unseen, is_whole = _by_rows(session, field, rest), 0, True
    # These are counted in any case.
    frequent: set[str | None] = {None, *totals}
    for entry, _ in stretches:
        frequent.update(_opened(session, entry).frequent_texts(field))
    for entry, rows in stretches:
        session.check()
        stretch = _opened(session, entry)
        totals[None] += len(rows - stretch.rows_with(field))
        highest = 0
        for text, events in stretch.events_of_texts(field, rows):
            if text not in frequent:
                highest = max(highest, events)
            if is_whole or text in frequent:
                totals[text] += events
        # What is rare in every stretch has no more events than this; all of it would take too much memory.
        unseen += highest
        if is_whole and len(totals) > MOST_TEXTS:
            is_whole = False
            totals = Counter({text: totals[text] for text in frequent})
    if is_whole:
        return facet_of(totals, len(matching), limit, rarest=rarest)
    chosen = chosen_values(totals, limit)
    is_certain = not rarest and len(chosen) == limit and chosen[-1].events > unseen
    return Facet(chosen, None, len(matching)) if is_certain else None


def _stretches(session: Session, matching: Bitmaps) -> tuple[list[tuple[Entry, BitMap]], list[int]]:
    """Return the stretches that have some of these events, with their rows, and the seqs that lie in none."""
    rest = BitMap()
    for segment, places in zip(matching.segments, matching.places, strict=True):
        is_all = len(places) == segment.events == segment.last_seq - segment.first_seq + 1
        if is_all:
            rest |= BitMap(range(segment.first_seq, segment.last_seq + 1))
            continue
        left = iter(places)
        # All at once they would take 40 MB of numbers for a million events.
        while some := list(islice(left, _PLACES_AT_ONCE)):
            rest |= BitMap(segment.seqs(some))
    stretches = []
    for entry in entries_of(session):
        covered = rest & BitMap(range(entry.first_seq, entry.last_seq + 1))
        if covered and entry.events != LEFT_OUT:
            rest = rest - covered
            stretches.append((entry, covered.shift(-block_of(entry.first_seq))))
    return stretches, list(rest)


def _opened(session: Session, entry: Entry) -> TextStretch:
    """Return a stretch to be asked and let go: what it has read of itself takes 0.2 MB."""
    return TextStretch(Parts(session.rows, entry.first_seq), entry.events)


def _by_rows(session: Session, field: FacetField, seqs: list[int]) -> Counter[str | None]:
    totals: Counter[str | None] = Counter()
    for first in range(0, len(seqs), _ROWS_AT_ONCE):
        session.check()
        for texts in session.field_texts(field, seqs[first : first + _ROWS_AT_ONCE]):
            add_texts(totals, texts)
    return totals
