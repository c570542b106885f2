"""The help: every key, where one is first."""

from __future__ import annotations

from rich.cells import cell_len

from audit_tui.ui.commands import COMMANDS, Where
from audit_tui.ui.keymap import Keymap, key_name
from audit_tui.ui.screens.text_dialog import TextDialog
from audit_tui.ui.widgets.painter import Line, Piece, Role, wrap

_KEY_CELLS = 18


def help_dialog(here: Where, keymap: Keymap) -> TextDialog:
    """The help, beginning with the part of the screen where one is."""
    order = sorted(Where, key=lambda where: where is not here)
    return TextDialog("Help", lambda width: _lines(order, keymap, width), searchable=True)


_MARKS = (
    ("✗", "The act failed."),
    ("▌", "The row is selected, to be copied."),
    ("● ○", "On the line of chips: it narrows, or is switched off."),
    ("● ✎", "You marked the event, or wrote a note on it."),
    ("⊗", "You marked the event, and the act failed."),
    ("NEW USER", "The first event by this user, or from this address (NEW IP), or of this name (NEW EVENT)."),
    ("OTHER IP", "This user never came from this address before."),
    ("UNUSUAL", "This user never did this before."),
    ("NEW", "One of these, where there is little room: the pane says which."),
    ("◂ here", "The event that you look around."),
    ("-", "Nobody, or nothing, is named."),
    ("▲ ▼", "The list is sorted by this column, up or down."),
)


def _lines(order: list[Where], keymap: Keymap, width: int) -> list[Line]:
    lines: list[Line] = []
    for where in order:
        lines += [(Piece(where.value, Role.TITLE),)]
        for command in COMMANDS:
            if command.where is where:
                keys = "  ".join(key_name(key) for key in keymap.keys(command)) or "no key"
                lines += _labelled(keys, command.help, width)
        lines.append(())
    lines += [(Piece("Marks", Role.TITLE),)]
    for mark, meaning in _MARKS:
        lines += _labelled(mark, meaning, width)
    return lines


def _labelled(label: str, text: str, width: int) -> list[Line]:
    label += " " * max(2, _KEY_CELLS - cell_len(label))
    parts = list(wrap(text, width - cell_len(label)))
    indent = " " * cell_len(label)
    return [
        (Piece(label if number == 0 else indent, Role.LABEL), Piece(part))
        for number, part in enumerate(parts)
    ]
