"""The choice of a metadata field, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from audit_tui.core.text import clean, thousands
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.line_input import LineInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

MAX_NAMES = 200
_MAX_CHARS = 200


class FieldPicker(Dialog[str | None]):
    """Asks for a field; gives back its name, or None when it was cancelled.

    Args:
        names: The names that the store holds, and in how many events; 0 where nobody counted.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Next", show=False),
        Binding("up", "step(-1)", "Previous", show=False),
    ]

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
