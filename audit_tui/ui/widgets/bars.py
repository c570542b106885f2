"""The line above the list and the two below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from audit_tui.core.text import clean
from audit_tui.ui.commands import COMMANDS, Command

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from audit_tui.core.query import RowCount
    from audit_tui.ui.keymap import Keymap


class BarButton(Static, can_focus=True):
    """A word that can be pressed, by mouse and by Enter."""

    DEFAULT_CSS = """
    BarButton {
        width: auto; height: 1; padding: 0 1; margin: 0 1 0 0;
        background: $primary 30%; color: $foreground;
        &:hover, &:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
        &:ansi { background: ansi_default; color: ansi_default; text-style: underline; }
        &:ansi:focus { text-style: reverse; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "press", "Press", show=False)]

    class Pressed(Message):
        """The button was pressed."""

        def __init__(self, button: BarButton) -> None:
            super().__init__()
            self.button = button

        @property
        def control(self) -> BarButton:
            """The button, for ``@on`` with a selector."""
            return self.button

    def __init__(self, words: str, *, id: str) -> None:  # noqa: A002 (Textual's name)
        super().__init__(Content(words), id=id, markup=False)

    def say(self, words: str) -> None:
        """Change what stands on the button."""
        self.update(Content(clean(words)))

    def action_press(self) -> None:
        self.post_message(self.Pressed(self))

    def on_click(self) -> None:
        self.action_press()


class TopLine(Horizontal):
    """The store, the buttons, what is applied in words, the zone."""

    DEFAULT_CSS = """
    TopLine { height: 1; background: $panel; color: $foreground; }
    TopLine #store-name {
        width: auto; max-width: 34%; padding: 0 1; margin: 0 1 0 0; text-style: bold;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    TopLine #applied { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TopLine #zone { width: auto; padding: 0 1; color: $text-muted; }
    TopLine:ansi { background: ansi_default; color: ansi_default; }
    TopLine:ansi #zone { color: ansi_default; }
    """

    def __init__(self, store_name: str) -> None:
        super().__init__()
        self._store_name = store_name

    def compose(self) -> ComposeResult:
        yield Static(Content(clean(self._store_name)), id="store-name", markup=False)
        yield BarButton("Filter", id="filter-button")
        yield BarButton("", id="range-button")
        yield Static("", id="applied", markup=False)
        yield Static("", id="zone", markup=False)

    def say(self, *, filter_count: int, range_words: str, applied: str, zone: str) -> None:
        """Show what is in force.

        Args:
            filter_count: How many filters are applied; none leaves the number out.
            range_words: The preset's name, or the dates.
            applied: The filter in words; from data.
            zone: The zone of all times.
        """
        button = f"Filter ({filter_count})" if filter_count else "Filter"
        self.query_one("#filter-button", BarButton).say(button)
        self.query_one("#range-button", BarButton).say(range_words)
        self.query_one("#applied", Static).update(Content(clean(applied)))
        self.query_one("#zone", Static).update(Content(clean(zone)))


class StatusLine(Widget):
    """Which row of how many, the order, and what there is to say."""

    DEFAULT_CSS = """
    StatusLine { height: 1; background: $panel; color: $foreground; }
    StatusLine:ansi { background: ansi_default; color: ansi_default; }
    """

    def __init__(self) -> None:
        super().__init__(id="status")
        self._place = ""
        self._order = ""
        self._notice = ""

    def say_place(self, row: int, count: RowCount) -> None:
        """Say which row the cursor is on.

        Args:
            row: 0-based.
            count: Of how many, exact or at least.
        """
        number = f"{count.value:,}" if count.exact else f"at least {count.value:,}"
        self._place = (
            f"{row + 1:,} of {number}" if count.value else "no events" if count.exact else "reading…"
        )
        self.refresh()

    def say_order(self, words: str) -> None:
        """Say the order of the rows."""
        self._order = words
        self.refresh()

    def say(self, notice: str) -> None:
        """Say something at the right; an empty text takes it back."""
        self._notice = clean(notice)
        self.refresh()

    def render(self) -> Content:
        left = f" {self._place}   {self._order}"
        room = self.size.width - cell_len(left) - 2
        notice = Content(self._notice).truncate(max(0, room), ellipsis=True) if room > 3 else Content("")
        return Content(left + " " * max(1, room + 1 - notice.cell_length)) + notice


class KeyLine(Widget):
    """The keys that matter most, at most seven; a click does what the key does."""

    DEFAULT_CSS = """
    KeyLine { height: 1; background: $background; color: $text-muted; }
    KeyLine:ansi { color: ansi_default; }
    """

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="keys")
        self._keymap = keymap
        self._spans: list[tuple[int, int, Command]] = []

    def render(self) -> Content:
        parts: list[Content | str] = [" "]
        self._spans = []
        x = 1
        for command in COMMANDS:
            key, word = self._keymap.first_key(command), command.key_line
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
