"""What is known of the seals, in words: what was verified, what is wrong, what cannot be seen from here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_tui.core.evidence.sealed import SealState
from audit_tui.core.text import counted
from audit_tui.ui.screens.text_dialog import TextDialog, told_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.evidence.sealed import SealStatus, WrongEvents
    from audit_tui.ui.widgets.painter import Line

MAX_RUNS = 200
_NOT_COVERED = (
    "What cannot be seen from here: whether the newest events were taken away, or an older copy was put in"
    " place. That takes a checkpoint kept elsewhere:",
    "  audit-tui seal anchor FILE      writes one",
    "  audit-tui verify --anchor FILE  checks against it",
)


def seal_dialog(status: SealStatus) -> TextDialog:
    """The dialog that explains the seal in the status line."""
    return TextDialog("Seals", seal_lines(status))


def seal_lines(status: SealStatus) -> Callable[[int], list[Line]]:
    """What the dialog says; while it is open, more may become known."""
    return told_lines("\n".join([*_said(status), "", *_NOT_COVERED]))


def _said(status: SealStatus) -> list[str]:
    match status.state:
        case SealState.CHECKING:
            return ["The events are being checked against their seals; nothing is wrong so far."]
        case SealState.UNSEALED:
            return [
                "The events are not sealed, so nobody can tell whether they were altered.",
                status.message,
            ]
        case SealState.HOLDS:
            return _holds(status)
        case SealState.BROKEN:
            return _broken(status)


def _holds(status: SealStatus) -> list[str]:
    said = [f"Every event up to {status.sealed_seq:,} is as it was sealed."]
    if status.trusted_seq:
        said.append(
            f"Those up to {status.trusted_seq:,} were read when this was last open. The file was not touched"
            " since, so now only their seals were."
        )
    signed = (
        "carry a signature; audit-tui verify --key PUB checks it" if status.is_signed else "are not signed"
    )
    return [*said, f"The seals {signed}."]


def _broken(status: SealStatus) -> list[str]:
    said = ["The record is not what was sealed:"]
    if status.message:
        said.append(f"  {status.message}")
    said += [f"  {_run(one)}" for one in status.wrong[:MAX_RUNS]]
    if len(status.wrong) > MAX_RUNS:
        said.append(f"  and {counted(len(status.wrong) - MAX_RUNS, 'more run')} of events")
    return [
        *said,
        "",
        "Keep a copy of the file as it is. audit-tui verify tells the same, and what else holds.",
    ]


def _run(one: WrongEvents) -> str:
    which = f"event {one.first_seq:,}"
    if one.events > 1:
        which = f"events {one.first_seq:,} to {one.last_seq:,}"
    sealed = ""
    if one.sealed_at_s is not None:
        sealed = f" (sealed {datetime.fromtimestamp(one.sealed_at_s, UTC):%Y-%m-%d %H:%M} UTC)"
    return f"{which}: {one.wrong.words}{sealed}"
