"""Redaction and pruning: acts that are recorded, in the transaction in which they happen.

The leaf of a removed event stays, so the tree and every checkpoint stay as they are. What takes the place
of the content is an event that says who removed which events, when and why; it is sealed as any other.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import AuditEvent, Outcome, json_text
from audit_tui.core.evidence.leaf import Form, event_leaf
from audit_tui.core.privacy.remains import remains, values_gone
from audit_tui.errors import StoreDamaged, UsageError
from audit_tui.store.evidence import declared
from audit_tui.store.evidence.content import sealed_leaf
from audit_tui.store.evidence.declared import (
    META_PREFIX,
    PRUNE_AT_ONCE,
    REDACT_AT_ONCE,
    REDACTED,
    redact_in,
)
from audit_tui.store.tables import schema
from audit_tui.store.tables.names import clear_unused
from audit_tui.store.tables.rows import Draft, read_count
from audit_tui.store.tables.statements import SIZES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from audit_tui.store.evidence.declared import Redaction
    from audit_tui.store.tables.rows import StoredRow
    from audit_tui.store.write.change import Change
    from audit_tui.store.write.writer import StoreWriter

COLUMN_FIELDS = ("user", "description", "source_ip", "target")
METADATA = "metadata"
ORIGINAL = "original"
REDACTABLE = (*COLUMN_FIELDS, METADATA, ORIGINAL)
ALL_FIELDS = (*COLUMN_FIELDS, METADATA, ORIGINAL)
"""The fields that can be redacted, and ``meta.NAME``, one of the metadata; name, category, time, key stay."""
ROWS_AT_ONCE = 2_000
BYTES_AT_ONCE = 16 * 1024 * 1024
_NOTHING = "Nothing was redacted."
_VERIFY = "Verify the store: audit-tui verify."


class Act(NamedTuple):
    """The person who removes something, the time and the reason."""

    user: str
    host: str
    at_us: int
    why: str


class Removed(NamedTuple):
    """A removal that was done."""

    events: int
    by_events: tuple[int, ...]
    """The events that record it."""
    left: tuple[tuple[int, str], ...] = ()
    """Events and fields in which a redacted value still stands."""
    unchanged: int = 0
    """The number of events that had nothing in these fields, or nothing that was not redacted before."""


def check_fields(fields: Sequence[str]) -> tuple[str, ...]:
    """The fields that are meant.

    Raises:
        UsageError: If one is none that can be redacted.
    """
    if "all" in fields:
        return ALL_FIELDS
    for field in fields:
        if field not in ALL_FIELDS and not (field.startswith(META_PREFIX) and len(field) > len(META_PREFIX)):
            raise UsageError(
                f"{field} cannot be redacted.", f"Fields are {', '.join(ALL_FIELDS)}, meta.NAME, or all."
            )
    return tuple(dict.fromkeys(fields))


def redact(writer: StoreWriter, seqs: Sequence[int], fields: Sequence[str], act: Act) -> Removed:
    """Replace fields of events, and record that.

    Args:
        writer: The store.
        seqs: The events, by number.
        fields: As ``check_fields`` gives them. The original goes with any of them: it holds them all.
        act: Who, when, why.

    Raises:
        UsageError: If an event is not there, or records a removal itself, or none has anything to redact;
            nothing is redacted then.
        StoreError: One of its kinds, if the store cannot be written.
    """
    wanted = sorted(set(seqs))
    by_events: list[int] = []
    left: list[tuple[int, str]] = []
    events = 0
    with writer.changing() as change:
        _require_removable(change, wanted)
        earlier = _redacted_before(change.connection)
        for some in _batches(change.connection, wanted, REDACT_AT_ONCE):
            redactions = list(_redactions(change, some, fields, earlier))
            if not redactions:
                continue
            after = [redaction.after for redaction in redactions]
            change.replace([redaction.row for redaction in redactions], after)
            seqs_now = [redaction.row.seq for redaction in redactions]
            leaves = {str(row.seq): _leaf(row.seq, new, form).hex() for row, _, new, form in redactions}
            more: dict[str, object] = {declared.FIELDS: list(fields), declared.LEAVES: leaves}
            by_events.append(_record(change, act, declared.REDACT, seqs_now, more))
            events += len(redactions)
            for row, old, new, _ in redactions:
                left += [(row.seq, field) for field in _still_in(old, new, fields)]
        if not events:
            which = f"event {wanted[0]:,}" if len(wanted) == 1 else "these events"
            raise UsageError(
                f"Nothing was redacted: {which} had nothing in {' or '.join(fields)}, or it is redacted.",
                "audit-tui query --format jsonl shows what is in an event.",
            )
        clear_unused(change.connection)
    return Removed(events, tuple(by_events), tuple(left), len(wanted) - events)


class _Redaction(NamedTuple):
    """An event that changes."""

    row: StoredRow
    before: Draft
    after: Draft
    form: Form


def _redacted_before(connection: sqlite3.Connection) -> Mapping[int, Redaction]:
    text_factory, connection.text_factory = connection.text_factory, bytes
    try:
        return declared.read_declared(connection).redacted
    finally:
        connection.text_factory = text_factory


def _redactions(
    change: Change, seqs: Sequence[int], fields: Sequence[str], earlier: Mapping[int, Redaction]
) -> Iterator[_Redaction]:
    for row in change.rows(seqs):
        before = _draft_of(change.connection, row)
        after = _redacted(before, fields)
        # The original goes with a field that is there, and not because of a name that was mistyped.
        if after != before._replace(original=before.original if ORIGINAL in fields else None):
            yield _Redaction(row, before, after, _sealed_form(change, row.seq, before, earlier))


def count_before(connection: sqlite3.Connection, before_us: int) -> int:
    """Count the events that happened before a moment, those that record removals among them."""
    row = connection.execute("SELECT count(*) FROM events WHERE occurred_us < ?", (before_us,)).fetchone()
    return int(row[0])


def prune(
    writer: StoreWriter, before_us: int, act: Act, progress: Callable[[int], None] | None = None
) -> Removed:
    """Delete the events that happened before a moment, and record that. Events that record removals stay.

    Args:
        writer: The store.
        before_us: Microseconds since 1970.
        act: Who, when, why.
        progress: Is told how many are gone, after each transaction.

    Raises:
        StoreError: One of its kinds, if the store cannot be written; what was told to ``progress`` is done.
    """
    events = 0
    by_events: list[int] = []
    while True:
        with writer.changing() as change:
            some = _prunable(change.connection, before_us)
            if not some:
                return Removed(events, tuple(by_events))
            for batch in _batches(change.connection, some, ROWS_AT_ONCE):
                change.remove(change.rows(batch))
            pruned = _pruned(change.connection) + len(some)
            change.set_info(schema.PRUNED, str(pruned))
            by_events.append(_record(change, act, declared.PRUNE, some, {}))
            clear_unused(change.connection)
        events += len(some)
        if progress is not None:
            progress(events)


def _prunable(connection: sqlite3.Connection, before_us: int) -> list[int]:
    rows = connection.execute(
        "SELECT seq FROM events WHERE occurred_us < ?"
        " AND seq NOT IN (SELECT event_seq FROM seal_removed) ORDER BY seq LIMIT ?",
        (before_us, PRUNE_AT_ONCE),
    )
    return [seq for (seq,) in rows]


def _pruned(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM store_info WHERE name = ?", (schema.PRUNED,)).fetchone()
    return 0 if row is None else read_count(row[0])


def _require_removable(change: Change, seqs: Sequence[int]) -> None:
    for seq in seqs:
        if change.connection.execute("SELECT 1 FROM events WHERE seq = ?", (seq,)).fetchone() is None:
            raise UsageError(f"There is no event {seq:,}.", _NOTHING)
    declaring = {seq for (seq,) in change.connection.execute("SELECT event_seq FROM seal_removed")}
    for seq in seqs:
        if seq in declaring:
            raise UsageError(f"Event {seq:,} records a removal, so it cannot be redacted.", _NOTHING)


def _record(change: Change, act: Act, action: str, seqs: Sequence[int], more: dict[str, object]) -> int:
    """Record the act that declares a removal, and note its ranges."""
    ranges = declared.ranges_of(seqs)
    words = declared.wording(action, act.user, ranges, act.why)
    metadata = {
        declared.ACTION: action,
        declared.REASON: act.why,
        declared.EVENTS: len(seqs),
        declared.RANGES: declared.cut_ranges_text(ranges),
        declared.DIGEST: declared.ranges_digest(ranges),
        declared.HOST: act.host,
        **more,
    }
    seq = change.record_act(
        AuditEvent(
            words.event,
            act.at_us,
            category=declared.CATEGORY,
            user=act.user,
            description=words.description,
            outcome=Outcome.SUCCESS,
            target=words.target,
            source=declared.SOURCE,
            metadata=metadata,
        )
    )
    change.connection.executemany(
        "INSERT INTO seal_removed (event_seq, first_seq, last_seq) VALUES (?, ?, ?)",
        [(seq, first, last) for first, last in ranges],
    )
    return seq


def _draft_of(connection: sqlite3.Connection, row: StoredRow) -> Draft:
    """A stored row with its texts."""
    numbers = (row.event_id, row.category_id, row.user_id, row.source_id)
    event, category, user, source = (
        None
        if number is None
        else connection.execute(f"SELECT name FROM {names.table} WHERE id = ?", (number,)).fetchone()[0]  # noqa: S608
        for names, number in zip(schema.ALL_NAME_TABLES, numbers, strict=True)
    )
    return Draft(
        row.key, row.occurred_us, str(event), category, user, row.description, row.outcome, row.severity,
        row.source_ip, row.target, source, row.metadata, row.original,
    )  # fmt: skip


def _redacted(before: Draft, fields: Sequence[str]) -> Draft:
    after = before._replace(
        user=_gone(before.user, "user" in fields),
        description=_gone(before.description, "description" in fields),
        source_ip=_gone(before.source_ip, "source_ip" in fields),
        target=_gone(before.target, "target" in fields),
        original=None,
    )
    if METADATA in fields:
        return after._replace(metadata=None if before.metadata is None else json_text({REDACTED: True}))
    names = [field.removeprefix(META_PREFIX) for field in fields if field.startswith(META_PREFIX)]
    return after._replace(metadata=_without(before.metadata, names)) if names else after


def _gone(text: str | None, is_redacted: bool) -> str | None:
    # What is empty stays so: nobody was named there, and that is not a secret.
    return REDACTED if is_redacted and text is not None else text


def _without(metadata: str | None, names: Sequence[str]) -> str | None:
    """Metadata with the values of these names replaced; a dotted name leads into objects."""
    try:
        value = json.loads(metadata or "null")
    except (ValueError, RecursionError):
        return json_text({REDACTED: True})
    # Where nothing is replaced, the text stays as it was: written again, it could differ.
    return json_text(value) if sum(redact_in(value, name) for name in names) else metadata


def _still_in(old: Draft, new: Draft, fields: Sequence[str]) -> list[str]:
    """The fields in which a value that was redacted elsewhere in the event still stands."""
    columns = (getattr(old, field) for field in COLUMN_FIELDS if field in fields)
    gone = {value for value in columns if value and value != REDACTED}
    if METADATA not in fields:
        gone |= values_gone(old.metadata, new.metadata)
    texts = ("event", "category", "user", "description", "source_ip", "target", "source", "key", METADATA)
    return remains(gone, {field: getattr(new, field) for field in texts})


def _leaf(seq: int, draft: Draft, form: Form) -> bytes:
    columns = (
        draft.key, draft.event, draft.category, draft.user, draft.description, draft.outcome, draft.severity,
        draft.source_ip, draft.target, draft.source, draft.metadata, draft.original,
    )  # fmt: skip
    return event_leaf(seq, draft.occurred_us, columns, form)


def _sealed_form(change: Change, seq: int, before: Draft, earlier: Mapping[int, Redaction]) -> Form:
    """Return the form in which an event was sealed, so that what is left of it can be sealed in the same.

    Raises:
        StoreDamaged: If it is neither as it was sealed nor as its last redaction left it: a redaction must
            not hide that.
        UsageError: If it records an act of this program.
    """
    leaves = [sealed_leaf(change.connection, seq)]
    if seq in earlier:
        leaves.append(earlier[seq].leaf)
    for form in (Form.EVENT, Form.OLD, Form.ACT):
        if _leaf(seq, before, form) in leaves:
            if form is Form.ACT:
                raise UsageError(
                    f"Event {seq:,} records an act of audit-tui, so it cannot be redacted.", _NOTHING
                )
            return form
    raise StoreDamaged(f"Event {seq:,} is not as it was sealed, so nothing was redacted.", _VERIFY)


def _batches(connection: sqlite3.Connection, seqs: Sequence[int], most: int) -> Iterator[list[int]]:
    """Divide events so that no more than ``BYTES_AT_ONCE`` are in memory at a time, or one alone."""
    batch: list[int] = []
    batch_bytes = 0
    for seq in seqs:
        row = connection.execute(f"{SIZES} = ?", (seq,)).fetchone()
        size_bytes = 0 if row is None else row[1]
        if batch and (len(batch) == most or batch_bytes + size_bytes > BYTES_AT_ONCE):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(seq)
        batch_bytes += size_bytes
    if batch:
        yield batch
