"""The drawn lines of the list, kept as long as they would look the same.

Each line is drawn once: a list that scrolls shows 21 lines that it has just shown, and ``ui.terminal`` sees
from the very same strip that nothing on it changed.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.color import Color
from textual.strip import Strip

from audit_tui.core.columns import Column
from audit_tui.core.event import EventRow, Outcome
from audit_tui.core.text import clean
from audit_tui.ui.widgets.list.column_layout import GAP_CELLS
from audit_tui.ui.widgets.painter import CUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual.filter import LineFilter

    from audit_tui.core.event_fields import ListField
    from audit_tui.core.evidence.sealed import WrongEvents
    from audit_tui.core.investigate.detections import Level
    from audit_tui.ui.widgets.list.row_text import RowText

FAILURE_MARK = "✗"
WRONG_MARK = "!"
SELECTED_MARK = "▌"
MARKED_MARK = "●"
MARKED_FAILURE_MARK = "⊗"
NOTED_MARK = "✎"
MAX_CHARS = 200
"""A longer name is told by its beginning."""


class Tint(Enum):
    """A kind of event that stands out."""

    REMOVAL = "removal"
    """Deletes, revokes, ends or switches off."""
    GRANT = "grant"
    """Gives a right, a role, a key or a membership."""


_REMOVAL = re.compile(
    r"delet|remov|destroy|terminat|revok|\bdrop|purg|disabl|deactivat|deregister|undeploy|detach|eras|wipe"
    r"|uninstall|\bstop ?logging|\bunassign|archiv",
    re.IGNORECASE,
)


_GRANT = re.compile(
    r"grant|assign|attach|authoriz|elevat|impersonat|assume ?role|permission|\bsudo\b"
    r"|(?:put|set|edit|updat|creat|add).*polic|(?:add|invit|join).*(?:member|group|role|user|owner|collaborator)"
    r"|(?:access|api|ssh|deploy|service account|account)[ _-]?key.*(?:creat|add|import)"
    r"|(?:creat|add|import|generat).*(?:access|api|ssh|deploy|account)?[ _-]?(?:key|credential|secret|token)"
    r"|role (?:chang|edit)|(?:login|access) ?profile",
    re.IGNORECASE,
)


_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=2048)
def tint_of(name: str) -> Tint | None:
    """Return the kind of an event by its name; None for an ordinary one."""
    words = _HUMPS.sub(" ", name[:MAX_CHARS])
    if _REMOVAL.search(words):
        return Tint.REMOVAL
    return Tint.GRANT if _GRANT.search(words) else None


class Remark(NamedTuple):
    """An addition to the line of an event."""

    is_marked: bool = False
    is_noted: bool = False
    tag: str = ""
    short_tag: str = ""
    """The word in its place where it would cover most of the last column."""
    level: Level | None = None
    """The weight of the rule that hit it, of several the weightiest; None when none did."""


NO_REMARK = Remark()


LEAST_LAST_CELLS = 18


KEPT_LINES = 512


class RowStyles(NamedTuple):
    """The styles of everything in the list."""

    row: Style
    cursor: Style
    cell: Style
    header: Style
    header_cursor: Style
    failure: Style
    removal: Style
    grant: Style
    faint: Style
    """Of what is looked at second, and of values that repeat the row above."""
    quiet: Style
    """Of rows that are not read yet, and of words in place of rows."""
    tag: Style
    low: Style
    medium: Style
    high: Style
    selected: Style
    hit: Style


ADDITIONS = ("selected", "hit")


"""Styles that come on top of others."""


STYLE_CLASSES = {
    "cursor": "datatable--cursor",
    "header": "datatable--header",
    "header_cursor": "datatable--header-cursor",
    "cell": "event-table--cell-cursor",
} | {name: f"event-table--{name}" for name in RowStyles._fields[5:]}


"""The component class of each style but that of a row."""


class _CutStrip(Strip):
    """A line that is cut where the scrollbar begins without being measured: 3 ms of a page of new rows."""

    __slots__ = ["_parts"]

    def __init__(self, parts: Sequence[Strip]) -> None:
        super().__init__([*chain.from_iterable(parts)], sum(part.cell_length for part in parts))
        self._parts = parts

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        wanted = [*cuts]
        ends = [*accumulate(part.cell_length for part in self._parts)]
        return self._parts if wanted == ends else super().divide(wanted)


class Frame(NamedTuple):
    """The common properties of the lines of a frame."""

    width: int
    room: int
    """Cells of it that are for text; the scrollbar has the rest."""
    styles: RowStyles
    filters: tuple[LineFilter, ...]
    background: Color


class RowStrips:
    """Draws lines of the list."""

    def __init__(self, row_text: RowText) -> None:
        self._row_text = row_text
        self._frame = Frame(0, 0, RowStyles(*[Style.null()] * len(RowStyles._fields)), (), Color(0, 0, 0))
        self._column = 0
        self._wrong: tuple[WrongEvents, ...] = ()
        self._remarks: Mapping[int, Remark] = {}
        self._searched: re.Pattern[str] | None = None
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(KEPT_LINES)
        self._repeats: LRUCache[tuple[int, int | None], frozenset[ListField]] = LRUCache(KEPT_LINES)
        """The columns in which a row says the same as another; two dates in a zone take 30 µs."""

    def begin(self, frame: Frame, column: int) -> None:
        """Begin a frame; lines that look as in the last one are not drawn again."""
        if self._frame != frame:
            self.forget()
            self._frame = frame
        self._column = column

    def forget(self) -> None:
        self._strips.clear()
        self._repeats.clear()

    def mark_wrong(self, wrong: Sequence[WrongEvents]) -> None:
        self._wrong = tuple(wrong)

    def remark(self, remarks: Mapping[int, Remark]) -> None:
        self._remarks = remarks

    def search_for(self, text: str) -> None:
        self._searched = re.compile(re.escape(clean(text)), re.IGNORECASE) if text else None
        self.forget()

    def blank(self) -> Strip:
        return self._keep(("blank",), [])

    def missing(self) -> Strip:
        return self._keep(("missing",), [Segment(" " + CUT, self._frame.styles.quiet)])

    def header(self) -> Strip:
        labels = self._row_text.headings()
        key = ("header", self._column, *labels)
        if (strip := self._strips.get(key)) is not None:
            return strip
        look = self._frame.styles
        segments = [Segment(" ", look.header)]
        for number, label in enumerate(labels):
            words = label.rstrip() if number == self._column else ""
            segments += [
                *([Segment(words, look.header_cursor)] if words else []),
                Segment(label[len(words) :] + " " * GAP_CELLS, look.header),
            ]
        strip = Strip(segments).adjust_cell_length(self._frame.room, look.header)
        return self._keep(key, [*strip.simplify()])

    def words(self, words: str, *, is_cursor: bool = False) -> Strip:
        text = clean(words)
        indent = max(1, (self._frame.width - cell_len(text)) // 2)
        styles = self._frame.styles
        mark, style = (f"{SELECTED_MARK} ", styles.cursor) if is_cursor else ("", styles.quiet)
        lead = Segment(" " * (indent - cell_len(mark)), styles.quiet)
        return self._keep(("words", text, is_cursor), [lead, Segment(f"{mark}{text}", style)])

    def row(
        self,
        row: EventRow,
        above: EventRow | None,
        *,
        is_cursor: bool,
        is_selected: bool = False,
        words: str = "",
    ) -> Strip:
        pair = (row.seq, above.seq if above is not None else None)
        repeats = self._repeats.get(pair)
        if repeats is None:
            repeats = self._repeats[pair] = self._row_text.repeats(row, above)
        is_wrong = any(run.first_seq <= row.seq <= run.last_seq for run in self._wrong)
        remark = self._remarks.get(row.seq, NO_REMARK)
        left_cells = self._row_text.boxes[-1].width - len(remark.tag)
        if remark.short_tag and left_cells < LEAST_LAST_CELLS:
            remark = remark._replace(tag=remark.short_tag)
        if remark.tag and self._covers_date(remark.tag):
            remark = remark._replace(tag="")
        if words:
            remark = remark._replace(tag=f"{words} {remark.tag}".rstrip())
        key = (row.seq, self._column if is_cursor else None, is_selected, repeats, is_wrong, remark)
        strip = self._strips.get(key)
        if strip is None:
            segments = self._segments(row, repeats, is_cursor=is_cursor, is_wrong=is_wrong)
            if remark is not NO_REMARK:
                segments = self._remarked(segments, remark, is_cursor=is_cursor)
            if is_selected:
                segments = self._selected(segments, is_cursor)
            strip = self._keep(key, segments, max(self._row_text.row_cells, self._frame.room))
        return strip

    def _keep(self, key: tuple[object, ...], segments: list[Segment], cells: int | None = None) -> Strip:
        """Keep a line made of segments, and of how many cells they are if that is known."""
        strip = self._strips.get(key)
        if strip is None:
            width, room, styles, _, _ = self._frame
            text = Strip(segments, cells).adjust_cell_length(room, styles.row)
            parts = [text, Strip.blank(width - room, styles.row)] if width > room else [text]
            strip = self._strips[key] = _CutStrip([self._filtered(part) for part in parts])
        return strip

    def _filtered(self, strip: Strip) -> Strip:
        for line_filter in self._frame.filters:
            strip = Strip(line_filter.apply([*strip], self._frame.background), strip.cell_length)
        return strip

    def _segments(
        self, row: EventRow, repeats: frozenset[ListField], *, is_cursor: bool, is_wrong: bool
    ) -> list[Segment]:
        """One segment where neighbours have one style: each costs a colour change on the line."""
        look = self._frame.styles
        has_failed = row.outcome is Outcome.FAILURE
        cells = [cell + " " * GAP_CELLS for cell in self._row_text.cells(row, repeats)]
        gutter = WRONG_MARK if is_wrong else FAILURE_MARK if has_failed else " "
        pad = " " * max(0, self._frame.room - self._row_text.row_cells)
        cells[-1] += pad
        if is_cursor:
            before, after = gutter + "".join(cells[: self._column]), "".join(cells[self._column + 1 :])
            cell = cells[self._column]
            gap = GAP_CELLS + (len(pad) if not after else 0)
            segments = [
                Segment(before, look.cursor),
                Segment(cell[:-gap], look.cell),
                Segment(" " * gap + after, look.cursor),
            ]
            return self._with_hits(segments, cells)
        styles = [
            self._style(row, box.column, repeats, is_marked=is_wrong or has_failed)
            for box in self._row_text.boxes
        ]
        segments = [Segment(gutter, look.failure if is_wrong or has_failed else styles[0])]
        for text, style in zip(cells, styles, strict=True):
            last = segments[-1]
            if last.style is style:
                segments[-1] = Segment(last.text + text, style)
            else:
                segments.append(Segment(text, style))
        return self._with_hits(segments, cells)

    def _with_hits(self, segments: list[Segment], cells: Sequence[str]) -> list[Segment]:
        """The line with what is searched for marked; it does not reach over the edge of a cell."""
        if self._searched is None:
            return segments
        start, cuts = 1, []
        for cell in cells:
            for match in self._searched.finditer(cell.rstrip()):
                cuts += [start + match.start(), start + match.end()]
            start += len(cell)
        return _marked(segments, cuts, self._frame.styles.hit) if cuts else segments

    def _style(
        self, row: EventRow, column: ListField, repeats: frozenset[ListField], *, is_marked: bool
    ) -> Style:
        """The style of a cell: colour means something, and what is seen already is faint."""
        look = self._frame.styles
        match column:
            case Column.EVENT if is_marked:
                return look.failure
            case Column.EVENT if (tint := tint_of(row.event)) is not None:
                return look.removal if tint is Tint.REMOVAL else look.grant
            case Column.DESCRIPTION:
                return look.failure if row.outcome is Outcome.FAILURE else look.row
            case Column.CATEGORY | Column.TIME:
                return look.faint
        return look.faint if column in repeats else look.row

    def _remarked(self, segments: list[Segment], remark: Remark, *, is_cursor: bool) -> list[Segment]:
        """The line with the user's mark in front, unless the seal is broken, and the tag at its end."""
        first, look = segments[0], self._frame.styles
        gutter = first.text[:1]
        level = remark.level
        if gutter != WRONG_MARK and level is not None:
            gutter = level.letter
        if gutter != WRONG_MARK and (remark.is_marked or remark.is_noted):
            mark = NOTED_MARK if not remark.is_marked else MARKED_MARK
            gutter = MARKED_FAILURE_MARK if remark.is_marked and first.text[:1] == FAILURE_MARK else mark
        if gutter != first.text[:1]:
            segments[0] = Segment(gutter + first.text[1:], first.style)
            if level is not None and not is_cursor:
                style = (look.low, look.medium, look.high)[max(0, min(level.value - 1, 2))]
                segments[:1] = [Segment(gutter, style), Segment(first.text[1:], first.style)]
        if not remark.tag:
            return segments
        room = self._frame.room - cell_len(remark.tag) - 2
        style = look.cursor if is_cursor else look.tag
        tag = Segment(f" {remark.tag} ", style)
        if cell_len("".join(text for text, _, _ in segments).rstrip()) > room > 0:
            cut = Segment(CUT, look.cursor if is_cursor else look.row)
            return [*Strip(segments).adjust_cell_length(room - 1, look.row), cut, tag]
        return [*Strip(segments).adjust_cell_length(room, look.row), tag]

    def _covers_date(self, tag: str) -> bool:
        """Tell whether a tag would stand on the date, where the date is the last column that has room."""
        last = self._row_text.boxes[-1]
        return last.column is Column.TIME and self._frame.room - cell_len(tag) - 2 < last.start + last.width

    def _selected(self, segments: list[Segment], is_cursor: bool) -> list[Segment]:
        """The line with a mark in front, which also stands where there are no colours."""
        style = self._frame.styles.selected
        segments = [
            Segment(text, old if is_cursor or old is None else old + style) for text, old, _ in segments
        ]
        first = segments[0]
        if first.text.startswith(" "):
            segments[0] = Segment(SELECTED_MARK + first.text[1:], first.style)
        return segments


def _marked(segments: Sequence[Segment], cuts: Sequence[int], addition: Style) -> list[Segment]:
    """Return a line in which every second stretch between the cuts, in characters, has an addition."""
    marked: list[Segment] = []
    place, number = 0, 0
    for text, style, _ in segments:
        stop = place + len(text)
        start = place
        while number < len(cuts) and cuts[number] < stop:
            if cuts[number] > start:
                part = text[start - place : cuts[number] - place]
                marked.append(Segment(part, _added(style, addition, number)))
                start = cuts[number]
            number += 1
        marked.append(Segment(text[start - place :], _added(style, addition, number)))
        place = stop
    return marked


def _added(style: Style | None, addition: Style, cuts_before: int) -> Style | None:
    if not cuts_before % 2:
        return style
    return addition if style is None else style + addition
