"""Keep events: marks, notes, and the way from one to the next; badges for what appears for the first time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual import on

from audit_tui.core.columns import Column
from audit_tui.core.event_fields import metadata_text
from audit_tui.core.filter.filters import Any, Condition, MetaField
from audit_tui.core.filter.operators import IS
from audit_tui.core.investigate.compare import First, FirstSeen
from audit_tui.core.privacy.redact_mode import RedactingReader
from audit_tui.core.query import After, AtRow, PageKey
from audit_tui.core.text import counted
from audit_tui.ui.lane import Lane
from audit_tui.ui.screens.review.following import Following
from audit_tui.ui.widgets.list.event_list import EventList
from audit_tui.ui.widgets.list.event_table import EventTable
from audit_tui.ui.widgets.list.row_strips import NOTED_MARK, Remark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.investigate.notebook import Entry, Notebook
    from audit_tui.core.query import EventQuery, EventReader
    from audit_tui.core.view import View

MAX_AT_ONCE = 1_000
NO_NOTEBOOK = "Marks and notes cannot be kept for what is shown here."
STILL_S = 0.3
"""The rows are looked up when nothing was typed for so long: five lookups a row, of up to 1 ms each."""
MAX_ROWS = 20_000


class Loaded(NamedTuple):
    """A notebook, and those of its entries whose events are in the store."""

    notebook: Notebook | None
    entries: dict[int, Entry]


class Marking(Following):
    """The keys that mark events and write notes on them."""

    _notebook: Notebook | None = None
    _entries: dict[int, Entry] = {}  # noqa: RUF012 - replaced, never changed
    _before_marked: View | None = None

    def on_mount(self) -> None:
        self._firsts = {}
        self._doubtful: set[int] = set()
        """The events that were the first of something before others came, which may be older."""
        self._seen = FirstSeen()
        self._seen_upto: int | None = None
        if self._opening.shows_firsts:
            self._lane = Lane(self._open_reader)
        self.call_after_refresh(self._load_notebook)

    def end_of_arrivals(self) -> None:
        self._load_notebook()

    def _load_notebook(self) -> None:
        opener = self._opening.open_notebook
        if opener is not None:
            self._ask_quietly("notebook", partial(_load, opener), self._take_notebook)

    def _take_notebook(self, loaded: Loaded) -> None:
        self._notebook, self._entries = loaded
        self.show_remarks()
        if self._notebook is not None and self._notebook.problem:
            self.say(self._notebook.problem)

    def show_remarks(self) -> None:
        self.table.remark(self.remarks())
        self.mark_strip()
        if self.pane is not None:
            self.pane.show_remarks()

    def remarks(self) -> dict[int, Remark]:
        remarks = {
            seq: Remark(
                entry.is_marked,
                is_noted=bool(entry.note),
                tag=NOTED_MARK if entry.is_marked and entry.note else "",
            )
            for seq, entry in self._entries.items()
        }
        for seq, firsts in self._firsts.items():
            if firsts:
                remarks[seq] = remarks.get(seq, Remark())._replace(tag=firsts[0].tag, short_tag="NEW")
        return remarks

    def remarks_of(self, event: AuditEvent) -> Sequence[str]:
        entry, firsts = self._entries.get(event.seq or 0), self._firsts.get(event.seq or 0, ())
        lines = [f"{first.tag}: {first.words}" for first in firsts]
        lines += [""] if lines else []
        if entry is None:
            return lines
        if entry.note:
            return [f"{'● ' if entry.is_marked else ''}✎ {entry.note}", "", *lines]
        return ["● marked", "", *lines]

    @property
    def marked_seqs(self) -> list[int]:
        entries = sorted(self._entries.values(), key=lambda entry: (entry.occurred_us, entry.seq))
        return [entry.seq for entry in entries if entry.is_marked]

    @property
    def marked_us(self) -> Sequence[int]:
        return [entry.occurred_us for entry in self._entries.values() if entry.is_marked]

    # -- marks

    def action_mark(self) -> None:
        notebook, rows = self._notebook, self.table.taken_rows
        if notebook is None:
            self.say(NO_NOTEBOOK)
        elif len(rows) > MAX_AT_ONCE:
            self.say(f"{counted(len(rows), 'row')} are too many to mark; the most is {MAX_AT_ONCE:,}.")
        elif rows:
            self._ask_once(partial(_mark, notebook, self.event_list.shown.query, rows), self._take_marked)

    def _take_marked(self, marked: tuple[int, Loaded]) -> None:
        count, loaded = marked
        self._take_notebook(loaded)
        self.table.end_selection()
        whole = counted(len(self.marked_seqs), "event")
        self.say(f"{'Marked' if count > 0 else 'Unmarked'} {counted(abs(count), 'event')}; {whole} marked.")

    def action_to_mark(self, step: int) -> None:
        if not self.marked_seqs:
            self.say(f"Nothing is marked: {self._keymap.key_of('mark')} marks an event.")
            return
        query, row = self.event_list.shown.query, self.table.cursor_row
        self._ask_once(partial(places_of, query, self.marked_seqs), partial(self._take_places, row, step))

    def _take_places(self, row: int, step: int, places: list[int]) -> None:
        if not places:
            self.say(
                f"The marked events are not in this view: {self._keymap.key_of('only-marked')} shows them."
            )
            return
        ahead = [place for place in places if (place - row) * step > 0]
        wrapped = not ahead
        target = (min if step > 0 else max)(ahead or places)
        self.table.jump_to(target)
        number = places.index(target) + 1
        self.say(f"Mark {number} of {len(places)}{', from the other end' if wrapped else ''}.")

    def action_only_marked(self) -> None:
        wanted = self.view_of(seqs_filter(self.marked_seqs))
        if self._before_marked is not None and self.view == wanted:
            before, self._before_marked = self._before_marked, None
            self.show_view(before)
        elif not self.marked_seqs:
            self.say(f"Nothing is marked: {self._keymap.key_of('mark')} marks an event.")
        else:
            self._before_marked = self.view
            self.show_view(wanted)

    # -- notes

    def action_note(self) -> None:
        row = self.table.highlighted
        if self._notebook is None:
            self.say(NO_NOTEBOOK)
        elif row is not None:
            self._ask_once(lambda reader: _plain(reader).event(row.seq), self._ask_note)

    def _ask_note(self, event: AuditEvent | None) -> None:
        from audit_tui.ui.screens.ask_line import AskLine

        if event is None or self._notebook is None:
            return
        note = self._notebook.entry(event).note
        dialog = AskLine(
            f"Note on event {event.number_words}",
            note,
            hint="The note stays with you, beside the store; an empty one is taken away.",
        )
        write = partial(_write_note, self._notebook, event)
        self._open(dialog, lambda text: self._ask_once(partial(write, text), self._take_notebook))

    _firsts: dict[int, Sequence[First]] = {}  # noqa: RUF012 - replaced at the start
    _lane: Lane | None = None

    def on_unmount(self) -> None:
        if self._lane is not None:
            self._lane.close()

    @on(EventList.QueryShown)
    def _look_again(self, message: EventList.QueryShown) -> None:
        if message.is_reopened:
            self._load_notebook()
            if self._lane is not None:
                self._seen = FirstSeen()
                self._firsts = {}
                self._lane.renew()
        elif message.shown.query.upto_seq != self._seen_upto:
            self._doubtful.update(seq for seq, firsts in self._firsts.items() if firsts)
        self._seen_upto = message.shown.query.upto_seq
        self._look_up()

    @on(EventTable.RowHighlighted)
    def _look_up(self) -> None:
        table, lane = self.table, self._lane
        if lane is None or self.event_list.shown.is_redacted:
            return
        rows = [
            row for row in table.rows_in_sight if row.seq not in self._firsts or row.seq in self._doubtful
        ]
        if rows:
            seen = self._seen
            lane.put(
                self,
                "firsts",
                lambda reader, cancel: {row.seq: seen.of(reader, row, cancel) for row in rows},
                self._take_firsts,
                before=partial(self.stillness.wait, STILL_S),
            )

    def _take_firsts(self, firsts: dict[int, Sequence[First]]) -> None:
        if len(self._firsts) > MAX_ROWS:
            self._firsts.clear()
        is_other = any(each != self._firsts.get(seq, ()) for seq, each in firsts.items())
        self._firsts |= firsts
        self._doubtful -= firsts.keys()
        if is_other:
            self.show_remarks()


def seqs_filter(seqs: Sequence[int]) -> Filter:
    """Return the filter of the events of these numbers."""
    return Any(tuple(Condition(Column.SEQ, IS, str(seq)) for seq in seqs))


# -- in a thread


def _plain(reader: EventReader) -> EventReader:
    """Return the reader of what stands in the store: an event's key may hold a name."""
    return reader.plain if isinstance(reader, RedactingReader) else reader


def _load(open_notebook: Callable[[str], Notebook | None], reader: EventReader) -> Loaded:
    notebook = open_notebook(reader.info().store_id)
    return Loaded(notebook, {} if notebook is None else _present(notebook, reader))


def _present(notebook: Notebook, reader: EventReader) -> dict[int, Entry]:
    """Return the entries whose events are in the store, by number: the store may be another than it was."""
    entries: dict[int, Entry] = {}
    for entry in notebook:
        event = _plain(reader).event(entry.seq)
        if event is not None and event.key == entry.key:
            entries[entry.seq] = entry
    return entries


def _mark(notebook: Notebook, query: EventQuery, rows: range, reader: EventReader) -> tuple[int, Loaded]:
    page = reader.page(query, AtRow(rows.start), len(rows))
    events = [_plain(reader).event(row.seq) for row in page.rows]
    count = notebook.mark(event for event in events if event is not None)
    return count, Loaded(notebook, _present(notebook, reader))


def _write_note(notebook: Notebook, event: AuditEvent, note: str, reader: EventReader) -> Loaded:
    notebook.write_note(event, note)
    return Loaded(notebook, _present(notebook, reader))


def places_of(query: EventQuery, seqs: Sequence[int], reader: EventReader) -> list[int]:
    """Return the row indexes of those of these events that are in a result, in its order."""
    places = []
    for seq in seqs:
        event = _plain(reader).event(seq)
        if event is None:
            continue
        column = query.sort.column
        value: object = None
        if isinstance(column, MetaField):
            value = metadata_text(event.metadata, column.path)
        elif column is not Column.TIME:
            value = getattr(event, column.attribute)
        key = PageKey(None if value is None else str(value), event.occurred_us, seq)
        page = reader.page(query, After(key.just_before(query.sort)), 1)
        if page.rows and page.rows[0].seq == seq:
            places.append(reader.locate(query, key))
    return sorted(places)
