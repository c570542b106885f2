"""The terminal that the screen needs."""

from __future__ import annotations

import os
import sys

from audit_tui.errors import UsageError

NO_SCREEN_HINT = "Without the screen: audit-tui query prints events, audit-tui count their number."


def has_screen(*, has_keyboard: bool = False) -> bool:
    """Tell whether there is a terminal to show the review screen on.

    Args:
        has_keyboard: There is a keyboard, whatever standard input is.
    """
    # Textual writes to stderr, and a stdout that goes elsewhere asks for data.
    streams = (sys.stdout, sys.stderr) if has_keyboard else (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams) and not _is_dumb()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def require_screen(hint: str = NO_SCREEN_HINT, *, has_keyboard: bool = False) -> None:
    """Refuse to go on where the screen could not be shown.

    Args:
        hint: What to use instead.
        has_keyboard: There is a keyboard, whatever standard input is.

    Raises:
        UsageError: If there is no terminal, or one that cannot move its cursor.
    """
    if has_screen(has_keyboard=has_keyboard):
        return
    if _is_dumb() and sys.stdout.isatty():
        terminal = os.environ.get("TERM", "")
        raise UsageError(f"The screen needs a better terminal than TERM={terminal}.", hint)
    raise UsageError("The screen needs a terminal: input and output must not be redirected.", hint)
