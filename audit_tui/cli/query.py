"""``audit-tui query`` and ``count``: the same events as on the screen, without it."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import events_options, store_option
from audit_tui.core.dates import Preset, range_words
from audit_tui.core.export import Format, Writing
from audit_tui.core.text import clean_visible, counted, thousands
from audit_tui.formats.writers import write_events

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.cli.options import EventsChoice

TERMINAL_LIMIT = 100
"""How many events a terminal gets when nobody said how many; a file or a pipe gets all."""


@click.command("query")
@store_option
@events_options
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    show_default=f"{TERMINAL_LIMIT} on a terminal, else 0",
    help="At most so many events; 0 is all.",
)
@click.option(
    "--format",
    "chosen",
    type=click.Choice([form.value for form in Format], case_sensitive=False),
    default=Format.TABLE.value,
    show_default=True,
    help="How to write them. JSON is in UTC, the others in the zone.",
)
def query_command(store: Path, choice: EventsChoice, limit: int | None, chosen: str) -> None:
    """Print events, newest first."""
    print_events(store, choice, Format(chosen.lower()), limit)


def print_events(
    store: Path,
    choice: EventsChoice,
    chosen: Format = Format.TABLE,
    limit: int | None = None,
    how_to_all: str = "--limit 0 shows all",
) -> None:
    """Print events, and say so where these are not all of them.

    Args:
        store: The store.
        choice: Which events.
        chosen: How to write them.
        limit: At most so many; 0 is all, None what suits stdout.
        how_to_all: What gives all of them where the limit leaves some out.

    Raises:
        StoreError: If the store cannot be read.
    """
    from audit_tui.store.reader import StoreReader

    is_terminal = sys.stdout.isatty()
    if limit is None:
        limit = TERMINAL_LIMIT if is_terminal else 0
    width_cells = _terminal_cells() if is_terminal else None
    query = choice.query()
    with StoreReader(store) as reader:
        events = islice(reader.events(query), limit or None)
        written = write_events(events, sys.stdout, Writing(chosen, choice.context, width_cells=width_cells))
        # What was asked for is on its way before the rest is counted.
        sys.stdout.flush()
        if limit and written == limit and (there := reader.count(query)) > written:
            click.echo(f"{thousands(written)} of {counted(there, 'event')}; {how_to_all}.", err=True)
    if not written:
        tell_none(choice)


def _terminal_cells() -> int:
    # Here, because only a table on a terminal needs it, and it takes 4 ms.
    from shutil import get_terminal_size

    return get_terminal_size().columns


@click.command("count")
@store_option
@events_options
def count_command(store: Path, choice: EventsChoice) -> None:
    """Print the number of events."""
    from audit_tui.store.reader import StoreReader

    with StoreReader(store) as reader:
        number = reader.count(choice.query())
    click.echo(number)
    if not number and choice.is_range_default:
        tell_none(choice)


def tell_none(choice: EventsChoice) -> None:
    """Say on stderr that there is nothing, and in which range that was looked for."""
    view = choice.view
    words = clean_visible(f" with {view.filter_words()}" if view.filter.conditions else "")
    hint = "" if view.time_range is Preset.ALL_TIME else "; --range all-time takes in all"
    click.echo(f"No events{words} in {range_words(view.time_range, choice.context)}{hint}.", err=True)
