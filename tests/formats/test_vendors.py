"""Formats that are files of data: each is whole, and is read when its first record comes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.formats.mapping_file import VENDORS, read_mapping
from audit_tui.formats.tables import table
from audit_tui.formats.vendor import split_at, vendor_format, vendor_names
from audit_tui.formats.words.patterns import verb_forms

if TYPE_CHECKING:
    from pathlib import Path

WORDS = VENDORS.parent / "words"


@pytest.mark.parametrize("name", vendor_names())
def test_a_vendors_file_says_what_a_mapping_file_may_and_every_sentence_begins_with_a_verb(name: str) -> None:
    mapping = read_mapping(next(VENDORS.glob(f"*/{name}.toml")))
    assert mapping.name == name
    assert mapping.columns["time"]
    for pattern in mapping.sentences.values():
        past, plain, _ = verb_forms(pattern)
        assert plain.islower()
        assert past
    rank, log_format = vendor_format(name)
    assert log_format.title == mapping.title
    assert 0 < rank < 100


@pytest.mark.parametrize("path", sorted(WORDS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_table_of_words_can_be_read(path: Path) -> None:
    assert table(path.stem)


def test_code_of_a_vendor_is_imported_with_its_first_record() -> None:
    sys.modules.pop("audit_tui.formats.vendors.cloud.slack", None)
    _, log_format = vendor_format("slack")
    event = log_format.map({"date_create": 1_793_541_600, "action": "user_login", "id": "1"})
    assert (event.event, event.key, event.source) == ("user_login", "slack:1", "slack")


@pytest.mark.parametrize(
    ("events", "parts"),
    [
        ([{"name": "a"}, "x", {"name": "b"}], [("a", 0), ("b", 2)]),
        ({"name": "a"}, [("a", 0)]),
        ([], []),
    ],
)
def test_the_parts_of_a_record_keep_what_stands_around_them(
    events: object, parts: list[tuple[str, int]]
) -> None:
    split = split_at({"id": 1, "events": events}, "events")
    assert [(part["event"]["name"], part["event_number"]) for part in split] == parts
    assert all(part["id"] == 1 and "events" not in part for part in split)


def test_a_record_without_parts_is_one() -> None:
    assert split_at({"name": "a"}, "events") == [{"name": "a"}]
