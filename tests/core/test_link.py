"""Links: what is put in comes out again, and nothing else is read."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.command_text import PREFIX, Link, is_link, read_link
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS, MATCHES
from audit_tui.core.left import Left
from audit_tui.core.query import PageKey, Sort
from audit_tui.core.time.dates import MomentRange, Preset
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View, chipped
from audit_tui.errors import UsageError

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
VIEWS = (
    View(),
    View(time_range=Preset.ALL_TIME, sort=Sort(Column.USER)),
    chipped(View(Condition(Column.USER, MATCHES, 'al"ice\n*'), MomentRange(NOW, None))),
)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "+05:30"])
def test_a_link_is_read_again(view: View, zone: str) -> None:
    link = Link(("/data/audit.db",), "0a1b", Left(view, PageKey(None, 5, 7), 0), zone_named(zone))
    word = link.text()
    assert is_link(word)
    assert word.removeprefix(PREFIX).replace("-", "").replace("_", "").isalnum(), "a shell takes it as it is"
    assert read_link(word) == link
    assert len(word) < 400


@given(st.text(max_size=80))
def test_a_filter_of_any_text_comes_back(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    view = View(Condition(Column.USER, IS, text))
    assert read_link(Link((), "", Left(view), zone_named("UTC")).text()).left.view == view


def packed(plain: object) -> str:
    return PREFIX + base64.urlsafe_b64encode(zlib.compress(json.dumps(plain).encode())).decode()


GOOD = {"names": [], "store": "", "zone": "UTC", **Left(View()).to_plain()}


@pytest.mark.parametrize(
    "word",
    [
        PREFIX,
        f"{PREFIX}AAAA",
        f"{PREFIX}ä",
        packed([]),
        packed(GOOD)[:-9],
        packed(GOOD | {"zone": "Mars/Base"}),
        packed(GOOD | {"names": ["a\0b"]}),
        packed(GOOD | {"names": ["x"] * 101}),
        packed(GOOD | {"range": "some"}),
        packed(GOOD | {"sort": ["password", True]}),
        packed("[" * 1000),
        PREFIX + base64.urlsafe_b64encode(zlib.compress(b"[" * 2_000_000)).decode(),
        PREFIX + "A" * 200_000,
    ],
)
def test_what_is_not_a_link_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_link(word)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    with pytest.raises(UsageError):
        read_link(PREFIX + base64.urlsafe_b64encode(zlib.compress(data)).decode())
