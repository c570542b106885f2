"""Huge JSON is read and written in pieces, and means the same as what ``json`` reads and writes at once."""

from __future__ import annotations

import gc
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit_tui.core import json_encoding
from audit_tui.core.json_encoding import indented_json, read_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=100)
    | st.just("a],[},{,b" * 40),
    lambda inner: st.lists(inner, max_size=15) | st.dictionaries(st.text(max_size=80), inner, max_size=15),
    max_leaves=60,
)


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut small texts as huge ones are cut."""
    monkeypatch.setattr(json_encoding, "LONG_CHARS", 0)
    monkeypatch.setattr(json_encoding, "PIECE_CHARS", 300)
    monkeypatch.setattr(json_encoding, "_RUN", 3)


@given(VALUES, st.sampled_from([(",", ":"), (", ", " : "), (" ,\n", ":\t")]))
@example([*range(5_000)], (",", ":"))
@example([{"a": number, "b": [number]} for number in range(500)], (",", ":"))
@example({f"name-{number}": {"x": "y" * number} for number in range(400)}, (",", ":"))
def test_pieces_mean_the_whole(value: object, separators: tuple[str, str]) -> None:
    text = json.dumps(value, separators=separators)
    assert repr(read_json(text)) == repr(json.loads(text))
    assert "".join(indented_json({"v": value})) == json.dumps({"v": value}, indent=2, ensure_ascii=False)


@given(VALUES, st.data())
def test_what_is_not_json_is_the_same_error(value: object, data: st.DataObject) -> None:
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text)))
    broken = (
        text[:place]
        + data.draw(st.sampled_from([",", "]", "}", '"', " ", "", ":", "\x00"]))
        + text[place + 1 :]
    )
    try:
        expected = repr(json.loads(broken))
    except ValueError as error:
        with pytest.raises(ValueError) as raised:
            read_json(broken)
        assert str(raised.value) == str(error)
    else:
        assert repr(read_json(broken)) == expected


def test_depth_without_end_is_the_same_error_and_garbage_is_looked_for_again() -> None:
    with pytest.raises(RecursionError):
        read_json("[" * 100_000)
    assert gc.isenabled()


def test_any_depth_is_written() -> None:
    value: dict[str, object] = {}
    for _ in range(3_000):
        value = {"a": value}
    assert "".join(indented_json(value)).count("\n") == 2 * 3_000
