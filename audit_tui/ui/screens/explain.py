"""The lines of what an event means, what it changed, and in what events differ."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size

from audit_tui.core.text import clean_visible
from audit_tui.ui.keymap import hidden
from audit_tui.ui.screens.text_dialog import TextDialog
from audit_tui.ui.widgets.painter import Line, Piece, Role, fit, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.binding import BindingType

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.investigate.changes import Difference
    from audit_tui.core.investigate.meaning import Meaning

MAX_CHARS = 2_000
MAX_NAMES = 60
_GAP = 2
_NAME_CELLS = 24


class ExplainDialog(TextDialog):
    """Explains an event; gives back True when the events that belong to it are wished."""

    BINDINGS: ClassVar[list[BindingType]] = hidden("r,enter=offer")

    def on_mount(self) -> None:
        self.query_one("#box").border_subtitle = "r or ⏎ related events   Esc close"


def explanation_lines(
    event: AuditEvent, meaning: Meaning | None, missing: Sequence[str], width: int
) -> list[Line]:
    """Return the lines of what an event means."""
    lines: list[Line] = []
    if meaning is None:
        source = f" of {event.source}" if event.source else ""
        lines += _text(f"No explanation ships for this event{source}.", width, Role.QUIET)
    else:
        lines += _text(meaning.words, width)
        for title, words in (("Why it matters", meaning.why), ("Look at next", meaning.look_next)):
            lines += _section(title, words, width, Role.VALUE)
    names = ", ".join(list(event.metadata)[:MAX_NAMES])
    lines += _section("Metadata", names or "none", width)
    if missing:
        lines += _section("Expected, not recorded", ", ".join(missing), width, Role.FAILURE)
    if meaning is not None and len(meaning.related) > 1:
        others = ", ".join(name for name in meaning.related[: MAX_NAMES // 4] if name != event.event)
        lines += _section("Belongs with", others, width)
    return lines


def change_lines(
    target: str, told: Sequence[Difference], since: str, against: Sequence[Difference], width: int
) -> list[Line]:
    """Return the lines of what an event changed, before and after.

    Args:
        target: Of the event; empty for none.
        told: By its own metadata.
        since: The event before it on the same target, in words; empty when there is none.
        against: In what it differs from that one.
        width: Cells for a line.
    """
    lines: list[Line] = []
    if target:
        lines += [*_text(target, width, Role.TITLE), ()]
    lines += [(Piece("By what the event says", Role.LABEL),)]
    lines += _differences(told, width) or _text("It does not say what it changed.", width, Role.QUIET)
    lines += [(), (Piece("Against the event before on the same target", Role.LABEL),)]
    if not since:
        words = "There is none." if target else "It names no target."
        return [*lines, *_text(words, width, Role.QUIET)]
    lines += _text(since, width, Role.QUIET)
    return [*lines, *(_differences(against, width) or _text("Nothing differs.", width, Role.QUIET))]


def comparison_lines(
    heads: Sequence[Sequence[str]], rows: Sequence[tuple[str, Sequence[str | None]]], width: int
) -> list[Line]:
    """Return the lines of events side by side, of the fields in which they differ.

    Args:
        heads: Of each event what stands above its column, line by line.
        rows: The fields, each with the text of every event; None where it has none.
        width: Cells for a line.
    """
    name_cells = min(_NAME_CELLS, width // (len(heads) + 1))
    cells = (width - name_cells) // len(heads) - _GAP
    lines = [
        (
            Piece(" " * name_cells),
            *(
                Piece(" " * _GAP + fit(text, cells), Role.TITLE if number == 0 else Role.QUIET)
                for text in texts
            ),
        )
        for number, texts in enumerate(zip(*heads, strict=True))
    ]
    lines.append(())
    for name, texts in rows:
        columns = [_wrapped("-" if text is None else text, cells) for text in texts]
        for number, parts in enumerate(zip_longest(*columns, fillvalue="")):
            label = fit(name, name_cells) if number == 0 else " " * name_cells
            lines.append(
                (
                    Piece(label, Role.LABEL),
                    *(
                        Piece(
                            " " * _GAP + set_cell_size(part, cells),
                            Role.QUIET if text is None else Role.VALUE,
                        )
                        for part, text in zip(parts, texts, strict=True)
                    ),
                )
            )
    if not rows:
        lines.append((Piece("They differ in nothing but time and number.", Role.QUIET),))
    return lines


def _section(title: str, words: str, width: int, role: Role = Role.QUIET) -> list[Line]:
    return [(), (Piece(title, Role.LABEL),), *_text(words, width, role)]


def _differences(differences: Sequence[Difference], width: int) -> list[Line]:
    lines: list[Line] = []
    last = None
    for difference in differences:
        if difference.name and difference.name != last:
            lines += _text(difference.name, width)
        last = difference.name
        for sign, text, role in (("-", difference.before, Role.FAILURE), ("+", difference.after, Role.GOOD)):
            if text is not None:
                for number, part in enumerate(_wrapped(text, width - 4)):
                    lines.append((Piece(f"  {sign if number == 0 else ' '} {part}", role),))
    return lines


def _text(words: str, width: int, role: Role = Role.VALUE) -> Iterator[Line]:
    for part in _wrapped(words, width):
        yield (Piece(part, role),)


def _wrapped(text: str, width: int) -> list[str]:
    cleaned = clean_visible(text[:MAX_CHARS])
    parts = list(wrap(cleaned, max(2, width)))
    if len(text) > MAX_CHARS:
        parts.append("…")
    return [part if cell_len(part) <= width else set_cell_size(part, width) for part in parts]
