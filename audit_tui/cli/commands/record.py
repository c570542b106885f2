"""``audit-tui record``: one event from the command line, the same as ``AuditLog.record``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import store_option, time_context
from audit_tui.cli.progress import tell
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.event_text import json_text
from audit_tui.core.recording import event_meant, expected_missing
from audit_tui.core.time.words import parse_time
from audit_tui.errors import TimeError, UsageError

if TYPE_CHECKING:
    from audit_tui.store.write.kept_writer import Recorded


def parse_meta(options: Sequence[str]) -> dict[str, str]:
    """Read ``--meta NAME=VALUE`` options; the first ``=`` splits, and values are text.

    Raises:
        UsageError: If one has no ``=`` or no name, or two have one name.
    """
    metadata: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name:
            raise UsageError(
                f"--meta {option!r} is not NAME=VALUE.", 'Write it as --meta "Role Name=Auditor".'
            )
        if name in metadata:
            raise UsageError(f"--meta names {name!r} twice.", "Give each name once.")
        metadata[name] = value
    return metadata


def _occurred_us(context: click.Context, text: str | None) -> int:
    """When it happened: what ``--time`` says, else now.

    Raises:
        TimeError: If it cannot be read, or names a day and no moment.
    """
    times = time_context(context)
    if text is None:
        return to_us(times.now)
    moment = parse_time(text, times)
    if not isinstance(moment, datetime):
        raise TimeError(
            f"{text} is a day, not a moment.", f'Give the time of day too: "{moment:%Y-%m-%d} 14:00".'
        )
    return to_us(moment)


@click.command("record")
@click.argument("event", metavar="EVENT")
@store_option
@click.option("--user", metavar="USER", help="Who did it.")
@click.option("--category", metavar="CATEGORY", help="What it happened to. Else the catalogue's.")
@click.option("--description", metavar="TEXT", help="What happened, as a sentence.")
@click.option(
    "--outcome",
    type=click.Choice([outcome.value for outcome in Outcome], case_sensitive=False),
    default=Outcome.UNKNOWN.value,
    show_default=True,
    help="How it ended.",
)
@click.option(
    "--source-ip", metavar="ADDRESS", help='Where the user acted from. Else the metadata "IP Address".'
)
@click.option(
    "--target", metavar="TARGET", help="What was acted upon. Else the name or ID in a known event's metadata."
)
@click.option("--meta", metavar="NAME=VALUE", multiple=True, help="Anything else, as text; may be repeated.")
@click.option(
    "--time", "time_text", metavar="TIME", help="When, as 2026-11-01 14:00 in your zone.  [default: now]"
)
@click.option(
    "--key", metavar="KEY", help="Recording again with the same key stores nothing.  [default: random]"
)
@click.option("--strict", is_flag=True, help="Refuse what the catalogue does not know or expects otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the event as JSON instead of its number.")
@click.pass_context
def record_command(
    context: click.Context,
    *,
    event: str,
    store: Path,
    user: str | None,
    category: str | None,
    description: str | None,
    outcome: str,
    source_ip: str | None,
    target: str | None,
    meta: tuple[str, ...],
    time_text: str | None,
    key: str | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Record one event in a store, made if need be.

    Prints the event's number once the event is on the disk.
    """
    given = AuditEvent(
        event=event,
        occurred_us=_occurred_us(context, time_text),
        key=key,
        category=category,
        user=user,
        description=description,
        outcome=Outcome(outcome.lower()),
        source_ip=source_ip,
        target=target,
        metadata=dict(parse_meta(meta)),
    )
    from audit_tui.store.write.audit_log import AuditLog

    # Opened by what is recorded: a refused event makes no store.
    with closing(AuditLog(store, strict=strict)) as log:
        recorded = log.add(given)
    stored = recorded.event
    click.echo(json_text(stored) if as_json else stored.seq)
    sys.stdout.flush()
    _tell(recorded, store)


def _tell(recorded: Recorded, store: Path) -> None:
    event = recorded.event
    if recorded.is_new:
        say = [f"Event {event.seq} is recorded in {store}."]
    else:
        say = [f"Nothing new: event {event.seq} in {store} has the key {event.key}."]
    meant = event_meant(event.event)
    if meant is not None:
        say.append(f"The catalogue does not know it; it knows {meant}.")
    missing = expected_missing(event)
    if missing:
        say.append(f"Expected, not recorded: {', '.join(missing)}.")
    tell(*say)
