"""The range that is shown first where nobody chose one: the usual one, unless nothing is in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from audit_tui.core.filter.filters import EVERYTHING
from audit_tui.core.query import AtRow
from audit_tui.core.time.dates import Preset, range_label, resolve

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.query import EventReader


def with_events(choice: EventsChoice, reader: EventReader) -> tuple[EventsChoice, str]:
    """The choice; with All Time where nobody chose the range and every event is outside it.

    Args:
        choice: What was asked for; its filter plays no part.
        reader: Reads what is to be shown.

    Returns:
        The choice, and what the screen is to say if it is another one; else empty.
    """
    if not choice.is_range_default or _has_event(choice, reader):
        return choice, ""
    label = range_label(choice.view.time_range, choice.context)
    return replace(choice, view=replace(choice.view, time_range=Preset.ALL_TIME)), f"nothing in {label}"


def fallen_back(choice: EventsChoice, reader: EventReader) -> EventsChoice:
    """Return the choice as ``with_events`` does, and say on stderr if it is another one."""
    choice, words = with_events(choice, reader)
    if words:
        click.echo(f"{words[0].upper()}{words[1:]}: these are of all time.", err=True)
    return replace(choice, is_of_nothing=reader.info().last_us is None)


def _has_event(choice: EventsChoice, reader: EventReader) -> bool:
    """Tell whether there is an event in the range, or nothing outside it either."""
    interval = resolve(choice.view.time_range, choice.context)
    last_us = reader.info().last_us
    if last_us is None:
        return True
    if interval.start_us is not None and last_us < interval.start_us:
        return False
    if interval.end_us is None or last_us < interval.end_us:
        return True
    # The newest is of a clock that was ahead: there may be others.
    any_event = replace(choice.view, filter=EVERYTHING).query(choice.context)
    return bool(reader.page(any_event, AtRow(0), 1).rows)
