"""``audit-tui watch``: new events that match, each once, as they come."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import all_time_unless_chosen, events_options, query_argument, store_option
from audit_tui.cli.progress import tell
from audit_tui.cli.redacting import mode_of, redact_option
from audit_tui.cli.rules import RuleWatch, rules_option
from audit_tui.config import state_directory
from audit_tui.core.columns import LIST_COLUMNS
from audit_tui.core.event import Outcome
from audit_tui.core.event_text import FAILED_MARK, cell_text, json_text, safe_json
from audit_tui.core.filter.filters import All, everywhere
from audit_tui.core.text import counted
from audit_tui.errors import AuditTuiError, UsageError

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.cli.watched import Watch
    from audit_tui.core.event import AuditEvent

TABLE, LINES = "table", "jsonl"


@click.command("watch")
@query_argument
@store_option
@all_time_unless_chosen
@events_options
@click.option(
    "--exec",
    "command",
    metavar="COMMAND",
    help="Run this for each event, at least once, with the event as JSON on its standard input. No shell "
    "reads it.",
)
@click.option("--max", "most", metavar="N", type=click.IntRange(min=1), help="End after N events.")
@click.option(
    "--since-last",
    is_flag=True,
    help="Begin where the watch before of the same store and query ended, not with what comes now.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([LINES, TABLE], case_sensitive=False),
    show_default=f"{TABLE} on a terminal, else {LINES}",
    help="How to print them.",
)
@rules_option
@redact_option
@click.pass_context
def watch_command(
    context: click.Context,
    store: Path,
    choice: EventsChoice,
    command: str | None,
    most: int | None,
    form: str | None,
    rules: tuple[str, ...],
    *,
    since_last: bool,
    redact: bool,
) -> None:
    """Print new events as they come, each once.

    With --rules only those that a rule hits, each with the rules and their authors; of a correlation the
    event that completes it and what follows in its time span.

    It ends with an interrupt, after N events, or when COMMAND fails; --since-last begins there again, after
    COMMAND failed with the same event. A line is printed once even if the run is killed meanwhile; COMMAND
    gets each event at least once, again when the run was killed meanwhile. When another store takes the
    place of this one, it is watched from its beginning.
    """
    from audit_tui.cli.watched import Watch

    hits = RuleWatch(rules) if rules else None
    handle = _printer(form, choice, hits) if command is None else _runner(command, hits)
    interval = choice.query().interval

    def is_inside(occurred_us: int) -> bool:
        if choice.is_range_default:
            return True
        start_us, end_us = interval.start_us, interval.end_us
        return (start_us is None or start_us <= occurred_us) and (end_us is None or occurred_us < end_us)

    mode = mode_of(context, redact=redact)
    expression = everywhere(choice.view.in_force)
    if hits is not None:
        expression = All((expression, hits.filter))
    folder = state_directory() / "watched"
    is_hit = (lambda *_: True) if hits is None else hits.is_hit
    with Watch(store, expression, is_inside, folder, mode, is_resumed=since_last, is_hit=is_hit) as watch:
        in_hand, done = 0, (0, 0)
        try:
            for event in watch.events():
                in_hand = event.seq or 0
                handle(event, watch)
                watch.handled(in_hand)
                # In one step: a signal may come between two.
                done = done[0] + 1, in_hand
                if done[0] == most:
                    break
        finally:
            events, last = done
            events += in_hand != last and watch.has_given(in_hand)
            tell(f"Watched: {counted(events, 'event')}.")


def _printer(
    form: str | None, choice: EventsChoice, hits: RuleWatch | None
) -> Callable[[AuditEvent, Watch], None]:
    out = _descriptor()
    is_table = (form or (TABLE if sys.stdout.isatty() else LINES)).lower() == TABLE

    def show(event: AuditEvent, watch: Watch) -> None:
        if is_table:
            mark = FAILED_MARK if event.outcome is Outcome.FAILURE else " "
            cells = (cell_text(event, column, choice.context) for column in LIST_COLUMNS)
            line = mark + "  ".join(cells) + ("" if hits is None else f"  {hits.words}")
        else:
            line = _json(event, hits)
        if out is None:
            click.echo(line)
            sys.stdout.flush()
        else:
            watch.give(event.seq or 0, line, out)

    return show


def _json(event: AuditEvent, hits: RuleWatch | None) -> str:
    return json_text(event) if hits is None else safe_json(event.to_json() | {"rules": hits.to_json()})


def _descriptor() -> int | None:
    """Return the number of standard output; None for a terminal and for what is not a file."""
    try:
        return None if sys.stdout.isatty() else sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _runner(command: str, hits: RuleWatch | None) -> Callable[[AuditEvent, Watch], None]:
    """Return what runs a command for an event; UsageError if the command cannot be read."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--exec cannot be read: {error}.", "Quote its words as for a shell.") from None
    if not words:
        raise UsageError("--exec names no command.", "As --exec 'notify-send audit'.")

    def run(event: AuditEvent, _: Watch) -> None:
        try:
            # Its own words, given by whoever runs this.
            result = subprocess.run(words, input=f"{_json(event, hits)}\n".encode(), check=False)  # noqa: S603
        except OSError as error:
            raise UsageError(f"{words[0]} cannot be run: {error.strerror}.") from None
        if result.returncode:
            raise AuditTuiError(
                f"{words[0]} ended with {result.returncode} at event {event.seq}.",
                "After you fix it, --since-last begins with this event.",
            )

    return run
