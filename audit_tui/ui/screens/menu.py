"""A menu: one key each, or arrows and Enter, or a click; and that of the values by which to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from audit_tui.core.columns import Column
from audit_tui.core.record import Record
from audit_tui.core.text import clean
from audit_tui.ui.keymap import hidden, key_name
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.painter import fit_at_most, fit_middle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from audit_tui.core.filter.filters import Condition

MAX_CHARS = 400
REACHES_S: tuple[int | None, ...] = (600, 1_800, 3_600, 86_400, None)
"""The seconds before and after the event; None leaves the range as it is."""
_REACH_WORDS = (" ±10 min", " ±30 min", " ±1 hour", " ±1 day", " in range")
_SHORT_REACH_WORDS = ("±10m", "±30m", "±1h", "±1d", "range")
_LETTERS = {Column.USER: "u", Column.SOURCE_IP: "i", Column.EVENT: "e", Column.TARGET: "t"}
_LABEL_CELLS, _NARROW_LABEL_CELLS = 22, 12
_NARROW_CELLS = 60
_VALUE_CELLS = 200


class MenuItem(NamedTuple):
    """Something that a menu offers."""

    key: str
    """The key that takes it, as Textual names characters: "y", "="."""
    title: str
    words: str = ""


class Menu(Dialog[int]):
    """Asks for one of a few things; gives back its place, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = hidden("q=cancel up,k=app.focus_previous down,j=app.focus_next")

    def __init__(self, title: str, items: Sequence[MenuItem], act: str = "take") -> None:
        super().__init__()
        self._title = title[:MAX_CHARS]
        self._items = tuple(items)
        self._act = act

    def compose(self) -> ComposeResult:
        keys = [key_name(item.key) for item in self._items]
        key_cells = max(map(len, keys))
        title_cells = max(len(item.title) for item in self._items)
        with self.box(self._title, f"⏎ {self._act}   Esc cancel"):
            for number, (key, item) in enumerate(zip(keys, self._items, strict=True)):
                head = Content.assemble((f"{key:<{key_cells}}", "bold"), f"  {item.title:<{title_cells}}  ")
                yield Button(head + Content(clean(item.words[:MAX_CHARS])), action=f"take({number})")

    def action_take(self, number: int) -> None:
        self.leave(number)

    def on_key(self, event: events.Key) -> None:
        for number, item in enumerate(self._items):
            if item.key in (event.key, event.character):
                event.stop()
                event.prevent_default()
                self.leave(number)
                return


class Pivot(Record):
    """A value to go on by."""

    condition: Condition
    reach: int


class PivotMenu(Dialog[Pivot]):
    """Asks by which value to go on; gives it back, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "cancel", "Cancel", show=False),
        Binding("left,h", "reach(-1)", "Less", show=False, priority=True),
        Binding("right,l", "reach(1)", "More", show=False, priority=True),
        *(
            Binding(letter, f"take('{column.value}')", column.label, show=False)
            for column, letter in _LETTERS.items()
        ),
    ]

    def __init__(self, conditions: Sequence[Condition], reach: int) -> None:
        super().__init__()
        self._conditions = conditions
        self._reach = reach

    def compose(self) -> ComposeResult:
        with self.box("Events with the same", "⏎ show   ←→ time   Esc cancel"):
            cells = _NARROW_LABEL_CELLS if self._is_narrow else _LABEL_CELLS
            yield OptionList(*(_option(each, cells) for each in self._conditions), compact=True)
            with Horizontal(id="reaches"):
                for place, words in enumerate(self._reach_words):
                    yield Button(f"○{words}", id=f"reach-{place}", action=f"set_reach({place})")

    @property
    def _is_narrow(self) -> bool:
        return self.app.size.width < _NARROW_CELLS

    @property
    def _reach_words(self) -> Sequence[str]:
        return _SHORT_REACH_WORDS if self._is_narrow else _REACH_WORDS

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = 0
        options.focus()
        self._show_reach()

    def on_resize(self) -> None:
        self.fit_list(len(self._conditions))

    def _show_reach(self) -> None:
        for place, words in enumerate(self._reach_words):
            button = self.query_one(f"#reach-{place}", Button)
            is_chosen = place == self._reach
            button.words = f"{'●' if is_chosen else '○'}{words}"
            button.set_class(is_chosen, "-chosen")

    def action_reach(self, step: int) -> None:
        self._reach = (self._reach + step) % len(REACHES_S)
        self._show_reach()

    def action_set_reach(self, place: int) -> None:
        self._reach = place
        self._show_reach()
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _select(self, message: OptionList.OptionSelected) -> None:
        self.leave(Pivot(self._conditions[message.option_index], self._reach))

    def action_take(self, name: str) -> None:
        condition = next((each for each in self._conditions if each.field.value == name), None)
        if condition is not None:
            self.leave(Pivot(condition, self._reach))


def _option(condition: Condition, label_cells: int) -> Option:
    letter = _LETTERS.get(condition.field, " ") if isinstance(condition.field, Column) else " "
    label = fit_middle(condition.field.label, label_cells)
    value = clean(fit_at_most(condition.value or "", _VALUE_CELLS))
    return Option(Content.assemble((letter, "bold"), "  ", (label, "dim"), "  ", value))
