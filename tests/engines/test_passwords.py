"""A password in a URL is nowhere to be seen: in no output, title, copied command, log or state file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.cli.opening import screen
from audit_tui.ui.app import AuditApp
from tests.cli.running import run
from tests.engines.servers import empty_database
from tests.engines.shared import append
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from audit_tui.ui.first_page import Opening

PASSWORD = "hunter2-s3cret"


def test_twenty_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    url = empty_database("passwords").replace("postgres@", f"postgres:{PASSWORD}@")
    store = tmp_path / "audit.db"
    append(store, EVENTS)
    lost = url.replace("/passwords?", "/no_such?")
    source = ("-s", url)
    everything = ("--range", "all-time")
    outputs = []
    for words in (
        ("ship", str(store), "--to", url),
        ("ship", str(store), "--to", lost),
        ("ship", str(store), "--to", f"{url}&nonsense=1"),
        ("ship", "--to", url, "--print-schema"),
        ("count", *source, *everything),
        ("count", "-s", lost),
        ("count", "-s", url.replace("postgresql:", "mysql:")),
        ("count", "-s", url.replace("?host=", "?port=x&host=")),
        ("query", *source, *everything, "--limit", "3"),
        ("query", "user=@none", *source),
        ("query", url, "user:bob"),
        ("count", "user:bob", url),
        ("facets", "user", *source, *everything),
        ("facets", "none", *source),
        ("histogram", *source, *everything),
        ("export", str(tmp_path / "out.csv"), *source, *everything),
        ("info", *source),
        ("info", "--json", *source),
        ("verify", *source),
        ("verify", "--json", *source),
        ("verify", "--quick", *source),
        ("open", url, "--plain", *everything),
        ("open", url),
        ("open", url, "--table", "audit_events", "--plain"),
        ("seal", "show", *source),
        ("import", url),
    ):
        result = run(*words)
        outputs.append(result.output)
        assert PASSWORD not in result.output, words
        assert result.exit_code in (0, 1, 2, 3), (words, result.exception)
    assert any("90" in output for output in outputs)

    # The screen: what it is called, and what it copies.
    shown: list[Opening] = []

    class Noted(AuditApp):
        def __init__(self, opening: Opening) -> None:
            shown.append(opening)
            super().__init__(opening)

        def run(self, **_: object) -> None:
            """Show nothing."""

    monkeypatch.setattr("audit_tui.ui.app.AuditApp", Noted)
    monkeypatch.setattr(screen, "require_screen", lambda *_, **__: None)
    opened = run("open", url, *everything)
    assert shown, opened.output
    assert url.split("?")[0].replace(PASSWORD, "***") in " ".join(shown[0].command_words)
    assert PASSWORD not in repr(shown[0].command_words) + shown[0].store_name + shown[0].notice
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert PASSWORD.encode() not in path.read_bytes(), path
    assert PASSWORD not in caplog.text
