"""A list that hangs from a field while the field keeps the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from rich.cells import cell_len
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView

from audit_tui.core.record import Record
from audit_tui.core.text import clean, thousands
from audit_tui.ui.widgets.painter import ROLES, Piece, Role, fit, paint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from textual import events
    from textual.strip import Strip

MAX_LINES = 9
"""More would hide the dialog that the list belongs to; it scrolls."""
MAX_CELLS = 60
MAX_LABEL_CHARS = 300
"""No terminal is wider; a value of 10 KB is cut before it is measured."""


class PopupItem(Record):
    """A line that can be picked."""

    label: str
    note: str = ""
    count: int | None = None
    is_special: bool = False
    """The label is a word of ours, not a value: drawn in italics."""


class PopupOwner(Protocol):
    """The field that a popup hangs from."""

    @property
    def region(self) -> Region: ...

    def picked(self, index: int) -> None: ...

    def list_closed(self) -> None: ...


class _Geometry(NamedTuple):
    region: Region
    lines: int
    column_cells: tuple[int, int]


class PopupList(ScrollView, can_focus=False):
    """One list for all fields of a dialog: at most one field has it open.

    It never has the focus; the field that owns it moves its highlight.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = ROLES

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.owner: PopupOwner | None = None
        self.highlighted: int | None = None
        self.items: tuple[PopupItem, ...] = ()
        self.notice = ""
        self._edge = ""
        self._geometry = _Geometry(Region(), 0, (0, 0))

    def show_for(
        self,
        owner: PopupOwner,
        items: Sequence[PopupItem],
        *,
        notice: str = "",
        edge: str = "",
        highlighted: int | None = None,
        min_cells: int = 0,
    ) -> None:
        """Open the list under a field, or above it where there is more room.

        Only lines that differ from what stands there are drawn again.

        Args:
            owner: The field.
            items: The lines.
            notice: A last line that cannot be picked; empty for none.
            edge: A few words in the edge away from the field, which take no line; empty for none.
            highlighted: The line that is highlighted at first.
            min_cells: At least so wide, whatever the field's width. It grows with what stands in it, and
                does not shrink while it is open.
        """
        if self.owner is not owner:
            self.close()
        before = self._visible() if self.display else []
        self.owner, self.items, self.notice = owner, tuple(items), notice
        self.highlighted = highlighted
        if edge != self._edge:
            # Of the two, the one that is drawn is the one whose edge is: see ``-above``.
            self._edge = self.border_title = self.border_subtitle = edge
        self.scroll_to(0, 0, animate=False, force=True, immediate=True)
        was_cells = self._geometry.region.width if self.display else 0
        geometry = self._place(owner.region, max(min_cells, was_cells))
        is_same_frame = self._geometry == geometry
        self._geometry = geometry
        self.display = True
        if is_same_frame and before:
            for line, (old, new) in enumerate(zip(before, self._visible(), strict=True)):
                if old != new:
                    self.refresh(Region(0, line, self.size.width, 1))
        else:
            self.refresh()
        self._show_highlighted()

    def close(self) -> None:
        owner, self.owner = self.owner, None
        self.highlighted, self.items, self.notice = None, (), ""
        self.display = False
        if owner is not None:
            owner.list_closed()

    def is_open_for(self, owner: PopupOwner) -> bool:
        return self.owner is owner

    def move(self, step: int) -> None:
        """Move the highlight; it stops at both ends, and enters from the end it comes from."""
        if not self.items:
            return
        if self.highlighted is None:
            self._highlight(0 if step > 0 else len(self.items) - 1)
        else:
            self._highlight(min(max(self.highlighted + step, 0), len(self.items) - 1))

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if index >= len(self.items):
            return paint(self, [Piece(fit(f" {self.notice}", width), Role.QUIET)], width)
        item = self.items[index]
        label = Role.SPECIAL if item.is_special else Role.VALUE
        quiet = Role.QUIET
        if index == self.highlighted:
            label = quiet = Role.CURSOR
        note_cells, count_cells = self._geometry.column_cells
        label_cells = max(width - note_cells - count_cells - 1, 0)
        count = "" if item.count is None else thousands(item.count)
        line = [
            Piece(" " + fit(item.label[:MAX_LABEL_CHARS], label_cells), label),
            Piece(fit(f"  {item.note}", note_cells) if note_cells else "", quiet),
            Piece(f"{count:>{count_cells - 1}} " if count_cells else "", quiet),
        ]
        return paint(self, line, width)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        index = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if self.owner is not None and 0 <= index < len(self.items):
            self.owner.picked(index)

    def _highlight(self, index: int | None) -> None:
        before, self.highlighted = self.highlighted, index
        for line in {before, index} - {None}:
            self.refresh(Region(0, (line or 0) - self.scroll_offset.y, self.size.width, 1))
        self._show_highlighted()

    def _show_highlighted(self) -> None:
        if self.highlighted is not None:
            self.scroll_to_region(
                Region(0, self.highlighted, 1, 1), animate=False, force=True, immediate=True
            )

    def _place(self, field: Region, min_cells: int) -> _Geometry:
        screen = self.screen.size
        lines = len(self.items) + bool(self.notice)
        below, above = screen.height - field.bottom, field.y
        wanted = min(lines, MAX_LINES) + 1
        is_above = below < min(wanted, 4) and above > below
        height = max(min(wanted, above if is_above else below), 2)
        columns = _column_cells(self.items)
        labels = (cell_len(clean(item.label[:MAX_LABEL_CHARS])) for item in self.items)
        content = max(max(labels, default=0) + sum(columns) + 1, cell_len(clean(self.notice)) + 2) + 3
        width = min(max(field.width + 2, min_cells, min(content, MAX_CELLS)), screen.width)
        x = min(max(field.x - 1, 0), screen.width - width)
        region = Region(x, field.y - height if is_above else field.bottom, width, height)
        self.set_class(is_above, "-above")
        self.styles.width, self.styles.height = width, height
        self.styles.offset = region.offset
        self.virtual_size = Size(width - 2, lines)
        return _Geometry(region, lines, columns)

    def _visible(self) -> list[tuple[PopupItem | str, bool]]:
        lines: list[PopupItem | str] = [*self.items, self.notice]
        top = self.scroll_offset.y
        shown = range(top, top + self._geometry.region.height - 1)
        return [(lines[y] if y < len(lines) else "", y == self.highlighted) for y in shown]


def _column_cells(items: Sequence[PopupItem]) -> tuple[int, int]:
    """Return how wide notes and counts are, with the space around them; 0 when no line has one."""
    notes = max((cell_len(item.note) for item in items), default=0)
    counts = max((len(thousands(item.count)) for item in items if item.count is not None), default=0)
    return notes and notes + 2, counts and counts + 3
