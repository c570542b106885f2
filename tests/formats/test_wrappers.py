"""Wrappers of records: the record is found, its frame kept, its key that of the bare record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.ingest.events import Reading
from tests.formats.logs import read, write

if TYPE_CHECKING:
    from pathlib import Path

CALL = {
    "eventVersion": "1",
    "eventID": "e-1",
    "eventSource": "s3.amazonaws.com",
    "eventName": "ListBuckets",
    "eventTime": "2026-11-01T14:00:00Z",
}
TEXT = json.dumps(CALL)
AT = 1793541600

WRAPPED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "EventBridge": (
        {"version": "0", "detail-type": "x", "source": "aws.s3", "detail": CALL},
        {"EventBridge": {"version": "0", "detail-type": "x", "source": "aws.s3"}},
    ),
    "Elasticsearch": ({"_index": "logs", "_source": CALL}, {"Elasticsearch": {"_index": "logs"}}),
    "Splunk": (
        {"preview": False, "result": {"_raw": TEXT, "host": "h"}},
        {"Splunk result": {"preview": False}, "Splunk": {"host": "h"}},
    ),
    "Splunk collector": (
        {"time": AT, "host": "h", "event": CALL},
        {"Splunk event": {"time": AT, "host": "h"}},
    ),
    "CloudWatch": (
        {"logGroup": "g", "logEvents": [{"id": "1", "timestamp": AT * 1000, "message": TEXT}]},
        {"CloudWatch Logs": {"logGroup": "g"}, "log line": {"id": "1", "timestamp": AT * 1000}},
    ),
    "Wazuh": (
        {"rule": {"level": 3}, "data": {"aws": CALL, "integration": "aws"}},
        {"Wazuh alert": {"rule": {"level": 3}, "data": {"integration": "aws"}}},
    ),
    "a container's output": ({"log": f"{TEXT}\n", "stream": "stdout"}, {"log line": {"stream": "stdout"}}),
    "the command line": (
        {"events": [{"message": TEXT}], "searchedLogStreams": []},
        {},
    ),
}


@pytest.mark.parametrize(("wrapped", "frames"), WRAPPED.values(), ids=WRAPPED.keys())
def test_a_record_is_found_in_what_it_is_wrapped_in(
    tmp_path: Path, wrapped: dict[str, Any], frames: dict[str, Any]
) -> None:
    (event,), rejects = read(write(tmp_path, json.dumps(wrapped)))
    assert rejects == []
    assert (event.key, event.event) == ("cloudtrail:e-1", "ListBuckets")
    assert event.metadata == {"eventVersion": "1", **frames}
    # In a list, and with the format named, it is the same.
    (listed,), _ = read(write(tmp_path, json.dumps([wrapped])))
    assert (listed.key, listed.event) == (event.key, event.event)
    assert read(write(tmp_path, json.dumps(wrapped)), Reading("cloudtrail"))[0] == [event]


def test_json_in_the_cells_of_a_table(tmp_path: Path) -> None:
    cell = TEXT.replace('"', '""')
    (event,), rejects = read(write(tmp_path, f'host,_raw\nh,"{cell}"\n'))
    assert rejects == []
    assert event.key == "cloudtrail:e-1"
    assert event.metadata["Splunk"] == {"host": "h"}
    (named,), _ = read(write(tmp_path, f'host,_raw\nh,"{cell}"\n'), Reading("cloudtrail"))
    assert named == event


def test_a_sure_frame_around_an_unknown_record_gives_it_its_time(tmp_path: Path) -> None:
    wrapped = {"time": AT, "event": {"action": "opened", "user": "ann"}}
    (event,), _ = read(write(tmp_path, json.dumps(wrapped)))
    assert (event.event, event.user, event.occurred_us) == ("opened", "ann", AT * 1_000_000)


@pytest.mark.parametrize(
    "record",
    [
        {"time": AT, "action": "x", "message": '{"not": "known"}'},
        {"time": AT, "action": "x", "message": "{ no json"},
        {"time": AT, "action": "x", "data": {"events": []}, "log": [1], "result": {"_raw": "text"}},
        {"time": AT, "action": "x", "detail": {"a": 1}},
        {"time": AT, "action": "x", "log": "{" * 300},
    ],
)
def test_an_event_that_looks_like_a_frame_is_left_as_it_is(tmp_path: Path, record: dict[str, Any]) -> None:
    (event,), rejects = read(write(tmp_path, json.dumps(record)))
    assert rejects == []
    assert event.event == "x"
    assert {key: record[key] for key in record if key not in ("action", "message")}.items() <= (
        event.metadata | {"result": record.get("result")}
    ).items()


def test_what_the_inner_text_says_twice_is_kept_whole(tmp_path: Path) -> None:
    twice = TEXT.replace('"eventVersion": "1"', '"eventVersion": "1", "eventVersion": "2"')
    (event,), _ = read(write(tmp_path, json.dumps({"log": twice, "stream": "stdout"})))
    assert event.original == json.dumps({"log": twice, "stream": "stdout"}).encode()
