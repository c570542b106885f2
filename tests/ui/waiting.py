"""Waiting for what a screen comes to, never for a number of steps: a busy machine takes more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

MOST_PAUSES = 200
"""How often the screen may come to rest before what is waited for holds; it takes one or two."""


async def until(pilot: Pilot[None], condition: Callable[[], bool], what: str = "") -> None:
    """Wait until something holds: after a scroll or a new size, that may take some frames.

    Raises:
        AssertionError: If it does not come to hold.
    """
    for _ in range(MOST_PAUSES):
        if condition():
            return
        await pilot.pause()
    raise AssertionError(what or "it never came to hold")
