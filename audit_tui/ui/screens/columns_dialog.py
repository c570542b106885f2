"""The choice of the list's columns: which, in what order, how wide; and of a metadata field by its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from audit_tui.config import MOST_COLUMN_CELLS
from audit_tui.core.columns import LISTABLE_COLUMNS
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.record import Record
from audit_tui.core.text import clean, thousands
from audit_tui.core.view import ListedColumn
from audit_tui.ui.keymap import hidden
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.line_input import LineInput
from audit_tui.ui.widgets.painter import fit_at_most

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

LABEL_CELLS = 28
LEAST_CELLS = 4
WIDTH_STEP = 2
_MAX_CHARS = 200
_FRAME_LINES = 4
_OTHER_CELLS = 24
_HINT = "Space shows or hides · < > order · + - width · 0 own width"
MAX_NAMES = 200


class ChosenColumns(Record):
    """The columns that were chosen."""

    columns: tuple[ListedColumn, ...]
    is_kept: bool = False
    """They are to be kept in the settings, too."""


@dataclass
class _Entry:
    column: ListedColumn
    is_shown: bool


class ColumnsDialog(Dialog[ChosenColumns]):
    """Asks for the columns of the list; gives them back, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = hidden(
        "q=cancel space=switch less_than_sign,K,left=move(-1) greater_than_sign,J,right=move(1) "
        "plus=resize(1) minus=resize(-1) 0=resize(0) m=add s=apply(True) j=step(1) k=step(-1)"
    )

    def __init__(
        self, columns: Sequence[ListedColumn], widths: dict[object, int], names: Mapping[str, int]
    ) -> None:
        super().__init__()
        shown = [column.field for column in columns]
        others = (ListedColumn(field) for field in LISTABLE_COLUMNS if field not in shown)
        self._entries = [_Entry(column, is_shown=True) for column in columns]
        self._entries += [_Entry(column, is_shown=False) for column in others]
        self._widths = widths
        self._names = names

    def compose(self) -> ComposeResult:
        with self.box("Columns"):
            yield _ColumnList(compact=True)
            yield Static(_HINT, id="hint", markup=False)
            with Horizontal(id="foot"):
                yield Button("+ Metadata", key="m", action="add")
                yield Button("Save", key="s", action="apply(True)")
                yield Static(id="space")
                yield Button("Cancel", action="cancel")
                yield Button("Apply", action="apply", classes="-primary")

    def on_mount(self) -> None:
        self._renew(0)
        self._list.focus()

    @property
    def _list(self) -> _ColumnList:
        return self.query_one(_ColumnList)

    def _renew(self, place: int) -> None:
        options = self._list
        # Textual takes a list with a height of its own for as long as all its lines.
        options.styles.height = max(1, min(len(self._entries), self.app.size.height - _FRAME_LINES))
        options.clear_options()
        options.add_options(Option(self._label(entry)) for entry in self._entries)
        options.highlighted = max(0, min(place, len(self._entries) - 1))

    def _label(self, entry: _Entry) -> Content:
        column = entry.column
        mark = "●" if entry.is_shown else " "
        cells = min(LABEL_CELLS, self.app.size.width - _OTHER_CELLS)
        name = fit_at_most(column.field.label[:_MAX_CHARS], cells)
        width = ""
        if entry.is_shown:
            now = self._widths.get(column.field)
            width = "no room" if now is None else f"{column.width or now:>4} cells"
            width += " fixed" if column.width is not None else ""
        return Content(f" {mark} {name}{' ' * (cells - cell_len(name))} {width}")

    @property
    def _place(self) -> int:
        return self._list.highlighted or 0

    def action_switch(self) -> None:
        if isinstance(self.focused, Button):
            self.focused.action_press()
            return
        entry = self._entries[self._place]
        if entry.is_shown and sum(each.is_shown for each in self._entries) == 1:
            self._tell("One column stays.")
            return
        entry.is_shown = not entry.is_shown
        self._renew(self._place)

    def action_move(self, step: int) -> None:
        place, entries = self._place, self._entries
        goal = place + step
        if 0 <= goal < len(entries):
            entries[place], entries[goal] = entries[goal], entries[place]
            self._renew(goal)

    def action_resize(self, step: int) -> None:
        entry = self._entries[self._place]
        width = None
        if step:
            now = entry.column.width or self._widths.get(entry.column.field) or LEAST_CELLS
            width = max(LEAST_CELLS, min(now + step * WIDTH_STEP, MOST_COLUMN_CELLS))
        entry.column = replace(entry.column, width=width)
        entry.is_shown = True
        self._renew(self._place)

    def action_add(self) -> None:
        self.app.push_screen(FieldPicker(self._names), self._add)

    def _add(self, path: str | None) -> None:
        if path is None:
            return
        field = MetaField(path)
        place = next((n for n, entry in enumerate(self._entries) if entry.column.field == field), None)
        if place is None:
            place = sum(entry.is_shown for entry in self._entries)
            self._entries.insert(place, _Entry(ListedColumn(field), is_shown=True))
        self._entries[place].is_shown = True
        self._renew(place)

    def action_step(self, step: int) -> None:
        self._list.highlighted = max(0, min(self._place + step, len(self._entries) - 1))

    def action_apply(self, is_kept: bool = False) -> None:
        columns = tuple(entry.column for entry in self._entries if entry.is_shown)
        self.leave(ChosenColumns(columns, is_kept))

    def _tell(self, words: str) -> None:
        self.query_one("#hint", Static).update(Content(words))

    @on(OptionList.OptionSelected)
    def _take(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        if self._list.was_clicked:
            self._list.was_clicked = False
            self.action_switch()
        else:
            self.action_apply()


class _ColumnList(OptionList):
    """A list in which Enter takes all and a click switches a line."""

    was_clicked = False

    def on_click(self, event: events.Click) -> None:
        # Before Textual's own handler, which then tells of the choice.
        self.was_clicked = "option" in event.style.meta


class FieldPicker(Dialog[str]):
    """Asks for a field; gives back its name, or None when it was cancelled.

    Args:
        names: The names that the store holds, and in how many events; 0 where nobody counted.
    """

    BINDINGS: ClassVar[list[BindingType]] = hidden("down=step(1) up=step(-1)")

    def __init__(self, names: Mapping[str, int]) -> None:
        super().__init__()
        self._names = names
        self._matches: list[str] = []

    def compose(self) -> ComposeResult:
        with self.box("Metadata field"):
            yield LineInput(placeholder="a part of its name" if self._names else "the events have none")
            yield OptionList(compact=True)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._find("")

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        self._find(message.value)

    def _find(self, typed: str) -> None:
        wanted = typed.casefold().strip()
        matches = [name for name in self._names if wanted in name.casefold()]
        matches.sort(key=lambda name: (not name.casefold().startswith(wanted), -self._names[name]))
        self._matches = matches[:MAX_NAMES]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(map(self._option, self._matches))
        options.highlighted = 0 if self._matches else None

    def _option(self, name: str) -> Option:
        events = self._names[name]
        return Option(
            Content(clean(name[:_MAX_CHARS]))
            + Content(f"   {thousands(events)}" if events else "").stylize("dim")
        )

    @on(Input.Submitted)
    def _take(self) -> None:
        place = self.query_one(OptionList).highlighted
        if place is not None and self._matches:
            self.leave(self._matches[place])

    @on(OptionList.OptionSelected)
    def _pick(self, message: OptionList.OptionSelected) -> None:
        self.leave(self._matches[message.option_index])

    def action_step(self, step: int) -> None:
        if self._matches:
            options = self.query_one(OptionList)
            options.highlighted = ((options.highlighted or 0) + step) % len(self._matches)
