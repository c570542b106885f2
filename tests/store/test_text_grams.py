"""The texts with a needle: of many at once, as of each alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit_tui.store.index import text_grams
from audit_tui.store.index.text_grams import pieces_with, texts_with
from audit_tui.store.tables.text_layout import SEPARATOR

WORDS = st.text("ab. ", max_size=6).map(str.encode)
TEXTS = st.lists(WORDS, max_size=12).flatmap(lambda texts: st.sampled_from([texts, sorted(texts)]))


def joined(texts: list[bytes]) -> bytes:
    return SEPARATOR + b"".join(text + SEPARATOR for text in texts) if texts else 2 * SEPARATOR


NEEDLES = st.text("ab. ", min_size=1, max_size=4).map(str.encode)


@given(TEXTS, NEEDLES, st.booleans(), st.booleans(), st.booleans())
@example([b"10.0.0.1", b"10.0.0.1 "], b"10.0.0.1", True, True, True)
@example([b"abba", b"abba", b"abba.b"], b"abba", True, True, True)
@example([b"abba", b"abba", b"a abba"], b"abba", False, True, True)
def test_the_texts_with_a_needle(
    texts: list[bytes], word: bytes, begins: bool, ends: bool, are_many: bool
) -> None:
    needle = begins * SEPARATOR + word + ends * SEPARATOR
    wanted = [place for place, text in enumerate(texts) if needle in SEPARATOR + text + SEPARATOR]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_grams, "_MANY_HITS", 1_000 if are_many else 0)
        assert texts_with(joined(texts), needle, len(texts)) == wanted


@given(TEXTS)
def test_the_texts_with_nothing(texts: list[bytes]) -> None:
    assert texts_with(joined(texts), b"", len(texts)) == list(range(len(texts)))
    empty = [place for place, text in enumerate(texts) if not text]
    assert texts_with(joined(texts), 2 * SEPARATOR, len(texts)) == empty


@given(TEXTS, st.text("ab", min_size=1, max_size=3).map(str.encode))
def test_the_texts_with_a_needle_that_are_one_piece(texts: list[bytes], word: bytes) -> None:
    places = texts_with(joined(texts), word, len(texts))
    wanted = [place for place in places if texts[place][:-1].isalpha() or len(texts[place]) == 1]
    assert list(pieces_with(joined(texts), word, places, len(texts))) == wanted
