"""``audit-tui verify`` of a shared engine: what was altered there, and in which store's events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from audit_tui.cli.progress import ProgressLine
from audit_tui.core.evidence.checkpoint import origin_of
from audit_tui.core.text import clean_visible, counted, thousands
from audit_tui.core.time.dates import age_text
from audit_tui.engines.opening import connected
from audit_tui.engines.verifying import SharedCheck, problems_of, stores_of
from audit_tui.errors import EXIT_NO_ANCHOR, EXIT_OK, EXIT_WRONG, UsageError

if TYPE_CHECKING:
    from audit_tui.core.evidence.checkpoint import PublicKey, SignedCheckpoint
    from audit_tui.core.source import SourceUrl
    from audit_tui.engines.verifying import StoreReport

LABEL_CELLS = 11
MAX_LINES = 1_000
OLD_S = 3600
"""A store that shipped nothing for so long may have stopped."""


def verify_shared(
    url: SourceUrl,
    keys: Sequence[PublicKey],
    anchors: Sequence[SignedCheckpoint],
    *,
    is_json: bool,
    needs_anchor: bool,
) -> int:
    """Check all stores of an engine, and print the result.

    Returns:
        The exit code.

    Raises:
        UsageError: If it is another program's table.
        StoreError: If the engine cannot be read.
    """
    if url.table:
        raise UsageError(f"{url.table} has no seals.", "Seals are made by audit-tui, in its own stores.")
    pool, dialect = connected(url)
    reports = []
    try:
        with ProgressLine() as line:
            for store in stores_of(pool, dialect):
                whole = f"{counted(store.size, 'event')} of {store.name} ..."
                progress = line.shows(lambda done, whole=whole: f"Verified {done:,} of {whole}")
                of_store = [note for note in anchors if note.checkpoint.origin == origin_of(store.store_id)]
                reports.append(SharedCheck(pool, dialect, store, keys, of_store).run(progress))
            problems = problems_of(pool, dialect)
    finally:
        pool.close()
    origins = {origin_of(report.store.store_id) for report in reports}
    problems += [f"an anchor is of {note.checkpoint.origin}, which was never shipped here" for note in anchors
                 if note.checkpoint.origin not in origins]  # fmt: skip
    holds = not problems and all(report.holds for report in reports)
    if is_json:
        click.echo(json.dumps(_as_json(url, reports, problems, holds=holds), indent=2))
    else:
        for label, text in _in_words(url, reports, problems, has_keys=bool(keys)):
            click.echo(f"{label:<{LABEL_CELLS}}{clean_visible(text)}".rstrip())
    if not holds:
        return EXIT_WRONG
    return EXIT_NO_ANCHOR if needs_anchor and not any(report.anchored for report in reports) else EXIT_OK


def _in_words(
    url: SourceUrl, reports: Sequence[StoreReport], problems: Sequence[str], *, has_keys: bool
) -> Iterator[tuple[str, str]]:
    yield "engine", str(url)
    for report in reports:
        yield from _store(report, has_keys=has_keys)
    for problem in problems:
        yield "engine", problem
    broken = [report.store.name for report in reports if not report.holds]
    if broken or problems:
        yield "RESULT", f"FAILED - {', '.join(broken) or 'the engine'}; everything else fits"
        return
    events = sum(report.store.size for report in reports)
    of_stores = f"{counted(events, 'event')} of {counted(len(reports), 'store')}"
    yield "RESULT", f"OK - {of_stores} are what was sealed"
    if not all(report.anchored or report.signed for report in reports):
        yield (
            "",
            "without an anchor or a key: who can write there may have changed events with their seals",
        )


def _store(report: StoreReport, *, has_keys: bool) -> Iterator[tuple[str, str]]:
    store = report.store
    yield "store", f"{store.name}  (store id {store.store_id[:8]}), last shipped {_age(store.shipped_us)}"
    for run in report.wrong[:MAX_LINES]:
        yield "events", f"{run.numbers} of {store.name}: {run.wrong.words}"
    if len(report.wrong) > MAX_LINES:
        yield "events", f"and {len(report.wrong) - MAX_LINES:,} more"
    text = f"{thousands(report.matching)} of {thousands(store.size)} match their seals"
    for number, word in ((report.redacted, "redacted"), (report.pruned, "pruned")):
        text += f"; {counted(number, 'event')} {word} by a declared act" if number else ""
    yield "events", text
    for problem in report.problems[:MAX_LINES]:
        yield "seals", problem
    if has_keys:
        yield (
            "seals",
            f"signed up to event {report.signed:,}" if report.signed else "not signed by that key",
        )
    if report.anchored:
        yield "anchor", f"covers events 1 to {report.anchored:,}"


def _age(shipped_us: int | None) -> str:
    if shipped_us is None:
        return "never"
    age_us = time.time_ns() // 1_000 - shipped_us
    # The host itself would tell more.
    hint = "; look whether it still ships" if age_us >= OLD_S * 1_000_000 else ""
    return f"{age_text(age_us)} ago{hint}"


def _as_json(
    url: SourceUrl, reports: Sequence[StoreReport], problems: Sequence[str], *, holds: bool
) -> dict[str, object]:
    return {
        "engine": str(url),
        "result": "OK" if holds else "FAILED",
        "problems": list(problems),
        "stores": [
            {
                "name": report.store.name,
                "store_id": report.store.store_id,
                "events": report.store.size,
                "shipped_us": report.store.shipped_us,
                "matching": report.matching,
                "redacted": report.redacted,
                "pruned": report.pruned,
                "signed_up_to": report.signed,
                "anchored_up_to": report.anchored,
                "problems": list(report.problems),
                "wrong": [
                    {"wrong": run.wrong.value, "first": run.first_seq, "last": run.last_seq}
                    for run in report.wrong
                ],
            }
            for report in reports
        ],
    }
