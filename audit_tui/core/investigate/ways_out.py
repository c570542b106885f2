"""The ways out of a view without events: the one thing to drop, so that there are some."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.filter.filters import EVERYTHING, All
from audit_tui.core.query_line.text import line_of
from audit_tui.core.record import Record
from audit_tui.core.time.dates import Preset

if TYPE_CHECKING:
    from audit_tui.core.time.dates import TimeContext
    from audit_tui.core.view import View


class WayOut(Record):
    """A change that may show events."""

    words: str
    """The thing that is dropped, "without user=alice". From data: clean it before drawing."""
    view: View


def ways_out(view: View, context: TimeContext) -> tuple[WayOut, ...]:
    """Return the single things to drop: what came last first, the time range at the end."""
    if view.is_lifted:
        return _wider(view, context)
    ways = []
    for index in reversed(range(len(view.chips))):
        if view.chips[index].is_on:
            # It stays as a chip that is off.
            words = f"without {line_of(view.chips[index].filter)}"
            ways.append(WayOut(words, view.with_chip_switched(index)))
    parts = view.filter.parts if isinstance(view.filter, All) else (view.filter,)
    for index in reversed(range(len(parts))):
        rest = All(parts[:index] + parts[index + 1 :])
        ways.append(WayOut(f"without {line_of(parts[index])}", replace(view, filter=rest)))
    return (*ways, *_wider(view, context))


def last_resorts(view: View, context: TimeContext) -> tuple[WayOut, ...]:
    """Return what is left where no single thing helps: all filters off, then all times too."""
    lifted = replace(view, is_lifted=True)
    if view.in_force == EVERYTHING:
        return ()
    return WayOut("without any filter", lifted), *(
        WayOut(f"without any filter, {way.words}", way.view) for way in _wider(lifted, context)
    )


def _wider(view: View, context: TimeContext) -> tuple[WayOut, ...]:
    if view.time_range is Preset.ALL_TIME:
        return ()
    wider = replace(view, time_range=Preset.ALL_TIME)
    return (WayOut(f"{wider.range_words(context)} instead of {view.range_words(context)}", wider),)
