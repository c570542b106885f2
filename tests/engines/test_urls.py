"""Commands that need a store say what to do instead; readings of engines are recorded on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import run
from tests.engines.servers import empty_database
from tests.engines.shared import append, ship
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

URL = "postgresql://ann@db.example/audit"
INSTEAD = {
    ("watch", "-s", URL): "shows rows as they are shipped",
    ("export", "--proof", "out.csv", "-s", URL): "on the host whose store it is",
    ("seal", "show", "-s", URL): "on the host whose store it is",
    ("redact", "1", "--why", "x", "-s", URL): "Redact in the store itself",
    ("prune", "--before", "2020-01-01", "--why", "x", "-s", URL): "Prune the store itself",
    ("backup", URL, "copy.db"): "its own tools",
    ("reindex", "-s", URL): "keeps its indexes itself",
    ("doctor", "-s", URL): "audit-tui verify -s URL",
    ("import", "log.jsonl", "-s", URL): "audit-tui ship",
    ("record", "Login", "-s", URL): "audit-tui ship",
}


@pytest.mark.parametrize("words", INSTEAD, ids=lambda words: words[0])
def test_a_command_that_needs_a_store_says_what_to_do(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2, result.output
    first, hint = result.stderr.splitlines()[:2]
    assert first == f"This needs a store on this machine, not {URL}."
    assert INSTEAD[words] in hint


def test_a_reading_of_an_engine_is_recorded_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, mine = tmp_path / "audit.db", tmp_path / "mine.db"
    append(store, EVENTS)
    url = empty_database("urls")
    ship(store, url)
    monkeypatch.setenv("AUDIT_TUI_STORE", str(mine))
    monkeypatch.setenv("AUDIT_TUI_RECORD_OWN_ACTS", "true")
    result = run("export", str(tmp_path / "out.csv"), "-s", url, "--range", "all-time")
    assert result.exit_code == 0, result.output
    event = json.loads(run("query", "--format", "jsonl", "-s", str(mine), "--range", "all-time").stdout)
    assert (event["event"], event["target"], event["metadata"]["events"]) == ("Audit log exported", url, 90)
    # Without one, that it could not be recorded is told.
    monkeypatch.setenv("AUDIT_TUI_STORE", url)
    result = run("export", str(tmp_path / "more.csv"), "--range", "all-time")
    assert result.exit_code == 0, result.output
    assert "Not recorded" in result.stderr
