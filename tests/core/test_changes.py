"""Before and after: each way in which logs write a change, and the comparison against an oracle."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.investigate.changes import Difference, changes_in, compare_values, compared, differences


def changes(metadata: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [tuple(each) for each in changes_in(AuditEvent("Changed", 0, metadata=metadata))]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("metadata", "wanted"),
    [
        ({"role": {"old": "viewer", "new": "admin"}}, [("role", "viewer", "admin")]),
        (
            {"before": {"a": 1, "b": [1, 2]}, "after": {"a": 2, "b": [2, 3]}},
            [("a", "1", "2"), ("b", "1", None), ("b", None, "3")],
        ),
        ({"changes": [{"field": "email", "from": "a@x", "to": "b@x"}]}, [("email", "a@x", "b@x")]),
        ({"changes": {"limit": [5, 10], "name": ["a", "a"]}}, [("limit", "5", "10")]),
        ({"changes": {"limit": {"old": 5, "new": 10}}}, [("limit", "5", "10")]),
        (
            {"ModifiedProperties": [{"Name": "Role", "OldValue": '["User"]', "NewValue": '["Admin"]'}]},
            [("Role", "User", None), ("Role", None, "Admin")],
        ),
        (
            {"modifiedProperties": [{"displayName": "Included", "oldValue": None, "newValue": '"x"'}]},
            [("Included", None, '"x"')],
        ),
        ({"target": {"oldValue": "1", "newValue": "1"}}, []),
        ({"old_value": "a", "new_value": "b"}, [("", "a", "b")]),
        ({"previous": {"state": "on"}, "current": {"state": "off"}}, [("state", "on", "off")]),
        (
            {"requestParameters": {"size": "t2", "n": 1}, "responseElements": {"size": "t3", "id": 7}},
            [("size", "t2", "t3")],
        ),
        ({"requestParameters": {"size": "t2"}}, []),
        ({"removed": ["x"], "added": ["y"]}, [("", "x", None), ("", None, "y")]),
        ({"user": "alice", "ip": "10.0.0.1"}, []),
        (
            {"protoPayload": {"metadata": {"old": {"x": {"y": 1}}, "new": {"x": {"y": 2}}}}},
            [("protoPayload.metadata.x.y", "1", "2")],
        ),
    ],
)
def test_the_ways_in_which_a_change_is_told(
    metadata: dict[str, Any], wanted: list[tuple[str, str | None, str | None]]
) -> None:
    assert changes(metadata) == wanted
    # As Microsoft writes them: JSON in a text.
    if len(metadata) == 1 and not isinstance(next(iter(metadata.values())), str):
        assert changes({key: json.dumps(value) for key, value in metadata.items()}) == wanted


def test_what_is_nested_beyond_reason_changes_nothing() -> None:
    deep: dict[str, Any] = {"old": 1, "new": 2}
    for _ in range(5000):
        deep = {"x": deep}
    assert changes(deep) == []


def test_events_differ_in_columns_and_metadata_but_never_in_time() -> None:
    first = AuditEvent(
        "Role changed", 5, key="a", seq=1, user="alice", metadata={"Role": "viewer", "n": {"m": 1}}
    )
    second = replace(
        first,
        occurred_us=6,
        key="b",
        seq=2,
        outcome=Outcome.FAILURE,
        metadata={"Role": "admin", "n": {"m": 1}},
    )
    assert differences(first, second) == [
        Difference("Outcome", "unknown", "failure"),
        Difference("Role", "viewer", "admin"),
    ]
    third = replace(first, user=None)
    assert compared([first, second, third]) == [
        ("User", ["alice", "alice", None]),
        ("Outcome", ["unknown", "failure", "unknown"]),
        ("Role", ["viewer", "admin", "viewer"]),
    ]
    assert compared([first, first]) == []


def test_a_field_of_the_metadata_does_not_hide_the_column_of_its_name() -> None:
    first = AuditEvent("Login", 5, user="alice", metadata={"User": "x", "Outcome": 1})
    second = replace(first, user="bob", metadata={"User": "x", "Outcome": 2})
    assert compared([first, second]) == [("User", ["alice", "bob"]), ("meta.Outcome", ["1", "2"])]


def test_names_of_changes_do_not_grow_with_the_depth() -> None:
    value: object = "x"
    for _ in range(60):
        value = {"n" * 10_000: value}
    (difference,) = changes_in(AuditEvent("x", 1, metadata={"old": value, "new": None}))
    assert len(difference.name) <= 500


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab[{", max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("xyz", min_size=1, max_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


def parts(name: str, value: object) -> Counter[tuple[str, str]]:
    """All elements of a value with their names, the slow way: a list's elements are whole."""
    if isinstance(value, dict):
        total: Counter[tuple[str, str]] = Counter()
        for key, inner in value.items():
            total += parts(f"{name}.{key}" if name else key, inner)
        return total
    if isinstance(value, list):
        return Counter(
            (name, each if isinstance(each, str) else json.dumps(each, ensure_ascii=False, sort_keys=True))
            for each in value
        )
    if value is None:
        return Counter()
    return Counter([(name, value if isinstance(value, str) else json.dumps(value))])


@given(VALUES, VALUES)
def test_what_is_told_turns_the_one_into_the_other(before: object, after: object) -> None:
    told = list(compare_values("", before, after))
    gone = Counter((each.name, each.before) for each in told if each.before is not None)
    came = Counter((each.name, each.after) for each in told if each.after is not None)
    first, second = parts("", before), parts("", after)
    assert first - gone + came == second
    assert second - came + gone == first


@given(VALUES)
def test_nothing_differs_from_itself(value: object) -> None:
    assert list(compare_values("", value, value)) == []
