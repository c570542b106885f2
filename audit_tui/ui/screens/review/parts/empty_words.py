"""The lines in place of a list without events: why there are none, and the key that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.filter.filters import EVERYTHING, two_ways_words
from audit_tui.core.text import clean
from audit_tui.core.time.dates import Preset

if TYPE_CHECKING:
    from audit_tui.ui.keymap import Keymap
    from audit_tui.ui.shown_view import ShownView


def why_empty(shown: ShownView, keymap: Keymap) -> tuple[str, ...]:
    """Say why a view shows nothing."""
    view = shown.view
    range_words = view.range_words(shown.context)
    is_all_time = view.time_range is Preset.ALL_TIME
    change = (
        f"Press {keymap.key_of('filter')} to change the filter, {keymap.key_of('clear-filter')} to clear it"
    )
    another_range = f"{keymap.key_of('time-range')} for another time range."
    two_ways = tuple(filter(None, (clean(two_ways_words(view.in_force)),)))
    if view.in_force != EVERYTHING and is_all_time:
        return "No event matches the filter.", f"{change}.", *two_ways
    if view.in_force != EVERYTHING:
        words = f"No events in the time range {range_words} match the filter."
        return words, f"{change}, {another_range}", *two_ways
    if is_all_time:
        return "The store holds no events yet.", "audit-tui import brings some in."
    return f"No events in the time range {range_words}.", f"Press {another_range}"
