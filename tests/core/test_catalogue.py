"""The catalogue's data, and what is asked of it."""

from __future__ import annotations

from typing import Any

import pytest

from audit_tui.core.recording import CatalogueEntry, catalogue, source_ip_of

CATEGORIES = {
    "Login/Logout": 2,
    "Roles": 5,
    "Integrations": 2,
    "Models": 7,
    "Agents": 2,
    "User Management": 2,
    "Playground": 2,
    "Dataset": 1,
    "Guardrails": 2,
}


def entry(event: str) -> CatalogueEntry:
    entry = catalogue().find(event)
    assert entry is not None
    return entry


def test_it_holds_25_events_in_nine_categories() -> None:
    assert len(catalogue()) == 25
    assert catalogue().categories == tuple(CATEGORIES)
    counts = {name: sum(each.category == name for each in catalogue()) for name in CATEGORIES}
    assert counts == CATEGORIES


def test_every_entry_explains_itself() -> None:
    for each in catalogue():
        assert each.meaning[0].isupper()
        assert each.meaning.endswith(".")
        assert "  " not in each.meaning
        assert {"User ID", "IP Address"} <= set(each.metadata)
        assert len(each.metadata) == len({name.casefold() for name in each.metadata})
        assert each.target


@pytest.mark.parametrize(
    ("event", "count", "last"),
    [
        ("Login", 3, "User ID"),
        ("Role edited", 3, "Role ID"),
        ("Role deleted", 3, "Role Name"),
        ("Integration added", 5, "Integration Type"),
        ("Model added", 4, "Model Name"),
        ("Model deleted", 5, "Model Type"),
        ("Started fine-tuning", 13, "Weights and Biases"),
        ("Model deployed", 16, "Scale Down Delay"),
        ("Model undeployed", 17, "Scale Down Delay"),
        ("Agent deleted", 7, "Model Type"),
        ("User invited", 5, "Role ID"),
        ("Experiment deleted", 6, "Model Type"),
        ("Dataset uploaded", 3, "File Type"),
        ("Guardrails undeployed", 6, "Time of Usage"),
    ],
)
def test_expected_metadata(event: str, count: int, last: str) -> None:
    assert len(entry(event).metadata) == count
    assert entry(event).metadata[-1] == last


def test_it_is_read_once() -> None:
    assert catalogue() is catalogue()


@pytest.mark.parametrize("event", ["login", "ConsoleLogin", "", "Login "])
def test_an_unknown_event_is_not_found(event: str) -> None:
    assert catalogue().find(event) is None


@pytest.mark.parametrize(
    ("metadata", "missing"),
    [
        ({}, ("IP Address", "User ID", "Role ID", "Role Name")),
        ({"ip address": "10.0.0.1", "USER ID": "u-1", "Role ID": "r-1", "rOLE nAME": "Auditor"}, ()),
        ({"IP Address": "10.0.0.1", "User ID": "u-1", "Role Name": None, "Extra": 1}, ("Role ID",)),
    ],
)
def test_missing_names_are_found_without_regard_to_case(
    metadata: dict[str, Any], missing: tuple[str, ...]
) -> None:
    assert entry("Role created").missing(metadata) == missing


@pytest.mark.parametrize(
    ("event", "metadata", "target"),
    [
        ("Role assigned", {"Role Name": "Admin", "Role ID": "r-1"}, "Admin"),
        ("Role edited", {"Role ID": "r-1"}, "r-1"),
        ("Role edited", {"role id": "r-1"}, "r-1"),
        ("Role created", {"Role Name": "", "Role ID": "r-1"}, "r-1"),
        ("Agent deleted", {"Agent Name": "Invoices", "Model Name": "llama"}, "Invoices"),
        ("Experiment deleted", {"Experiment ID": "e-1", "Model Name": "llama"}, "e-1"),
        ("User invited", {"Added User IDs": ["u-1", "u-2"], "Role Name": "Viewer"}, "u-1, u-2"),
        ("User deleted", {"Removed User IDs": "u-9"}, "u-9"),
        ("Model deployed", {"Model ID": 17}, "17"),
        ("Model deployed", {"Model ID": {"nested": 1}}, None),
        ("Dataset uploaded", {"File Type": "csv"}, None),
        ("Login", {"Email ID": "alice@acme.io", "User ID": "u-1"}, "alice@acme.io"),
        ("Guardrails deployed", {}, None),
    ],
)
def test_target(event: str, metadata: dict[str, Any], target: str | None) -> None:
    assert entry(event).target_of(metadata) == target


def test_source_ip() -> None:
    assert source_ip_of({"ip ADDRESS": "10.0.0.1"}) == "10.0.0.1"
    assert source_ip_of({"IP Address": None}) is None
    assert source_ip_of({}) is None
