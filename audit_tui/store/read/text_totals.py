"""The values of a text field among the events that match, counted by the text index."""

from __future__ import annotations

from collections import Counter
from heapq import nlargest
from itertools import compress, islice
from operator import not_
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
    missing = totals.pop(None, 0)
    counts = Counter({text.encode(): events for text, events in totals.items() if text is not None})
    missing += _count_frequent(session, stretches, field, counts)
    # What many events have in some stretch is counted in any case; once there are too many texts, only of
    # those so much is counted that may be among the first.
    frequent, most_left_out = set(counts), 0
    for number, (entry, rows) in enumerate(stretches, 1):
        session.check()
        highest = 0
        for texts, events in _opened(session, entry).events_of_texts(field, rows, is_frequent=False):
            is_frequent = list(map(frequent.__contains__, texts))
            highest = max(highest, max(compress(events, map(not_, is_frequent)), default=0))
            chosen = events if is_whole else is_frequent
            for text, some in zip(compress(texts, chosen), compress(events, chosen), strict=True):
                counts[text] += some
        # What is rare in every stretch has no more events than this; all of it would take too much memory.
        unseen += highest
        if is_whole and len(counts) > MOST_TEXTS:
            if rarest or not 0 < limit <= len(frequent):
                return None
            is_whole = False
            so_far = {text: counts[text] for text in frequent}
            least = nlargest(limit, so_far.values())[-1] - 2 * len(stretches) * unseen // number
            most_left_out = max((some for some in so_far.values() if some < least), default=0)
            counts = Counter({text: some for text, some in so_far.items() if some >= least})
            frequent = set(counts)
    totals = Counter({text.decode(): some for text, some in counts.items() if some})
    totals[None] = missing
    if is_whole:
        return facet_of(totals, len(matching), limit, rarest=rarest)
    values = chosen_values(totals, limit)
    is_certain = len(values) == limit and values[-1].events > most_left_out + unseen
    return Facet(values, None, len(matching)) if is_certain else None


def _count_frequent(
    session: Session, stretches: list[tuple[Entry, BitMap]], field: FacetField, counts: Counter[bytes]
) -> int:
    """Count the texts that many events of a stretch have, and return how many events have none."""
    missing = 0
    for entry, rows in stretches:
        session.check()
        stretch = _opened(session, entry)
        missing += len(rows) - rows.intersection_cardinality(stretch.rows_with(field))
        for texts, events in stretch.events_of_texts(field, rows, is_frequent=True):
            for text, number in zip(texts, events, strict=True):
                counts[text] += number
    return missing


def _stretches(session: Session, matching: Bitmaps) -> tuple[list[tuple[Entry, BitMap]], list[int]]:
    """Return the stretches that have some of these events, with their rows, and the seqs that lie in none."""
    rest = BitMap()
    for segment, places in zip(matching.segments, matching.places, strict=True):
        around = segment.seqs_around(places)
        if len(around) == len(places):
            rest |= around
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
