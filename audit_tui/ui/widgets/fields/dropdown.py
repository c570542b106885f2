"""Fields of one line that hold one of a few things: in a list that opens, or all side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.actions import SkipAction
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from audit_tui.ui.keymap import hidden
from audit_tui.ui.widgets.fields.popup_list import PopupItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events
    from textual.binding import BindingType

    from audit_tui.ui.widgets.fields.popup_list import PopupList

PAGE_LINES = 8
_MARK_CELLS = 2
_GAP = "  "


class Alternative(NamedTuple):
    """Something that a field offers."""

    label: str
    short: str
    events: int = 0


MISSING = Alternative("missing", "missing")


def next_with(alternatives: Sequence[Alternative], letter: str, index: int | None) -> int | None:
    """Return the next alternative after one that begins with a letter, the first again after the last."""
    count, start = len(alternatives), -1 if index is None else index
    places = (place % count for place in range(start + 1, start + 1 + count))
    return next((place for place in places if alternatives[place].label.lower().startswith(letter)), None)


class Dropdown(Widget, can_focus=True):
    """A field that holds one of a few things; its list is a popup that it shares with other fields.

    Args:
        alternatives: The things to choose from; never from data unless clean.
        prompt: The words while nothing is chosen.
        takes_letters: Letters choose the next alternative that begins with them.
        searches: In the open list, letters leave what contains them; for long lists.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = hidden(
        f"enter,space=press down=step(1) up=step(-1) pagedown=far({PAGE_LINES}) "
        f"pageup=far({-PAGE_LINES}) home=far(-1000) end=far(1000) left=cycle(-1) right=cycle(1) "
        "tab=take_and_leave escape=close"
    )

    index: reactive[int | None] = reactive(None)
    is_wrong: reactive[bool] = reactive(False, toggle_class="-wrong")

    @dataclass
    class Changed(Message):
        """Another alternative was chosen by the user."""

        dropdown: Dropdown
        index: int

        @property
        def control(self) -> Dropdown:
            return self.dropdown

    def __init__(
        self,
        alternatives: Sequence[Alternative],
        popup: PopupList,
        *,
        prompt: Alternative = MISSING,
        takes_letters: bool = True,
        searches: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._alternatives = tuple(alternatives)
        self._prompt = prompt
        self._popup = popup
        self._takes_letters = takes_letters
        self._searches = searches
        self._typed = ""
        self._listed: tuple[int, ...] = ()

    def offer(self, alternatives: Sequence[Alternative]) -> None:
        self._alternatives = tuple(alternatives)
        self.refresh()

    @property
    def is_open(self) -> bool:
        return self._popup.is_open_for(self)

    def render(self) -> Content:
        has_choice = self.index is not None and self.index < len(self._alternatives)
        chosen = self._alternatives[self.index] if has_choice and self.index is not None else self._prompt
        if self.is_wrong:
            chosen = MISSING
        width = self.size.width
        label = chosen.label if len(chosen.label) + 4 <= width else chosen.short
        mark = "✗ " if self.is_wrong else ""
        room = max(width - 2, 0)
        content = Content(f"{f' {mark}{label}':<{room}.{room}}▾ ")
        return content if has_choice or self.is_wrong else content.stylize("dim")

    def picked(self, index: int) -> None:
        chosen = self._listed[index]
        self._popup.close()
        self._take(chosen)

    def _take(self, index: int) -> None:
        if index != self.index:
            self.index = index
            self.is_wrong = False
            self.post_message(self.Changed(self, index))

    def list_closed(self) -> None:
        """Nothing was chosen."""

    def on_key(self, event: events.Key) -> None:
        is_search = self._searches and self.is_open
        if is_search and (
            event.key == "backspace" or (event.is_printable and (self._typed or event.character != " "))
        ):
            event.stop()
            event.prevent_default()
            self._search(
                self._typed[:-1] if event.key == "backspace" else self._typed + (event.character or "")
            )
        elif self._takes_letters and event.character is not None and event.character.isalnum():
            event.stop()
            event.prevent_default()
            index = next_with(self._alternatives, event.character.lower(), self.index)
            if index is not None:
                self._popup.close()
                self._take(index)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if self.is_open:
            self._popup.close()
        else:
            self._open()

    def on_blur(self) -> None:
        if self.is_open:
            self._popup.close()

    def action_press(self) -> None:
        if not self.is_open:
            self._open()
        elif self._popup.highlighted is not None:
            self.picked(self._popup.highlighted)

    def action_step(self, lines: int) -> None:
        if self.is_open:
            self._popup.move(lines)
        elif lines > 0:
            self._open()
        else:
            raise SkipAction

    def action_far(self, lines: int) -> None:
        if not self.is_open:
            raise SkipAction
        self._popup.move(lines)

    def action_cycle(self, step: int) -> None:
        start = self.index if self.index is not None else (-1 if step > 0 else 0)
        self._popup.close()
        self._take((start + step) % len(self._alternatives))

    def action_take_and_leave(self) -> None:
        if self.is_open:
            self.action_press()
        raise SkipAction

    def action_close(self) -> None:
        if not self.is_open:
            raise SkipAction
        self._popup.close()

    def _open(self) -> None:
        self._search("")

    def _search(self, typed: str) -> None:
        self._typed = typed
        wanted = typed.casefold()
        labels = [alternative.label for alternative in self._alternatives]
        self._listed = tuple(n for n, label in enumerate(labels) if wanted in label.casefold())
        items = [PopupItem(labels[n], count=self._alternatives[n].events or None) for n in self._listed]
        current = self._listed.index(self.index) if self.index in self._listed and not typed else 0
        longest = max(len(label) for label in labels)
        notice = "" if items else f"nothing with “{typed}”"
        self._popup.show_for(
            self,
            items,
            highlighted=current if items else None,
            notice=notice,
            edge=typed or ("type to search" if self._searches else ""),
            min_cells=longest + 4,
        )


class PickLine(Widget, can_focus=True):
    """Offers a few things side by side.

    Args:
        alternatives: The things to choose from; never from data.
        index: The one that is chosen at first.
        meanings: A few words about each, shown behind all of them where there is room; empty for none.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = hidden("left=step(-1) right,space=step(1) enter=enter")

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
