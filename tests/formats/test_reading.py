"""From files to events: each format by its own example, detection, mapping, rejects."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from audit_tui.errors import UsageError
from audit_tui.formats.generic import FieldMap
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import LogFile
from audit_tui.ingest.open import NotALog
from tests.formats.logs import FIXTURES, read, write

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = '{"time": "2026-11-01T14:00:00Z", "event": "login", "user": "bob"}'


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(FIXTURES.iterdir()) if path.with_suffix(".expected.json").exists()],
    ids=lambda path: path.name,
)
def test_an_example_of_each_format_becomes_these_events(path: Path) -> None:
    events, rejects = read(LogFile(path.name, path, 0))
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    rows = [event.to_json() for event in events]
    for event in rows:
        event["key"] = re.sub(r"^([a-z0-9]+):[0-9a-f]{32}$", r"\1:KEY", event["key"])
    assert rejects == []
    assert rows == expected
    assert all(event.original is None for event in events)


def test_formats_are_told_record_by_record(tmp_path: Path) -> None:
    cloud = (
        '{"eventVersion": "1", "eventID": "e", "eventSource": "s3.amazonaws.com", "eventName": "ListBuckets"'
    )
    cloud += ', "eventTime": "2026-11-01T14:00:00Z"}'
    exported = '{"key": "k", "time": "2026-11-01T14:00:00Z", "event": "Login"}'
    events, _ = read(write(tmp_path, "\n".join([LOGIN, cloud, exported, LOGIN, cloud])))
    assert [event.source for event in events] == ["jsonl", "cloudtrail", None, "jsonl", "cloudtrail"]
    assert [event.key for event in events][1:3] == ["cloudtrail:e", "k"]


def test_a_named_format_is_not_second_guessed(tmp_path: Path) -> None:
    log = write(tmp_path, LOGIN)
    assert read(log, Reading("cloudtrail"))[1][0].reason == "it has no eventName"
    with pytest.raises(UsageError, match="no format 'xml'"):
        read(log, Reading("xml"))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"event": "x"}', "it has no time (name the field with --map time=FIELD)"),
        ('{"time": "soon", "event": "x"}', "the time is not a time: 'soon'"),
        ('{"time": "0001-01-01T00:00:00Z", "event": "x"}', "the time was never set: '0001-01-01T00:00:00Z'"),
        ('{"time": 99999999999, "event": "x"}', "the time is out of range (1970 to 2199): '99999999999'"),
        (
            '{"key": "k", "time": "0001-01-01T00:00:00+01:00", "event": "x"}',
            "the time is outside the years 1 to 9999",
        ),
        ('{"CloudTrailEvent": "{"}', "CloudTrailEvent is not JSON"),
        ('{"key": "k", "time": "2026-11-01", "event": ""}', "it names no event"),
        (
            '{"key": "k", "time": "2026-11-01", "event": "x", "severity": 7}',
            "severity is not a number from 0 to 6",
        ),
        ('{"key": "k", "time": "2026-11-01", "event": "x", "metadata": []}', "metadata is not a JSON object"),
        (
            '{"key": "k", "time": "2026-11-01", "event": "x", "outcome": "so so"}',
            "outcome is not success, failure or unknown",
        ),
    ],
)
def test_a_record_that_is_no_event_is_rejected_with_its_place(
    tmp_path: Path, record: str, reason: str
) -> None:
    events, rejects = read(write(tmp_path, f"{LOGIN}\n\n{record}\n{LOGIN}\n"))
    assert len(events) == 2
    assert [(reject.place, reject.reason, reject.text) for reject in rejects] == [("a.log:3", reason, record)]


def test_equal_records_have_equal_keys_however_they_are_written(tmp_path: Path) -> None:
    turned = '{"user":"bob","event":"login","time":"2026-11-01T14:00:00Z"}'
    other = LOGIN.replace("bob", "carol")
    events, _ = read(write(tmp_path, "\n".join([LOGIN, turned, other])))
    assert events[0].key == events[1].key
    assert events[0].key != events[2].key


def test_an_export_as_csv_comes_back_the_same(tmp_path: Path) -> None:
    header = "seq,key,time,event,category,user,description,outcome,severity,source_ip,target,source,metadata"
    row = '3,k-3,2026-11-01T15:00:00.000000+01:00,Login,,alice,,success,2,,,recorder,"{""a"": [1]}"'
    (event,), rejects = read(write(tmp_path, f"{header}\n{row}\n"))
    assert rejects == []
    assert (event.key, event.user, event.category, event.severity) == ("k-3", "alice", None, 2)
    assert event.to_json()["time"] == "2026-11-01T14:00:00.000000Z"
    assert event.metadata == {"a": [1]}


class TestMap:
    """Fields that ``--map`` names go before the usual names."""

    def test_columns_come_from_the_fields_that_are_named(self, tmp_path: Path) -> None:
        record = (
            '{"when.exactly": 1793541600123, "who": {"name": "al", "badge": 7}, "what": "in", "user": "door"}'
        )
        fields = {"time": "when.exactly", "user": "who.name", "event": "what", "key": "who.badge"}
        (event,), _ = read(write(tmp_path, record), Reading(field_map=FieldMap(fields)))
        assert (event.event, event.user, event.key) == ("in", "al", "jsonl:7")
        assert event.occurred_us == 1_793_541_600_123_000
        assert event.metadata == {
            "when.exactly": 1793541600123,
            "who": {"name": "al", "badge": 7},
            "user": "door",
        }

    def test_a_field_that_is_not_there_is_wrong_usage(self, tmp_path: Path) -> None:
        reading = Reading(field_map=FieldMap({"user": "nobody"}))
        with pytest.raises(UsageError, match="no field 'nobody'") as caught:
            read(write(tmp_path, LOGIN), reading)
        assert caught.value.hint == "Its fields are time, event, user."
        with pytest.raises(UsageError, match="no field 'nobody'"):
            read(write(tmp_path, "Time,Event\n2026-11-01,x\n", "a.csv"), reading)

    def test_a_named_format_keeps_what_is_not_mapped(self, tmp_path: Path) -> None:
        reading = Reading("cloudtrail", FieldMap({"user": "userIdentity.arn"}))
        events, _ = read(LogFile("c", FIXTURES / "cloudtrail.json", 0), reading)
        assert events[0].user == "arn:aws:iam::111122223333:user/alice"
        assert events[0].target == "deployer"

    def test_a_csv_without_a_known_time_is_read_once_it_is_mapped(self, tmp_path: Path) -> None:
        log = write(tmp_path, "Moment,Act\n2026-11-01 10:00,x\n", "a.csv")
        with pytest.raises(NotALog):
            read(log)
        (event,), _ = read(log, Reading(field_map=FieldMap({"time": "Moment", "event": "Act"})))
        assert event.event == "x"


class TestOriginal:
    """The record's own bytes are kept only where they tell more, or on request."""

    @pytest.mark.parametrize(
        "extra",
        [b'"n": NaN', b'"n": 1e999', b'"event": "again"', b'"b": "\xff"', b'"n": 0.12345678901234567890'],
    )
    def test_what_columns_and_metadata_cannot_give_back_is_kept(self, tmp_path: Path, extra: bytes) -> None:
        record = LOGIN.encode()[:-1] + b", " + extra + b"}"
        (plain, event), _ = read(write(tmp_path, LOGIN.encode() + b"\n" + record))
        assert (plain.original, event.original) == (None, record)
        json.dumps(event.metadata, allow_nan=False)

    def test_on_request_everything_is_kept(self, tmp_path: Path) -> None:
        (event,), _ = read(write(tmp_path, f"  {LOGIN}\r\n"), Reading(keep_original=True))
        assert event.original == LOGIN.encode()
        (row,), _ = read(write(tmp_path, "Time,Event\r\n2026-11-01,x\r\n"), Reading(keep_original=True))
        assert row.original == b"2026-11-01,x"


@pytest.mark.parametrize("data", ["", "\n\n", "[]", '{"Records": []}', "Time,Event\n"])
def test_a_log_without_records_is_no_error(tmp_path: Path, data: str) -> None:
    assert read(write(tmp_path, data)) == ([], [])


@pytest.mark.parametrize("data", ["# Read me\nThis is text, really.\n", "a,b\n1,2\n", "\x00\x01\x02"])
def test_what_is_no_log_is_named_as_such(tmp_path: Path, data: str) -> None:
    with pytest.raises(NotALog, match=r"a\.log is not a log that is known"):
        read(write(tmp_path, data))


def test_json_lines_after_a_line_that_is_none(tmp_path: Path) -> None:
    events, rejects = read(write(tmp_path, f"log begins\n{LOGIN}\n"))
    assert (len(events), [reject.line for reject in rejects]) == (1, [1])


def test_a_list_of_nothing_breaks_nothing(tmp_path: Path) -> None:
    events, rejects = read(write(tmp_path, '{"Records": [null]}', "a.json"))
    assert (events, len(rejects)) == ([], 1)
