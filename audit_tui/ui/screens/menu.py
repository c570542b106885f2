"""A menu: one key each, or arrows and Enter, or a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content

from audit_tui.core.text import clean
from audit_tui.ui.keymap import key_name
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.button import Button

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

MAX_CHARS = 400


class MenuItem(NamedTuple):
    """Something that a menu offers."""

    key: str
    """The key that takes it, as Textual names characters: "y", "="."""
    title: str
    words: str = ""


class Menu(Dialog[int]):
    """Asks for one of a few things; gives back its place, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "cancel", "Cancel", show=False),
        Binding("up,k", "app.focus_previous", "Up", show=False),
        Binding("down,j", "app.focus_next", "Down", show=False),
    ]

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
