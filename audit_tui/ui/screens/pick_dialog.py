"""A dialog with a list of lines to pick one from; some may be headings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, TypeVar

from textual import on
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from audit_tui.core.text import clean
from audit_tui.ui.keymap import hidden
from audit_tui.ui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

T = TypeVar("T")
MAX_CHARS = 400


class Choice(NamedTuple, Generic[T]):
    """A line of the list."""

    words: str
    value: T | None = None
    label: str = ""
    end: str = ""


class Picked(NamedTuple, Generic[T]):
    """The line that was picked."""

    value: T | None
    """None when a key was pressed on no line."""
    key: str = "enter"


class PickDialog(Dialog["Picked[T]"]):
    """Shows lines, and gives back the one that was picked, or None when it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = hidden(
        "q=cancel j=of_list('cursor_down') k=of_list('cursor_up') g=of_list('first') G=of_list('last')"
    )

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice[T]],
        *,
        hint: str = "⏎ show   Esc close",
        keys: Sequence[str] = (),
        at: int | None = None,
    ) -> None:
        super().__init__()
        self._heading = title
        self._choices = choices
        self._hint = hint
        self._at = at
        for key in keys:
            self._bindings.bind(key, f"take({key!r})", show=False)

    def compose(self) -> ComposeResult:
        with self.box(self._heading, self._hint):
            yield OptionList(
                *(Option(_content(choice), disabled=choice.value is None) for choice in self._choices),
                compact=True,
            )

    def renew(self, title: str, choices: Sequence[Choice[T]]) -> None:
        """Show other lines; the cursor stays on the same one as far as it is still there."""
        options = self.query_one(OptionList)
        values = [choice.value for choice in choices]
        place = options.highlighted
        before = None if place is None else self._choices[place].value
        self._heading, self._choices = title, choices
        self.query_one("#box").border_title = Content(clean(title)).markup
        options.clear_options()
        options.add_options(Option(_content(choice), disabled=choice.value is None) for choice in choices)
        first = next((place for place, value in enumerate(values) if value is not None), None)
        options.highlighted = values.index(before) if before is not None and before in values else first

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        first = next((place for place, choice in enumerate(self._choices) if choice.value is not None), None)
        options.highlighted = first if self._at is None else self._at
        options.focus()

    @property
    def text(self) -> str:
        return "\n".join(f"{choice.label}{choice.words}{choice.end}" for choice in self._choices)

    @on(OptionList.OptionSelected)
    def _pick(self, message: OptionList.OptionSelected) -> None:
        self.leave(Picked(self._choices[message.option_index].value))

    def action_of_list(self, action: str) -> None:
        getattr(self.query_one(OptionList), f"action_{action}")()

    def action_take(self, key: str) -> None:
        place = self.query_one(OptionList).highlighted
        self.leave(Picked(None if place is None else self._choices[place].value, key))


def _content(choice: Choice[T]) -> Content:
    words = clean(choice.words[:MAX_CHARS])
    style = "dim" if choice.value is None and not choice.label else ""
    return Content.assemble(
        (clean(choice.label), "bold"), (words, style), (clean(choice.end[:MAX_CHARS]), "dim")
    )
