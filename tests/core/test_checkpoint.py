"""Checkpoints and public keys, which may come from anybody."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit_tui.core.evidence.checkpoint import (
    Checkpoint,
    PublicKey,
    Signature,
    SignedCheckpoint,
    read_checkpoint,
    read_public_key,
)
from audit_tui.errors import CheckpointError

ROOT = bytes(range(32))
ROOT64 = base64.b64encode(ROOT).decode()
BODY = f"audit-tui/ab\n3\n{ROOT64}\n"
SIGNATURE = base64.b64encode(b"abcd" + b"s" * 64).decode()
SIGNED = f"{BODY}\n\u2014 audit-tui/ab {SIGNATURE}\n"


def test_a_checkpoint_reads_as_it_is_written() -> None:
    plain = read_checkpoint(BODY)
    assert plain == SignedCheckpoint(Checkpoint("audit-tui/ab", 3, ROOT))
    signed = read_checkpoint(SIGNED)
    assert signed.checkpoint == plain.checkpoint
    assert signed.signatures == (Signature("audit-tui/ab", b"abcd", b"s" * 64),)
    assert (plain.text(), signed.text()) == (BODY, SIGNED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        BODY[:-1],
        BODY.replace("3", "03", 1),
        BODY.replace("3", "-3", 1),
        BODY.replace("3", "٣", 1),
        BODY.replace("3", str(2**63), 1),
        BODY.replace("3", "3 ", 1),
        BODY.replace(ROOT64, ROOT64[:-1]),
        BODY.replace(ROOT64, base64.b64encode(ROOT + b"x").decode()),
        BODY.replace(ROOT64, f" {ROOT64}"),
        # The last character of the base64 of 32 bytes has bits that stand for nothing.
        BODY.replace(ROOT64, f"{ROOT64[:-2]}9="),
        BODY.replace("\n", "\r\n"),
        BODY.replace("audit-tui", "audit\x1b[31m"),
        BODY.replace("audit-tui", "audit\u202e"),
        f"{BODY}\n",
        f"{BODY}\n\n",
        f"{BODY}\n- audit-tui/ab {SIGNATURE}\n",
        f"{BODY}\n\u2014 audit-tui/ab\n",
        f"{BODY}\n\u2014 au+dit {SIGNATURE}\n",
        f"{BODY}\n\u2014 audit-tui/ab {base64.b64encode(b'abcd').decode()}\n",
        SIGNED[:-1],
        SIGNED + "more",
        f"{BODY}\n" + f"\u2014 a {SIGNATURE}\n" * 17,
        "x" * 20_000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        read_checkpoint(text)


@given(st.one_of(st.text(), st.text(alphabet="audit-/3\n \u2014+=" + ROOT64, max_size=200)))
@example(SIGNED)
def test_what_is_read_is_written_the_same(text: str) -> None:
    try:
        note = read_checkpoint(text)
    except CheckpointError:
        return
    assert note.text() == text


@given(place=st.integers(0, len(SIGNED) - 1), character=st.characters(exclude_categories=["Cs"]))
def test_a_changed_character_never_passes_for_the_same(place: int, character: str) -> None:
    text = SIGNED[:place] + character + SIGNED[place + 1 :]
    try:
        note = read_checkpoint(text)
    except CheckpointError:
        return
    assert note.text() == text
    assert (note == read_checkpoint(SIGNED)) == (text == SIGNED)


def test_a_public_key_is_one_line() -> None:
    key = PublicKey("audit-tui/ab", b"k" * 32)
    assert read_public_key(f" {key}\n") == key
    name, key_id, data = str(key).split("+", 2)
    for text in ("", "a", f"{name}+{key_id}", f"{name}+{key_id}+x", f"+{key_id}+{data}"):
        with pytest.raises(CheckpointError, match="not a public key"):
            read_public_key(text)
    for text in (f"{name}+00000000+{data}", f"other+{key_id}+{data}"):
        with pytest.raises(CheckpointError, match="altered"):
            read_public_key(text)
