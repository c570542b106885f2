"""A button of one line: some words to press."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from audit_tui.ui.keymap import hidden

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.events import Click


class Button(Widget, can_focus=True):
    """Words without a frame that can be pressed by key or mouse.

    A tenth of the style rules of Textual's Button, which has four looks of three lines each.

    Args:
        words: The text on it; from data only as clean ``Content``.
        key: The letter that does the same in the whole dialog; it is underlined.
        action: The dialog's action that it does; without one it says that it was pressed.
        classes: ``-primary`` for what Enter is for.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = hidden("enter,space=press")

    words: reactive[str | Content] = reactive("", layout=True)

    @dataclass
    class Pressed(Message):
        """The button was pressed."""

        button: Button

        @property
        def control(self) -> Button:
            return self.button

    def __init__(
        self,
        words: str | Content,
        *,
        key: str = "",
        action: str = "",
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._key = key
        self._action = action
        self.set_reactive(Button.words, words)

    def render(self) -> Content:
        """The words, with the key's letter underlined.

        Where no background tells what Enter is for, brackets do, in the cells that the padding leaves.
        """
        content = self.words if isinstance(self.words, Content) else Content(self.words)
        at = content.plain.lower().find(self._key) if self._key else -1
        if at >= 0:
            content = content.stylize("underline", at, at + 1)
        is_bracketed = self.has_class("-primary") and self.app.native_ansi_color
        return Content.assemble("[", content, "]") if is_bracketed else content

    def action_press(self) -> None:
        if self._action:
            self.call_later(self.app.run_action, self._action, self.screen)
        else:
            self.post_message(self.Pressed(self))

    def on_click(self, event: Click) -> None:
        event.stop()
        self.action_press()
