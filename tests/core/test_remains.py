"""Remains of a redacted value: found in every part of an event, in any form."""

from __future__ import annotations

import json

import pytest

from audit_tui.core.privacy.remains import remains, values_gone

ZOE = "zoe.quartz@acme.io"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (f"Login of {ZOE}", True),
        (ZOE.upper(), True),
        ("read /home/zoe.quartz/x", True),
        ("u=zoe.quartz%40acme.io", True),
        (json.dumps({"a": [ZOE]}), True),
        ("zoe and others", False),
        ("someone@acme.io", False),
        (None, False),
    ],
)
def test_a_value_is_found_in_any_form(text: str | None, holds: bool) -> None:
    assert remains([ZOE], {"event": text, "key": "k"}) == (["event"] if holds else [])


def test_every_part_that_holds_a_value_is_named() -> None:
    texts = {"event": "Login of bob", "key": "bob-17", "category": "x", "metadata": '{"by": "Bob"}'}
    assert remains(["bob"], texts) == ["event", "key", "metadata"]
    assert remains(["b", ""], texts) == []


def test_values_gone_are_those_of_the_fields_that_were_redacted() -> None:
    before = '{"a": {"x": "one", "n": 4711}, "b": ["two", true]}'
    assert values_gone(before, '{"a": "[redacted]", "b": ["two", true]}') == {"one", "4711"}
    assert values_gone("not json", None) == set()
