"""The field of one line to type a text in."""

from __future__ import annotations

from textual.widgets import Input


class LineInput(Input):
    """An Input without frame or blinking.

    Args:
        value: The text in it.
        placeholder: The words that an empty one shows.
        id: The widget's id.
    """

    def __init__(
        self,
        value: str = "",
        placeholder: str = "",
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(value, placeholder, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False
