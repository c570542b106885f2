"""The check of the text index against building it again, for events that differ a little."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from audit_tui.store.evidence import text_check
from audit_tui.store.evidence.metadata_shapes import as_written
from audit_tui.store.evidence.stored_texts import StoredParts, StoredTexts
from audit_tui.store.index import text_build, text_fields, text_grams, text_index
from audit_tui.store.index.row_tests import metadata_leaves
from audit_tui.store.tables.rows import stored_text
from audit_tui.store.tables.text_layout import Stretch
from tests.store.samples import build_texts
from tests.store.test_text_search import (
    SIZES,
    drawn_events,
    events,
    fill,
    put,
    store,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from audit_tui.store.index.text_fields import Column, Divided

__all__ = ["store"]


@pytest.mark.parametrize("sizes", SIZES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=events, data=st.data())
def test_an_index_of_other_events_is_found(
    store: sqlite3.Connection, drawn: list[tuple[Any, ...]], data: st.DataObject, sizes: str
) -> None:
    """Told of any other text; never told where building it again gives the same bytes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SIZES[sizes].items():
            patch.setattr(text_build, name, value)
        fill(store, drawn_events(drawn))
        build_texts(store)
        stretch = Stretch(1, len(drawn))
        assert problems(store, stretch) == []
        before, texts = text_index.made(rows(store, stretch), stretch), texts_of(store, stretch)
        others = data.draw(
            st.permutations(drawn)
            | st.lists(st.sampled_from(drawn), min_size=len(drawn), max_size=len(drawn))
        )
        for seq, event in enumerate(drawn_events(others), 1):
            put(store, seq, event)
        if text_index.made(rows(store, stretch), stretch) == before:
            assert problems(store, stretch) == []
        elif texts_of(store, stretch) != texts:
            assert problems(store, stretch) != []


FORGED: dict[str, Callable[[Divided], Divided]] = {
    "a text of no row": lambda real: real._replace(rare=[*real.rare, "zzz"]),
    "a text of no row, counted": lambda real: real._replace(
        rare=[*real.rare, "zzz"], counts=[*real.counts, 1]
    ),
    "a row that is not there": lambda real: real._replace(
        rare=[*real.rare, "zzz"], counts=[*real.counts, 1], rows=real.rows + array("H", [70])
    ),
    "a text that stands twice": lambda real: real._replace(
        frequent=real.frequent[1:], bitmaps=real.bitmaps[1:],
        rare=sorted([*real.rare, *real.frequent[:1]]), counts=[*real.counts, 1],
        rows=real.rows + array("H", [1]),
    ),
    "frequent texts in another order": lambda real: real._replace(
        frequent=real.frequent[::-1], bitmaps=real.bitmaps[::-1]
    ),
    "rows in another order": lambda real: real._replace(rows=array("H", [*real.rows[1::-1], *real.rows[2:]])),
    "rare texts in another order": lambda real: real._replace(
        rare=real.rare[::-1], counts=real.counts[::-1], rows=real.rows[::-1]
    ),
    "a frequent text among the rare": lambda real: real._replace(
        frequent=real.frequent[:-1], bitmaps=real.bitmaps[:-1], rare=[*real.rare, real.frequent[-1]],
        counts=[*real.counts, len(real.bitmaps[-1])], rows=real.rows + array("H", list(real.bitmaps[-1])),
    ),
}  # fmt: skip
"""Ways of an attacker to write a stretch whose rows all have their texts."""


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_stretch_that_is_not_as_this_program_writes_it_is_found(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, forge: Callable[[Divided], Divided]
) -> None:
    names = ["Alice", "alice", "bob"]
    fill(store, drawn_events([(names[n % 3] if n < 60 else f"t{n // 2}", None, None, {}) for n in range(68)]))
    with monkeypatch.context() as patch:
        divided_texts = text_build.divided_texts
        patch.setattr(text_build, "divided_texts", lambda column: forge(divided_texts(column)))
        build_texts(store)
    assert problems(store, Stretch(1, 68)) != []


def test_texts_are_not_numbered_again(store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time: the stored stretch says how its texts are numbered, and that is compared."""
    fill(store, drawn_events([(f"agent {n % 7}", f"t{n}", None, {"n": n % 3, "t": "x"}) for n in range(90)]))
    build_texts(store)
    numbered: list[Column] = []
    divided_texts = text_build.divided_texts

    def divided(column: Column) -> Divided:
        numbered.append(column)
        return divided_texts(column)

    monkeypatch.setattr(text_build, "divided_texts", divided)
    assert problems(store, Stretch(1, 90)) == []
    assert numbered == []


def test_only_numbers_and_truth_values_stand_in_metadata_without_quotes() -> None:
    assert as_written(["1", "-2.5e3", "true"], is_quoted=False) == {}
    assert as_written(["1", "1\x002", "01"], is_quoted=False) == {"1\x002": None, "01": None}
    assert as_written(["a", 'b"'], is_quoted=True) == {'b"': 'b\\"'}


@pytest.mark.parametrize(
    "change",
    [
        {"n": 1.5},
        {"n": "1"},
        {"n": '1,"ok":false'},
        {"text": 'a "b"'},
        {"text": "a"},
        {"text": "ä\\n"},
        {"more": "x"},
        {"inner": {"deep": None, "other": "z"}},
        {"inner": {"deep": ["z", "y"]}},
        {"ok": "true"},
        {"ok": None},
    ],
)
def test_metadata_of_another_shape_or_value_is_not_taken_for_the_same(
    store: sqlite3.Connection, change: dict[str, Any]
) -> None:
    """Texts are put into the shape of their neighbours: quotes, escapes, types and names count."""
    usual = {"n": 1, "text": 'a "b"\n', "ok": True, "inner": {"deep": "z", "nothing": None}}
    fill(store, drawn_events([("a", f"t{n}", None, usual) for n in range(40)]))
    build_texts(store)
    stretch = Stretch(1, 40)
    assert problems(store, stretch) == []
    before = texts_of(store, stretch)
    put(store, 20, drawn_events([("a", "t19", None, usual | change)], 20)[0])
    assert (problems(store, stretch) == []) is (texts_of(store, stretch) == before)


def test_whether_pieces_are_told_apart_is_taken_from_the_stretch(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older programs told those of all sentences apart; no answer depends on it."""
    sentence, stretch = "Ada gave Bob the role of a reader, number ", Stretch(1, 200)
    fill(
        store,
        drawn_events(
            [(f"{sentence}{n}", None, None, {"id": f"{n:x}-0a-1b-2c-3d-4e-5f-6a"}) for n in range(200)]
        ),
    )
    for of_a_part in ((), None, {("description",)}):
        monkeypatch.setattr(text_build, "OF_A_PART", of_a_part)
        text_index.build_stretch(store, stretch)
        stored = StoredTexts(StoredParts(store, *text_index.places_of(stretch)))
        stored.columns()
        expected = {("description",), ("meta.id",)} if of_a_part is None else set(of_a_part)
        assert stored.told_apart == expected
        monkeypatch.setattr(text_build, "OF_A_PART", None)
        assert problems(store, stretch) == []
        put(store, 7, drawn_events([("another", None, None, {})], 7)[0])
        assert problems(store, stretch) != []
        put(store, 7, drawn_events([(f"{sentence}6", None, None, {"id": "6-0a-1b-2c-3d-4e-5f-6a"})], 7)[0])


@pytest.mark.parametrize(
    ("text", "have_words"),
    [
        ("{:08x}-5f0e-{:04x}", False),
        ("user {0} of {1} came", True),
        ("2026-01-{0:02}t{1:02}", True),
        ("x", False),
    ],
)
def test_texts_whose_pieces_hardly_come_again_are_no_sentences(text: str, *, have_words: bool) -> None:
    texts = [text.format(n * 2_654_435_761 % (1 << 32), n * 40_503 % (1 << 16)) for n in range(8_192)]
    if "{0" in text:
        texts = [text.format(n % 90, n // 90 % 90) for n in range(8_192)]
    assert text_build._have_words(texts, text_build._both(texts)[1]) is have_words


def test_bitmaps_are_stored_as_older_programs_stored_them() -> None:
    """One that is put together from parts, and the same made at once, may be stored in other bytes.

    Runs stay runs where a list would be as long. A faster way to make them must not show: verify compares
    bytes, and of 152 stretches of 10,000,000 events one would be wrong.
    """
    stored = text_grams.pairs_of_bytes(b"aaddbcdabaccbabbb")
    at_once = BitMap(sorted(stored))
    data = text_build._serialized(stored)
    assert data.hex() == "3b3000000100000c000600616101006461000061620300616302006164000063640100"
    assert at_once == stored
    assert text_build._serialized(at_once) != data


def rows(connection: sqlite3.Connection, stretch: Stretch) -> list[tuple[Any, ...]]:
    return connection.execute(text_fields.ROWS, stretch).fetchall()


def texts_of(connection: sqlite3.Connection, stretch: Stretch) -> set[tuple[int, str, str]]:
    """Return each text of each event with its field."""
    texts: set[tuple[int, str, str]] = set()
    for seq, *plain, metadata in rows(connection, stretch):
        named = list(zip(text_fields.PLAIN_FIELDS, plain, strict=True))
        named += [(f"meta.{name}", text) for name, text in metadata_leaves(metadata or "{}")]
        texts |= {(seq, stored_text(name), stored_text(text)) for name, text in named if text is not None}
    return texts


def problems(connection: sqlite3.Connection, stretch: Stretch) -> list[str]:
    return text_check.problems(connection, stretch)
