"""``audit-tui backup`` and ``restore``: a verified copy of a store, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import store_option
from audit_tui.cli.progress import ProgressLine
from audit_tui.cli.source import StoreName
from audit_tui.core.text import clean_visible, counted
from audit_tui.errors import EXIT_WRONG, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.store.evidence.verifying import Report

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
    if _is_failed(report):
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
    from audit_tui.store.evidence.verifying import Mode, Request, verify
    from audit_tui.store.file.copying import copied_store

    with ProgressLine() as line:

        def copying(done: int, total: int) -> None:
            if line.is_due:
                line.say(f"Copying: {done >> 20:,} of {total >> 20:,} MiB")

        def checking(done: int, total: int) -> None:
            if line.is_due:
                line.say(f"Verifying: {done:,} of {counted(total, 'event')}")

        with copied_store(source, target, copying) as copy:
            report = verify(copy, Request(Mode.QUICK if is_quick else Mode.FULL), checking)
            if _is_failed(report) and not keeps_failed:
                raise StoreError(
                    f"{source} is not as it was recorded, and was not restored.",
                    f"audit-tui verify -s {source} tells more.",
                )
    return report


def _is_failed(report: Report) -> bool:
    from audit_tui.store.evidence.verifying import Result

    return report.result is Result.FAILED


def _tell(words: str, report: Report) -> None:
    click.echo(clean_visible(f"{words}."), err=True)
    if _is_failed(report):
        click.echo("The store itself is not as it was recorded: audit-tui verify tells more.", err=True)
    else:
        checked = f"{counted(report.checked_events, 'event')} match" if report.checked_events else "they fit"
        click.echo(f"Its seals were checked: {checked}.", err=True)
