"""The help: every key, where one is first."""

from __future__ import annotations

from rich.cells import cell_len

from audit_tui.ui.commands import COMMANDS, Command, Where
from audit_tui.ui.screens.text_dialog import TextDialog
from audit_tui.ui.widgets.line_view import Line, Piece, Role, wrap

_KEY_NAMES = {
    "question_mark": "?",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "escape": "Esc",
    "enter": "⏎",
    "space": "Space",
    "home": "Home",
    "end": "End",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "f1": "F1",
}
_KEY_CELLS = 18


def help_dialog(here: Where) -> TextDialog:
    """The help, beginning with the part of the screen where one is."""
    order = sorted(Where, key=lambda where: where is not here)
    return TextDialog("Help", lambda width: _lines(order, width))


def key_names(command: Command) -> str:
    """The keys of a command as people write them."""
    return "  ".join(_KEY_NAMES.get(key, key.replace("ctrl+", "^")) for key in command.keys)


def _lines(order: list[Where], width: int) -> list[Line]:
    lines: list[Line] = []
    for where in order:
        lines += [(Piece(where.value, Role.TITLE),)]
        for command in COMMANDS:
            if command.where is where:
                lines += _command_lines(command, width)
        lines.append(())
    return lines[:-1]


def _command_lines(command: Command, width: int) -> list[Line]:
    keys = key_names(command)
    label = keys + " " * max(2, _KEY_CELLS - cell_len(keys))
    parts = list(wrap(command.help, width - cell_len(label)))
    indent = " " * cell_len(label)
    return [
        (Piece(label if number == 0 else indent, Role.LABEL), Piece(part))
        for number, part in enumerate(parts)
    ]
