"""A dialog that shows lines to read: the raw JSON of an event, an error, the help."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import on
from textual.containers import Horizontal
from textual.widgets import Input

from audit_tui.core.text import clean
from audit_tui.ui.commands import COMMANDS, Where
from audit_tui.ui.keymap import Keymap, hidden, key_name
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.line_input import LineInput
from audit_tui.ui.widgets.line_view import LineView
from audit_tui.ui.widgets.painter import Line, Piece, Role, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from audit_tui.errors import AuditTuiError

_KEY_CELLS = 18


class TextDialog(Dialog[bool]):
    """Shows lines in one border with one title.

    Args:
        title: What is shown; from data or not.
        make: Makes the lines for a width in cells.
        searchable: Whether a field at the top keeps only the lines that hold what is typed.
        offer: The words of a button; the dialog gives back whether it was pressed. Empty for none.
    """

    BINDINGS: ClassVar[list[BindingType]] = hidden("escape,q,enter=cancel slash=search")

    def __init__(
        self,
        title: str,
        make: Callable[[int], Sequence[Line]],
        *,
        searchable: bool = False,
        offer: str = "",
    ) -> None:
        super().__init__()
        self._offer = offer
        self._heading = title
        self._make = make
        self._searchable = searchable

    def compose(self) -> ComposeResult:
        with self.box(self._heading, "/ search   Esc close" if self._searchable else "Esc close"):
            if self._searchable:
                field = LineInput(placeholder="Search")
                field.display = False
                yield field
            yield LineView()
            if self._offer:
                with Horizontal(id="foot"):
                    yield Button(self._offer, id="offer", action="offer", classes="-primary")
                    yield Button("Close", action="cancel")

    def on_mount(self) -> None:
        view = self.query_one(LineView)
        view.show(self._make)
        (self.query_one("#offer") if self._offer else view).focus()

    def show(self, make: Callable[[int], Sequence[Line]]) -> None:
        self._make = make
        self.query_one(LineView).show(make)

    @on(Input.Changed)
    def _narrow(self, message: Input.Changed) -> None:
        wanted = message.value.casefold()
        self.query_one(LineView).show(lambda width: _holding(self._make(width), wanted))

    @on(Input.Submitted)
    def _leave_search(self) -> None:
        self.query_one(LineView).focus()

    def action_search(self) -> None:
        if self._searchable:
            field = self.query_one(Input)
            field.display = True
            field.focus()

    def action_offer(self) -> None:
        self.leave(True)


def error_dialog(error: AuditTuiError, offer: str = "") -> TextDialog:
    """A calm dialog: what happened and what to do; with a button where there is something to offer."""
    return TextDialog(error.title, told_lines(str(error)), offer=offer)


def told_dialog(title: str, words: str) -> TextDialog:
    """A calm dialog that says something, in lines."""
    return TextDialog(title, told_lines(words))


def told_lines(words: str) -> Callable[[int], list[Line]]:
    """Return what makes the lines of a text for a width in cells."""
    text_lines = words.split("\n")
    return lambda width: [(Piece(part),) for line in text_lines for part in wrap(clean(line), width)]


def _holding(lines: Sequence[Line], wanted: str) -> list[Line]:
    """The lines that hold a text, below their headings."""
    matches: list[Line] = []
    heading: Line | None = None
    for line in lines:
        if any(piece.role is Role.TITLE for piece in line):
            heading = line
        elif wanted in "".join(piece.text for piece in line).casefold():
            matches += [heading, line] if heading else [line]
            heading = None
    return matches or [(Piece("Nothing holds this.", Role.QUIET),)]


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
