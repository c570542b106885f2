"""Every command of the screen, once: bindings, key line, command line and help are made from this table.

The ids are public: users rebind keys by them (``keymap`` makes keys of it).
"""

from __future__ import annotations

from enum import Enum
from functools import partial

from audit_tui.core.record import Record


class Where(Enum):
    """The place at which a command applies; the value is its heading in the help."""

    TABLE = "In the list"
    PANE = "In the detail pane"
    CHIPS = "On the line of chips"
    SCREEN = "On the review screen"
    FACETS = "In the facets"
    STRIP = "On the time strip"
    APP = "Everywhere, in dialogs too"


_STEPS = {"down": 1, "up": -1, "right": 1, "left": -1, "later": 1, "earlier": -1, "in": 1, "out": -1}
_TURNS = {"next": 1, "previous": -1}


class Command(Record):
    """Something that the user can do with a key."""

    where: Where
    id: str
    """Kebab-case and stable; ``action_<id>`` with underscores does it, less its direction."""
    key_words: str
    """The keys, with spaces between them."""
    title: str
    """Two or three words, for the palette."""
    help: str
    arrow_words: str = ""
    """The keys in the preset without letters; empty takes those of ``keys`` that are none."""
    key_line: str = ""
    """The word that the key line shows beside the first key; empty keeps the command out of the line."""
    pane_line: str | None = None
    """The same while the detail pane is open; None if it does not differ."""
    argument: str = ""
    """The argument of its action, where commands differ by that alone and the id ends in it."""

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.key_words.split())

    @property
    def arrow_keys(self) -> tuple[str, ...]:
        return tuple(self.arrow_words.split())

    @property
    def action(self) -> str:
        """The action with its argument: a step for what has a direction in its id, else ``argument``."""
        first, _, rest = self.id.partition("-")
        if first in _TURNS:
            return f"to_{rest.replace('-', '_')}({_TURNS[first]})"
        name, _, last = self.id.rpartition("-")
        if self.argument or last in _STEPS:
            return f"{name.replace('-', '_')}({self.argument or _STEPS[last]})"
        return self.id.replace("-", "_")


_table, _pane, _chips, _strip, _facets, _screen, _app = (
    partial(Command, where)
    for where in (
        *(Where.TABLE, Where.PANE, Where.CHIPS, Where.STRIP),
        *(Where.FACETS, Where.SCREEN, Where.APP),
    )
)

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
    _table(
        "select-rows", "v f9", "Select rows", "Begin to select rows, to copy them; again, or Esc, ends it."
    ),
    _table(
        "fold",
        "r",
        "Fold runs",
        "Show runs of the same event by the same user as one line each, with their number and times; or all.",
        "^",
    ),
    _pane("pane-down", "down j", "Pane: down", "Go to the next value of the event, or scroll on."),
    _pane("pane-up", "up k", "Pane: up", "Go to the value before, or scroll back."),
    _pane(
        "pane-choose",
        "enter",
        "Pane: choose",
        "Ask what to do with the value: only these, without these, around this moment, copy.",
    ),
    _pane("pane-copy", "y c", "Pane: copy", "Copy the value.", "f7"),
    _pane("pane-page-down", "pagedown space", "Pane: page down", "Scroll the pane down one page."),
    _pane("pane-page-up", "pageup b", "Pane: page up", "Scroll the pane up one page."),
    _pane("pane-top", "home g", "Pane: top", "Scroll the pane to the top."),
    _pane("pane-end", "end G", "Pane: end", "Scroll the pane to the end."),
    _chips("chip-left", "left h", "Chip to the left", "Go to the chip before."),
    _chips("chip-right", "right l", "Chip to the right", "Go to the next chip."),
    _chips("switch-chip", "space enter", "Switch chip", "Switch the chip off, or on again."),
    _chips("drop-chip", "delete", "Drop chip", "Take the chip away."),
    _chips("leave-chips", "escape down j", "Leave the chips", "Go back to the list."),
    _facets("facet-only", "enter =", "Only this value", "Show only this value's events, or more values."),
    _facets("facet-without", "!", "Without this value", "Leave out the events with this value."),
    _facets("facet-rarest", "r", "Rarest first", "The rarest values first, or the most frequent.", "f9"),
    _facets("facet-down", "down j", "In facets: down", "Move to the next value."),
    _facets("facet-up", "up k", "In facets: up", "Move to the value before."),
    _facets("facet-next", "right l", "In facets: next field", "Move to the next field."),
    _facets("facet-previous", "left h", "In facets: field before", "Move to the field before."),
    _facets("facet-page-down", "pagedown space", "In facets: page down", "Move one page down."),
    _facets("facet-page-up", "pageup b", "In facets: page up", "Move one page up."),
    _facets("facet-first", "home g", "In facets: top", "Move to the first value."),
    _facets("facet-last", "end G", "In facets: end", "Move to the last line."),
    _strip("strip-left", "left h", "Earlier bucket", "Choose the stretch of time before."),
    _strip("strip-right", "right l", "Later bucket", "Choose the stretch of time after."),
    _strip("strip-first", "home g", "First bucket", "Choose the first stretch of time."),
    _strip("strip-last", "end G", "Last bucket", "Choose the last stretch of time."),
    _strip("strip-anchor", "space", "Choose from here", "Choose all from here on; again ends it."),
    _strip("strip-choose", "enter", "Only this time", "Show only the time that is chosen."),
    _strip("strip-failures", "e", "Only failures", "Show only events that failed.", "f9"),
    _strip("leave-strip", "escape down j", "Leave the strip", "Go back to the list."),
    _screen(
        "open-event",
        "enter",
        "Open or close",
        "Show all that is known of the event, or close the pane again.",
        key_line="open",
        pane_line="close",
    ),
    _screen(
        "next-part", "tab", "Next part", "Go from the list to the open pane, and back.", pane_line="read on"
    ),
    _screen("filter", "f", "Filter", "Choose which events are shown.", "f2", key_line="filter"),
    _screen("time-range", "t", "Time range", "Choose the time range.", "f3", key_line="time"),
    _screen(
        "sort-column",
        "s",
        "Sort",
        "Sort by the column under the cursor: ascending, descending, newest first again.",
        "f4",
        key_line="sort",
        pane_line="",
    ),
    _screen(
        "mark", "m", "Mark", "Mark the event, or the selected ones; again takes the mark away.", "insert"
    ),
    _screen("next-mark", "'", "Next mark", "Go to the next marked event."),
    _screen("previous-mark", '"', "Previous mark", "Go to the marked event before."),
    _screen(
        "only-marked", "M", "Only the marked", "Show the marked events alone; again shows all.", "ctrl+k"
    ),
    _screen("note", "a", "Note", "Write a note on the event, beside the store, never into it.", "ctrl+n"),
    _screen(
        "detections",
        "D",
        "Detections, or compare",
        "List the rules that hit, and why; without rules (c in their list), compare 2 to 4 marked events.",
        "ctrl+w",
    ),
    _screen(
        "saved-views",
        "V",
        "Saved views",
        "Show what came since you left, or a saved view; or save this one.",
        "ctrl+v",
    ),
    *(
        _screen(
            f"starred-{digit}",
            f"{digit}",
            f"Saved view {digit}",
            "Show the saved view with this star.",
            argument=f"{digit}",
        )
        for digit in range(1, 10)
    ),
    _screen(
        "explain",
        "K",
        "Explain",
        "Say what the event means, why it matters, what is missing, and show what belongs to it.",
        "{",
    ),
    _screen(
        "changes",
        "d",
        "What changed",
        "Show before and after: by what the event says, and against the event before on the same target.",
        "ctrl+s",
    ),
    _screen(
        "compare",
        "%",
        "Compare with before",
        "Say what is new, gone or more frequent than in the range before, or the same hours of last week.",
    ),
    _screen(
        "still-open",
        "#",
        "Still open",
        "List what was begun and not ended: deployed, created, granted, logged in; with how long.",
    ),
    _screen(
        "case", "$", "Case file", "Write the marked events, notes and queries to one HTML or Markdown file."
    ),
    _screen("raw-json", "J", "Raw JSON", "Show the event as JSON, whole.", "f12"),
    _screen(
        "copy",
        "y c",
        "Copy",
        "Copy the cell, the row, its JSON, a Markdown table, or the command that shows the same.",
        "f7",
    ),
    _screen(
        "export",
        "X ctrl+e",
        "Export",
        "Write the events that are shown, selected or marked to a file.",
        "f8 ctrl+e",
    ),
    _screen(
        "clear-filter", "0", "Clear all filters", "Take filter and chips away; time range and order stay."
    ),
    _screen("zone", "T", "UTC or local time", "Show times in UTC, or in the configured zone.", "f6"),
    _screen("go-to-time", "@", "Go to a time", "Go to the event nearest to a moment; the range stays."),
    _screen("search", "/", "Search", "Go to the next event that contains a text; an empty one ends it."),
    _screen("next-match", "n", "Next match", "Go to the next event that contains it.", "ctrl+g"),
    _screen("previous-match", "N", "Previous match", "Go to the event before that contains it.", "ctrl+y"),
    _screen("keep-matches", "&", "Keep only what contains", "Show only events that contain a text."),
    _screen("next-of-user", "o", "Next of this user", "Go to the next event of the same user.", "ctrl+down"),
    _screen(
        "previous-of-user",
        "O",
        "Previous of this user",
        "Go to the event before of the same user.",
        "ctrl+up",
    ),
    _screen("next-failure", "e", "Next failure", "Go to the next event that failed.", "ctrl+right"),
    _screen("previous-failure", "E", "Previous failure", "Go to the event before that failed.", "ctrl+left"),
    _screen(
        "context",
        "x",
        "Around this event",
        "Show all events around this one, filters lifted; again, or Esc, returns.",
        "full_stop",
    ),
    _screen(
        "pivot",
        "p",
        "Pivot",
        "Show events with the same user, address or other value, around this time.",
        "asterisk",
    ),
    _screen(
        "time-strip",
        "i",
        "Time strip",
        "Go to the strip of time over the list: when events were, and failures; there, hide it.",
        "tilde",
    ),
    _screen("range-earlier", "[", "Earlier range", "Move the time range to just before itself."),
    _screen("range-later", "]", "Later range", "Move the time range to just after itself."),
    _screen("zoom-in", "z", "Zoom in", "Half the time range, round this event.", "plus"),
    _screen("zoom-out", "Z", "Zoom out", "Twice the time range, round this event.", "minus"),
    _screen("range-from-here", "(", "From here on", "Begin the time range with this event."),
    _screen("range-to-here", ")", "Up to here", "End the time range with this event."),
    _screen(
        "seal",
        "I f11",
        "Seals",
        "What is verified of the record, what is wrong with it, and what cannot be seen from here.",
        "f11",
    ),
    _screen(
        "redact",
        "P",
        "Redact names",
        "Show pseudonyms instead of users and addresses, in copies and exports too, or the names again.",
        "ctrl+x",
    ),
    _screen(
        "include", "=", "Only these", "Show only events with the value under the cursor, in the pane too."
    ),
    _screen(
        "exclude",
        "!",
        "Without these",
        "Leave out the events with the value under the cursor, in the pane too.",
    ),
    _screen("chips", ",", "Chips", "Go to the line of chips, to switch them off and on."),
    _screen("drop-last", "backspace", "Drop last chip", "Take the last chip away.", "delete"),
    _screen(
        "lift-filters",
        "\\",
        "Lift all filters",
        "Take all filters off on the same row, to look around; again puts them back.",
    ),
    _screen(
        "undo", "u", "Undo", "Go back to what was shown before: filter, time range and order.", "backspace"
    ),
    _screen("redo", "ctrl+r", "Redo", "Take back the last undo."),
    _screen(
        "facets",
        "S",
        "Facets",
        "The values of what is shown, with their numbers, beside the list; again, or Esc, closes them.",
        "_",
    ),
    _screen(
        "columns",
        "C",
        "Columns",
        "Choose the columns of the list, their order and width; any field of the metadata can be one.",
        "|",
    ),
    _screen("narrow-list", "<", "Pane larger", "Move the edge between list and pane: the pane gets more."),
    _screen("widen-list", ">", "List larger", "Move the edge between list and pane: the list gets more."),
    _screen(
        "follow",
        "F",
        "Follow",
        "Show new events as they come; it pauses while you look at others, and the first row goes on.",
        "ctrl+f",
    ),
    _screen("reload", "R", "Reload", "Read again, with the events that came meanwhile.", "f5"),
    _screen(
        "command-line",
        ": ctrl+p",
        "Commands",
        "Find a command by its name; :1234 goes to a row.",
        key_line="commands",
    ),
    _screen(
        "back", "escape", "Back", "Close what is open, else go back to what was shown before. Never quits."
    ),
    _screen("help", "? f1", "Help", "Show the keys.", key_line="help"),
    _screen("quit", "q", "Quit", "Close what is open; at the list, quit.", "f10", key_line="quit"),
    _app("redraw", "ctrl+l", "Redraw", "Draw the screen again."),
    _app("mouse", "ctrl+o", "Mouse on or off", "Listen to the mouse, or leave it to the terminal."),
    _app("theme", "ctrl+t", "Next theme", "Dark, light, or the terminal's own colours."),
    _app("suspend", "ctrl+z", "Suspend", "Go back to the shell; fg returns."),
    _app("interrupt", "ctrl+c", "Interrupt", "End the query that runs; twice within two seconds quits."),
    _app("quit-now", "ctrl+q", "Quit now", "Quit at once."),
)
