"""The filter behind every widget: no character from data reaches the terminal as a command.

Textual sends what a widget draws as it is: ESC, OSC 52, C1 and bidi controls went through all 17 ways to
show a text that were tried with 8.2.8. Data is cleaned where it becomes display text (``core.text``); this
catches what a future widget forgets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

from audit_tui.core.text import UNSAFE_CLASS

if TYPE_CHECKING:
    from textual.color import Color

_UNSAFE = re.compile(f"[{UNSAFE_CLASS}]")


class Sanitize(LineFilter):
    """Removes unsafe characters from every line of every widget.

    Nearly all of them measure zero cells, so the layout holds.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(_UNSAFE.search(segment.text) for segment in segments):
            return segments
        return [
            Segment(_UNSAFE.sub("", segment.text), segment.style, segment.control) for segment in segments
        ]
