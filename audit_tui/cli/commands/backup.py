"""``audit-tui backup``, ``restore``, ``info`` and ``reindex``: the care of a store."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import source_option, store_option, time_context
from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.source import StoreName, reading
from audit_tui.core.event import iso_utc
from audit_tui.core.source import SourceUrl
from audit_tui.core.text import clean_visible, counted, thousands
from audit_tui.core.time.dates import age_text
from audit_tui.core.time.zones import exact_date_text, zone_label
from audit_tui.errors import EXIT_WRONG, StoreError
from audit_tui.store.evidence.verifying import Mode, Request, verify
from audit_tui.store.file.copying import copied_store
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from audit_tui.core.query import Host, StoreInfo
    from audit_tui.core.source import EventSource
    from audit_tui.core.time.dates import TimeContext
    from audit_tui.store.evidence.verifying import Report


FAILED = "FAILED"
"""The result of a check, whose module is imported when something is checked."""
_quick_option = click.option(
    "--quick",
    is_flag=True,
    help="Check only the seals of the copy, not every event.",
)


@click.command("backup")
@click.argument("out", type=StoreName())
@store_option
@_quick_option
@click.pass_context
def backup_command(context: click.Context, out: Path, store: Path, *, quick: bool) -> None:
    """Copy a store that may be in use to OUT, and verify the copy.

    The copy is of one moment and one file. A file that exists is never replaced.
    """
    report = _copied(store, out, is_quick=quick, keeps_failed=True)
    _tell(f"Copied {counted(report.size, 'event')} of {store} to {out}", report)
    if report.result == FAILED:
        context.exit(EXIT_WRONG)


@click.command("restore")
@click.argument("source", metavar="FROM", type=StoreName())
@store_option
@_quick_option
def restore_command(source: Path, store: Path, *, quick: bool) -> None:
    """Put a verified copy in the place of a store that is gone.

    Nothing is replaced: move a store that exists away before. A copy that does not verify is not restored.
    """
    report = _copied(source, store, is_quick=quick, keeps_failed=False)
    _tell(f"Restored {counted(report.size, 'event')} from {source} to {store}", report)


def _copied(source: Path, target: Path, *, is_quick: bool, keeps_failed: bool) -> Report:
    """Copy and verify; gives what the check says of the copy.

    Raises:
        StoreError: If the copy does not verify, and is not to be kept then.
    """
    with ProgressLine() as line:
        copying = line.shows(lambda done, total: f"Copying: {done >> 20:,} of {total >> 20:,} MiB")
        checking = line.shows(lambda done, total: f"Verifying: {done:,} of {counted(total, 'event')}")
        with copied_store(source, target, copying) as copy:
            report = verify(copy, Request(Mode.QUICK if is_quick else Mode.FULL), checking)
            if report.result == FAILED and not keeps_failed:
                raise StoreError(
                    f"{source} is not as it was recorded, and was not restored.",
                    f"audit-tui verify -s {source} tells more.",
                )
    return report


def _tell(words: str, report: Report) -> None:
    tell(f"{words}.")
    if report.result == FAILED:
        tell("The store itself is not as it was recorded: audit-tui verify tells more.")
    else:
        checked = f"{counted(report.checked_events, 'event')} match" if report.checked_events else "they fit"
        tell(f"Its seals were checked: {checked}.")


@click.command("info")
@source_option
@click.option("--json", "is_json", is_flag=True, help="As one JSON object, times in UTC.")
@click.pass_context
def info_command(context: click.Context, store: EventSource, is_json: bool) -> None:
    """Tell what a store holds."""
    version = "" if isinstance(store, SourceUrl) else sqlite3.sqlite_version
    with reading(store) as reader:
        info = reader.info()
    if is_json:
        click.echo(json.dumps(_as_json(info, version), indent=2))
        return
    rows = _in_words(info, version, time_context(context))
    label_cells = max(len(label) for label, _ in rows)
    for label, value in rows:
        click.echo(f"{label:<{label_cells}}  {clean_visible(value)}")


def _as_json(info: StoreInfo, sqlite_version: str) -> dict[str, object]:
    hosts = [
        {
            "name": host.name,
            "events": host.events,
            "shipped": None if host.shipped_us is None else iso_utc(host.shipped_us),
        }
        for host in info.hosts
    ]
    return {
        "path": info.path,
        "store_id": info.store_id,
        "schema_version": info.schema_version,
        "events": info.events,
        "first": None if info.first_us is None else iso_utc(info.first_us),
        "last": None if info.last_us is None else iso_utc(info.last_us),
        "size_bytes": info.size_bytes,
        **({"sqlite_version": sqlite_version} if sqlite_version else {}),
        **({"hosts": hosts} if hosts else {}),
        "notice": info.notice or None,
    }


def _age(host: Host) -> str:
    if host.shipped_us is None:
        return "nothing shipped"
    return f"last shipped {age_text(time.time_ns() // 1_000 - host.shipped_us)} ago"


def _in_words(info: StoreInfo, sqlite_version: str, context: TimeContext) -> list[tuple[str, str]]:
    def moment(occurred_us: int | None) -> str:
        return "-" if occurred_us is None else exact_date_text(occurred_us, context.zone)

    rows = [
        ("store", info.path),
        ("id", info.store_id),
        ("schema", str(info.schema_version)),
        ("events", thousands(info.events)),
        ("first event", moment(info.first_us)),
        ("last event", moment(info.last_us)),
        ("zone", zone_label(context.zone, context.now)),
        ("size", f"{thousands(info.size_bytes)} bytes"),
        ("SQLite", sqlite_version),
        ("notice", info.notice),
        *(("host", f"{host.name}: {counted(host.events, 'event')}, {_age(host)}") for host in info.hosts),
    ]
    return [(label, value) for label, value in rows if value]


@click.command("reindex")
@store_option
@click.option(
    "--text-index/--no-text-index",
    "has_text_index",
    default=None,
    help="Whether to have the index of texts, which makes searches quick; as it is unless said.",
)
def reindex_command(store: Path, has_text_index: bool | None) -> None:
    """Rebuild the indexes of a store.

    These are the index of values and times, and the text index. The events stay as they are. Until it is
    done, answers are slower, not others.
    """
    # A writer would make a store where there is none.
    with reading(store) as reader:
        events = reader.info().events
    with ProgressLine() as line, StoreWriter(store) as writer:
        writer.reindex(
            lambda part: line.say(f"building {part} over {counted(events, 'event')}"),
            has_text_index=has_text_index,
        )
    tell(f"Rebuilt the indexes over {counted(events, 'event')}.")
