r"""Proofs of exported events: a file that anyone can check without the store.

JSON Lines. The first line names the format and holds a checkpoint; each other line holds one event as it is
stored and the hashes that lead from it to the checkpoint's root::

    {"format": "audit-tui proof 1", "checkpoint": "audit-tui/7f3c...\n9998004\n4qJ3...\n",
     "file": "june.csv", "sha256": "9f86..."}
    {"seq": 777, "time_us": 1780000000000000, "columns": ["k1", "Login", null, ...],
     "proof": ["mZx...", ...]}

``columns`` are the twelve of a record (``core.leaf.COLUMNS``), texts as stored, the original in base64. An
event that was redacted has its ``leaf`` as well: that it was there is proven, what it said is gone.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.evidence.checkpoint import SignedCheckpoint, read_checkpoint
from audit_tui.core.evidence.leaf import COLUMNS, event_leaf
from audit_tui.core.evidence.merkle import HASH_BYTES, MAX_PROOF_HASHES, root_of_inclusion
from audit_tui.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "audit-tui proof 1"
SUFFIX = ".proof.jsonl"
"""Put behind the name of the export that it proves."""
MAX_LINE_CHARS = 200 * 1024 * 1024
_ORIGINAL = COLUMNS.index("original")
_SEVERITY = COLUMNS.index("severity")


class ProofHead(NamedTuple):
    """The first line of a proof file."""

    note: SignedCheckpoint
    file: str
    """The name of the exported file; empty when there is none."""
    sha256: str
    """Of that file, in hexadecimal."""


class EventProof(NamedTuple):
    """One event, and what leads from it to the checkpoint."""

    seq: int
    occurred_us: int
    columns: tuple[str | int | bytes | None, ...]
    proof: tuple[bytes, ...]
    redacted_leaf: bytes | None = None
    """The leaf that a redaction left; None when the event is whole."""

    def holds_under(self, size: int, root: bytes) -> bool:
        """Whether it is under this root."""
        leaf = self.redacted_leaf or event_leaf(self.seq, self.occurred_us, self.columns)
        return root_of_inclusion(leaf, self.seq - 1, size, self.proof) == root


def head_line(head: ProofHead) -> str:
    """The first line."""
    said = {"format": FORMAT, "checkpoint": head.note.text(), "file": head.file, "sha256": head.sha256}
    return json.dumps(said, ensure_ascii=False)


def event_line(one: EventProof) -> str:
    """The line of an event."""
    said: dict[str, object] = {
        "seq": one.seq,
        "time_us": one.occurred_us,
        "columns": [_base64(value) if isinstance(value, bytes) else value for value in one.columns],
        "proof": [_base64(each) for each in one.proof],
    }
    if one.redacted_leaf is not None:
        said["leaf"] = _base64(one.redacted_leaf)
    return json.dumps(said, ensure_ascii=False)


def read_head(line: str) -> ProofHead:
    """Read the first line.

    Raises:
        CheckpointError: If it is not that of a proof file.
    """
    said = _object(line, 1)
    if said.get("format") != FORMAT:
        raise CheckpointError(
            "This is no proof file of this version.", "audit-tui export --proof writes one."
        )
    note = read_checkpoint(str(said.get("checkpoint")))
    return ProofHead(note, str(said.get("file") or ""), str(said.get("sha256") or ""))


def read_event(line: str, number: int) -> EventProof:
    """Read the line of an event.

    Args:
        line: The line.
        number: Its number in the file, for what is said about it.

    Raises:
        CheckpointError: If it is not that of an event.
    """
    said = _object(line, number)
    seq, occurred_us, columns, hashes = (said.get(name) for name in ("seq", "time_us", "columns", "proof"))
    if not isinstance(seq, int) or not isinstance(occurred_us, int):
        raise _unreadable(number)
    if not _is_whole(seq) or not _is_whole(occurred_us):
        raise _unreadable(number)
    if not isinstance(columns, list) or not isinstance(hashes, list):
        raise _unreadable(number)
    if len(columns) != len(COLUMNS) or len(hashes) > MAX_PROOF_HASHES:
        raise _unreadable(number)
    leaf = None if said.get("leaf") is None else _hash(said["leaf"], number)
    return EventProof(
        seq, occurred_us, _columns(columns, number), tuple(_hash(one, number) for one in hashes), leaf
    )


def _columns(columns: Sequence[object], number: int) -> tuple[str | int | bytes | None, ...]:
    made: list[str | int | bytes | None] = []
    for place, value in enumerate(columns):
        if value is None:
            made.append(None)
        elif place == _SEVERITY and _is_whole(value):
            made.append(int(str(value)))
        elif isinstance(value, str) and place != _SEVERITY:
            made.append(_bytes(value, number) if place == _ORIGINAL else value)
        else:
            raise _unreadable(number)
    return tuple(made)


def _object(line: str, number: int) -> Mapping[str, Any]:
    try:
        said = json.loads(line)
        line.encode()
    except (ValueError, RecursionError):
        raise _unreadable(number) from None
    if not isinstance(said, dict):
        raise _unreadable(number)
    return said


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
