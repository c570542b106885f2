"""The fast ways of reading and writing JSON against the exact ones."""

from __future__ import annotations

import json
import math
from array import array

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit_tui.core.event import json_text
from audit_tui.core.json_encoding import compact_encoder, msgspec
from audit_tui.formats.decoding import Decoder, Exponents, is_too_deep, usual_canonical, usual_text
from audit_tui.store.index import text_fields

pytestmark = pytest.mark.skipif(msgspec is None, reason="msgspec is not installed")

_NUMBERS = """
0 -0 1 -1 -0.0 0.1 1e5 1E16 1e-5 1e400 1e-400 0.00001 123456789.125 1.23456789012345678901
18446744073709551616 99999999999999999999999999 -9223372036854775809 NaN -Infinity 1e22 1234567890123456e3
"""
NUMBERS = st.sampled_from(_NUMBERS.split())
TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from('"\\:{}[], \t\u2028\x00\x7f'), max_size=8)
QUOTED = st.builds(json.dumps, TEXTS, ensure_ascii=st.booleans()) | st.sampled_from(
    [r'"\ud800"', r'"\u0022:"', r'"\/"', '"a\\":"', '"\udc80"', '"\t"', '":"', '" "', '"-0,"']
)
KEYS = st.sampled_from(['"a"', '"b"', '"a b"', r'"\u0061"', '"a\\":"', '""'])
SPACES = st.sampled_from(["", "", " ", " ", "\t", "  "])


def _objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda pairs, colon, comma, ends: (
            ends[0] + comma.join(f"{key}{colon}{value}" for key, value in pairs) + ends[1]
        ),
        st.lists(st.tuples(KEYS, values), max_size=4),
        st.sampled_from([":", ": ", " :", ":\t"]),
        st.sampled_from([",", ", ", " ,"]),
        st.sampled_from([("{", "}"), ("{ ", " }"), ("{", " }")]),
    )


def _lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda items, comma: f"[{comma.join(items)}]", st.lists(values, max_size=3), SPACES.map(",".__add__)
    )


VALUES = st.recursive(
    NUMBERS | QUOTED | st.sampled_from(["true", "false", "null"]),
    lambda values: _objects(values) | _lists(values),
    max_leaves=8,
)


@settings(max_examples=600)
@given(_objects(VALUES))
@example('{"a":1,"a" :2}')
@example('{"a": 1,"a" :2}')
@example(r'{"a":"\u0022:","a":1}')
@example('{"a": -0}')
@example('{"a":' * 201 + "1" + "}" * 201)
@example('{"a": ' * 201 + "1" + "}" * 201)
def test_usual_records_are_read_as_the_exact_decoder_reads_them(text: str) -> None:
    quick, exact = Decoder(), Decoder()
    fields = quick.usual(text)
    if fields is None:
        return
    value, end = exact.strict.raw_decode(text)
    assert (repr(fields), quick.is_lossy, len(text)) == (repr(value), exact.is_lossy, end)
    assert list(fields) == list(value)
    assert not is_too_deep(text)
    text.encode()  # nothing in it is not Unicode
    assert usual_text(fields) == json_text(value)
    assert usual_canonical(fields) == compact_encoder(sorts_keys=True, is_ascii=True)(value).encode()


def test_usual_records_are_read_the_fast_way() -> None:
    record = {"a": "1", "b": [1, 2.5, {"c": None}], "n": 0, "u": "ü"}
    for separators in ((",", ":"), (", ", ": ")):
        assert Decoder().usual(json.dumps(record, separators=separators, ensure_ascii=False)) == record


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters()),
        lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
        max_leaves=10,
    )
)
def test_what_was_decoded_is_written_as_json_writes_it(value: object) -> None:
    Exponents.seen = False
    again = Decoder().strict.decode(json.dumps(value))
    assert usual_text(again) == json_text(again)
    assert usual_canonical(again) == compact_encoder(sorts_keys=True, is_ascii=True)(again).encode()
    Exponents.seen = False


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not math.isinf(value)))
def test_numbers_are_written_as_json_writes_them(number: float) -> None:
    again = Decoder()
    Exponents.seen = False
    value = again.strict.decode(repr(number))
    assert usual_text([value]) == json_text([value])
    Exponents.seen = False


@settings(max_examples=300)
@given(st.lists(_objects(VALUES), min_size=1, max_size=4))
@example(['{"a":-0}', '{"a":0}'])
def test_the_text_index_reads_metadata_as_ever(stored: list[str]) -> None:
    rows = array("H", range(len(stored)))
    quick, exact = text_fields.Batch(), text_fields.Batch()
    quick.decode(rows, stored)
    exactly = text_fields._quickly
    text_fields._quickly = None
    try:
        exact.decode(rows, stored)
    finally:
        text_fields._quickly = exactly
    assert _texts(quick) == _texts(exact)


def _texts(batch: text_fields.Batch) -> list[tuple[str, int, str]]:
    """Return the texts with their fields and rows, in an order of their own: it is not told."""
    return sorted(
        (name, *pair) for name, values in batch.columns.items() for pair in zip(*values, strict=True)
    )
