"""The field of one line to type a text in."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import Input


class LineInput(Input):
    """An Input without frame or blinking, that is never validated."""

    virtual_size: reactive[Size] = reactive(Size(0, 0))
    """The size of the text; its widget has another one, so that no key lays out the screen again: 5 ms."""

    def __init__(
        self,
        value: str = "",
        placeholder: str = "",
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(value, placeholder, id=id, select_on_focus=False, validate_on=())
        # Compact by hand: each class that is added styles it once more, 1 ms a time.
        self.add_class("-textual-compact", update=False)
        self.set_reactive(LineInput.compact, True)
        self.cursor_blink = False
