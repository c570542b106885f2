"""``audit-tui query`` and ``count``: the same events as on the screen, without it."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import click

from audit_tui.cli.completing import columns as complete_columns
from audit_tui.cli.line import QUERY_HELP
from audit_tui.cli.options import (
    events_options,
    fallen_back,
    format_option,
    parse_columns,
    query_argument,
    source_option,
)
from audit_tui.cli.progress import tell
from audit_tui.cli.redacting import redact_mode, redact_option
from audit_tui.cli.session import session_of
from audit_tui.cli.source import reading
from audit_tui.core.event_fields import FIELDS_HINT, list_field
from audit_tui.core.export import Format, Writing
from audit_tui.core.filter.filters import EVERYTHING, two_ways_words
from audit_tui.core.privacy.redact_mode import RedactingReader
from audit_tui.core.query import NEWEST_FIRST, Sort
from audit_tui.core.text import clean_visible, counted, thousands
from audit_tui.core.time.dates import Preset, range_label, range_words
from audit_tui.errors import UsageError
from audit_tui.output.writers import write_events

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.event_fields import EventField
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import EventReader
    from audit_tui.core.source import EventSource
    from audit_tui.core.time.dates import TimeContext

TERMINAL_LIMIT = 100
"""The number of events for a terminal when nobody said how many; a file or a pipe gets all."""


@click.command("query", epilog=QUERY_HELP)
@query_argument
@source_option
@events_options
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    show_default=f"{TERMINAL_LIMIT} on a terminal, else 0",
    help="Up to N events; 0 is all.",
)
@format_option
@click.option(
    "--sort",
    metavar="COLUMN",
    shell_complete=complete_columns,
    default=NEWEST_FIRST.column.value,
    show_default="time, newest first",
    help="The order: by a column of the list, as time, user or source_ip, or by meta.NAME.",
)
@click.option(
    "--reverse", "is_reversed", is_flag=True, help="The other way round: the oldest first, or Z to A."
)
@click.option(
    "--columns",
    metavar="COLUMNS",
    shell_complete=complete_columns,
    help="all, visible (those of the list on the screen), or their names as event,user,time.",
)
@redact_option
@click.pass_context
def query_command(
    context: click.Context,
    store: EventSource,
    choice: EventsChoice,
    limit: int | None,
    chosen: str,
    redact: bool,
    sort: str,
    columns: str | None,
    *,
    is_reversed: bool,
) -> None:
    """Print events, newest first."""
    settings = session_of(context).loaded.settings
    mode = redact_mode(is_on=redact or settings.redact)
    choice = replace(choice, view=replace(choice.view, sort=_sort(sort, is_reversed=is_reversed)))
    shown = parse_columns(columns, settings.columns)
    print_events(store, choice, mode, Format(chosen.lower()), limit, shown)


def _sort(name: str, *, is_reversed: bool) -> Sort:
    """Return an order as it is asked for: the newest first, other columns from A to Z."""
    key = list_field(name)
    if key is None:
        raise UsageError(f"No order {name!r}.", FIELDS_HINT)
    is_newest_first = key is NEWEST_FIRST.column
    return Sort(key, descending=is_newest_first is not is_reversed)


def print_events(
    store: EventSource,
    choice: EventsChoice,
    redact: RedactMode,
    chosen: Format = Format.TABLE,
    limit: int | None = None,
    columns: tuple[EventField, ...] | None = None,
    how_to_all: str = "--limit 0 shows all",
) -> None:
    """Print events, and say so where these are not all of them.

    ``limit`` is the most to print: 0 is all, None what suits stdout; ``how_to_all`` says what gives the rest.

    Raises:
        StoreError: If the store cannot be read.
    """
    is_terminal = sys.stdout.isatty()
    if limit is None:
        limit = TERMINAL_LIMIT if is_terminal else 0
    with reading(store) as real:
        reader = RedactingReader(real, redact)
        choice = fallen_back(choice, reader)
        query = choice.query()
        events = islice(reader.events(query), limit or None)
        writing = to_stdout(chosen, choice.context, columns)
        written = write_events(events, sys.stdout, writing)
        # What was asked for is on its way before the rest is counted.
        sys.stdout.flush()
        total = reader.count(query) if limit and written == limit else written
        of_range, how_to_more = range_notes(choice, total, reader)
    if total > written:
        more = f"; {how_to_all}{how_to_more.replace(';', ',', 1)}"
        tell(f"{thousands(written)} of {counted(total, 'event')}{of_range}{more}.")
    elif not written:
        tell_none(choice)
    elif how_to_more:
        tell(f"{counted(written, 'event')}{of_range}{how_to_more}.")


def to_stdout(chosen: Format, context: TimeContext, columns: tuple[EventField, ...] | None = None) -> Writing:
    """Return how something is written to stdout: for a terminal, for a file, or for a pipe.

    What is behind a pipe may be ``head``, and a terminal behind that.
    """
    if sys.stdout.isatty():
        return Writing(chosen, context, columns, width_cells=terminal_cells())
    try:
        is_file = stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except OSError:
        # Python's own file in memory, in tests.
        is_file = True
    return Writing(chosen, context, columns, is_for_pipe=not is_file)


def terminal_cells() -> int:
    """The width of the terminal."""
    # Here, because only a table on a terminal needs it, and it takes 4 ms.
    from shutil import get_terminal_size

    return get_terminal_size().columns


@click.command("count")
@query_argument
@source_option
@events_options
def count_command(store: EventSource, choice: EventsChoice) -> None:
    """Print the number of events."""
    with reading(store) as reader:
        choice = fallen_back(choice, reader)
        number = reader.count(choice.query())
        click.echo(number)
        sys.stdout.flush()
        of_range, how_to_more = range_notes(choice, number, reader)
    if not number and choice.is_range_default:
        tell_none(choice)
    elif how_to_more:
        tell(f"{counted(number, 'event')}{of_range}{how_to_more}.")


def range_notes(choice: EventsChoice, events: int, reader: EventReader) -> tuple[str, str]:
    """Return what to say of a range that nobody asked for, where it leaves events out.

    Returns:
        Which range that is, and how to have all: `` of Last 30 Days`` and ``; --range all-time takes in all
        100,000``. Both are empty where the range was chosen, nothing is left out, or there is no event, of
        which ``tell_none`` tells.
    """
    view = choice.view
    if not events or not choice.is_range_default or view.time_range is Preset.ALL_TIME:
        return "", ""
    everywhere = reader.count(replace(view, time_range=Preset.ALL_TIME).query(choice.context))
    if everywhere <= events:
        return "", ""
    label = range_label(view.time_range, choice.context)
    return f" of {label}", f"; --range all-time takes in all {thousands(everywhere)}"


def tell_none(choice: EventsChoice) -> None:
    """Say on stderr that there is nothing, and in which range that was looked for."""
    if choice.is_of_nothing:
        tell("The store has no events yet.")
        return
    view = choice.view
    words = clean_visible(f" with {view.filter_words()}" if view.in_force != EVERYTHING else "")
    hint = "" if view.time_range is Preset.ALL_TIME else "; --range all-time takes in all"
    tell(f"No events{words} in {range_words(view.time_range, choice.context)}{hint}.")
    if two_ways := two_ways_words(view.in_force):
        tell(two_ways)
