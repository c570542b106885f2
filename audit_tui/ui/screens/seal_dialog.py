"""The state of the seals in words: what was verified, what is wrong, what cannot be seen from here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_tui.core.event import number_text
from audit_tui.core.evidence.sealed import SealState
from audit_tui.core.text import counted
from audit_tui.ui.screens.text_dialog import TextDialog, told_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.evidence.sealed import SealStatus, WrongEvents
    from audit_tui.ui.widgets.painter import Line

MAX_RUNS = 200
MAX_ACTS = 5
_NOT_READ = (
    "Not looked at from here: what the indexes that filters and searches go by hold, but for how they are"
    " defined. audit-tui verify compares it.",
)
_NOT_COVERED = (
    "What cannot be seen from here: whether the newest events were taken away, or an older copy was put in"
    " place. That takes a checkpoint kept elsewhere:",
    "  audit-tui seal anchor FILE      writes one",
    "  audit-tui verify --anchor FILE  checks against it",
)

_NOT_COVERED_THERE = (
    "What cannot be seen from here: whether a host ships no more, or whoever can write there changed events"
    " together with their seals. That takes a checkpoint that the host itself keeps elsewhere:",
    "  audit-tui seal anchor FILE             on the host: writes one",
    "  audit-tui verify -s URL --anchor FILE  checks against it",
)


def seal_dialog(status: SealStatus) -> TextDialog:
    """The dialog that explains the seal in the status line."""
    return TextDialog("Seals", seal_lines(status))


def seal_lines(status: SealStatus) -> Callable[[int], list[Line]]:
    """Return what the dialog says; while it is open, more may become known."""
    not_covered = _NOT_COVERED_THERE if status.is_shared else _NOT_COVERED
    return told_lines("\n".join([*_sentences(status), "", *not_covered]))


def _sentences(status: SealStatus) -> list[str]:
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
        case SealState.OLDER:
            return [status.message, "All that is in it matches its seals.", *_removals(status)]
        case SealState.BROKEN:
            return _broken(status)


def _holds(status: SealStatus) -> list[str]:
    read = "" if status.read_at_s is None else f" when they were read, at {_moment(status.read_at_s)}"
    whole = (
        "is as it was sealed" if not status.removal_words else "is as it was sealed, or was removed as below"
    )
    lines = [f"Every event up to {status.sealed_seq:,} {whole}{',' if read else ''}{read}."]
    if status.is_written_to:
        lines.append(
            "Since then others wrote to the file. What they appended was checked; whether they changed"
            " anything else is not known yet: everything is read again before long."
        )
    if status.trusted_seq:
        lines.append(
            f"Those up to {status.trusted_seq:,} were read when this was last open. Nobody wrote to the file"
            " since, so now only their seals were read."
        )
    signed = (
        "carry a signature; audit-tui verify --key PUB checks it" if status.is_signed else "are not signed"
    )
    of_file = () if status.is_shared else (f"The seals {signed}.", *_NOT_READ)
    return [*lines, *_removals(status), *of_file]


def _removals(status: SealStatus) -> list[str]:
    """Return what was removed by declared acts: that is not damage, but it is not here any more."""
    if not status.removal_words:
        return []
    seqs = [f"{seq:,}" for seq in status.declaring_seqs[-MAX_ACTS:]]
    more = "the last of them " if len(status.declaring_seqs) > MAX_ACTS else ""
    return [
        f"Removed on purpose: {status.removal_words}. Who did it, and why, stands in the events"
        f" {more}{', '.join(seqs)}."
    ]


def _broken(status: SealStatus) -> list[str]:
    sentences = ["The record is not what was sealed:"]
    if status.message:
        sentences.append(f"  {status.message}")
    sentences += [f"  {_run(run)}" for run in status.wrong[:MAX_RUNS]]
    if len(status.wrong) > MAX_RUNS:
        sentences.append(f"  and {counted(len(status.wrong) - MAX_RUNS, 'more run')} of events")
    return [
        *sentences,
        "",
        "Keep a copy of the file as it is. audit-tui verify tells the same, and what else holds.",
    ]


def _run(run: WrongEvents) -> str:
    which = f"event {number_text(run.first_seq)}"
    if run.events > 1:
        which = f"events {number_text(run.first_seq)} to {number_text(run.last_seq)}"
    sealed = ""
    if run.sealed_at_s is not None:
        says = "" if run.is_time_sealed else ", says the store"
        sealed = f" (sealed {_moment(run.sealed_at_s)}{says})"
    return f"{which}: {run.wrong.words}{sealed}"


def _moment(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
