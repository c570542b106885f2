"""Recording: what is filled in, what is refused, and what strict recording refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import MAX_US, AuditEvent, Outcome
from audit_tui.core.recording import (
    MAX_EVENT_CHARS,
    CatalogueEntry,
    catalogue,
    completed,
    event_meant,
    expected_missing,
    is_same,
    moment_us,
    outcome_named,
    require_known,
)
from audit_tui.errors import EventError, UsageError

ROLE = {"IP Address": "10.0.0.1", "User ID": "u-1", "Role ID": "r-1", "Role Name": "Auditor"}


def made(
    event: str = "Role created",
    metadata: dict[str, Any] | None = None,
    **fields: Any,  # noqa: ANN401 - wrong types are tried
) -> AuditEvent:
    """An event as it would be recorded."""
    given = {"occurred_us": 0, "metadata": ROLE if metadata is None else metadata, **fields}
    return completed(AuditEvent(event, **given))


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.event)
def test_what_is_not_told_comes_from_the_catalogue(entry: CatalogueEntry) -> None:
    metadata = {name: f"the {name}" for name in entry.metadata}
    event = made(entry.event, metadata)
    assert event.category == entry.category
    assert event.source_ip == "the IP Address"
    assert event.target == entry.target_of(metadata)
    assert expected_missing(event) == ()
    require_known(event)


def test_what_is_told_stays() -> None:
    event = made(category="Mine", source_ip="::1", target="it", user="bob", description="d", source="app")
    assert (event.category, event.source_ip, event.target) == ("Mine", "::1", "it")
    assert (event.user, event.description, event.source) == ("bob", "d", "app")


def test_an_unknown_event_is_recorded_as_it_is() -> None:
    event = made("Heartbeat", {"ip address": "10.0.0.9", "Role Name": "x"})
    assert (event.category, event.source_ip, event.target) == (None, "10.0.0.9", None)
    assert expected_missing(event) == ()


def test_nothing_is_guessed() -> None:
    event = made("Heartbeat", {})
    assert (event.outcome, event.severity, event.user) == (Outcome.UNKNOWN, None, None)


@pytest.mark.parametrize("name", ["user", "category", "description", "source_ip", "target", "source"])
def test_an_empty_text_counts_as_not_told(name: str) -> None:
    told = {name: ""}
    assert made("Heartbeat", {}, **told) == made("Heartbeat", {})


def test_expected_metadata_that_is_missing_is_no_error_unless_strict() -> None:
    event = made(metadata={"user id": "u-1"})
    assert expected_missing(event) == ("IP Address", "Role ID", "Role Name")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"event": " \t"}, "needs a name"),
    ({"event": None}, "event must be text, not None"),
    ({"event": 5}, "event must be text, not 5"),
    ({"user": 5}, "user must be text, not 5"),
    ({"description": b"bytes"}, "description must be text"),
    ({"key": ""}, "key is empty"),
    ({"key": 7}, "key must be text, not 7"),
    ({"severity": 7}, "severity must be a number from 0 to 6, not 7"),
    ({"severity": -1}, "severity"),
    ({"severity": True}, "severity"),
    ({"severity": "high"}, "severity"),
    ({"metadata": {1: "x"}}, "name of metadata must be text, not 1"),
    ({"metadata": {"at": datetime(2026, 1, 1, tzinfo=UTC)}}, "metadata 'at' is not JSON"),
    ({"metadata": {"a": float("nan")}}, "metadata 'a' is not JSON"),
    ({"metadata": {"a": [float("inf")]}}, "metadata 'a' is not JSON"),
    ({"metadata": {"a": 10**5000}}, "metadata 'a' is not JSON"),
    ({"metadata": {"a": {1, 2}}}, "metadata 'a' is not JSON"),
    ({"occurred_us": MAX_US + 1}, "outside the years 1 to 9999"),
    ({"occurred_us": 1.5}, "outside the years 1 to 9999"),
    ({"outcome": "ok"}, "no outcome 'ok'"),
    ({"original": b"x" * (MAX_EVENT_CHARS + 1)}, "16,777,2"),
    ({"description": "x" * (MAX_EVENT_CHARS + 1)}, "16,777,2"),
    ({"metadata": {"a": "x" * MAX_EVENT_CHARS}}, "16,777,2"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_be_stored_as_it_is_given_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(EventError) as refused:
        made(**{"event": "Heartbeat", "metadata": {}, **fields})
    assert message in refused.value.message
    assert len(refused.value.message) < 300
    assert isinstance(refused.value, UsageError)


def test_metadata_that_ends_nowhere_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (endless, deep):
        with pytest.raises(EventError, match="metadata 'a' is not JSON"):
            made("Heartbeat", {"a": value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(metadata=st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=5), JSON, max_size=3))
def test_metadata_stays_as_given(metadata: dict[str, Any]) -> None:
    assert made("Heartbeat", metadata).metadata == metadata


def test_metadata_is_what_a_reader_will_get_and_not_the_callers_own() -> None:
    given: dict[str, Any] = {"pair": (1, 2), "list": [1]}
    event = made("Heartbeat", given)
    given["list"].append(2)
    assert event.metadata == {"pair": [1, 2], "list": [1]}


@pytest.mark.parametrize(
    ("moment", "occurred_us"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 1, 0, 0, 1, tzinfo=timezone(timedelta(hours=1))), 1),
        (datetime.max.replace(tzinfo=UTC), MAX_US),
    ],
)
def test_a_moment_is_exact(moment: datetime, occurred_us: int) -> None:
    assert moment_us(moment) == occurred_us


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(EventError, match="has no zone"):
        moment_us(datetime(2026, 11, 1, 14, 0))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize("moment", [date(2026, 11, 1), 1_700_000_000, "2026-11-01T14:00:00Z", None])
def test_what_is_no_datetime_is_refused(moment: Any) -> None:  # noqa: ANN401 - wrong types are tried
    with pytest.raises(EventError, match="must be a datetime"):
        moment_us(moment)


def test_a_time_outside_the_years_of_utc_is_refused() -> None:
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))
    with pytest.raises(EventError, match="outside the years"):
        moment_us(early)


def test_outcomes_have_three_names() -> None:
    assert [outcome_named(outcome) for outcome in Outcome] == list(Outcome)
    for wrong in ("ok", "Success", "", "failed"):
        with pytest.raises(EventError) as refused:
            outcome_named(wrong)
        assert refused.value.hint == "Outcomes are success, failure, unknown."


STRICT: list[tuple[dict[str, Any], str, str]] = [
    ({"event": "Role Created"}, "no event 'Role Created'", "Did you mean Role created?"),
    ({"event": "Role creatd"}, "no event", "Did you mean Role created?"),
    ({"event": "Heartbeat"}, "no event 'Heartbeat'", "Only events of the catalogue"),
    ({"category": "roles"}, "its category is not 'roles'", "Its category is Roles"),
    (
        {"metadata": {"IP Address": 1, "User ID": 1, "Role ID": 1}},
        "Role Name is missing",
        "Role ID, Role Name",
    ),
    ({"metadata": {"User ID": 1, "Role ID": 1}}, "IP Address, Role Name are missing", ""),
    ({"metadata": {**ROLE, "Role Nmae": "x"}}, "'Role Nmae' is unknown (did you mean Role Name?)", ""),
    ({"metadata": {**ROLE, "Colour": "x"}}, "'Colour' is unknown.", ""),
    ({"metadata": {**ROLE, "role id": "x"}}, "'role id' stands there 2 times", ""),
    ({"category": "x", "metadata": {"Role Nmae": 1}}, "is not 'x'; IP Address, User ID", ""),
]


@pytest.mark.parametrize(("fields", "message", "hint"), STRICT, ids=[message for _, message, _ in STRICT])
def test_strict_recording_refuses_what_it_does_not_know(
    fields: dict[str, Any], message: str, hint: str
) -> None:
    event = made(**fields)
    with pytest.raises(EventError) as refused:
        require_known(event)
    assert message in refused.value.message
    assert hint in refused.value.hint


def test_strict_recording_compares_names_without_regard_to_case() -> None:
    require_known(made(metadata={name.upper(): value for name, value in ROLE.items()}))


def test_an_event_that_is_in_the_catalogue_was_meant() -> None:
    assert event_meant("Role created") is None
    assert event_meant("role CREATED") == "Role created"
    assert event_meant("Guardrail deployed") == "Guardrails deployed"
    assert event_meant("x" * 1_000_000) is None


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ({}, True),
        ({"user": "bob"}, False),
        ({"outcome": Outcome.FAILURE}, False),
        ({"severity": 3}, False),
        ({"metadata": {}}, False),
        ({"source": "other"}, False),
    ],
)
def test_the_same_said_later_is_the_same(fields: dict[str, Any], same: bool) -> None:
    later = AuditEvent("Role created", 5, **{"metadata": ROLE, "key": "k", **fields})
    assert is_same(made(key="k"), completed(later)) is same
