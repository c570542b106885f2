"""The line above the list and the two below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from audit_tui.core.text import clean
from audit_tui.ui.commands import COMMANDS, Command
from audit_tui.ui.widgets.list.row_text import fit, fit_at_most

if TYPE_CHECKING:
    from textual import events

    from audit_tui.core.query import RowCount
    from audit_tui.ui.keymap import Keymap


class TopLine(Widget):
    """The store, the buttons, what is applied in words, the zone.

    One widget that draws it all: five of them cost 20 ms of the start.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"top-line--store", "top-line--button", "top-line--quiet"}
    """
    | Class | Description |
    | :- | :- |
    | `top-line--store` | The name of the store. |
    | `top-line--button` | A word that can be clicked. |
    | `top-line--quiet` | The zone. |
    """

    class ButtonPressed(Message):
        """A word was clicked."""

        def __init__(self, command: str) -> None:
            super().__init__()
            self.command = command
            """The id of the command that it stands for."""

    def __init__(self, store_name: str) -> None:
        super().__init__(id="top")
        self._store_name = clean(store_name)
        self._buttons = ("Filter", "")
        self._applied = ""
        self._zone = ""
        self._spans: tuple[tuple[int, int, str], ...] = ()

    def say(self, *, filter_count: int, range_words: str, applied: str, zone: str) -> None:
        """Show what is in force.

        Args:
            filter_count: How many filters are applied; none leaves the number out.
            range_words: The preset's name, or the dates.
            applied: The filter in words; from data.
            zone: The zone of all times.
        """
        self._buttons = (f"Filter ({filter_count})" if filter_count else "Filter", clean(range_words))
        self._applied = clean(applied)
        self._zone = clean(zone)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        width = self.size.width
        store = self.get_component_rich_style("top-line--store")
        button = self.get_component_rich_style("top-line--button")
        name = Segment(f" {fit_at_most(self._store_name, width // 3)}  ", store)
        segments, x = [name], cell_len(name.text)
        spans = []
        for words, command in zip(self._buttons, ("filter", "time-range"), strict=True):
            text = f" {words} "
            spans.append((x, x + cell_len(text), command))
            segments += [Segment(text, button), Segment(" ", self.rich_style)]
            x += cell_len(text) + 1
        self._spans = tuple(spans)
        zone = f" {self._zone} "
        room = max(0, width - x - cell_len(zone))
        segments.append(Segment(fit(f" {self._applied}" if room > 3 else "", room), self.rich_style))
        segments.append(Segment(zone, self.get_component_rich_style("top-line--quiet")))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        for start, stop, command in self._spans:
            if start <= event.x < stop:
                self.post_message(self.ButtonPressed(command))


class StatusLine(Widget):
    """Which row of how many, the order, and what there is to say."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._place = ""
        self._order = ""
        self._seal = ""
        self._notice = ""

    def say_place(self, row: int, count: RowCount) -> None:
        """Say which row the cursor is on.

        Args:
            row: 0-based.
            count: Of how many, exact or at least.
        """
        number = f"{count.value:,}" if count.exact else f"at least {count.value:,}"
        place = f"{row + 1:,} of {number}" if count.value else "no events" if count.exact else "reading…"
        if place != self._place:
            self._place = place
            self.refresh()

    def say_order(self, words: str) -> None:
        """Say the order of the rows."""
        self._order = words
        self.refresh()

    def say_seal(self, words: str) -> None:
        """Say what is known of the seals; an empty text says nothing."""
        self._seal = clean(words)
        self.refresh()

    def say(self, notice: str) -> None:
        """Say something at the right; an empty text takes it back."""
        self._notice = clean(notice)
        self.refresh()

    def render(self) -> Content:
        left = f" {self._place}   {self._order}"
        notice_cells = 3 + cell_len(self._notice) if self._notice else 0
        if cell_len(left) + notice_cells > self.size.width:
            left = f" {self._place}"  # What is said now matters more than the order.
        elif self._seal and cell_len(left) + 4 + cell_len(self._seal) + notice_cells <= self.size.width:
            left = f"{left}   {self._seal}"
        room = self.size.width - cell_len(left) - 4
        notice = Content(self._notice).truncate(max(0, room), ellipsis=True) if room > 3 else Content("")
        return Content(left + " " * max(1, room + 3 - notice.cell_length)) + notice


class KeyLine(Widget):
    """The keys that matter most here, at most seven; a click does what the key does."""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="keys")
        self._keymap = keymap
        self._has_pane = False
        self._spans: list[tuple[int, int, Command]] = []

    def say_pane(self, *, is_open: bool) -> None:
        """Show the keys for an open pane, or for the list alone."""
        self._has_pane = is_open
        self.refresh()

    def render(self) -> Content:
        parts: list[Content | str] = [" "]
        self._spans = []
        x = 1
        for command in COMMANDS:
            key = self._keymap.first_key(command)
            word = command.pane_line if self._has_pane else command.key_line
            if not key or not word:
                continue
            cells = cell_len(key) + 1 + cell_len(word)
            if x + cells > self.size.width:
                break
            parts += [Content.styled(key, "bold"), f" {word}   "]
            self._spans.append((x, x + cells, command))
            x += cells + 3
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        for start, stop, command in self._spans:
            if start <= event.x < stop:
                await self.screen.run_action(command.action)
