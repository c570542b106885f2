"""``audit-tui info``: what a store holds, and what reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import source_option, time_context
from audit_tui.cli.source import reading
from audit_tui.core.event import iso_utc
from audit_tui.core.source import SourceUrl
from audit_tui.core.text import clean_visible, thousands
from audit_tui.core.time.dates import exact_date_text, zone_label

if TYPE_CHECKING:
    from audit_tui.core.query import StoreInfo
    from audit_tui.core.source import EventSource
    from audit_tui.core.time.dates import TimeContext


@click.command("info")
@source_option
@click.option("--json", "is_json", is_flag=True, help="As one JSON object, times in UTC.")
@click.pass_context
def info_command(context: click.Context, store: EventSource, is_json: bool) -> None:
    """Tell what a store holds."""
    import sqlite3

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


def _as_json(info: StoreInfo, sqlite_version: str) -> dict[str, str | int | None]:
    return {
        "path": info.path,
        "store_id": info.store_id,
        "schema_version": info.schema_version,
        "events": info.events,
        "first": None if info.first_us is None else iso_utc(info.first_us),
        "last": None if info.last_us is None else iso_utc(info.last_us),
        "size_bytes": info.size_bytes,
        "sqlite_version": sqlite_version or None,
        "notice": info.notice or None,
    }


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
    ]
    return [(label, value) for label, value in rows if value]
