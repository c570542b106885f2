"""A field of one line that shows all it offers, one of it chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from audit_tui.ui.widgets.fields.in_order import hand_on, step_focus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events

    from audit_tui.ui.widgets.fields.choice import Alternative

_MARK_CELLS = 2
_GAP = "  "


class PickLine(Widget, can_focus=True):
    """Offers a few things side by side.

    Args:
        alternatives: What can be chosen; never from data.
        index: What is chosen at first.
        id: The widget's id.
    """

    ALLOW_SELECT = False
    """
    | Key(s) | Description |
    | :- | :- |
    | left, right, space | The alternative before, the next one. |
    | enter | Done with the whole dialog. |
    """

    index: reactive[int] = reactive(0)
    """Which alternative is chosen."""

    @dataclass
    class Changed(Message):
        """Another alternative was chosen by the user."""

        pick_line: PickLine

        @property
        def control(self) -> PickLine:
            """The field, for ``@on`` with a selector."""
            return self.pick_line

    @dataclass
    class Entered(Message):
        """Enter was pressed."""

        pick_line: PickLine

    def __init__(
        self,
        alternatives: Sequence[Alternative],
        index: int = 0,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._alternatives = tuple(alternatives)
        self.set_reactive(PickLine.index, index)

    def render(self) -> Content:
        """All of it, the chosen one marked."""
        parts: list[Content | str] = []
        for number, label in enumerate(self._labels()):
            part = Content(f"{'●' if number == self.index else '○'} {label}")
            parts += [_GAP if parts else "", part if number == self.index else part.stylize("dim")]
        return Content.assemble(*parts)

    def on_key(self, event: events.Key) -> None:
        """Work on the keys of a field that shows all it offers."""
        if hand_on(self, event):
            return
        if event.key in ("left", "right", "space"):
            self._choose((self.index + (-1 if event.key == "left" else 1)) % len(self._alternatives))
        elif event.key == "enter":
            self.post_message(self.Entered(self))
        elif not step_focus(self, event.key):
            return
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Choose what is under the mouse."""
        event.stop()
        x = event.get_content_offset_capture(self).x
        for number, (start, stop) in enumerate(self._spans()):
            if start <= x < stop:
                self._choose(number)

    def _labels(self) -> tuple[str, ...]:
        """The labels, shorter where they would not fit."""
        labels = tuple(alternative.label for alternative in self._alternatives)
        cells = sum(len(label) + _MARK_CELLS + len(_GAP) for label in labels) - len(_GAP)
        if cells <= self.size.width:
            return labels
        return tuple(alternative.short for alternative in self._alternatives)

    def _spans(self) -> Iterator[tuple[int, int]]:
        x = 0
        for label in self._labels():
            stop = x + _MARK_CELLS + len(label)
            yield x, stop
            x = stop + len(_GAP)

    def _choose(self, index: int) -> None:
        if index != self.index:
            self.index = index
            self.post_message(self.Changed(self))
