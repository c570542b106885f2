"""Records as people have them (``fixtures/told.jsonl``, by hand), and the facts that must come of each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.formats.vendors.hosts import syslog
from tests.formats.logs import FIXTURES, open_log, read, write

if TYPE_CHECKING:
    from pathlib import Path

CASES = [
    json.loads(line) for line in (FIXTURES / "told.jsonl").read_text(encoding="utf-8").split("\n") if line
]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_record_is_told_right(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog, "now", lambda: datetime(2026, 12, 1, tzinfo=UTC))
    record, facts = case["record"], case["told"]
    (event,), rejects = read(write(tmp_path, record if isinstance(record, str) else json.dumps(record)))
    assert rejects == []
    told = event.to_json()
    told["time"] = told["time"].replace(".000000", "")
    assert {column: told[column] for column in facts} == facts


def test_a_guessed_year_is_told_and_no_part_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write(tmp_path, "Nov  1 14:00:00 web app: hello\n")
    keys = set()
    for year in (2026, 2027):
        monkeypatch.setattr(syslog, "now", lambda year=year: datetime(year, 12, 1, tzinfo=UTC))
        (event,), _ = read(log)
        keys.add(event.key)
    with open_log(log) as text:
        list(syslog.records(text))
        assert any("year" in note for note in text.notes)
    assert len(keys) == 1


@pytest.mark.parametrize(
    "text",
    [
        "<Event><System/>",
        "<Event>&x;</Event>",
        '<Event><!DOCTYPE a [<!ENTITY b "c">]></Event>',
        f"<Event>{'<a>' * 200}{'</a>' * 200}</Event>",
        "<Events>\n<Other/></Event>",
    ],
)
def test_xml_that_is_not_an_event_is_rejected(text: str, tmp_path: Path) -> None:
    events, rejects = read(write(tmp_path, text))
    assert events == []
    assert len(rejects) == 1
