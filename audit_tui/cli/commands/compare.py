"""``audit-tui compare``: what is new, gone, or much more frequent than in another stretch of time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import events_options, fallen_back, query_argument, source_option
from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.redacting import mode_of, redact_option
from audit_tui.cli.source import reading
from audit_tui.core.event_text import MISSING, safe_json
from audit_tui.core.investigate.compare import (
    LIMIT,
    MOST_READ_EVENTS,
    PREVIOUS,
    compare,
    compare_rest,
    intervals,
)
from audit_tui.core.privacy.redact_mode import RedactingReader
from audit_tui.core.text import cells_of, clean, counted, cut
from audit_tui.core.time.zones import date_text

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.investigate.compare import Comparison
    from audit_tui.core.query import Interval
    from audit_tui.core.source import EventSource

_VALUE_CELLS = 44


@click.command("compare")
@query_argument
@source_option
@events_options
@click.option(
    "--with",
    "against",
    metavar="RANGE",
    default=PREVIOUS,
    show_default=True,
    help="previous (as long, just before), last-week (the same hours of it), a preset, or A..B.",
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="Up to N values of each column.",
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object a line.")
@redact_option
@click.pass_context
def compare_command(
    context: click.Context,
    store: EventSource,
    choice: EventsChoice,
    against: str,
    limit: int,
    redact: bool,
    *,
    is_json: bool,
) -> None:
    """Print what is NEW, GONE, or times as frequent as in another stretch of time.

    By event, user, source IP and target. What differs by chance alone is left out.
    """
    mode = mode_of(context, redact=redact)
    with reading(store) as store_reader:
        reader = RedactingReader(store_reader, mode)
        choice = fallen_back(choice, reader)
        now, before = intervals(choice.view.time_range, choice.context, against)
        query = replace(choice.query(), upto_seq=reader.newest_seq())
        comparison = compare(reader, query, now, before, limit)
        with ProgressLine() as progress:
            report = progress.shows(lambda share: f"Reading the events: {share:.0%}")
            comparison = compare_rest(reader, query, comparison, limit, report=report)
    for line in _json_lines(comparison) if is_json else _table(comparison):
        click.echo(line)
    sys.stdout.flush()
    zone = choice.context.zone
    tell(f"now: {counted(comparison.now_events, 'event')}, {_span(comparison.now, zone)}")
    tell(f"before: {counted(comparison.before_events, 'event')}, {_span(comparison.before, zone)}")
    if comparison.left_out:
        names = ", ".join(column.label for column in comparison.left_out)
        words = f"more than {MOST_READ_EVENTS:,} events; choose a shorter range"
        tell(f"Not compared: {names} ({words}).")
    if not comparison.shifts:
        tell("Nothing differs more than by chance.")


def _table(comparison: Comparison) -> Iterator[str]:
    last = None
    for shift in comparison.shifts:
        if shift.field is not last:
            last = shift.field
            yield f"{shift.field.label:<{_VALUE_CELLS + 8}}  {'now':>9}  {'before':>9}"
        value = cut(clean(MISSING if shift.value is None else shift.value), _VALUE_CELLS)
        gap = " " * (_VALUE_CELLS - cells_of(value))
        yield f"{shift.words:>6}  {value}{gap}  {shift.now:>9,}  {shift.before:>9,}"


def _json_lines(comparison: Comparison) -> Iterator[str]:
    for shift in comparison.shifts:
        yield safe_json(
            {
                "column": shift.field.value,
                "value": shift.value,
                "kind": shift.kind.value.lower(),
                "now": shift.now,
                "before": shift.before,
            }
        )


def _span(interval: Interval, zone: tzinfo) -> str:
    start = "the beginning" if interval.start_us is None else date_text(interval.start_us, zone)
    end = "now" if interval.end_us is None else date_text(interval.end_us, zone)
    return f"{start} to {end}"
