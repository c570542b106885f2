"""Proofs of an export: writing them beside it, and checking them with or without the store."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.progress import ProgressLine
from audit_tui.cli.source import reading
from audit_tui.core.new_file import FileKind, database_files, new_file
from audit_tui.core.text import clean_visible, counted, thousands
from audit_tui.errors import EXIT_WRONG, CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audit_tui.core.evidence.checkpoint import PublicKey
    from audit_tui.core.evidence.proof import EventProof, ProofHead
    from audit_tui.core.query import EventQuery
    from audit_tui.store.evidence.proving import Prover
    from audit_tui.store.evidence.verifying import Anchor

MAX_LINES = 100
_PROOF = FileKind("a proof of an export", lambda head: head.startswith(b'{"format": "audit-tui proof '))
_CHUNK_BYTES = 1 << 20


def proof_path(out: Path) -> Path:
    """Where the proofs of an export go."""
    from audit_tui.core.evidence.proof import SUFFIX

    return out.with_name(out.name + SUFFIX)


def write_proofs(prover: Prover, store: Path, out: Path, query: EventQuery) -> None:
    """Write the proofs of what was exported to ``out`` with this query.

    Raises:
        StoreDamaged: If an event is not as it was sealed; then nothing is written.
    """
    from audit_tui.core.evidence.proof import ProofHead, event_line, head_line

    path = proof_path(out)
    events = 0
    with (
        reading(store) as reader,
        new_file(path, _PROOF, never_over=database_files(store)) as file,
        ProgressLine() as line,
    ):
        file.write(head_line(ProofHead(prover.note, out.name, file_digest(out))) + "\n")
        for event in reader.events(query):
            file.write(event_line(prover.prove(event.seq or 0)) + "\n")
            events += 1
            if line.is_due:
                line.say(f"Proving: {counted(events, 'event')} ...")
    click.echo(clean_visible(f"Wrote the proofs to {path}."), err=True)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def check_proofs(
    context: click.Context,
    name: str,
    store: Path | None,
    keys: Sequence[PublicKey],
    anchors: Sequence[Anchor],
) -> None:
    """Check a proof file, say what was found, and end with 1 when something is wrong.

    Args:
        context: The command's.
        name: The proof file.
        store: The store that the events should still be in; None checks without one.
        keys: The checkpoint must be signed with one of them; none leaves it unchecked.
        anchors: Checkpoints that were kept elsewhere.

    Raises:
        CheckpointError: If it is no proof file.
    """
    from audit_tui.core.evidence.proof import read_head

    path = Path(name)
    lines = _lines(path)
    try:
        head = read_head(next(lines, (1, ""))[1])
    except CheckpointError:
        raise CheckpointError(f"{path} is no proof file.", "audit-tui export --proof writes one.") from None
    proven, redacted, problems = _check_events(lines, head, store)
    problems += _file_problems(path, head)
    problems += _checkpoint_problems(head, keys, anchors, has_store=store is not None)
    if store is not None:
        problems += _history_problems(store, head, anchors)
    _say(head, proven, redacted, problems, has_trust=bool(keys or anchors or store))
    if problems:
        context.exit(EXIT_WRONG)


def _check_events(
    lines: Iterator[tuple[int, str]], head: ProofHead, store: Path | None
) -> tuple[int, int, list[str]]:
    """How many events are proven, how many of them are redacted since, and what is wrong with others."""
    from audit_tui.core.evidence.proof import read_event
    from audit_tui.store.evidence.proving import Prover

    problems: list[str] = []
    checkpoint = head.note.checkpoint
    proven = redacted = 0
    with nullcontext() if store is None else Prover(store) as prover, ProgressLine() as progress:
        for number, line in lines:
            one = read_event(line, number)
            if not one.holds_under(checkpoint.size, checkpoint.root):
                problems.append(f"event {one.seq:,}: is not what was sealed, or not under this checkpoint")
            elif prover is not None and one.seq > prover.size:
                problems.append(f"event {one.seq:,}: the store has no such event")
            elif prover is not None and not _is_in(prover, one):
                problems.append(f"event {one.seq:,}: the store has another in its place")
            else:
                proven += 1
                redacted += one.redacted_leaf is not None
            if progress.is_due:
                progress.say(f"Checked {counted(proven, 'event')} ...")
    return proven, redacted, problems


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    from audit_tui.core.evidence.proof import MAX_LINE_CHARS

    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            number = 0
            while line := file.readline(MAX_LINE_CHARS):
                number += 1
                yield number, line
    except OSError as error:
        raise CheckpointError(f"The proof {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} is no proof file.", "audit-tui export --proof writes one.") from None


def _is_in(prover: Prover, one: EventProof) -> bool:
    from audit_tui.core.evidence.leaf import event_leaf
    from audit_tui.errors import StoreDamaged

    try:
        leaf = prover.leaf(one.seq)
    except StoreDamaged:
        return False
    return leaf == (one.redacted_leaf or event_leaf(one.seq, one.occurred_us, one.columns))


def _file_problems(path: Path, head: ProofHead) -> Iterator[str]:
    """Whether the exported file, if it still lies beside its proofs, is the one that was proven."""
    # Only a name: a path in a file from elsewhere leads nowhere.
    exported = path.with_name(Path(head.file).name) if head.file else None
    if exported is not None and exported.is_file() and file_digest(exported) != head.sha256:
        yield f"{exported.name}: was changed since it was exported"


def _checkpoint_problems(
    head: ProofHead, keys: Sequence[PublicKey], anchors: Sequence[Anchor], *, has_store: bool
) -> Iterator[str]:
    from audit_tui.store.evidence.signing import is_signed_by

    checkpoint = head.note.checkpoint
    if keys and not any(is_signed_by(head.note, key) for key in keys):
        yield "the checkpoint is not signed with the given key"
    if keys and all(key.name != checkpoint.origin for key in keys):
        yield f"the checkpoint is that of another store, {checkpoint.origin}"
    for anchor in anchors:
        kept = anchor.note.checkpoint
        if kept.origin != checkpoint.origin:
            yield f"{anchor.name}: is a checkpoint of another store, {kept.origin}"
        elif kept.size == checkpoint.size and kept.root != checkpoint.root:
            yield f"{anchor.name}: is another checkpoint of the same size"
        elif kept.size != checkpoint.size and not has_store:
            yield f"{anchor.name}: covers {kept.size:,} events: only --store can compare that"


def _history_problems(store: Path, head: ProofHead, anchors: Sequence[Anchor]) -> Iterator[str]:
    """Whether the checkpoint, and the others, are in the store's history."""
    from audit_tui.store.evidence.verifying import Anchor, Mode, Request, verify

    report = verify(store, Request(Mode.QUICK, anchors=(Anchor("the checkpoint", head.note), *anchors)))
    for one in report.anchors:
        if one.problem:
            yield f"{one.name}: {one.problem}"
    yield from report.seal_problems


def _say(head: ProofHead, proven: int, redacted: int, problems: Sequence[str], *, has_trust: bool) -> None:
    checkpoint = head.note.checkpoint
    click.echo(clean_visible(f"proofs     {checkpoint.origin}, checkpoint of {checkpoint.size:,} events"))
    for problem in problems[:MAX_LINES]:
        click.echo(f"proofs     {clean_visible(problem)}")
    if len(problems) > MAX_LINES:
        click.echo(f"proofs     and {thousands(len(problems) - MAX_LINES)} more")
    gone = f"; {thousands(redacted)} redacted since: what they say now is not proven" if redacted else ""
    click.echo(f"events     {counted(proven, 'event')} proven to be under it{gone}")
    if not has_trust:
        click.echo(
            "anchor     none given: with --key, --anchor or --store the checkpoint itself is checked too"
        )
    result = "CONSISTENT, NOT ANCHORED" if not has_trust else "VERIFIED"
    click.echo(f"RESULT     {'FAILED' if problems else result}")
