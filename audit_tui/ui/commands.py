"""Every command of the screen, once: bindings, key line, palette and help are made from this table.

The ids are public: users rebind keys by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding


class Where(Enum):
    """Where a command applies; the value is its heading in the help."""

    TABLE = "In the list"
    PANE = "In the detail pane"
    SCREEN = "Anywhere on the screen"


@dataclass(frozen=True, slots=True)
class Command:
    """Something that the user can do with a key."""

    id: str
    """Kebab-case and stable; ``action_<id>`` with underscores does it."""
    keys: tuple[str, ...]
    title: str
    """Two or three words, for the key line and the palette."""
    help: str
    """One sentence."""
    where: Where
    key_line: tuple[str, str] | None = None
    """The key and the word that the key line shows; None keeps the command out of the line."""

    @property
    def action(self) -> str:
        """The name of Textual's action."""
        return self.id.replace("-", "_")


def _table(id_: str, keys: str, title: str, help_: str) -> Command:
    return Command(id_, tuple(keys.split()), title, help_, Where.TABLE)


def _pane(id_: str, keys: str, title: str, help_: str) -> Command:
    return Command(id_, tuple(keys.split()), title, help_, Where.PANE)


def _screen(id_: str, keys: str, title: str, help_: str, key_line: tuple[str, str] | None = None) -> Command:
    return Command(id_, tuple(keys.split()), title, help_, Where.SCREEN, key_line)


COMMANDS: tuple[Command, ...] = (
    _table("cursor-down", "down j", "Next event", "Move to the next event."),
    _table("cursor-up", "up k", "Previous event", "Move to the previous event."),
    _table("page-down", "pagedown space", "Page down", "Move one page down."),
    _table("page-up", "pageup b", "Page up", "Move one page up."),
    _table("half-page-down", "ctrl+d", "Half a page down", "Move half a page down."),
    _table("half-page-up", "ctrl+u", "Half a page up", "Move half a page up."),
    _table("first-row", "home g ctrl+home", "First event", "Move to the first event of the list."),
    _table("last-row", "end G ctrl+end", "Last event", "Move to the last event of the list."),
    _table("column-left", "left h", "Column to the left", "Move the column cursor to the left."),
    _table("column-right", "right l", "Column to the right", "Move the column cursor to the right."),
    _pane("pane-down", "down j", "Scroll down", "Scroll down one line."),
    _pane("pane-up", "up k", "Scroll up", "Scroll up one line."),
    _pane("pane-page-down", "pagedown space", "Page down", "Scroll down one page."),
    _pane("pane-page-up", "pageup b", "Page up", "Scroll up one page."),
    _pane("pane-top", "home g", "Top", "Scroll to the top."),
    _pane("pane-end", "end G", "End", "Scroll to the end."),
    _screen(
        "open-event",
        "enter",
        "Open or close",
        "Show all that is known of the event, or close the pane again.",
        ("⏎", "open"),
    ),
    _screen("filter", "f", "Filter", "Choose which events are shown.", ("f", "filter")),
    _screen("time-range", "t", "Time", "Choose the time range.", ("t", "time")),
    _screen(
        "sort-column",
        "s",
        "Sort",
        "Sort by the column under the cursor: ascending, descending, newest first again.",
        ("s", "sort"),
    ),
    _screen("raw-json", "J", "Raw JSON", "Show the event as JSON, whole.", ("J", "JSON")),
    _screen("clear-filter", "0", "Clear all filters", "Take every filter away; time range and order stay."),
    _screen("zone", "T", "UTC or local time", "Show times in UTC, or in the zone from the settings."),
    _screen("reload", "R", "Reload", "Read again, with the events that came meanwhile."),
    _screen("redraw", "ctrl+l", "Redraw", "Draw the screen again."),
    _screen("back", "escape", "Back", "Close the detail pane. Never quits."),
    _screen("help", "question_mark f1", "Help", "Show the keys.", ("?", "help")),
    _screen("quit", "q", "Quit", "Close what is open; at the list, quit.", ("q", "quit")),
)


def bindings(*where: Where) -> list[Binding]:
    """Textual's bindings for the commands that apply there."""
    return [
        Binding(
            ",".join(command.keys),
            command.action,
            command.title,
            show=False,
            id=command.id,
            tooltip=command.help,
        )
        for command in COMMANDS
        if command.where in where
    ]
