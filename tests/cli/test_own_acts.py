"""Openings and exports that the settings want recorded, and pseudonyms and keys on the command line."""

from __future__ import annotations

import getpass
import json
import stat
from typing import TYPE_CHECKING

import pytest

from audit_tui.cli.own_acts import CATEGORY, EXPORTED, OPENED, OwnActs
from audit_tui.cli.redacting import KEY_BYTES, PSEUDONYMS, local_key
from audit_tui.config import keys_directory
from audit_tui.core.query import EventQuery
from audit_tui.errors import EXIT_USAGE, FileError
from audit_tui.store.read.reader import StoreReader
from tests.cli.running import make_store, run

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.event import AuditEvent


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make_store(tmp_path / "s.db")


def newest(store: Path) -> AuditEvent:
    with StoreReader(store) as reader:
        event = reader.event(reader.newest_seq())
    assert event is not None
    return event


def number(store: Path) -> int:
    with StoreReader(store) as reader:
        return reader.count(EventQuery())


def test_an_export_is_recorded_when_the_settings_say_so(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = number(store)
    out = tmp_path / "out.csv"
    assert run("export", str(out), "-s", str(store), "--range", "all-time").exit_code == 0
    assert number(store) == before
    monkeypatch.setenv("AUDIT_TUI_RECORD_OWN_ACTS", "yes")
    assert run("export", str(out), "-s", str(store), "--range", "all-time").exit_code == 0
    event = newest(store)
    assert (event.event, event.category, event.user) == (EXPORTED, CATEGORY, getpass.getuser())
    assert event.metadata["events"] == before
    assert event.metadata["file"] == str(out)


def test_an_opening_is_recorded_with_whoever_is_behind_sudo(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "carol")
    monkeypatch.setenv("SSH_CONNECTION", "10.9.8.7 5022 10.0.0.1 22")
    assert OwnActs(store, is_on=True).opened() == ""
    event = newest(store)
    assert event.event == OPENED
    assert event.user is not None
    assert event.user.startswith("carol (as ")
    assert event.metadata["client"] == "10.9.8.7"


def test_what_cannot_be_recorded_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.db").mkdir()
    message = OwnActs(tmp_path / "no.db", is_on=True).opened()
    assert message.startswith("Not recorded that you opened it: ")


def test_exports_and_queries_name_nobody_and_agree(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    options = ("-s", str(store), "--range", "all-time", "--redact")
    assert run("export", str(out), *options).exit_code == 0
    printed = run("query", *options, "--format", "jsonl").stdout
    assert printed == out.read_text()
    assert "acme.io" not in printed
    assert "10.20.4.7" not in printed
    user = next(event["user"] for event in map(json.loads, printed.splitlines()) if event["user"])
    only = run("query", *options, "--format", "jsonl", "--filter", f"user={user}").stdout
    assert {json.loads(line)["user"] for line in only.splitlines()} == {user}


def test_a_proof_of_pseudonyms_is_refused(store: Path, tmp_path: Path) -> None:
    result = run("export", str(tmp_path / "o.jsonl"), "-s", str(store), "--redact", "--proof")
    assert result.exit_code == EXIT_USAGE


def test_a_key_is_made_once_for_its_owner_alone_and_refused_when_others_can_read_it() -> None:
    key = local_key(PSEUDONYMS)
    path = keys_directory() / PSEUDONYMS
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert local_key(PSEUDONYMS) == key
    path.chmod(0o640)
    with pytest.raises(FileError, match="Others may read"):
        local_key(PSEUDONYMS)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(FileError, match="not a key"):
        local_key(PSEUDONYMS)
