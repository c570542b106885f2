"""Proofs of an export: writing them beside it, and checking them with or without the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

import click

from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.source import reading
from audit_tui.core.event_fields import event_field
from audit_tui.core.evidence.proof import (
    MAX_LINE_CHARS,
    SUFFIX,
    ProofHead,
    Written,
    event_line,
    head_line,
    read_event,
    read_head,
)
from audit_tui.core.export import FILE_FORMATS, Format, Writing
from audit_tui.core.new_file import FileKind, database_files, new_file
from audit_tui.core.text import clean_visible, counted, thousands
from audit_tui.core.time.dates import TimeContext
from audit_tui.core.time.zones import zone_label, zone_named
from audit_tui.errors import (
    EXIT_OK,
    EXIT_UNREADABLE,
    EXIT_WRONG,
    CheckpointError,
    FilterError,
    StoreDamaged,
    TimeError,
    UsageError,
)
from audit_tui.output.writers import write_events
from audit_tui.store.evidence.signing import is_signed_by
from audit_tui.store.evidence.verifying import Anchor, Mode, Request, verify
from audit_tui.store.tables import rows

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.event_fields import EventField
    from audit_tui.core.evidence.checkpoint import PublicKey
    from audit_tui.core.evidence.proof import EventProof
    from audit_tui.core.query import EventQuery
    from audit_tui.store.evidence.proving import Prover

MAX_LINES = 100
_PROOF = FileKind("a proof of an export", lambda head: head.startswith(b'{"format": "audit-tui proof '))


def proof_path(out: Path) -> Path:
    """Return where the proofs of an export go."""
    return out.with_name(out.name + SUFFIX)


def write_proofs(
    prover: Prover, store: Path, out: Path, query: EventQuery, writing: Writing, events: int
) -> None:
    """Write the proofs of what was exported to ``out``.

    Raises:
        StoreDamaged: If an event is not as it was sealed, or was changed meanwhile; then nothing is written.
        UsageError: If the zone has no name by which others could read the times.
    """
    path = proof_path(out)
    zone = zone_label(writing.context.zone, writing.context.now)
    columns = None if writing.columns is None else tuple(column.value for column in writing.columns)
    written = Written(writing.format.value, columns, writing.is_raw, zone, writing.seal_words)
    head = ProofHead(prover.note, out.name, events, written)
    with ExitStack() as stack:
        reader = stack.enter_context(reading(store))
        file = stack.enter_context(new_file(path, _PROOF, never_over=database_files(store)))
        line = stack.enter_context(ProgressLine())
        comparer = _Comparer(stack.enter_context(out.open("rb")))
        file.write(head_line(head) + "\n")
        acts: set[int] = set()

        def proven() -> Iterator[AuditEvent]:
            for number, event in enumerate(reader.events(query), 1):
                proof = prover.prove(event.seq or 0)
                if proof.redacted_leaf is not None:
                    act = prover.prove_act(proof.seq)
                    if act is not None and act.seq not in acts:
                        acts.add(act.seq)
                        file.write(event_line(act) + "\n")
                file.write(event_line(proof) + "\n")
                yield _event_of(proof)
                if line.is_due:
                    line.say(f"Proving: {counted(number, 'event')} ...")

        write_events(proven(), cast("TextIO", comparer), writing)
        if comparer.difference() is not None:
            raise StoreDamaged(
                "Events were changed while they were exported, so they are not proven.", "Export them again."
            )
    tell(f"Wrote the proofs to {path}.")


def require_named_zone(writing: Writing) -> None:
    """Refuse a zone that has no name by which others could make the export again.

    Raises:
        UsageError: If it has none.
    """
    label = zone_label(writing.context.zone, writing.context.now)
    try:
        if zone_label(zone_named(label), writing.context.now) == label:
            return
    except TimeError:
        pass
    raise UsageError(f"The time zone {label} has no name, so times in it cannot be proven.", "Add --tz UTC.")


def check_proofs(
    context: click.Context,
    name: str,
    store: Path | None,
    keys: Sequence[PublicKey],
    anchors: Sequence[Anchor],
) -> None:
    """Check a proof file and say what holds; end with 1 when something is wrong, with 3 if nothing is proven.

    Without a store, keys or anchors, that which they tell is not checked.

    Raises:
        CheckpointError: If it is not a proof file.
    """
    path = Path(name)
    lines = _lines(path)
    try:
        head = read_head(next(lines, (1, ""))[1])
    except CheckpointError:
        raise CheckpointError(
            f"{path} is not a proof file.", "audit-tui export --proof writes one."
        ) from None
    with ExitStack() as stack:
        prover = None
        if store is not None:
            from audit_tui.store.evidence.proving import Prover

            prover = stack.enter_context(Prover(store))
        check = _ProofCheck(head, prover)
        events = check.events(lines)
        file_problems = list(_file_problems(path, head, events))
        for _ in events:  # those beyond the end of the file, or all where there is none to compare
            pass
        check.problems += file_problems
    if head.events not in (None, check.rows):
        check.problems.append(f"the proof has {check.rows:,} of {counted(head.events or 0, 'event')}")
    check.problems += _checkpoint_problems(head, keys, anchors, has_store=store is not None)
    if store is not None:
        check.problems += _history_problems(store, head, anchors)
    code = _say(head, check, _exported(path, head), has_trust=bool(keys or anchors or store))
    if code:
        context.exit(code)


class _ProofCheck:
    def __init__(self, head: ProofHead, prover: Prover | None) -> None:
        self.problems: list[str] = []
        self.rows = self.proven = self.redacted = self.unproven = 0
        self._checkpoint = head.note.checkpoint
        self._prover = prover
        self._left: dict[int, set[bytes]] = {}
        """The leaves of what proven acts of redaction left, by number of the redacted event."""
        self._seen: defaultdict[int, int] = defaultdict(int)
        """The numbers that were met, a bit each in words of 1,024: a set of ten million takes 600 MB."""

    def events(self, lines: Iterable[tuple[int, str]]) -> Iterator[AuditEvent]:
        with ProgressLine() as progress:
            for number, line in lines:
                event = read_event(line, number)
                problem = self._problem(event)
                if problem is not None:
                    self.problems.append(f"event {event.seq:,}: {problem}")
                elif event.is_declaring:
                    for seq, leaf in event.declared_leaves.items():
                        self._left.setdefault(seq, set()).add(leaf)
                    continue
                else:
                    self._count(event)
                self.rows += 1
                if progress.is_due:
                    progress.say(f"Checked {counted(self.rows, 'event')} ...")
                yield _event_of(event)

    def _problem(self, event: EventProof) -> str | None:
        checkpoint, prover = self._checkpoint, self._prover
        if not event.is_declaring:
            word, bit = divmod(event.seq, 1_024)
            if self._seen[word] >> bit & 1:
                return "stands twice in the proof"
            self._seen[word] |= 1 << bit
        if not event.holds_under(checkpoint.size, checkpoint.root):
            return "is not what was sealed, or not under this checkpoint"
        if prover is not None:
            if event.seq > prover.size:
                return "the store has no such event"
            if prover.leaf(event.seq) != (event.redacted_leaf or event.content_leaf):
                return "the store has another in its place"
        return None

    def _count(self, event: EventProof) -> None:
        """Count a row as proven, also when an act that redacted it proves what it says now."""
        if event.redacted_leaf is None:
            self.proven += 1
        elif event.content_leaf in self._left.get(event.seq, ()) or self._is_in_store(event):
            self.proven += 1
            self.redacted += 1
        elif self._prover is not None and not self._prover.is_redacted(event.seq):
            self.problems.append(f"event {event.seq:,}: is not what was sealed; the store did not redact it")
        else:
            self.unproven += 1

    def _is_in_store(self, event: EventProof) -> bool:
        """Tell whether the store holds a redacted event as the proof does, and declares its redaction."""
        if self._prover is None or not self._prover.is_redacted(event.seq):
            return False
        try:
            stored = self._prover.prove(event.seq)
        except StoreDamaged:
            return False
        return (stored.occurred_us, stored.columns) == (event.occurred_us, event.columns)


class _Comparer:
    """A file to write to that keeps nothing, but compares what is written with another one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lines = 1
        self._differs = False

    def write(self, text: str) -> int:
        data = text.encode("utf-8", "backslashreplace")
        if not self._differs:
            if self._file.read(len(data)) != data:
                self._differs = True
            else:
                self._lines += data.count(b"\n")
        return len(text)

    def difference(self) -> int | None:
        """Return the line, about, from which on the file differs; None when it holds the same to its end."""
        return self._lines if self._differs or self._file.read(1) else None


def _event_of(proof: EventProof) -> AuditEvent:
    return rows.read_event((proof.seq, proof.columns[0], proof.occurred_us, *proof.columns[1:-1], None))


def _writing(written: Written) -> Writing:
    """Return how an export was written, from a file of anybody's.

    Raises:
        CheckpointError: If nothing is written so.
    """
    forms = {form.value: form for form in FILE_FORMATS}
    fields = tuple(map(_field, written.columns or ()))
    columns = tuple(field for field in fields if field is not None)
    if written.format not in forms or len(columns) < len(fields):
        raise CheckpointError("The proof says of its export that it was written in an unknown way.")
    try:
        zone = zone_named(written.zone)
    except TimeError as error:
        raise CheckpointError(f"The times of the export cannot be read. {error.message}") from None
    context = TimeContext(zone, datetime.now(UTC))
    return Writing(
        Format(written.format),
        context,
        None if written.columns is None else columns,
        written.is_raw,
        seal_words=written.seal_words,
    )


def _field(name: str) -> EventField | None:
    try:
        field = event_field(name)
    except FilterError:
        return None
    return field if field is not None and field.value == name else None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            number = 0
            while line := file.readline(MAX_LINE_CHARS):
                number += 1
                yield number, line
    except OSError as error:
        raise CheckpointError(f"The proof {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise CheckpointError(
            f"{path} is not a proof file.", "audit-tui export --proof writes one."
        ) from None


def _exported(path: Path, head: ProofHead) -> Path | None:
    """Return the exported file beside its proofs; None when it does not lie there."""
    # Only a name: a path in a file from elsewhere leads nowhere.
    exported = path.with_name(Path(head.file).name)
    return exported if exported.is_file() else None


def _file_problems(path: Path, head: ProofHead, events: Iterator[AuditEvent]) -> Iterator[str]:
    """Make the export again from the proven events, and compare."""
    if proof_path(path.with_name(Path(head.file).name)) != path:
        yield f"this is the proof of {head.file}, but it lies beside another file"
    exported = _exported(path, head)
    if exported is None or head.written is None:
        return
    try:
        with exported.open("rb") as file:
            comparer = _Comparer(file)
            write_events(events, cast("TextIO", comparer), _writing(head.written))
            line = comparer.difference()
    except OSError as error:
        raise CheckpointError(f"The export {exported} cannot be read: {error.strerror}.") from error
    if line is not None:
        yield f"{exported.name}: differs from these events, about from line {line:,} on"


def _checkpoint_problems(
    head: ProofHead, keys: Sequence[PublicKey], anchors: Sequence[Anchor], *, has_store: bool
) -> Iterator[str]:
    checkpoint = head.note.checkpoint
    if keys and not any(is_signed_by(head.note, key) for key in keys):
        yield "the checkpoint is not signed with the given key"
    if keys and all(key.name != checkpoint.origin for key in keys):
        yield f"the checkpoint is that of another store, {checkpoint.origin}"
    for anchor in anchors:
        other = anchor.note.checkpoint
        if other.origin != checkpoint.origin:
            yield f"{anchor.name}: is a checkpoint of another store, {other.origin}"
        elif other.size == checkpoint.size and other.root != checkpoint.root:
            yield f"{anchor.name}: is another checkpoint of the same size"
        elif other.size != checkpoint.size and not has_store:
            yield f"{anchor.name}: covers {other.size:,} events: only --store can compare that"


def _history_problems(store: Path, head: ProofHead, anchors: Sequence[Anchor]) -> Iterator[str]:
    report = verify(store, Request(Mode.QUICK, anchors=(Anchor("the checkpoint", head.note), *anchors)))
    for anchor in report.anchors:
        if anchor.problem:
            yield f"{anchor.name}: {anchor.problem}"
    yield from report.seal_problems


def _say(head: ProofHead, check: _ProofCheck, exported: Path | None, *, has_trust: bool) -> int:
    checkpoint, problems = head.note.checkpoint, check.problems
    lines = [f"proofs     {checkpoint.origin}, checkpoint of {checkpoint.size:,} events"]
    lines += [f"proofs     {problem}" for problem in problems[:MAX_LINES]]
    if len(problems) > MAX_LINES:
        lines.append(f"proofs     and {thousands(len(problems) - MAX_LINES)} more")
    redacted = f"; {thousands(check.redacted)} of them redacted since" if check.redacted else ""
    lines.append(f"events     {counted(check.proven, 'event')} proven to be under it{redacted}")
    if check.unproven:
        lines.append(
            f"events     {counted(check.unproven, 'event')} not proven: redacted since, says the proof, but"
            " it holds no act that did that; --store tells"
        )
    reason = None
    if head.written is None:
        reason = "the proof is of an older kind"
    elif exported is None:
        reason = "it does not lie beside the proof"
    if not problems or reason is not None:
        compared = "these events in this order, to the byte" if reason is None else f"not compared, {reason}"
        lines.append(f"file       {head.file}: {compared}")
    if not has_trust:
        lines.append(
            "anchor     none given: with --key, --anchor or --store the checkpoint itself is checked too"
        )
    result = "VERIFIED" if has_trust else "CONSISTENT, NOT ANCHORED"
    word, code = _result(check, result if reason is None else f"{result} - {head.file} was not compared")
    for line in (*lines, f"RESULT     {word}"):
        click.echo(clean_visible(line))
    return code


def _result(check: _ProofCheck, word: str) -> tuple[str, int]:
    """Return how a check ends, and the exit code; ``word`` when all is proven."""
    if check.problems:
        return "FAILED", EXIT_WRONG
    if check.unproven or not check.proven:
        return "NOT PROVEN", EXIT_UNREADABLE
    return word, EXIT_OK
