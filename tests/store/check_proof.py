"""Checks what ``audit-tui export --proof`` wrote; written from its description, with nothing of audit-tui."""

from __future__ import annotations

import base64
import json
import struct
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any


def leaf_of(event: dict[str, Any]) -> bytes:
    columns = [None if text is None else str(text).encode() for text in event["columns"]]
    columns[-1] = base64.b64decode(columns[-1]) if columns[-1] is not None else None
    lengths = [-1 if column is None else len(column) for column in columns]
    head = struct.pack(">BBqq12i", 0, event.get("form", 1), event["seq"], event["time_us"], *lengths)
    return sha256(head + b"".join(column or b"" for column in columns)).digest()


def root_of(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    if size == 1:
        return leaf
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        halves = root_of(leaf, index, left, proof[:-1]) + proof[-1]
    else:
        halves = proof[-1] + root_of(leaf, index - left, size - left, proof[:-1])
    return sha256(b"\x01" + halves).digest()


def require_signature(note: str, key: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    body, _, signatures = note.partition("\n\n")
    public = base64.b64decode(key.split("+", 2)[2])[1:]
    signature = base64.b64decode(signatures.split()[2])[4:]
    Ed25519PublicKey.from_public_bytes(public).verify(signature, f"{body}\n".encode())


def check(path: str, key: str | None = None) -> tuple[int, list[int]]:
    first, *lines = Path(path).read_text(encoding="utf-8").splitlines()
    note = json.loads(first)["checkpoint"]
    _, size, root = note.split("\n")[:3]
    if key:
        require_signature(note, key)
    events = [json.loads(line) for line in lines]
    bad, rows = [], 0
    left: dict[str, str] = {}
    for event in events:
        proof = [base64.b64decode(node) for node in event["proof"]]
        leaf = sealed = leaf_of(event)
        if "leaf" in event:
            sealed = base64.b64decode(event["leaf"])
        holds = root_of(sealed, event["seq"] - 1, int(size), proof) == base64.b64decode(root)
        if event.get("declares"):
            # Only the program itself can have written an event of form 3.
            if holds and event["form"] == 3:
                left |= json.loads(event["columns"][10])["Leaves"]
            continue
        rows += 1
        if not holds or (sealed != leaf and left.get(str(event["seq"])) != leaf.hex()):
            bad.append(event["seq"])
    return rows - len(bad), bad


if __name__ == "__main__":
    print(*check(*sys.argv[1:]))  # noqa: T201 - a program of its own
