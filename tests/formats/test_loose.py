"""Keys in any spelling, lists of names and values, and what is left of a record."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from audit_tui.formats.loose import Loose, fold, named_values, written_out
from audit_tui.formats.record import RecordError


@pytest.mark.parametrize("name", ["callerIp", "callerIP", "caller_ip", "callerip", "CallerIp"])
def test_spellings_are_one(name: str) -> None:
    assert fold(name) == "callerip"
    assert Loose({name: "192.0.2.1"}).address("callerIp") == "192.0.2.1"


def test_the_exact_spelling_goes_first() -> None:
    assert Loose({"userid": "a", "userId": "b"}).text("userId") == "b"
    assert Loose({"userid": "a", "USERID": "b"}).text("userId") == "a"


@pytest.mark.parametrize(
    ("fields", "path", "value"),
    [
        ({"a": {"B_c": 1}}, "a.bC", 1),
        ({"a": [{"b": 1}, {"b": 2}]}, "a.1.b", 2),
        ({"a": '{"b": {"c": 3}}'}, "a.b.c", 3),
        ({"a": '[{"b": 4}]'}, "a.0.b", 4),
        ({"a": "{broken"}, "a.b", None),
        ({"a": None}, "a.b", None),
        ({"a.b": 5}, "a.b", 5),
        ({}, "a.b.c", None),
    ],
)
def test_paths_go_through_objects_lists_and_written_json(
    fields: dict[str, Any], path: str, value: object
) -> None:
    assert Loose(fields).at(path) == value


def test_a_dotted_key_is_a_path_where_no_object_is() -> None:
    assert Loose({"meta.user": "bob"}).at("meta.user") == "bob"
    assert Loose({"Meta.User_Name": "bob"}).at("meta.userName") == "bob"
    assert Loose({"meta.user": "bob", "meta": {"user": "eve"}}).at("meta.user") == "eve"


def test_what_a_column_holds_exactly_leaves_the_rest() -> None:
    fields = {
        "user": "bob",
        "name": " ",
        "time": "2026-11-01T14:00:00Z",
        "ip": "192.0.2.1:80",
        "n": 7,
        "x": [1],
    }
    untouched = copy.deepcopy(fields)
    record = Loose(fields)
    assert record.take("absent", "name", "USER") == "bob"
    assert record.take("n") == "7"
    assert record.time("time") == 1_793_541_600_000_000
    assert record.address("ip") == "192.0.2.1"
    assert record.rest() == {"name": " ", "ip": "192.0.2.1:80", "n": 7, "x": [1]}
    assert fields == untouched


def test_denied_and_maps_are_added_and_never_overwrite() -> None:
    assert Loose({"a": 1}).rest(is_denied=True, by_name={"p": {"x": 1}, "empty": {}}) == {
        "a": 1,
        "outcome_detail": "denied",
        "by_name": {"p": {"x": 1}},
    }
    columns = {"outcome_detail": "own", "by_name": 5}
    assert Loose(columns).rest(is_denied=True, by_name={"p": {"x": 1}}) == columns


def test_no_time_names_where_it_was_looked_for() -> None:
    with pytest.raises(RecordError, match="it has no time or date"):
        Loose({"time": None, "date": ""}).time("time", "date", "third")
    with pytest.raises(RecordError, match="not a time: 'redacted'"):
        Loose({"time": "redacted", "date": "gone"}).time("time", "date")


def test_a_time_that_cannot_be_read_does_not_hide_another() -> None:
    assert Loose({"time": "redacted", "date": "2026-11-01"}).time("time", "date") == 1_793_491_200_000_000


def test_a_key_of_the_content_knows_nothing_of_the_warehouse() -> None:
    keys = [Loose({"a": 1, "p_row_id": row}).content_key("x") for row in ("1", "2")]
    assert keys[0] == keys[1] != Loose({"a": 2}).content_key("x")


@pytest.mark.parametrize(
    ("pairs", "values"),
    [
        ([{"Name": "To", "Value": "bob"}, {"Name": "To", "Value": "eve"}], {"To": "bob"}),
        ([{"name": "n", "intValue": "5"}, {"name": "b", "boolValue": False}], {"n": "5", "b": False}),
        ([{"name": "m", "multiValue": ["a", "b"]}], {"m": ["a", "b"]}),
        ([{"key": "k", "value": None}], {"k": None}),
        (
            [{"Name": "Role", "OldValue": "a", "NewValue": "b"}, {"displayName": "New", "newValue": "c"}],
            {"Role": {"old": "a", "new": "b"}, "New": "c"},
        ),
        ('[{"Name": "a", "Value": 1}]', {"a": 1}),
        ({"already": "a map"}, {"already": "a map"}),
        ([1, "x", None, {}, {"Value": "no name"}], {}),
        ("text", {}),
        (None, {}),
    ],
)
def test_names_and_values_become_maps(pairs: object, values: dict[str, Any]) -> None:
    assert named_values(pairs) == values


@pytest.mark.parametrize(
    "text", ["", "x", "{", "[1", "[" * 5_000, "{" * 5_000, '{"a": ' * 300 + "1" + "}" * 300]
)
def test_text_that_is_no_json_is_left_alone(text: str) -> None:
    assert written_out(text) is None
