"""``audit-tui facets`` and ``histogram``: how many events have each value, and how many lie in each span."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from audit_tui.cli.commands.query import range_notes, tell_none, to_stdout
from audit_tui.cli.completing import fields
from audit_tui.cli.options import events_options, fallen_back, format_option, query_argument, source_option
from audit_tui.cli.progress import tell
from audit_tui.cli.redacting import mode_of, redact_option
from audit_tui.cli.source import reading
from audit_tui.core.columns import Column, column_named
from audit_tui.core.export import Format, Writing
from audit_tui.core.filter.filters import MetaField, field_named
from audit_tui.core.privacy.redact_mode import RedactingReader
from audit_tui.core.query import FACET_COLUMNS
from audit_tui.core.text import counted
from audit_tui.core.time.buckets import MAX_BUCKETS, Every, regular_buckets, round_buckets
from audit_tui.errors import UsageError
from audit_tui.output.totals import Bucket, write_facets, write_histogram

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.query import EventReader, FacetField
    from audit_tui.core.source import EventSource

FACETS_LIMIT = 20
BUCKETS = 32
_MOST_FACETS = 2**31 - 1


@click.command("facets")
@click.argument("column", metavar="COLUMN", shell_complete=fields)
@query_argument
@source_option
@events_options
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=FACETS_LIMIT,
    show_default=True,
    help="Up to N values; 0 is all.",
)
@click.option("--rarest", is_flag=True, help="The rarest values first.")
@format_option
@redact_option
@click.pass_context
def facets_command(
    context: click.Context,
    column: str,
    store: EventSource,
    choice: EventsChoice,
    limit: int,
    chosen: str,
    redact: bool,
    *,
    rarest: bool,
) -> None:
    """Print the most frequent values of a column, or the rarest.

    COLUMN is event, category, user, description, outcome, severity, source_ip, target, source (host in a
    shared engine), or meta.NAME for a field of the metadata. An event with several values counts for each of
    them.
    """
    field = _facet_field(column)
    with reading(store) as store_reader:
        reader = RedactingReader(store_reader, mode_of(context, redact=redact))
        choice = fallen_back(choice, reader)
        most = limit + 1 if limit else _MOST_FACETS
        rows = reader.facets(choice.query(), field, most, rarest=rarest).values
        shown = rows[:limit] if limit else rows
        write_facets(field, shown, sys.stdout, _writing(chosen, choice))
        sys.stdout.flush()
        notes = ["--limit 0 shows all values"] if len(rows) > len(shown) else []
        _tell(choice, reader, is_empty=not rows, notes=notes)


def _facet_field(name: str) -> FacetField:
    field = column_named(name) or field_named(name)
    if isinstance(field, MetaField) or (isinstance(field, Column) and field in FACET_COLUMNS):
        return field
    if field is Column.TIME:
        raise UsageError("Times are not counted one by one.", "Use audit-tui histogram.")
    columns = ", ".join(FACET_COLUMNS)
    raise UsageError(f"The values of {name!r} are not counted.", f"Columns are {columns} and meta.NAME.")


@click.command("histogram")
@query_argument
@source_option
@events_options
@click.option("--every", metavar="LENGTH", help="Buckets of a length: 30s, 5m, 1h, 1d, 1w.")
@click.option(
    "--buckets",
    metavar="N",
    type=click.IntRange(1, MAX_BUCKETS),
    show_default=str(BUCKETS),
    help="Up to N buckets that begin on round moments.",
)
@click.option(
    "--empty/--no-empty", "shows_empty", default=True, help="With the buckets of no events, or without."
)
@format_option
def histogram_command(
    store: EventSource,
    choice: EventsChoice,
    every: str | None,
    buckets: int | None,
    chosen: str,
    *,
    shows_empty: bool,
) -> None:
    """Print how many events lie in each span of time.

    Days and weeks begin at midnight in the zone.
    """
    if every is not None and buckets is not None:
        raise UsageError("--every cannot be used with --buckets.", "Leave one of them out.")
    length = None if every is None else Every.parse(every)
    with reading(store) as reader:
        choice = fallen_back(choice, reader)
        ends = _ends(choice, reader)
        counts: tuple[int, ...] = ()
        edges: list[int] = []
        if ends is not None:
            edges = (
                round_buckets(*ends, BUCKETS if buckets is None else buckets, choice.context)
                if length is None
                else regular_buckets(*ends, length, choice.context)
            )
            counts = reader.histogram(choice.query(), edges)
        rows = [
            Bucket(start, end, events)
            for (start, end), events in zip(pairwise(edges), counts, strict=True)
            if events or shows_empty
        ]
        write_histogram(rows, sys.stdout, _writing(chosen, choice))
        sys.stdout.flush()
        _tell(choice, reader, is_empty=not any(counts), notes=[])


def _ends(choice: EventsChoice, reader: EventReader) -> tuple[int, int] | None:
    """The range, where it has no end up to the events themselves; None when nothing can be in it."""
    info = reader.info()
    interval = choice.query().interval
    if info.first_us is None or info.last_us is None:
        return None
    start = info.first_us if interval.start_us is None else interval.start_us
    end = info.last_us + 1 if interval.end_us is None else interval.end_us
    return (start, end) if start < end else None


def _writing(chosen: str, choice: EventsChoice) -> Writing:
    return to_stdout(Format(chosen.lower()), choice.context)


def _tell(choice: EventsChoice, reader: EventReader, *, is_empty: bool, notes: list[str]) -> None:
    """Say on stderr what was left out, and where nothing was found."""
    if is_empty:
        tell_none(choice)
        return
    if choice.is_range_default:
        events = reader.count(choice.query())
        of_range, how_to_more = range_notes(choice, events, reader)
        if how_to_more:
            notes = [f"{counted(events, 'event')}{of_range}{how_to_more}", *notes]
    if notes:
        tell("; ".join(notes) + ".")
