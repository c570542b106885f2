"""A field of one line that shows all it offers, one of it chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from audit_tui.ui.widgets.fields.dropdown import next_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events
    from textual.binding import BindingType

    from audit_tui.ui.widgets.fields.dropdown import Alternative

_MARK_CELLS = 2
_GAP = "  "


class PickLine(Widget, can_focus=True):
    """Offers a few things side by side.

    Args:
        alternatives: The things to choose from; never from data.
        index: The one that is chosen at first.
        meanings: A few words about each, shown behind all of them where there is room; empty for none.
        id: The widget's id.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "The one before", show=False),
        Binding("right,space", "step(1)", "The next one", show=False),
        Binding("enter", "enter", "Done", show=False),
    ]

    index: reactive[int] = reactive(0)

    @dataclass
    class Changed(Message):
        """Another alternative was chosen by the user."""

        pick_line: PickLine

        @property
        def control(self) -> PickLine:
            return self.pick_line

    class Entered(Message):
        """Enter was pressed."""

    def __init__(
        self,
        alternatives: Sequence[Alternative],
        index: int = 0,
        *,
        meanings: Sequence[str] = (),
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._alternatives = tuple(alternatives)
        self._meanings = tuple(meanings)
        self.set_reactive(PickLine.index, index)

    def render(self) -> Content:
        parts: list[Content] = []
        for number, label in enumerate(self._labels()):
            part = Content(f"{'●' if number == self.index else '○'} {label}")
            parts.append(part if number == self.index else part.stylize("dim"))
        content = Content(_GAP).join(parts)
        meaning = f"   {self._meanings[self.index]}" if self._meanings else ""
        fits = meaning and content.cell_length + len(meaning) <= self.size.width
        return content + Content(meaning).stylize("dim") if fits else content

    def on_key(self, event: events.Key) -> None:
        letter = (event.character or "").lower()
        index = next_with(self._alternatives, letter, self.index) if letter.isalpha() else None
        if index is not None:
            event.stop()
            event.prevent_default()
            self._choose(index)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        x = event.get_content_offset_capture(self).x
        for number, (start, stop) in enumerate(self._spans()):
            if start <= x < stop:
                self._choose(number)

    def action_step(self, step: int) -> None:
        self._choose((self.index + step) % len(self._alternatives))

    def action_enter(self) -> None:
        self.post_message(self.Entered())

    def _labels(self) -> tuple[str, ...]:
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
