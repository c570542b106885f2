"""``audit-tui verify``: whether the events are those that were recorded, and what that can and cannot say."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from audit_tui.cli.evidence.case_file import check_case
from audit_tui.cli.options import source_option
from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.redacting import redact_mode
from audit_tui.cli.source import open_source
from audit_tui.core.event import iso_utc
from audit_tui.core.evidence.checkpoint import MAX_NOTE_CHARS, read_checkpoint
from audit_tui.core.source import SourceUrl, local_path
from audit_tui.core.text import clean_visible, counted, thousands
from audit_tui.errors import EXIT_NO_ANCHOR, EXIT_WRONG, CheckpointError, UsageError
from audit_tui.store.evidence.signing import load_public_key
from audit_tui.store.evidence.verifying import Anchor, Mode, Request, Result, verify

if TYPE_CHECKING:
    from audit_tui.core.evidence.sealed import WrongEvents
    from audit_tui.core.source import EventSource
    from audit_tui.store.evidence.verifying import AnchorResult, Report

LABEL_CELLS = 11
MAX_LINES = 1_000
"""Up to this many runs of wrong events are printed; --json has them all."""


@click.command("verify")
@source_option
@click.option(
    "--key",
    "keys",
    metavar="PUB",
    multiple=True,
    help="A public key, as a file or the line itself: the seals must be signed with it. May be repeated.",
)
@click.option(
    "--anchor",
    "anchors",
    metavar="FILE",
    multiple=True,
    help="A checkpoint that was kept elsewhere (seal anchor), - for standard input. May be repeated.",
)
@click.option("--since", metavar="CHECKPOINT", help="Read only the events after this checkpoint.")
@click.option("--quick", is_flag=True, help="Check the seals only, not the events.")
@click.option("--no-indexes", is_flag=True, help="Leave the indexes unchecked.")
@click.option(
    "--require-anchor", is_flag=True, help="Exit with 4 when all is consistent, but no anchor given."
)
@click.option(
    "--proof",
    metavar="FILE",
    help="Check exported proofs (export --proof), and with --store that the store still has them.",
)
@click.option("--case", "case_file", metavar="FILE", help="Make a case file again from the store; compare.")
@click.option("--json", "is_json", is_flag=True, help="As one JSON object, times in UTC.")
@click.pass_context
def verify_command(
    context: click.Context,
    *,
    store: EventSource,
    keys: tuple[str, ...],
    anchors: tuple[str, ...],
    since: str | None,
    quick: bool,
    no_indexes: bool,
    require_anchor: bool,
    proof: str | None,
    case_file: str | None,
    is_json: bool,
) -> None:
    """Check that the events are those that were recorded.

    Every event is compared with its seal, the seals with each other, with the signatures (--key) and with
    checkpoints kept elsewhere (--anchor), then the indexes with the events. Without an anchor nobody can
    see that the newest events were removed, or that the store is an older copy of itself.

    Exits with 0 when all is well, 1 when something was changed or is damaged, 3 when it cannot be checked.
    """
    if case_file is not None:
        _check_case(context, Path(case_file), store)
        return
    if quick and since is not None:
        raise UsageError("Use --quick or --since, not both.", "--quick reads no events at all.")
    public_keys = tuple(load_public_key(key) for key in keys)
    given = [read_anchor(name) for name in anchors]
    if proof is not None:
        from audit_tui.cli.evidence.proof import check_proofs

        is_named = context.get_parameter_source("store") is ParameterSource.COMMANDLINE
        check_proofs(context, proof, local_path(store) if is_named else None, public_keys, given)
        return
    if isinstance(store, SourceUrl):
        from audit_tui.cli.evidence.shared_seals import verify_shared

        if quick or since is not None:
            raise UsageError("A shared engine is checked as a whole.", "Leave out --quick and --since.")
        notes = [anchor.note for anchor in given]
        context.exit(verify_shared(store, public_keys, notes, is_json=is_json, needs_anchor=require_anchor))
    if since is not None:
        given.append(read_anchor(since, is_since=True))
    mode = Mode.QUICK if quick else Mode.FULL if since is None else Mode.SINCE
    report = _verified(store, Request(mode, public_keys, tuple(given), not no_indexes))
    _say(report, is_json=is_json)
    if report.result == "FAILED":
        context.exit(EXIT_WRONG)
    if require_anchor and not report.is_anchored:
        context.exit(EXIT_NO_ANCHOR)


def _check_case(context: click.Context, path: Path, store: EventSource) -> None:
    check = check_case(path, open_source(store), redact_mode(is_on=False))
    for line in check.problems:
        click.echo(line)
    tell(*check.notes)
    if check.problems:
        context.exit(EXIT_WRONG)
    click.echo(f"{clean_visible(str(path))}: {counted(check.events, 'event')}, each as the store has it.")
    tell("audit-tui verify tells whether the store is as it was sealed.")


def _verified(store: EventSource, request: Request) -> Report:
    with ProgressLine() as line:
        progress = line.shows(lambda done, size: f"Verified {done:,} of {counted(size, 'event')} ...")
        # Rows make no cycles: looking for them costs a tenth.
        gc.disable()
        try:
            return verify(local_path(store), request, progress)
        finally:
            gc.enable()


def _say(report: Report, *, is_json: bool) -> None:
    if is_json:
        click.echo(json.dumps(as_json(report), indent=2))
        return
    for label, text in in_words(report):
        click.echo(f"{label:<{LABEL_CELLS}}{clean_visible(text)}".rstrip())


def read_anchor(name: str, *, is_since: bool = False) -> Anchor:
    """A checkpoint from a file, or from standard input for ``-``.

    Raises:
        CheckpointError: If it cannot be read, or is none.
    """
    try:
        with click.open_file(name, "rb") as file:
            text = file.read(MAX_NOTE_CHARS * 4 + 1).decode()
    except OSError as error:
        raise CheckpointError(f"The checkpoint {name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise CheckpointError(f"{name} is not a checkpoint.", "audit-tui seal anchor writes one.") from None
    try:
        return Anchor(name, read_checkpoint(text), is_since)
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error.message}", error.hint) from None


def in_words(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the results, a line each, with its label."""
    yield (
        "store",
        f"{report.path}  (store id {report.store_id[:8]}, schema {report.schema_version},"
        f" SQLite {report.sqlite_version})",
    )
    yield from _events(report)
    yield "seals", _seals(report)
    for problem in report.seal_problems:
        yield "seals", problem
    for anchor in report.anchors:
        yield ("since" if anchor.is_since else "anchor"), _anchor(anchor)
    if not report.anchors:
        yield "anchor", "none given: removal of the newest events or a restored older copy cannot be seen"
    yield from _declared(report)
    yield from _indexes(report)
    # An anchor that does not fit covers nothing, and was told above.
    if any(not anchor.problem for anchor in report.anchors) and report.anchored_size < report.size:
        newer = counted(report.size - report.anchored_size, "newer event")
        signed = "signed only" if report.signatures else "consistent only"
        yield "", f"not covered by the anchor: {newer} ({signed})"
    yield "RESULT", _result(report)


def _events(report: Report) -> Iterator[tuple[str, str]]:
    for run in report.wrong[:MAX_LINES]:
        yield "events", wrong_words(run)
    if len(report.wrong) > MAX_LINES:
        yield "events", f"and {len(report.wrong) - MAX_LINES:,} more; --json lists more of them"
    if report.mode == "quick":
        yield "events", f"{thousands(report.size)} sealed; not read (--quick)"
        return
    whole = report.checked_events - report.redacted_events - report.pruned_events
    text = f"{thousands(report.matching_events)} of {thousands(whole)} match their seals"
    if report.since:
        text += f"; {thousands(report.size - report.checked_events)} before --since were not read"
    yield "events", f"{text:<51} {report.seconds:.1f} s"


def wrong_words(run: WrongEvents) -> str:
    """A run of wrong events as a person says it."""
    when = ""
    if run.sealed_at_s is not None:
        when = f" (sealed {_moment(run.sealed_at_s, is_sealed=run.is_time_sealed)})"
    return f"{run.numbers}: {run.wrong.words}{when}"


def _moment(at_s: int, *, is_sealed: bool) -> str:
    """Return a moment; one that stands in no checkpoint is only what the store says."""
    return f"{iso_utc(at_s * 1_000_000)[:19]}Z{'' if is_sealed else ', says the store'}"


def _match(count: int, noun: str) -> str:
    return f"{counted(count, noun)} {'matches' if count == 1 else 'match'}"


def _seals(report: Report) -> str:
    text = (
        f"{thousands(report.matching_blocks)} of {_match(report.blocks, 'block')};"
        f" {thousands(report.matching_heads)} of {_match(report.tried_heads, 'head')}"
    )
    if report.tried_heads < report.heads:
        text += f" (of {thousands(report.heads)}, --quick tries some)"
    if report.keys:
        of_all = f"{report.signatures:,} of {report.checked_signatures:,}"
        return f"{text}; {of_all} signed by key {', '.join(report.keys)}"
    if report.sealing_key is not None:
        return f"{text}; signed, but no --key was given to check that"
    return f"{text}; not signed"


def _anchor(anchor: AnchorResult) -> str:
    if anchor.problem:
        return f"{anchor.name}: {anchor.problem}"
    when = ""
    if anchor.at_s is not None:
        moment = _moment(anchor.at_s, is_sealed=anchor.is_time_sealed)
        when = f" ({'at' if anchor.is_exact else 'before'} {moment})"
    return f"{anchor.name}: size {anchor.size:,}{when} is in this history"


def _declared(report: Report) -> Iterator[tuple[str, str]]:
    if report.mode == "quick":
        return
    parts = []
    for action, word in (("redact", "redacted"), ("prune", "pruned")):
        acts = [declaration for declaration in report.declarations if declaration.action == action]
        if not acts:
            parts.append(f"{word} none")
            continue
        by = ", ".join(f"{act.event_seq:,}" for act in acts[:5]) + (" ..." if len(acts) > 5 else "")
        events = counted(sum(act.events for act in acts), "event")
        parts.append(f"{word} {events} (by event {by})")
    yield "declared", ", ".join(parts)
    old = [declaration.event_seq for declaration in report.declarations if declaration.is_old]
    if old:
        yield (
            "declared",
            f"{counted(len(old), 'act')} in the form of earlier versions, the last event {old[-1]:,}:"
            " whoever could record events then could have written that too",
        )


def _indexes(report: Report) -> Iterator[tuple[str, str]]:
    for problem in report.index_problems:
        yield "indexes", problem
    if report.unindexed_events is None:
        yield "indexes", "not checked"
        return
    agree = "" if report.index_problems else "agree with the events"
    unbuilt = ""
    if report.unindexed_events:
        unbuilt = f"not built yet for the newest {counted(report.unindexed_events, 'event')}"
    if agree or unbuilt:
        yield "indexes", "; ".join(filter(None, (agree, unbuilt)))


def _result(report: Report) -> str:
    if report.result is not Result.FAILED:
        return " - ".join((report.result, *filter(None, ["; ".join(report.not_covered)])))
    parts = []
    if report.wrong_events:
        parts.append(counted(report.wrong_events, "event"))
    broken = report.blocks - report.matching_blocks
    if broken:
        parts.append(counted(broken, "block"))
    if report.tried_heads > report.matching_heads:
        parts.append(counted(report.tried_heads - report.matching_heads, "head"))
    if any(anchor.problem for anchor in report.anchors):
        parts.append("the anchor")
    if report.index_problems:
        parts.append("the indexes")
    if not parts:
        parts.append("the seals")
    return f"{report.result} - {', '.join(parts)}; everything else fits"


def as_json(report: Report) -> dict[str, object]:
    """The same facts for a program."""
    return {
        "store": report.path,
        "store_id": report.store_id,
        "schema_version": report.schema_version,
        "sqlite_version": report.sqlite_version,
        "mode": report.mode.value,
        "result": report.result.value,
        "not_covered": list(report.not_covered),
        "events": {
            "sealed": report.size,
            "checked": report.checked_events,
            "matching": report.matching_events,
            "redacted": report.redacted_events,
            "pruned": report.pruned_events,
            "wrong": report.wrong_events,
        },
        "wrong": [
            {
                "what": run.wrong.value,
                "first": run.first_seq,
                "last": run.last_seq,
                "sealed_at": _moment_as_json(run.sealed_at_s),
                "sealed_at_says": "checkpoint" if run.is_time_sealed else "store",
            }
            for run in report.wrong
        ],
        "seals": {
            "blocks": report.blocks,
            "matching_blocks": report.matching_blocks,
            "heads": report.heads,
            "tried_heads": report.tried_heads,
            "matching_heads": report.matching_heads,
            "signatures_checked": report.checked_signatures,
            "signatures": report.signatures,
            "signed_with": report.sealing_key,
            "problems": list(report.seal_problems),
        },
        "keys": list(report.keys),
        "anchors": [
            {
                "name": anchor.name,
                "size": anchor.size,
                "at": _moment_as_json(anchor.at_s),
                "at_says": "checkpoint" if anchor.is_time_sealed else "store",
                "holds": not anchor.problem,
                "problem": anchor.problem or None,
            }
            for anchor in report.anchors
        ],
        "not_anchored_events": report.size - report.anchored_size,
        "declared": [
            {"event": act.event_seq, "action": act.action, "events": act.events, "old_form": act.is_old}
            for act in report.declarations
        ],
        "indexes": {
            "checked": report.unindexed_events is not None,
            "not_built_events": report.unindexed_events,
            "problems": list(report.index_problems),
        },
        "seconds": round(report.seconds, 3),
    }


def _moment_as_json(at_s: int | None) -> str | None:
    return None if at_s is None else iso_utc(at_s * 1_000_000)
