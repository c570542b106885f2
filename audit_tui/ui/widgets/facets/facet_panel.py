"""The panel of facets: the values of the events that are shown, and in how many of them each stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import All, MetaField, everywhere
from audit_tui.core.investigate.facets import facet_of
from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import bindings
from audit_tui.ui.lane import Lane, unless_ended
from audit_tui.ui.widgets.bars import Bar
from audit_tui.ui.widgets.facets.facet_lines import (
    MORE_VALUES,
    TOP_VALUES,
    Kind,
    NamedFilters,
    Row,
    Section,
    line_of,
    rows_of,
)
from audit_tui.ui.widgets.painter import ROLES, Line, Piece, Role, command_at, fit, paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual import events
    from textual.binding import BindingType
    from textual.strip import Strip

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event_fields import ListField
    from audit_tui.core.query import EventQuery, EventReader, Facet, FacetField, ReaderFactory

FIELDS: tuple[FacetField, ...] = (
    *(Column.CATEGORY, Column.EVENT, Column.USER, Column.OUTCOME),
    *(Column.SOURCE_IP, Column.TARGET, Column.SOURCE),
)
COUNTED_EVENTS = 20_000
"""Values that no index counts, or has too many of, are counted in this many of the newest events: 0.3 s."""
_SLOW = (Column.TARGET, Column.DESCRIPTION)


class FacetPanel(ScrollView, can_focus=True):
    """Shows the values of the present result, most frequent or rarest first.

    Each field is drawn when its answer comes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.FACETS)]
    COMPONENT_CLASSES: ClassVar[set[str]] = ROLES

    @dataclass
    class Chosen(Message):
        """A value was chosen: only its events are wanted, or none of them."""

        field: FacetField | NamedFilters
        value: str | None
        is_negated: bool

    def __init__(self, open_reader: ReaderFactory, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lane = Lane(open_reader)
        self.sections = [Section(field) for field in FIELDS]
        self._rows: list[Row] = rows_of(self.sections)
        self._cursor = -1
        self._query: EventQuery | None = None
        self._is_rarest = False
        self._goal: FacetField | NamedFilters | None = None
        """The field that was added, for the cursor to go to when it is counted."""

    @property
    def chosen(self) -> tuple[FacetField | NamedFilters, str | None] | None:
        row = self._row
        if row is None or row.kind is not Kind.VALUE:
            return None
        section = self.sections[row.section]
        return None if section.facet is None else (section.field, section.facet.values[row.value].value)

    def count(self, query: EventQuery, *, is_reopened: bool = False) -> None:
        """Count the values of a result; one that is counted already is not counted again."""
        if is_reopened:
            self._lane.renew()
        elif self._query is not None and _is_same(query, self._query):
            return
        self._query = query
        self._ask([section.field for section in self.sections])

    def begin_at(self, field: ListField) -> None:
        if any(section.field == field for section in self.sections):
            self._goal = field
            self._go_to(field)

    def add_field(self, path: str) -> None:
        field = MetaField(path)
        if all(section.field != field for section in self.sections):
            self.sections.append(Section(field))
            self._ask([section.field for section in self.sections if section.is_stale])
        self._goal = field
        self._renew_rows()
        self._go_to(field)

    def show_filters(self, named: NamedFilters) -> None:
        """Show how many events these filters take, above the fields, in the place of those before."""
        place, first = self._place(), self.sections[0].field
        if named == first or not named.filters:
            return
        if isinstance(first, NamedFilters):
            self.sections[0] = Section(named, self.sections[0].facet)
        else:
            self.sections.insert(0, Section(named))
            if place is not None and place[0].section >= 0:
                place = (place[0]._replace(section=place[0].section + 1), *place[1:])
        self._renew_rows()
        self._find(place)
        self._ask([part.field for part in self.sections if part.is_stale])

    def stop(self) -> None:
        self._lane.cancel()
        self._query = None

    def on_unmount(self) -> None:
        self._lane.close()

    # -- counting

    def _ask(self, fields: Sequence[FacetField | NamedFilters]) -> None:
        query = self._query
        if query is None:
            return
        for section in self.sections:
            section.is_stale = section.is_stale or section.field in fields
        self.refresh()
        limits = {
            section.field: MORE_VALUES if section.is_open else TOP_VALUES
            for section in self.sections
            if section.is_stale
        }
        read = partial(self._read, query, limits, self._is_rarest)
        self._lane.put(self, "facets", read, lambda _: None, partial(self._take_errors, limits))

    def _read(
        self,
        query: EventQuery,
        limits: dict[FacetField | NamedFilters, int],
        is_rarest: bool,
        reader: EventReader,
        cancel: CancelToken,
    ) -> None:
        """In a thread: what an index counts first, and the number of values where that takes longer last."""

        def tell(field: FacetField | NamedFilters, facet: Facet | None, words: str = "") -> None:
            self.call_later(unless_ended, cancel, partial(self._take, field, facet, words))

        quick = sorted(limits, key=_is_slow)
        rest: list[FacetField | NamedFilters] = []
        for counts_all, fields in ((False, quick), (True, rest)):
            for field in fields:
                try:
                    facet = _facets(query, field, limits[field], is_rarest, counts_all, reader, cancel)
                except QueryCancelled:
                    raise
                except AuditTuiError as error:
                    tell(field, None, error.title)
                else:
                    if facet.distinct is None and not counts_all and not _is_slow(field):
                        rest.append(field)
                    tell(field, facet)

    def _take_errors(self, fields: Iterable[FacetField | NamedFilters], error: AuditTuiError) -> None:
        for field in fields:
            self._take(field, None, error.title)

    def _take(self, field: FacetField | NamedFilters, facet: Facet | None, words: str) -> None:
        section = next((part for part in self.sections if part.field == field), None)
        if section is None:
            return
        place = self._place()
        first_new = Row(
            Kind.VALUE, self.sections.index(section), len(section.facet.values) if section.facet else 0
        )
        is_opened = self._row == first_new._replace(kind=Kind.OTHERS, value=-1)
        section.facet, section.words, section.is_stale = facet, words, False
        self._renew_rows()
        if field == self._goal:
            self._goal = None
            self._go_to(field)
        elif is_opened and first_new in self._rows:
            self._set_cursor(self._rows.index(first_new))
        else:
            self._find(place)

    # -- lines and the cursor

    @property
    def _row(self) -> Row | None:
        return self._rows[self._cursor] if 0 <= self._cursor < len(self._rows) else None

    def _place(self) -> tuple[Row, FacetField | NamedFilters | None, str | None] | None:
        row = self._row
        if row is None:
            return None
        chosen = self.chosen
        field = self.sections[row.section].field if row.section >= 0 else None
        return row, field, None if chosen is None else chosen[1]

    def _find(self, place: tuple[Row, FacetField | NamedFilters | None, str | None] | None) -> None:
        if place is None:
            self._cursor = -1
            self._move_to(0)
            return
        old, field, text = place
        for number, row in enumerate(self._rows):
            if row.section != old.section or row.kind is not old.kind:
                continue
            facet = self.sections[row.section].facet if row.section >= 0 else None
            if row.kind is not Kind.VALUE or (facet is not None and facet.values[row.value].value == text):
                self._set_cursor(number)
                return
        same = [number for number, row in enumerate(self._rows) if row.section == old.section]
        self._move_to(min(same[0] + 1 + max(0, old.value), same[-1]) if same and field else 0)

    def _go_to(self, field: FacetField | NamedFilters) -> None:
        number = next(n for n, section in enumerate(self.sections) if section.field == field)
        self._move_to(self._rows.index(Row(Kind.HEAD, number)))

    def _renew_rows(self) -> None:
        self._rows = rows_of(self.sections)
        self.virtual_size = Size(self._content_width, len(self._rows) + 1)
        self.refresh()

    def _move_to(self, number: int, step: int = 1) -> None:
        """Put the cursor on a line, or on the nearest beyond it that takes it, else before it."""
        places = [place for place, row in enumerate(self._rows) if row.takes_cursor]
        if step > 0:
            following = [place for place in places if place >= number]
            self._set_cursor(following[0] if following else places[-1])
        else:
            leading = [place for place in places if place <= number]
            self._set_cursor(leading[-1] if leading else places[0])

    def _set_cursor(self, number: int) -> None:
        before, self._cursor = self._cursor, number
        for place in {before, number}:
            y = place + 1 - self.scroll_offset.y
            if 1 <= y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))
        if not self.size.height:
            return  # not laid out yet: ``on_resize`` brings it into view
        height = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        # The head of the field is to be seen above its first value.
        first = number - 1 if number and self._rows[number - 1].kind is Kind.HEAD else number
        if first < top:
            self.scroll_to(y=first, animate=False, force=True)
        elif number >= top + height:
            self.scroll_to(y=number - height + 1, animate=False, force=True)

    @property
    def _content_width(self) -> int:
        return max(8, self.size.width - self.scrollbar_size_vertical)

    def on_resize(self) -> None:
        self._renew_rows()
        if self._row is not None:
            self._set_cursor(self._cursor)

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self._content_width
        return paint(self, self._line(y, width), self.size.width)

    def _line(self, y: int, width: int) -> Line:
        if y == 0:
            return self._header(width)
        number = y - 1 + self.scroll_offset.y
        if number >= len(self._rows):
            return ()
        is_cursor = number == self._cursor and self.has_focus
        return line_of(self._rows[number], self.sections, width, is_cursor=is_cursor)

    def _header(self, width: int) -> Line:
        words = "rarest first" if self._is_rarest else "most frequent first"
        close = " ✕ "
        room = max(0, width - cell_len(close) - 1)
        return (
            Piece(" "),
            Piece(fit(words, room), Role.BUTTON, "facet-rarest"),
            Piece(close, Role.QUIET, "facets"),
        )

    # -- keys and mouse

    def action_facet(self, by: int) -> None:
        self._move_to(self._cursor + by, by)

    def action_facet_page(self, by: int) -> None:
        self._move_to(self._cursor + by * max(1, self.size.height - 2), by)

    def action_facet_first(self) -> None:
        self._move_to(0)

    def action_facet_last(self) -> None:
        self._move_to(len(self._rows) - 1)

    def action_facet_next(self) -> None:
        heads = [place for place, row in enumerate(self._rows) if row.kind is Kind.HEAD]
        self._move_to(next((place for place in heads if place > self._cursor), len(self._rows) - 1))

    def action_facet_previous(self) -> None:
        heads = [place for place, row in enumerate(self._rows) if row.kind is Kind.HEAD]
        before = [place for place in heads if place < self._cursor - 1]
        self._move_to(before[-1] if before else 0)

    def action_facet_only(self) -> None:
        row = self._row
        if row is not None and row.kind is Kind.ADD:
            self.post_message(Bar.Pressed("pick-field"))
        elif row is not None and row.kind is Kind.OTHERS:
            section = self.sections[row.section]
            section.is_open, section.is_stale = True, True
            self._ask([part.field for part in self.sections if part.is_stale])
        else:
            self._choose(is_negated=False)

    def action_facet_without(self) -> None:
        self._choose(is_negated=True)

    def _choose(self, *, is_negated: bool) -> None:
        chosen = self.chosen
        if chosen is not None:
            self.post_message(self.Chosen(*chosen, is_negated))

    def action_facet_rarest(self) -> None:
        self._is_rarest = not self._is_rarest
        row = self._row
        self._goal = self.sections[row.section].field if row is not None and row.section >= 0 else None
        for section in self.sections:
            section.is_open = False
        self._ask([section.field for section in self.sections])

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        was_cursor = self.has_focus and self._cursor == offset.y - 1 + self.scroll_offset.y
        command = command_at(self._line(offset.y, self._content_width), offset.x)
        if command == "facets":
            self.post_message(Bar.Pressed(command))
        elif command:
            await self.run_action(command.replace("-", "_"))
        else:
            number = offset.y - 1 + self.scroll_offset.y
            if 0 <= number < len(self._rows) and self._rows[number].takes_cursor:
                self._set_cursor(number)
                if was_cursor or self._rows[number].kind is not Kind.VALUE:
                    self.action_facet_only()


def _is_slow(field: FacetField | NamedFilters) -> bool:
    """Tell whether no index of its values counts a field."""
    return field in _SLOW or isinstance(field, MetaField | NamedFilters)


def _facets(
    query: EventQuery,
    field: FacetField | NamedFilters,
    limit: int,
    is_rarest: bool,
    counts_all: bool,
    reader: EventReader,
    cancel: CancelToken,
) -> Facet:
    if isinstance(field, NamedFilters):
        totals: dict[str | None, int] = {
            name: reader.count(replace(query, filter=everywhere(All((query.filter, wanted)))), cancel)
            for name, wanted in field.filters
        }
        return facet_of(totals, 0, limit, rarest=is_rarest)
    return reader.facets(
        query,
        field,
        limit,
        cancel,
        rarest=is_rarest,
        counts_all=counts_all,
        most_events=COUNTED_EVENTS,
    )


def _is_same(query: EventQuery, other: EventQuery) -> bool:
    return (query.filter, query.interval, query.upto_seq) == (other.filter, other.interval, other.upto_seq)
