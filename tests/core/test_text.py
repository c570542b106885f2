from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.text import MAX_CLEAN_CHARS, clean, clean_visible, counted
from tests.payloads import PAYLOADS, UNSAFE

UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in UNSAFE_CATEGORIES


def test_every_control_and_format_character_is_replaced() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    step = MAX_CLEAN_CHARS
    for start in range(0, len(everything), step):
        for function in (clean, clean_visible):
            left = {c for c in function(everything[start : start + step]) if is_unsafe(c)}
            assert not left


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_come_out_harmless(payload: str) -> None:
    assert not UNSAFE.search(clean(payload))
    assert not UNSAFE.search(clean_visible(payload))


@pytest.mark.parametrize(
    ("text", "in_list", "in_pane"),
    [
        ("plain", "plain", "plain"),
        ("Grüße 漢字", "Grüße 漢字", "Grüße 漢字"),
        ("\x1b[0m", "␛[0m", "\\x1b[0m"),
        ("a\nb\tc\rd", "a␊b␉c␍d", "a\\nb\\tc\\rd"),
        ("\x7f\x9b", "␡�", "\\x7f\\x9b"),
        ("\u202e", "�", "\\u202e"),
        ("\U000e0041", "�", "\\U000e0041"),
        ("\ud800", "�", "\\ud800"),
        ("❤\ufe0f", "❤", "❤"),
        ("", "", ""),
    ],
)
def test_each_unsafe_character_becomes_visible(text: str, in_list: str, in_pane: str) -> None:
    assert clean(text) == in_list
    assert clean_visible(text) == in_pane


@given(st.text())
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_a_huge_text_is_cut() -> None:
    assert len(clean("\x1b" * 1_000_000)) == MAX_CLEAN_CHARS


def test_newlines_can_be_kept() -> None:
    assert clean_visible("a\nb\x1b", keep_newlines=True) == "a\nb\\x1b"


def test_counts_are_written_for_people() -> None:
    assert [counted(number, "event") for number in (0, 1, 1204)] == ["0 events", "1 event", "1,204 events"]
