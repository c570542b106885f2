"""Marks and notes: what is written down, read again, and never lost or written over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.investigate import notebook as notebooks
from audit_tui.core.investigate.notebook import Entry, Notebook
from audit_tui.core.view import View
from audit_tui.errors import FileError, UsageError
from tests.payloads import PAYLOADS

if TYPE_CHECKING:
    from pathlib import Path


def event(number: int) -> AuditEvent:
    return AuditEvent("Login", occurred_us=1000 - number, key=f"k{number}", seq=number)


def test_marks_and_notes_are_read_again(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "deep" / "book.json")
    assert book.mark([event(1), event(2)]) == 2
    book.write_note(event(3), "  called the user, it was her  ")
    again = Notebook(book.path)
    assert [(entry.seq, entry.is_marked, entry.note) for entry in again] == [
        (3, False, "called the user, it was her"),
        (2, True, ""),
        (1, True, ""),
    ]
    assert [entry.seq for entry in again.marked] == [2, 1]
    assert book.path.stat().st_mode & 0o777 == 0o600


def test_marking_what_is_marked_takes_the_mark_away(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "book.json")
    book.mark([event(1)])
    assert book.mark([event(1), event(2)]) == 2
    assert book.mark([event(1), event(2)]) == -2
    assert len(Notebook(book.path)) == 0


def test_a_note_stays_when_the_mark_goes(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "book.json")
    book.mark([event(1)])
    book.write_note(event(1), "odd")
    book.mark([event(1)])
    assert list(Notebook(book.path)) == [Entry("k1", 1, 999, is_marked=False, note="odd")]
    book.write_note(event(1), "")
    assert list(Notebook(book.path)) == []


def test_two_screens_write_into_one_notebook(tmp_path: Path) -> None:
    here, elsewhere = Notebook(tmp_path / "book.json"), Notebook(tmp_path / "book.json")
    here.mark([event(1)])
    elsewhere.mark([event(2)])
    here.write_note(event(2), "seen")
    assert [(entry.seq, entry.is_marked, entry.note) for entry in Notebook(here.path)] == [
        (2, True, "seen"),
        (1, True, ""),
    ]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b'{"version": 2, "events": {}}'])
def test_what_cannot_be_read_is_told_and_not_written_over(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    path.write_bytes(content)
    book = Notebook(path)
    assert str(path) in book.problem
    with pytest.raises(FileError):
        book.mark([event(1)])
    assert path.read_bytes() == content
    assert not len(book)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text('{"version": 1, "events": {}}')
    (tmp_path / "book.json").symlink_to(tmp_path / "other")
    assert Notebook(tmp_path / "book.json").problem


def test_entries_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    path.write_text(
        '{"version": 1, "events": {"a": {"seq": 1, "time_us": 5, "mark": true, "note": ""},'
        ' "b": {"seq": -1, "time_us": 5, "mark": true, "note": ""}, "c": 7}}'
    )
    assert [entry.key for entry in Notebook(path)] == ["a"]


@pytest.mark.parametrize("text", PAYLOADS)
def test_any_text_is_a_note(text: str, tmp_path: Path) -> None:
    book = Notebook(tmp_path / "book.json")
    book.write_note(event(1), text)
    assert [entry.note for entry in Notebook(book.path)] == ([text.strip()] if text.strip() else [])


def test_a_note_that_is_too_long_is_refused(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "book.json")
    with pytest.raises(UsageError, match=r"10,001 characters"):
        book.write_note(event(1), "x" * 10_001)


def test_too_many_marks_are_refused_and_none_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebooks, "MAX_ENTRIES", 2)
    book = Notebook(tmp_path / "book.json")
    book.mark([event(1), event(2)])
    with pytest.raises(UsageError):
        book.mark([event(3)])
    assert len(book) == len(Notebook(book.path)) == 2


def test_only_a_stored_event_is_marked(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Notebook(tmp_path / "book.json").mark([replace(event(1), key=None)])


def test_an_id_that_is_no_name_has_no_notebook(tmp_path: Path) -> None:
    assert Notebook.of_store(tmp_path, "../../etc") is None
    assert Notebook.of_store(tmp_path, "0a1b") is not None


def test_past_views_are_read_again_the_last_first(tmp_path: Path) -> None:
    book = Notebook(tmp_path / "book.json")
    first, second = (View(Condition(Column.USER, IS, name)) for name in ("alice", "bo\x1bb"))
    book.remember([View(), first])
    book.mark([event(1)])
    book.remember([second, first])
    again = Notebook(book.path)
    assert again.views == (second, first)
    assert len(again) == 1
    again.remember([View()])
    again.remember([first])
    assert Notebook(book.path).views == (first, second)


def test_a_past_view_that_makes_no_sense_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "book.json"
    path.write_text('{"version": 1, "events": {}, "views": [{"range": "never"}, 7]}')
    assert Notebook(path).views == ()
    assert not Notebook(path).problem
