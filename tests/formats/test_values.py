"""Values on their way into columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.values import column_text, content_key, dig, lookup, outcome_of, severity_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("", None),
        (" \t", None),
        (None, None),
        (7, "7"),
        (True, "true"),
        (1.5, "1.5"),
        ({"a": ["ü"]}, '{"a": ["ü"]}'),
        ("a\x00b", "a\u2400b"),
        ("a\udcffb", "a\\xffb"),
        ("a\ud800b", "a\\ud800b"),
        ("Zoë \x1b[31m", "Zoë \x1b[31m"),
    ],
)
def test_a_column_holds_text_that_can_be_stored_and_searched(value: object, expected: str | None) -> None:
    assert column_text(value) == expected


def test_a_column_is_cut_where_it_says_so() -> None:
    assert column_text("x" * 20, 10) == "x" * 9 + "…"
    assert column_text("x" * 10, 10) == "x" * 10


@given(st.text(st.characters(), max_size=50))
def test_every_column_is_storable(text: str) -> None:
    column = column_text(text)
    assert column is None or "\x00" not in column.encode().decode()


def test_paths_go_into_objects_and_lists() -> None:
    fields = {"a": [{"b": 1}], "a.0": "flat", "c": {"d": None}}
    assert dig(fields, ("a", "0", "b")) == 1
    assert dig(fields, ("a", "1", "b")) is None
    assert dig(fields, ("a", "9" * 5_000)) is None
    assert lookup(fields, "a.0") == "flat"
    assert lookup(fields, "a.0.b") == 1
    assert lookup(fields, "c.d.e") is None


def test_a_key_depends_on_source_and_content_alone() -> None:
    assert content_key("s", {"a": 1, "b": "\ud800"}) == content_key("s", {"b": "\ud800", "a": 1})
    assert content_key("s", {"a": 1}) != content_key("t", {"a": 1})
    assert content_key("s", {"a": 1}) != content_key("s", {"a": "1"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SUCCEEDED", Outcome.SUCCESS),
        (True, Outcome.SUCCESS),
        ("yes", Outcome.SUCCESS),
        (200, Outcome.SUCCESS),
        ("Failure", Outcome.FAILURE),
        (False, Outcome.FAILURE),
        ("denied", Outcome.FAILURE),
        (201, Outcome.SUCCESS),
        (302, Outcome.SUCCESS),
        ("304", Outcome.SUCCESS),
        (399, Outcome.SUCCESS),
        (400, Outcome.FAILURE),
        ("403", Outcome.FAILURE),
        (599, Outcome.FAILURE),
        (600, Outcome.UNKNOWN),
        (199, Outcome.UNKNOWN),
        ("pending", Outcome.UNKNOWN),
        ("", Outcome.UNKNOWN),
        (None, Outcome.UNKNOWN),
        (100, Outcome.UNKNOWN),
        ({"result": "ok"}, Outcome.UNKNOWN),
        (42, Outcome.UNKNOWN),
    ],
)
def test_an_outcome_is_what_is_said_plainly_and_never_guessed(value: object, expected: Outcome) -> None:
    assert outcome_of(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("CRITICAL", 5),
        ("warn", 3),
        ("info", 1),
        (0, 0),
        ("6", 6),
        (7, None),
        (-1, None),
        (True, None),
        ("soon", None),
        (1.0, None),
    ],
)
def test_a_severity_is_one_of_ours_or_none(value: object, expected: int | None) -> None:
    assert severity_of(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:5678", "1.2.3.4"),
        ("[2001:DB8::0001]:443", "2001:db8::1"),
        ("::1", "::1"),
        ("2001:0db8:0000::0001", "2001:db8::1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("1.2.3.4.", "1.2.3.4."),
        ("255.18.064.253", "255.18.064.253"),
        ("1.2.3.256", "1.2.3.256"),
        ("AWS Internal", "AWS Internal"),
        ("ec2.amazonaws.com", "ec2.amazonaws.com"),
        ("private", "private"),
        ("", None),
        ("-", None),
        ("?", None),
        (None, None),
        (7, None),
        ([], None),
        (["10.0.0.1", "10.0.0.2"], "10.0.0.1"),
        ("host:name", "host:name"),
    ],
)
def test_an_address_in_one_spelling_or_as_it_is(value: object, expected: str | None) -> None:
    assert source_address(value) == expected
