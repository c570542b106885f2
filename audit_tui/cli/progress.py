"""A line that tells how far something is, while it takes its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import ParamSpec, Self

import click

from audit_tui.core.text import cells_of, clean_visible, cut

P = ParamSpec("P")
INTERVAL_S = 0.5


class ProgressLine:
    """One line on a terminal's stderr, which goes when the block ends; nothing elsewhere."""

    def __init__(self) -> None:
        self._is_shown = on_terminal()
        self._cells = 0
        self._next_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    @property
    def is_due(self) -> bool:
        """True when there should be something new to see: twice a second at most, and never elsewhere."""
        return self._is_shown and time.monotonic() >= self._next_s

    def shows(self, words: Callable[P, str]) -> Callable[P, None]:
        """Return what is told of a progress, and shows these words of it when something is due."""

        def show(*args: P.args, **named: P.kwargs) -> None:
            if self.is_due:
                self.say(words(*args, **named))

        return show

    def say(self, words: str) -> None:
        """Show these words now, in place of what is there; they may quote hostile names."""
        self._next_s = time.monotonic() + INTERVAL_S
        self._write(clean_visible(words))

    def _write(self, line: str) -> None:
        if not self._is_shown:
            return
        # Here, because only a terminal needs it, and it takes 4 ms.
        from shutil import get_terminal_size

        line = cut(line, get_terminal_size().columns - 1)
        cells = cells_of(line)
        # Spaces over what was there: the one way that works on every terminal.
        rest = " " * (self._cells - cells)
        end = "\r" if not line else ""
        # Before it is written: an interrupt may come behind the line and before what is noted of it.
        self._cells = max(cells, self._cells)
        click.echo(f"\r{line}{rest}{end}", err=True, nl=False)
        self._cells = cells


def tell(*lines: str) -> None:
    """Write lines to stderr, which may quote hostile names; empty ones are left out."""
    for line in filter(None, lines):
        click.echo(clean_visible(line), err=True)


def on_terminal() -> bool:
    """Tell whether someone is looking at stderr."""
    return sys.stderr.isatty()
