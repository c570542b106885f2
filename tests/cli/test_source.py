"""A URL in the place of a store is refused in one sentence, and its password is never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.core.privacy.source_name import is_url, without_password
from tests.cli.running import run

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "hunter2-s3cret"
URL = f"postgresql://ann:{PASSWORD}@db.example/audit"


@pytest.mark.parametrize(
    "words",
    [
        ("open", URL),
        (URL,),
        ("open", "-s", URL),
        ("-s", URL, "count"),
        ("query", "--store", URL),
        ("query", f"--store={URL}"),
        ("count", "-s", URL),
        ("facets", "user", "-s", URL),
        ("histogram", "-s", URL),
        ("export", "out.csv", "-s", URL),
        ("record", "Login", "-s", URL),
        ("import", "log.jsonl", "-s", URL),
        ("import", URL),
        ("verify", "-s", URL),
        ("seal", "show", "-s", URL),
        ("info", "-s", URL),
        ("doctor", "-s", URL),
        ("reindex", "-s", URL),
        ("demo", "--store", URL),
    ],
)
def test_a_url_is_refused_without_its_password(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert "URLs are not supported yet" in result.output
    assert PASSWORD not in result.output
    assert not list(tmp_path.iterdir())


def test_a_url_in_the_settings_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_TUI_STORE", URL)
    for words in (("count",), ("info",), ("config", "show"), ("config", "validate")):
        result = run(*words)
        assert result.exit_code == 2
        assert "URLs are not supported yet" in result.output
        assert PASSWORD not in result.output


def test_a_password_is_not_shown_in_any_message() -> None:
    for words in (("count", "--filter", URL), ("facets", URL), ("count", "--since", URL), ("count", URL)):
        result = run(*words)
        assert result.exit_code == 2
        assert PASSWORD not in result.output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (URL, "postgresql://ann:***@db.example/audit"),
        ("postgresql:/ann:pw@db", "postgresql:/ann:***@db"),
        (
            "clickhouse://:p@w@host and http://x/?password=a%20b&y=1",
            "clickhouse://:***@host and http://x/?password=***&y=1",
        ),
        ("http://ann@host/path:x@y", "http://ann@host/path:x@y"),
        ("no url: a@b", "no url: a@b"),
    ],
)
def test_passwords_are_hidden(text: str, shown: str) -> None:
    assert without_password(text) == shown


def test_what_is_a_url() -> None:
    assert is_url(URL)
    assert is_url("postgresql:/ann@db")
    assert not any(map(is_url, ("audit.db", "/tmp/a:/b", "C:/audit.db", "./http://x", "")))
