r"""Proofs of exported events: a file that anyone can check without the store.

JSON Lines. The first line names the format and holds a checkpoint, and how the export was written, so that
the exported file can be made again from the events and compared; each other line holds one event as it is
stored, in the order of the export, and the hashes that lead from it to the checkpoint's root::

    {"format": "audit-tui proof 2", "checkpoint": "audit-tui/7f3c...\n9998004\n4qJ3...\nsealed ...\n",
     "file": "june.csv", "events": 30,
     "written": {"format": "csv", "columns": null, "raw": false, "zone": "Europe/Berlin", "seals": ""}}
    {"seq": 777, "time_us": 1780000000000000, "form": 2, "columns": ["k1", "Login", null, ...],
     "proof": ["mZx...", ...]}

``form`` and ``columns`` are a record's (``leaf.Form``, ``leaf.COLUMNS``), texts as stored, the original in
base64. An event that was redacted has its ``leaf`` as well: that it happened is proven by that, and what
it says now by the act that redacted it, an event with ``"declares": true`` before it, which is not a row of
the export. In format 1 ``form`` is missing and means 1, and so is ``written``: the file cannot be compared.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from audit_tui.core.evidence.checkpoint import SignedCheckpoint, read_checkpoint
from audit_tui.core.evidence.leaf import COLUMNS, Form, event_leaf
from audit_tui.core.evidence.merkle import HASH_BYTES, MAX_PROOF_HASHES, root_of_inclusion
from audit_tui.errors import CheckpointError

FORMAT = "audit-tui proof 2"
OLD_FORMAT = "audit-tui proof 1"
SUFFIX = ".proof.jsonl"
"""Put behind the name of the export that it proves."""
MAX_LINE_CHARS = 200 * 1024 * 1024
_ORIGINAL = COLUMNS.index("original")
_SEVERITY = COLUMNS.index("severity")
_METADATA = COLUMNS.index("metadata")


class Written(NamedTuple):
    """The way in which an export was written."""

    format: str
    """As in commands: csv, jsonl, json, md."""
    columns: tuple[str, ...] | None
    """The keys of its columns; None is what the format writes unless told otherwise."""
    is_raw: bool
    """CSV with cells that a spreadsheet may take for formulas."""
    zone: str
    """The name of the zone of its times."""
    seal_words: str
    """The words about the seals that stand in it."""


class ProofHead(NamedTuple):
    """The first line of a proof file."""

    note: SignedCheckpoint
    file: str
    """The name of the exported file."""
    events: int | None
    """The number of its rows; None in format 1."""
    written: Written | None
    """None in format 1."""


class EventProof(NamedTuple):
    """One event, and what leads from it to the checkpoint."""

    seq: int
    occurred_us: int
    columns: tuple[str | int | bytes | None, ...]
    proof: tuple[bytes, ...]
    form: Form = Form.OLD
    """The form of its record, as the proof says."""
    redacted_leaf: bytes | None = None
    """The leaf of what it was before its redaction; None when the event is whole."""
    is_declaring: bool = False
    """An act that redacted events, and no row of the export."""

    @property
    def content_leaf(self) -> bytes:
        """The leaf of what it says now."""
        return event_leaf(self.seq, self.occurred_us, self.columns, self.form)

    def holds_under(self, size: int, root: bytes) -> bool:
        """Tell whether it, or for a redacted one what it was, is under this root."""
        leaf = self.redacted_leaf or self.content_leaf
        return root_of_inclusion(leaf, self.seq - 1, size, self.proof) == root

    @property
    def declared_leaves(self) -> Mapping[int, bytes]:
        """The leaves of what an act left of the events that it redacted, by number; none for others."""
        metadata = self.columns[_METADATA]
        if self.form is not Form.ACT or not isinstance(metadata, str):
            return {}
        try:
            return {int(seq): bytes.fromhex(leaf) for seq, leaf in json.loads(metadata)["Leaves"].items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}


def head_line(head: ProofHead) -> str:
    """Return the first line."""
    content: dict[str, object] = {
        "format": FORMAT,
        "checkpoint": head.note.text(),
        "file": head.file,
        "events": head.events,
    }
    if head.written is not None:
        form, columns, is_raw, zone, seal_words = head.written
        content["written"] = {
            "format": form, "columns": columns, "raw": is_raw, "zone": zone, "seals": seal_words,
        }  # fmt: skip
    return json.dumps(content, ensure_ascii=False)


def event_line(event: EventProof) -> str:
    """Return the line of an event."""
    content: dict[str, object] = {
        "seq": event.seq,
        "time_us": event.occurred_us,
        "form": int(event.form),
        "columns": [_base64(value) if isinstance(value, bytes) else value for value in event.columns],
        "proof": [_base64(node) for node in event.proof],
    }
    if event.redacted_leaf is not None:
        content["leaf"] = _base64(event.redacted_leaf)
    if event.is_declaring:
        content["declares"] = True
    return json.dumps(content, ensure_ascii=False)


def read_head(line: str) -> ProofHead:
    """Read the first line; CheckpointError if it is not that of a proof file."""
    content = _object(line, 1)
    form, file = content.get("format"), content.get("file")
    if form not in (FORMAT, OLD_FORMAT) or not isinstance(file, str) or not file:
        raise CheckpointError("This is not a proof file.", "audit-tui export --proof writes one.")
    note = read_checkpoint(str(content.get("checkpoint")))
    if form == OLD_FORMAT:
        return ProofHead(note, file, None, None)
    events = content.get("events")
    if not isinstance(events, int) or not _is_whole(events):
        raise _unreadable(1)
    return ProofHead(note, file, events, _written(content.get("written")))


def read_event(line: str, number: int) -> EventProof:
    """Read the line of an event.

    The number is that in the file, for what is said about it.

    Raises:
        CheckpointError: If it is not that of an event.
    """
    content = _object(line, number)
    seq, occurred_us, form = content.get("seq"), content.get("time_us"), content.get("form", Form.OLD)
    columns, hashes = content.get("columns"), content.get("proof")
    if not (
        (isinstance(seq, int) and _is_whole(seq) and isinstance(occurred_us, int) and _is_whole(occurred_us))
        and (isinstance(columns, list) and len(columns) == len(COLUMNS) and form in set(Form))
        and (isinstance(hashes, list) and len(hashes) <= MAX_PROOF_HASHES)
    ):
        raise _unreadable(number)
    return EventProof(
        seq,
        occurred_us,
        _columns(columns, number),
        tuple(_hash(node, number) for node in hashes),
        Form(form),
        None if content.get("leaf") is None else _hash(content["leaf"], number),
        content.get("declares") is True,
    )


def _written(content: object) -> Written:
    if isinstance(content, dict):
        form, columns = content.get("format"), content.get("columns")
        zone, seal_words = content.get("zone"), content.get("seals")
        is_list = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
        if all(isinstance(text, str) for text in (form, zone, seal_words)) and (is_list or columns is None):
            names = None if columns is None else tuple(columns)
            return Written(str(form), names, content.get("raw") is True, str(zone), str(seal_words))
    raise _unreadable(1)


def _columns(columns: Sequence[object], number: int) -> tuple[str | int | bytes | None, ...]:
    values: list[str | int | bytes | None] = []
    for place, value in enumerate(columns):
        if value is None:
            values.append(None)
        elif place == _SEVERITY and _is_whole(value):
            values.append(int(str(value)))
        elif isinstance(value, str) and place != _SEVERITY:
            values.append(_bytes(value, number) if place == _ORIGINAL else value)
        else:
            raise _unreadable(number)
    return tuple(values)


def _object(line: str, number: int) -> Mapping[str, Any]:
    try:
        content = json.loads(line, object_pairs_hook=_without_doubles)
        line.encode()
    except (ValueError, RecursionError):
        raise _unreadable(number) from None
    if not isinstance(content, dict):
        raise _unreadable(number)
    return content


def _without_doubles(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a key that stands twice means one thing to one reader, another to the next."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content


def _is_whole(value: object) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _hash(value: object, number: int) -> bytes:
    data = _bytes(value, number)
    if len(data) != HASH_BYTES:
        raise _unreadable(number)
    return data


def _bytes(value: object, number: int) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise _unreadable(number) from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unreadable(number: int) -> CheckpointError:
    return CheckpointError(f"Line {number:,} of the proof cannot be read.", "Take a clean copy.")
