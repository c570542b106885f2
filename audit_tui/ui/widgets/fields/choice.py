"""Small fields of one line: a choice among a few things, the AND / OR tab, the cross that removes a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from audit_tui.core.flat_filter import Match
from audit_tui.ui.widgets.fields.in_order import hand_on, step_focus
from audit_tui.ui.widgets.fields.popup_list import PopupItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from audit_tui.ui.widgets.fields.popup_list import PopupList

MATCH_WORDS = {Match.ALL: "all of these hold", Match.ANY: "at least one holds"}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the things that a choice offers."""

    label: str
    short: str
    """What stands in a narrow field."""


MISSING = Alternative("missing", "missing")
"""What stands there when a choice was asked for and is not made."""


class Choice(Widget, can_focus=True):
    """A field that holds one of a few things; its list is a popup that it shares with other fields.

    Args:
        alternatives: What can be chosen.
        prompt: What stands there while nothing is chosen.
        popup: The list to open.
    """

    ALLOW_SELECT = False
    """
    | Key(s) | Description |
    | :- | :- |
    | enter, space, down | Open the list; take the highlighted line. |
    | left, right | The alternative before, the next one. |
    | a letter | The next alternative that begins with it. |
    """

    index: reactive[int | None] = reactive(None)
    """Which alternative is chosen; None for none."""
    is_wrong: reactive[bool] = reactive(False, toggle_class="-wrong")
    """A choice is missing, and was asked for."""

    @dataclass
    class Changed(Message):
        """Another alternative was chosen by the user."""

        choice: Choice

    def __init__(
        self,
        alternatives: Sequence[Alternative],
        prompt: Alternative,
        popup: PopupList,
        *,
        classes: str | None = None,
    ) -> None:
        super().__init__(classes=classes)
        self._alternatives = tuple(alternatives)
        self._prompt = prompt
        self._popup = popup

    def offer(self, alternatives: Sequence[Alternative]) -> None:
        """Offer other things; the choice is made anew by whoever asks for it."""
        self._alternatives = tuple(alternatives)

    def render(self) -> Content:
        """The chosen label and a mark that more can be chosen."""
        chosen = self._prompt if self.index is None else self._alternatives[self.index]
        if self.is_wrong:
            chosen = MISSING
        width = self.size.width
        label = chosen.label if len(chosen.label) + 4 <= width else chosen.short
        mark = "✗ " if self.is_wrong else ""
        text = f" {mark}{label}"
        content = Content(f"{text:<{max(width - 2, 0)}.{max(width - 2, 0)}}▾ ")
        return content if self.index is not None or self.is_wrong else content.stylize("dim")

    def picked(self, index: int) -> None:
        """A line of the list was taken."""
        self._popup.close()
        self._choose(index)

    def list_closed(self) -> None:
        """Nothing was chosen."""

    def on_key(self, event: events.Key) -> None:
        """Work on the keys of a field with a list."""
        if hand_on(self, event):
            return
        if self._press(event.key) or self._type(event.character):
            event.stop()
            event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Open or close the list."""
        event.stop()
        if self._popup.is_open_for(self):
            self._popup.close()
        else:
            self._open()

    def on_blur(self) -> None:
        """Close the list."""
        if self._popup.is_open_for(self):
            self._popup.close()

    def _press(self, key: str) -> bool:
        is_open = self._popup.is_open_for(self)
        if key in ("left", "right"):
            self._cycle(1 if key == "right" else -1)
        elif not is_open and key in ("enter", "space", "down"):
            self._open()
        elif is_open and key in ("up", "down"):
            self._popup.move(1 if key == "down" else -1)
        elif is_open and key in ("enter", "space"):
            self._take()
        elif is_open and key == "tab":
            self._take()
            step_focus(self, key)
        elif is_open and key == "escape":
            self._popup.close()
        else:
            return step_focus(self, key)
        return True

    def _type(self, character: str | None) -> bool:
        if character is None or not character.isalnum():
            return False
        count = len(self._alternatives)
        start = -1 if self.index is None else self.index
        for index in (place % count for place in range(start + 1, start + 1 + count)):
            if self._alternatives[index].label.lower().startswith(character.lower()):
                self.picked(index)
                return True
        return True

    def _open(self) -> None:
        items = [PopupItem(alternative.label) for alternative in self._alternatives]
        longest = max(len(item.label) for item in items)
        self._popup.show_for(self, items, highlighted=self.index or 0, min_cells=longest + 4)

    def _take(self) -> None:
        if self._popup.highlighted is not None:
            self.picked(self._popup.highlighted)

    def _cycle(self, step: int) -> None:
        count = len(self._alternatives)
        start = self.index if self.index is not None else (-1 if step > 0 else count)
        self.picked((start + step) % count)

    def _choose(self, index: int) -> None:
        if index != self.index:
            self.index = index
            self.is_wrong = False
            self.post_message(self.Changed(self))


class MatchTab(Widget, can_focus=True):
    """AND or OR: how the rows combine."""

    ALLOW_SELECT = False
    """
    | Key(s) | Description |
    | :- | :- |
    | left, right, space, enter | The other one. |
    | a, o | AND, OR. |
    """

    match: reactive[Match] = reactive(Match.ALL)

    @dataclass
    class Changed(Message):
        """The user chose the other one."""

        match: Match

    def render(self) -> Content:
        """Both words, the one in force marked, and what it means."""
        parts = []
        for match in Match:
            is_chosen = match is self.match
            part = Content(f" {'●' if is_chosen else '○'} {match.label} ")
            parts.append(part.stylize("bold") if is_chosen else part.stylize("dim"))
        words = MATCH_WORDS[self.match]
        if self.size.width >= 18 + len(words):
            parts.append(Content(f"  {words}").stylize("dim"))
        return Content.assemble(*parts)

    def on_key(self, event: events.Key) -> None:
        """Change it."""
        if hand_on(self, event):
            return
        keys = {"a": Match.ALL, "o": Match.ANY}
        other = Match.ANY if self.match is Match.ALL else Match.ALL
        if event.key in ("left", "right", "space", "enter"):
            self._choose(other)
        elif event.key in keys:
            self._choose(keys[event.key])
        elif not step_focus(self, event.key):
            return
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Choose the word under the mouse."""
        event.stop()
        x = event.get_content_offset_capture(self).x
        and_cells = len(Match.ALL.label) + 4
        or_cells = len(Match.ANY.label) + 4
        if x < and_cells + or_cells:
            self._choose(Match.ALL if x < and_cells else Match.ANY)

    def _choose(self, match: Match) -> None:
        if match is not self.match:
            self.match = match
            self.post_message(self.Changed(match))


class Cross(Widget):
    """Removes the row that it stands in, by mouse: in the way of Tab, Enter would remove rows by accident."""

    ALLOW_SELECT = False

    @dataclass
    class Pressed(Message):
        """The row shall go."""

        cross: Cross

    def render(self) -> Content:
        """The cross."""
        return Content(" ✕ ")

    def on_click(self, event: events.Click) -> None:
        """Remove the row."""
        event.stop()
        self.post_message(self.Pressed(self))
