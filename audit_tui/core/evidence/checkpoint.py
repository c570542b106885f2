"""A checkpoint: short lines that stand for every event up to a size (C2SP tlog-checkpoint, signed-note).

::

    audit-tui/7f3c9a12a0b84c2d9e115566778899aa
    9998004
    4qJ3Pb1n3zTq1b9fWcO2m2ZrYc0b5uGm1bJb7mW5m9Q=
    sealed 2026-11-30T09:44:09Z

    — audit-tui/7f3c9a12a0b84c2d9e115566778899aa obLD1OX2...

The first names the store, the second how many events, the third is the root of the tree over them, the
fourth, an extension line of the standard, when it was sealed by the writer's clock; older ones lack it. Then
an empty line, and one signature a line, if there are any. Copied to where nobody who can change the store can
change it, it is an anchor. What is read here may come from anybody.
"""

from __future__ import annotations

import base64
import binascii
import re
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from audit_tui.core.evidence.merkle import HASH_BYTES
from audit_tui.errors import CheckpointError

ORIGIN_PREFIX = "audit-tui/"
MAX_NOTE_CHARS = 16_384
MAX_SIGNATURES = 16
MAX_SIZE = 2**63 - 1
_ED25519 = b"\x01"
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_TIME_MARK = "sealed "
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_SIGNATURE_MARK = "\u2014 "
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_NAME = re.compile(r"[!-*,-~]{1,255}")
"""Printable ASCII without a space or a plus."""


class Signature(NamedTuple):
    """One signature under a note."""

    name: str
    key_id: bytes
    """Four bytes that tell the keys of one name apart."""
    data: bytes


class PublicKey(NamedTuple):
    """The public half of a signing key, as ``name+id+key`` in one line."""

    name: str
    key: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        data = base64.b64encode(_ED25519 + self.key).decode()
        return f"{self.name}+{self.key_id.hex()}+{data}"


class Checkpoint(NamedTuple):
    """The state of a log at a size."""

    origin: str
    """The log: ``audit-tui/`` and the store's id."""
    size: int
    """The number of events."""
    root: bytes
    """The root of the tree over them."""
    extensions: tuple[str, ...] = ()
    """Further lines: when it was sealed, and what other programs wrote."""

    @classmethod
    def sealed(cls, origin: str, size: int, root: bytes, at_s: int) -> Checkpoint:
        """Make a checkpoint that tells when it was sealed, in seconds since 1970."""
        moment = datetime.fromtimestamp(at_s, UTC).strftime(_TIME_FORMAT)
        return cls(origin, size, root, (f"{_TIME_MARK}{moment}",))

    @property
    def at_s(self) -> int | None:
        """The time at which it was sealed, in seconds since 1970; None when it does not tell."""
        for line in self.extensions:
            if line.startswith(_TIME_MARK):
                with suppress(ValueError):
                    moment = datetime.fromisoformat(line.removeprefix(_TIME_MARK))
                    return int(moment.timestamp()) if moment.tzinfo is not None else None
        return None

    def text(self) -> str:
        """Return the signed part."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


class SignedCheckpoint(NamedTuple):
    """A checkpoint with the signatures under it; nobody has checked them yet."""

    checkpoint: Checkpoint
    signatures: tuple[Signature, ...] = ()

    def text(self) -> str:
        """Return all of it, as ``read_checkpoint`` reads it."""
        if not self.signatures:
            return self.checkpoint.text()
        lines = [
            f"{_SIGNATURE_MARK}{name} {base64.b64encode(key_id + data).decode()}\n"
            for name, key_id, data in self.signatures
        ]
        return f"{self.checkpoint.text()}\n{''.join(lines)}"


def origin_of(store_id: str) -> str:
    """Return the name of a store in checkpoints."""
    return f"{ORIGIN_PREFIX}{store_id}"


def read_checkpoint(text: str) -> SignedCheckpoint:
    """Read a checkpoint, in its one and only form.

    Raises:
        CheckpointError: If it is anything else, to the last character.
    """
    if len(text) > MAX_NOTE_CHARS:
        raise CheckpointError("This is not a checkpoint: it is too long.", _FORM)
    body, gap, below = text.partition("\n\n")
    if gap:
        body += "\n"
    if not body.endswith("\n") or (gap and not below.endswith("\n")):
        raise CheckpointError("This checkpoint is not complete: the end of a line is missing.", _FORM)
    lines = body[:-1].split("\n")
    if len(lines) < 3 or not all(line and line.isprintable() for line in lines):
        raise CheckpointError("This is not a checkpoint: a checkpoint begins with three lines.", _FORM)
    if not _SIZE.fullmatch(lines[1]) or int(lines[1]) > MAX_SIZE:
        raise CheckpointError("This is not a checkpoint: its second line is not a number of events.", _FORM)
    root = _decoded(lines[2])
    if root is None or len(root) != HASH_BYTES:
        raise CheckpointError("This is not a checkpoint: its third line is not a hash.", _FORM)
    checkpoint = Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))
    signatures = below[:-1].split("\n") if gap else []
    if len(signatures) > MAX_SIGNATURES:
        raise CheckpointError("This is not a checkpoint: it has too many signatures.", _FORM)
    return SignedCheckpoint(checkpoint, tuple(map(_signature, signatures)))


def read_public_key(text: str) -> PublicKey:
    """Read a public key, the one line ``name+id+key``.

    Raises:
        CheckpointError: If it is anything else, or its id is not its own.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, data = rest.partition("+")
    decoded = _decoded(data)
    if (
        decoded is None
        or decoded[:1] != _ED25519
        or len(decoded) != 1 + _KEY_BYTES
        or not _NAME.fullmatch(name)
    ):
        raise CheckpointError(
            "This is not a public key.",
            "It is one line: NAME+ID+KEY. audit-tui seal key show prints it.",
        )
    key = PublicKey(name, decoded[1:])
    if key.key_id.hex() != key_id:
        raise CheckpointError("This public key was altered: its id is another key's.", "Take a clean copy.")
    return key


_FORM = "audit-tui seal anchor writes a checkpoint."


def _signature(line: str) -> Signature:
    name, _, data = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    decoded = _decoded(data)
    if (
        not line.startswith(_SIGNATURE_MARK)
        or not _NAME.fullmatch(name)
        or decoded is None
        or len(decoded) <= _KEY_ID_BYTES
    ):
        raise CheckpointError("This is not a checkpoint: a signature cannot be read.", _FORM)
    return Signature(name, decoded[:_KEY_ID_BYTES], decoded[_KEY_ID_BYTES:])


def _decoded(text: str) -> bytes | None:
    """Return the bytes of base64 in its one form; None for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None
