"""Formats that a TOML file describes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.cli import man
from audit_tui.core.event import Outcome
from audit_tui.errors import FileError, UsageError
from audit_tui.formats.mapping_file import read_mapping
from audit_tui.formats.words.patterns import Pattern, PatternError
from audit_tui.ingest.events import Reading
from tests.formats.logs import read, write

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.formats.record import Reject

DOOR = """
name = "doors"
[columns]
time = "when"
event = "act"
user = "who.name | who.badge"
outcome = "code"
severity = "level"
source_ip = "panel"
[constants]
category = "building"
[time]
unit = "ms"
[outcome]
success = [0, "fine", "200-299"]
failure = ["400-599", true]
[severity]
"RED" = 5
[templates]
target = "{door}[/{wing}]"
description = "{user|'somebody'} tried the door {target}[ in {nowhere}]"
"""
RECORD = (
    '{"when": 1793541600123, "act": "open", "who": {"badge": 7}, "code": 204, "level": "red", "panel":'
    ' "192.0.2.9:80", "door": "D1", "wing": "W", "x": 1.5}\n'
)


def mapped(folder: Path, mapping: str, data: str) -> tuple[list[AuditEvent], list[Reject]]:
    path = folder / "doors.toml"
    path.write_text(mapping)
    return read(write(folder, data), Reading(mapping=read_mapping(path)))


def test_columns_come_as_the_file_says(tmp_path: Path) -> None:
    (event,), rejects = mapped(tmp_path, DOOR, RECORD)
    assert rejects == []
    assert event.to_json() | {"key": None} == {
        "seq": None,
        "key": None,
        "time": "2026-11-01T14:00:00.123000Z",
        "event": "open",
        "category": "building",
        "user": "7",
        "description": "7 tried the door D1/W",
        "outcome": "success",
        "severity": 5,
        "source_ip": "192.0.2.9",
        "target": "D1/W",
        "source": "doors",
        "metadata": {
            "when": 1793541600123, "who": {"badge": 7}, "code": 204, "level": "red", "panel": "192.0.2.9:80",
            "door": "D1", "wing": "W", "x": 1.5,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("0", Outcome.SUCCESS),
        ('"Fine"', Outcome.SUCCESS),
        ("true", Outcome.FAILURE),
        ("404", Outcome.FAILURE),
        ("302", Outcome.UNKNOWN),
        ('"ok"', Outcome.UNKNOWN),
        ("null", Outcome.UNKNOWN),
    ],
)
def test_an_outcome_is_what_its_table_says_and_never_guessed(
    tmp_path: Path, code: str, outcome: Outcome
) -> None:
    (event,), _ = mapped(tmp_path, DOOR, RECORD.replace("204", code))
    assert event.outcome is outcome


@pytest.mark.parametrize(
    ("table", "value", "time"),
    [
        ('unit = "s"', "1793541600.5", "2026-11-01T14:00:00.500000Z"),
        ('unit = "us"', '"1793541600000001"', "2026-11-01T14:00:00.000001Z"),
        ('unit = "ns"', "1793541600000001999", "2026-11-01T14:00:00.000001Z"),
        ('unit = "ns"', '"2026-11-01 14:00"', "2026-11-01T14:00:00.000000Z"),
        ('format = "%d.%m.%Y %H:%M"\nzone = "+01:00"', '"01.11.2026 15:00"', "2026-11-01T14:00:00.000000Z"),
        ('format = "%d.%m.%Y %z"', '"01.11.2026 +0100"', "2026-10-31T23:00:00.000000Z"),
        ('zone = "Europe/Berlin"', '"2026-11-01 15:00"', "2026-11-01T14:00:00.000000Z"),
        ('zone = "Europe/Berlin"', '"2026-11-01T15:00:00Z"', "2026-11-01T15:00:00.000000Z"),
    ],
)
def test_times_are_read_as_the_file_says(tmp_path: Path, table: str, value: str, time: str) -> None:
    mapping = f'[columns]\ntime = "t"\nevent = "e"\n[time]\n{table}\n'
    (event,), rejects = mapped(tmp_path, mapping, f'{{"t": {value}, "e": "x"}}')
    assert rejects == []
    assert event.to_json()["time"] == time
    assert event.source == "doors"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"e": "x"}', "it has no time in t or u"),
        ('{"t": "1.13.2026", "e": "x"}', "the time is not spelled %d.%m.%Y: '1.13.2026'"),
        ('{"t": "01.11.1900", "e": "x"}', "the time is out of range (1970 to 2199): '01.11.1900'"),
    ],
)
def test_a_record_that_does_not_fit_is_rejected(tmp_path: Path, record: str, reason: str) -> None:
    mapping = '[columns]\ntime = "t|u"\nevent = "e"\n[time]\nformat = "%d.%m.%Y"\n'
    _, (reject,) = mapped(tmp_path, mapping, record)
    assert reject.reason == reason


def test_a_table_with_json_in_a_cell(tmp_path: Path) -> None:
    mapping = '[columns]\ntime = "At"\nevent = "Body.act"\nuser = "Body.who.0"\n'
    data = 'At;Body\n2026-11-01;"{""act"": ""open"", ""who"": [""ann""]}"\n'
    (event,), _ = mapped(tmp_path, mapping, data)
    assert (event.event, event.user) == ("open", "ann")


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ('[columns]\ntime = "t"\nuser = \n', "line 3: not TOML"),
        ('[columns]\ntime = "t"\nuzer = "u"\n', "line 3: columns has no 'uzer'.\nDid you mean user?"),
        ('[colums]\ntime = "t"\n', "line 1: 'colums' means nothing here.\nDid you mean columns?"),
        ('[columns]\nevent = "t"\n', "line 1: it names no field for the time"),
        ("[columns]\ntime = 7\n", "line 2: time is a text"),
        ('[columns]\ntime = "a||b"\n', "line 2: time has an empty field between |"),
        ('columns = "x"\n', "line 1: columns is a table"),
        ('name = "No Name"\n[columns]\ntime = "t"\n', "line 1: 'No Name' is not a name"),
        (
            '[columns]\ntime = "t"\n[time]\n\nunit = "h"\n',
            "line 5: 'h' is not a unit.\nUnits are s, ms, us, ns.",
        ),
        ('[columns]\ntime = "t"\n[time]\nzone = "Mars"\n', "line 4: "),
        ('[columns]\ntime = "t"\n[time]\nunit = "s"\nformat = "%Y"\n', "line 5: a unit is for numbers"),
        ('[columns]\ntime = "t"\n[outcome]\nok = ["x"]\n', "line 4: outcome has no 'ok'"),
        ('[columns]\ntime = "t"\n[outcome]\nsuccess = "x"\n', "line 4: success is a list"),
        ('[columns]\ntime = "t"\n[severity]\nRED = 9\n', "line 4: RED is a number from 0 to 6"),
        (
            '[columns]\ntime = "t"\n[constants]\noutcome = "so so"\n',
            "line 4: 'so so' cannot be the outcome of an event",
        ),
        ('[columns]\ntime = "t"\n[constants]\nuser = ""\n', "line 4: user is a text"),
        ('[columns]\ntime = "t"\n[templates]\nevent = "{a"\n', "line 4: event: a { stands alone"),
        ('[columns]\ntime = "t"\n[templates]\ntime = "{a}"\n', "line 4: a time cannot be put together"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line(tmp_path: Path, mapping: str, reason: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(mapping)
    with pytest.raises(UsageError) as error:
        read_mapping(path)
    assert str(error.value).startswith(f"{path}, {reason}")


def test_a_file_that_cannot_be_read_is_named_with_those_that_come_along(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot be read(.|\n)*databricks(.|\n)*slack"):
        read_mapping(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="both say"):
        Reading("jsonl", mapping=read_mapping(Path("slack"))).formats()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{a} did [{b}]", "A did "),
        ("{b|a}", "A"),
        ("{b|'nobody'}", "nobody"),
        ("{b}", None),
        ("[{b} and {a}]", ""),
        ("{{a}} [[x]]", "{a} [x]"),
    ],
)
def test_a_template(template: str, expected: str | None) -> None:
    assert Pattern(template).filled({"a": "A"}.get) == expected


@pytest.mark.parametrize("template", ["{", "}", "[", "]", "[a[b]]", "{}", "{a|}", "{|'x'}"])
def test_a_template_that_cannot_be_read(template: str) -> None:
    with pytest.raises(PatternError):
        Pattern(template)


def test_the_example_of_the_manual(tmp_path: Path) -> None:
    manual = Path(man.__file__).with_name("manual.txt").read_text("utf-8")
    record, mapping = (part.split("\n\n")[0] for part in manual.split("\\b\n")[1:3])
    (event,), rejects = mapped(tmp_path, mapping, record)
    assert rejects == []
    assert event.description == "ann@acme.io tried to open door D1"
    assert (event.source, event.outcome, event.user) == ("doors", Outcome.FAILURE, "ann@acme.io")
