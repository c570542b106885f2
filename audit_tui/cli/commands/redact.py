"""``audit-tui redact`` and ``audit-tui prune``: taking content away, as recorded acts."""

from __future__ import annotations

import os
import pwd
import re
import socket
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.completing import redacted_fields
from audit_tui.cli.options import store_option, time_context
from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.session import session_of
from audit_tui.cli.source import reading
from audit_tui.core.event import to_us
from audit_tui.core.query import EventQuery, Interval
from audit_tui.core.text import clean_visible, counted
from audit_tui.core.time.words import parse_time
from audit_tui.core.time.zones import exact_date_text
from audit_tui.errors import EXIT_WRONG, StoreMissing, UsageError
from audit_tui.store.write.removing import REDACTABLE, Act, check_fields, prune, redact
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from audit_tui.core.time.dates import TimeContext
    from audit_tui.store.write.removing import Removed


def act(context: click.Context, why: str) -> Act:
    """Return who runs this command, where and when."""
    # Not from the environment, which whoever acts may set.
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return Act(name, socket.gethostname(), to_us(session_of(context).clock()), why)


def require_why(why: str) -> str:
    """The reason, which is kept for ever; UsageError if it says nothing."""
    if not why.strip():
        raise UsageError("--why is empty.", 'Write the reason, as in --why "ticket 12".')
    return why.strip()


def confirm(question: str, *, is_yes: bool) -> None:
    """Ask before something that cannot be undone; without a terminal only ``--yes`` will do.

    Raises:
        UsageError: If nobody can be asked.
        click.Abort: If the answer is no.
    """
    if is_yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nothing was done: there is no terminal to ask on.", "Add --yes to go ahead.")
    click.confirm(clean_visible(question), abort=True, err=True)


MAX_EVENTS = 1_000_000
MAX_LINES = 20
_SEQS = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?", re.ASCII)
_WHY = click.option(
    "--why", metavar="TEXT", required=True, help="The reason, which is recorded and sealed with the act."
)
_YES = click.option("--yes", "is_yes", is_flag=True, help="Do not ask; needed without a terminal.")
_VACUUM = click.option(
    "--vacuum",
    is_flag=True,
    help="Write the whole file again, without unused space. Takes as much room again meanwhile.",
)


@click.command("redact")
@click.argument("events", metavar="NUMBER...", nargs=-1, required=True)
@store_option
@click.option(
    "--field",
    "fields",
    metavar="FIELD",
    multiple=True,
    required=True,
    shell_complete=redacted_fields,
    help="What to replace: user, description, source_ip, target, metadata, original, meta.NAME, or all. "
    "May be repeated.",
)
@_WHY
@_YES
@_VACUUM
@click.pass_context
def redact_command(
    context: click.Context,
    *,
    events: tuple[str, ...],
    store: Path,
    fields: tuple[str, ...],
    why: str,
    is_yes: bool,
    vacuum: bool,
) -> None:
    """Replace fields of events for good, as a recorded act.

    NUMBER is an event's number, or a range as 780-785. The original of an event goes with any of its fields.
    The seals stay, so everything else can still be verified; an event says who redacted what, when and why.

    A redacted value that can be guessed can still be confirmed by whoever knows all the rest of the event.
    """
    seqs = parse_seqs(events)
    chosen = check_fields(fields)
    reason = require_why(why)
    confirm(f"Redact {', '.join(chosen)} of {counted(len(seqs), 'event')} for good?", is_yes=is_yes)
    with existing_writer(store) as writer:
        removed = redact(writer, seqs, chosen, act(context, reason))
        _tidy(writer, vacuum=vacuum)
    _tell("Redacted", removed, store)
    if removed.unchanged:
        tell(f"{counted(removed.unchanged, 'event')} had nothing there, or it was redacted.")
    for seq, field in removed.left[:MAX_LINES]:
        how = f"--field {field}" if field in REDACTABLE else "only prune takes that away"
        tell(f"Event {seq:,}: a redacted value still stands in its {field}; {how}.")
    if len(removed.left) > MAX_LINES:
        tell(f"... and in {counted(len(removed.left) - MAX_LINES, 'more field')}.")
    if removed.left:
        context.exit(EXIT_WRONG)


@click.command("prune")
@store_option
@click.option("--before", metavar="TIME", help="Delete what happened before this day or moment.")
@click.option(
    "--keep", metavar="DAYS", type=click.IntRange(1, 36_500), help="Delete what is older than that."
)
@_WHY
@_YES
@_VACUUM
@click.option("--tz", "zone_name", metavar="ZONE", help="The zone of --before, as Europe/Berlin.")
@click.pass_context
def prune_command(
    context: click.Context,
    *,
    store: Path,
    before: str | None,
    keep: int | None,
    why: str,
    is_yes: bool,
    vacuum: bool,
    zone_name: str | None,
) -> None:
    """Delete old events, as a recorded act.

    The seals stay, 32 bytes an event, so that the rest and every checkpoint can still be verified; events say
    who deleted what, when and why. They stay themselves. The file's space is used again; --vacuum gives it
    back. Importing the same logs again would bring the events back.
    """
    times = time_context(context, zone_name)
    before_us = _limit_us(before, keep, times)
    reason = require_why(why)
    until = exact_date_text(before_us, times.zone)
    if not is_yes:
        with reading(store) as reader:
            events = reader.count(EventQuery(interval=Interval(end_us=before_us)))
        confirm(f"Delete {counted(events, 'event')} before {until} for good?", is_yes=False)
    with existing_writer(store) as writer:
        with ProgressLine() as line:
            progress = line.shows(lambda events: f"Pruned {counted(events, 'event')} ...")
            removed = prune(writer, before_us, act(context, reason), progress)
        _tidy(writer, vacuum=vacuum)
    if removed.events:
        _tell("Pruned", removed, store)
    else:
        tell(f"Nothing to prune before {until}.")


def _limit_us(before: str | None, keep: int | None, times: TimeContext) -> int:
    """Before which moment events go, from the one option of two that was given.

    Raises:
        UsageError: If none was given, or both.
    """
    if (before is None) == (keep is None):
        raise UsageError(
            "Say which events, in one way: --before TIME or --keep DAYS.", "Try: audit-tui prune --help"
        )
    if keep is not None:
        return to_us(times.now - timedelta(days=keep))
    moment = parse_time(before or "", times)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=times.zone)
    return to_us(moment)


def parse_seqs(texts: Sequence[str]) -> list[int]:
    """Numbers of events and ranges of them, as ``7 9-12``.

    Raises:
        UsageError: If one is neither, or there are too many.
    """
    seqs: set[int] = set()
    for text in ",".join(texts).split(","):
        match = _SEQS.fullmatch(text.strip().replace("_", ""))
        if match is None:
            raise UsageError(f"{text!r} is not an event number.", "Write 777, or a range as 780-785.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first >= MAX_EVENTS or len(seqs) > MAX_EVENTS:
            raise UsageError(f"{text!r} is not a range of events.", f"At most {MAX_EVENTS:,} at once.")
        seqs.update(range(first, last + 1))
    return sorted(seqs)


def existing_writer(store: Path) -> StoreWriter:
    """A writer for a store that is there: these commands make none; StoreMissing if there is none."""
    if not store.exists() or (store.is_file() and not store.stat().st_size):
        raise StoreMissing(f"There is no store at {store}.", "Choose another with --store.")
    return StoreWriter(store)


def _tidy(writer: StoreWriter, *, vacuum: bool) -> None:
    if vacuum:
        writer.vacuum()
    if not writer.write_back():
        tell(
            "A program that reads the store holds on to its log, in which the content still stands;"
            " it goes when the last one closes it."
        )


def _tell(word: str, removed: Removed, store: Path) -> None:
    by = ", ".join(f"{seq:,}" for seq in removed.by_events[:5])
    message = f"{word} {counted(removed.events, 'event')} in {store}; recorded as event {by}."
    tell(message)
