"""Keys of records without an id: distinct records stay distinct, and the same file stores nothing twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.formats import keys
from audit_tui.formats.decoding import usual_canonical
from audit_tui.formats.keys import ContentKey, RepeatedRecords, content_key
from tests.cli.running import run
from tests.formats.logs import read, write

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = '{"time": "2026-11-01T14:00:00Z", "event": "login", "user": "bob"}'
NEARLY_SAME = (
    "0", "-0", "0.0", "-0.0", "1e-400", "-1e-400", "NaN", '"NaN"', "Infinity", "-Infinity", "1e999",
    '"1e999"', "1.0", "1.0000000000000000001", "1", "true", '"1"', "null",
    "100000000000000000000000000000000",
    "100000000000000000000000000000001", "1e32", "[1]", "[[1]]", '{"a": 1}', '{"a": 2, "a": 1}', '{"a": "1"}',
)  # fmt: skip
"""Values that Python, or a JSON decoder, could take for one another."""


def keys_of(folder: Path, text: str, name: str = "a.log") -> list[str | None]:
    events, rejects = read(write(folder, text, name))
    assert rejects == []
    return [event.key for event in events]


def imported(log: Path, store: Path) -> tuple[int, int]:
    summary = json.loads(run("import", str(log), "-s", str(store), "--json").stdout)
    return summary["stored"], summary["duplicate"]


def test_records_that_differ_in_any_value_have_distinct_keys(tmp_path: Path) -> None:
    records = [LOGIN.replace("}", f', "n": {value}}}') for value in NEARLY_SAME]
    records += [LOGIN.replace('"user"', '"user": "alice", "user"'), LOGIN]
    made = keys_of(tmp_path, "\n".join(records))
    assert len(set(made)) == len(records)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", f"{LOGIN}\n" * 5),
        ("a.json", "[" + ", ".join([LOGIN] * 5) + "]"),
        ("a.csv", "time,event,user\n" + "2026-11-01T14:00:00Z,login,bob\n" * 5),
    ],
)
def test_identical_lines_are_several_events_and_the_same_file_again_none(
    name: str, text: str, tmp_path: Path
) -> None:
    log, store = tmp_path / name, tmp_path / "audit.db"
    log.write_text(text)
    assert imported(log, store) == (5, 0)
    assert imported(log, store) == (0, 5)
    # A copy of it, as a rotated log is, holds the same events; a longer one holds more.
    copy = tmp_path / f"copy-{name}"
    copy.write_text(text)
    assert imported(copy, store) == (0, 5)
    if name == "a.jsonl":
        log.write_text(text + f"{LOGIN}\n")
        assert imported(log, store) == (1, 5)


def test_an_id_that_the_record_names_is_believed(tmp_path: Path) -> None:
    record = LOGIN.replace("login", "Login").replace("}", ', "key": "e-1"}')
    assert len(set(keys_of(tmp_path, f"{record}\n" * 3))) == 1


def test_what_a_warehouse_delivers_again_is_one_event(tmp_path: Path) -> None:
    record = {
        "kind": "admin#reports#activity",
        "id": {"time": "2026-11-01T14:00:00Z", "applicationName": "login"},
        "events": [{"type": "login", "name": "login_success"}],
        "p_log_type": "GSuite.ActivityEvent",
    }
    lines = [json.dumps({**record, "p_row_id": row}) for row in "12"]
    assert len(set(keys_of(tmp_path, "\n".join(lines)))) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=60))
def test_keys_are_the_same_every_time_and_distinct_for_identical_lines(lines: list[tuple[str, str]]) -> None:
    def made() -> list[str | None]:
        repeated = RepeatedRecords()
        return [repeated.key(ContentKey(key), text, is_lossy=False) for key, text in lines]

    first = made()
    assert first == made()
    for line in set(lines):
        of_line = [key for key, other in zip(first, lines, strict=True) if other == line]
        assert len(set(of_line)) == len(of_line)
        assert of_line[0] == line[0]


def test_what_lies_far_back_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "REMEMBERED_RECORDS", 10)
    repeated = RepeatedRecords()
    numbers = [repeated.key(content_key("x", {"n": n}), str(n), is_lossy=False) for n in range(1_000)]
    assert len(set(numbers)) == 1_000
    assert len(repeated._counts) + len(repeated._older) <= 20
    assert repeated.key(content_key("x", {"n": 999}), "999", is_lossy=False) == f"{numbers[999]}#2"


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers() | st.just("\x7f")))
def test_the_quick_writer_gives_the_keys_of_the_exact_one(fields: dict[str, object]) -> None:
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert usual_canonical(fields) == text.encode()
