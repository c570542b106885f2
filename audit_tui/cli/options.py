"""Options that mean the same in every command: the store, and [events].

A command that is done, but has something to tell that the user must know, ends with
``context.exit(EXIT_WRONG)``; every other code comes from the AuditTuiError that it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce, wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from audit_tui.cli.completing import filter_words, query_words
from audit_tui.cli.line import joined, read_line, refuse_path
from audit_tui.cli.progress import tell
from audit_tui.cli.session import session_of
from audit_tui.cli.source import SourceName, StoreName, store_path
from audit_tui.config import default_store_path
from audit_tui.core.columns import COLUMNS
from audit_tui.core.event_fields import event_field
from audit_tui.core.export import Format
from audit_tui.core.filter.filters import EVERYTHING, parse_condition
from audit_tui.core.flat_filter import FlatFilter, Match
from audit_tui.core.query import AtRow
from audit_tui.core.record import Record
from audit_tui.core.source import SourceUrl, is_url, source_of
from audit_tui.core.time.dates import DEFAULT_RANGE, Preset, TimeContext, range_label, resolve
from audit_tui.core.time.words import range_from_bounds
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.errors import TimeError, UsageError

if TYPE_CHECKING:
    from audit_tui.core.event_fields import EventField, ListField
    from audit_tui.core.query import EventQuery, EventReader
    from audit_tui.core.source import EventSource
    from audit_tui.core.time.dates import TimeRange


LINES = "audit_tui.lines"
"""The key in its context's ``meta`` under which a command leaves queries from its other arguments."""
ALL = "all"
VISIBLE = "visible"
P = ParamSpec("P")
R = TypeVar("R")


def store_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add ``-s/--store``; the command gets ``store: Path``, where nothing may be."""
    return click.option(
        "-s",
        "--store",
        metavar="PATH",
        type=StoreName(),
        callback=lambda context, _, value: store_path(_chosen_source(context, value), context),
        help="The store. Else AUDIT_TUI_STORE, else audit.db in the data directory.",
    )(command)


_SOURCE = (
    click.option(
        "-s",
        "--store",
        metavar="PATH or URL",
        type=SourceName(),
        callback=lambda context, _, value: _chosen_source(context, value),
        help="The store, or the URL of a shared engine: postgresql://... Else AUDIT_TUI_STORE, else audit.db "
        "in the data directory.",
    ),
    click.option(
        "--table",
        metavar="TABLE",
        help="With a URL of PostgreSQL: another program's table, read as it is, without seals.",
    ),
    click.option(
        "--mapping",
        "mapping_file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="What the columns of that table are, as for import; else their names tell.",
    ),
)


def source_option(command: Callable[..., R]) -> Callable[..., R]:
    """Add ``-s/--store`` to a command that only reads; it gets ``store: Source``, a path or a URL."""

    @wraps(command)
    def chosen(
        *args: object, store: EventSource, table: str | None, mapping_file: Path | None, **kwargs: object
    ) -> R:
        match kwargs:
            # open takes its store as an argument, too.
            case {"names": (str(name),)} if table is not None and is_url(name):
                kwargs["names"], store = (), source_of(name)
        return command(*args, store=with_table(store, table, mapping_file), **kwargs)

    return reduce(lambda wrapped, option: option(wrapped), reversed(_SOURCE), chosen)


def with_table(source: EventSource, table: str | None, mapping: Path | None) -> EventSource:
    """Return a source that is a table of another program; UsageError if there is no table in it."""
    if table is None and mapping is None:
        return source
    if not isinstance(source, SourceUrl) or table is None:
        raise UsageError(
            "--table and --mapping go with the URL of a database.",
            "As -s postgresql://reader@db.example/app --table audit_events",
        )
    return replace(source, table=table, mapping=mapping)


def _chosen_source(context: click.Context, value: EventSource | None) -> EventSource:
    if value is not None or context.resilient_parsing:
        return value or Path()
    return session_of(context).loaded.settings.store or default_store_path()


format_option = click.option(
    "--format",
    "chosen",
    type=click.Choice([form.value for form in Format], case_sensitive=False),
    default=Format.TABLE.value,
    show_default=True,
    help="How to write them. JSON is in UTC, the others in the zone.",
)
"""``--format``; the command gets ``chosen: str``."""


class EventsChoice(Record):
    """The events that a command is about, as [events] says it."""

    view: View
    """The filter and the time range, newest first; a preset stays one."""
    context: TimeContext
    """The zone of days and of the times that are shown, and the moment of the run."""
    is_range_default: bool = True
    """Nobody asked for this range."""
    is_of_nothing: bool = False
    """The source has no events at all."""

    def query(self) -> EventQuery:
        """The question for a reader."""
        return self.view.query(self.context)

    def changing(self, left: View) -> View:
        """Return a view that was left, with the filter and the range that were asked for."""
        view = left if self.view.filter == EVERYTHING else left.without_filters()
        time_range = view.time_range if self.is_range_default else self.view.time_range
        return replace(view, time_range=time_range).narrowed(self.view.filter)


_EVENTS = (
    click.option(
        "-q",
        "--query",
        "queries",
        metavar="QUERY",
        multiple=True,
        shell_complete=query_words,
        help="Only events that this line wants, as the argument QUERY; may be repeated, and all must hold.",
    ),
    click.option(
        "--filter",
        "filters",
        metavar="COLUMN=VALUE",
        multiple=True,
        shell_complete=filter_words,
        help="Only events with this value, or COLUMN!=VALUE: without it; COLUMN~TEXT: that contain this text "
        "in any case, COLUMN!~TEXT: that do not. Columns are event, category, user, description, outcome, "
        "source_ip, target, meta.NAME (a field of the metadata) and text (all of these: names, description, "
        "target, source IP and all metadata); user= means no user, source_ip=10.0.0.0/8 an address in that "
        "network. May be repeated.",
    ),
    click.option(
        "--match",
        type=click.Choice([match.value for match in Match], case_sensitive=False),
        default=Match.ALL.value,
        show_default=True,
        help="Whether all filters must hold, or any.",
    ),
    click.option(
        "--range",
        "range_name",
        metavar="PRESET",
        shell_complete=lambda _, __, typed: [
            preset.slug for preset in Preset if preset.slug.startswith(typed.lower())
        ],
        show_default=DEFAULT_RANGE.label,
        help='A time range by its name: "This Week", last-month, all-time, ...',
    ),
    click.option(
        "--since",
        metavar="TIME",
        help='The first day or moment: 2026-11-01, "2026-11-01 14:00", 24h, yesterday.',
    ),
    click.option("--until", metavar="TIME", help="The last day, included, or the moment to end before."),
    click.option("--tz", "zone_name", metavar="ZONE", help="The zone of days and times, as Europe/Berlin."),
)


def query_argument(command: Callable[P, R]) -> Callable[P, R]:
    """Add the argument QUERY, which ``events_options`` reads."""
    return click.argument("line", metavar="[QUERY]", nargs=-1, shell_complete=query_words)(command)


def events_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add [events]; the command gets ``choice: EventsChoice``.

    What cannot be read raises UsageError before the command runs.
    """

    @wraps(command)
    def chosen(
        *args: object,
        queries: tuple[str, ...],
        filters: tuple[str, ...],
        match: str,
        range_name: str | None,
        since: str | None,
        until: str | None,
        zone_name: str | None,
        line: tuple[str, ...] = (),
        **kwargs: object,
    ) -> R:
        context = time_context(click.get_current_context(), zone_name)
        refuse_path(line)
        lines = (*click.get_current_context().meta.get(LINES, ()), " ".join(line), *queries)
        read = [read_line(text, context) for text in lines if text.strip()]
        flat = FlatFilter(Match(match.lower()), tuple(parse_condition(text) for text in filters))
        expression = joined([*(query.filter for query in read), flat.expression()])
        time_range = _time_range(range_name, since, until, context)
        is_default = (range_name, since, until) == (None, None, None)
        for query in read:
            if query.time_range is not None:
                if not is_default:
                    raise UsageError(
                        "The time range is given twice.", "Leave out since: and until:, or the options."
                    )
                time_range, is_default = query.time_range, False
        return command(
            *args, choice=EventsChoice(View(expression, time_range), context, is_default), **kwargs
        )

    return reduce(lambda wrapped, option: option(wrapped), reversed(_EVENTS), chosen)


def all_time_unless_chosen(command: Callable[P, R]) -> Callable[P, R]:
    """Let the help of ``events_options`` below say that every time is taken where no range is chosen."""
    for option in getattr(command, "__click_params__", ()):
        if option.name == "range_name":
            option.show_default = Preset.ALL_TIME.label
    return command


def time_context(context: click.Context, zone_name: str | None = None) -> TimeContext:
    """The zone, the moment of the run and the first day of the week.

    Without a name it is the configured zone, else the machine's.
    """
    session = session_of(context)
    settings = session.loaded.settings
    return TimeContext(zone_named(zone_name or settings.zone), session.clock(), settings.first_weekday)


def _time_range(
    range_name: str | None, since: str | None, until: str | None, context: TimeContext
) -> TimeRange:
    if since is None and until is None:
        try:
            return DEFAULT_RANGE if range_name is None else Preset.parse(range_name)
        except TimeError as error:
            # As a shell takes them without quotes.
            slugs = ", ".join(preset.slug for preset in Preset)
            raise TimeError(error.message, f"The ranges are {slugs}; or use --since and --until.") from None
    if range_name is not None:
        raise UsageError("--range cannot be used with --since or --until.", "Leave one of them out.")
    return range_from_bounds(since, until, context)


def parse_columns(text: str | None, visible: Sequence[ListField]) -> tuple[EventField, ...] | None:
    """Read ``--columns``.

    Returns:
        Keys of an event's JSON; None leaves it to the format.

    Raises:
        UsageError: If there is no such column, or one is named twice.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if names == [ALL]:
        return COLUMNS
    if names == [VISIBLE]:
        return tuple(visible)
    keys = []
    for name in names:
        column = event_field(name)
        if column is None:
            columns = ", ".join(COLUMNS)
            raise UsageError(
                f"There is no column {name!r}.", f"Columns are all, visible, or of {columns}, and meta.NAME."
            )
        keys.append(column)
    if len(set(keys)) < len(keys):
        raise UsageError("--columns names a column twice.", "Name each once.")
    return tuple(keys)


def with_events(choice: EventsChoice, reader: EventReader) -> tuple[EventsChoice, str]:
    """The choice; with All Time where nobody chose the range and every event is outside it.

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
        tell(f"{words[0].upper()}{words[1:]}: these are of all time.")
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
