"""A URL in the place of a store: what needs a store refuses it, and its password is never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.core.source import SourceUrl, is_url, source_of, without_password
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
def test_a_url_of_no_engine_is_refused_without_its_password(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*(word.replace("postgresql:", "mysql:") for word in words))
    assert result.exit_code == 2
    assert "mysql://ann:***@db.example/audit is not a source of events." in result.output
    assert "postgresql://, clickhouse://" in result.output
    assert PASSWORD not in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("record", "Login", "-s", URL),
        ("import", "log.jsonl", "-s", URL),
        ("import", URL),
        ("seal", "show", "-s", URL),
        ("doctor", "-s", URL),
        ("reindex", "-s", URL),
        ("demo", "--store", URL),
        ("redact", "user:bob", "-s", URL),
    ],
)
def test_what_changes_a_store_takes_no_url(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert "This needs a store on this machine, not postgresql://ann:***@db.example/audit." in result.output
    assert PASSWORD not in result.output
    assert not list(tmp_path.iterdir())


def test_a_password_in_the_settings_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_TUI_STORE", URL)
    for words in (("count",), ("info",), ("config", "show"), ("config", "validate")):
        result = run(*words)
        assert result.exit_code == 2
        assert "names a URL with its password" in result.output
        assert PASSWORD not in result.output


def test_a_url_as_text_has_no_password() -> None:
    url = source_of(URL)
    assert isinstance(url, SourceUrl)
    assert url.secret_text == URL
    for text in (str(url), repr(url), f"{url}", url.name, str([url])):
        assert PASSWORD not in text
    assert url.name == "audit on db.example"
    assert (url.engine, url.is_local, url.has_password) == ("postgresql", False, True)


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("postgresql://localhost/a", True),
        ("postgres:///a?host=/run/pg", True),
        ("postgresql://127.0.0.1:5433/a", True),
        ("postgresql://db/a?host=127.0.0.1", True),
        ("postgresql://db/a", False),
        ("clickhouse://ch:8443/a", False),
    ],
)
def test_engines_on_this_machine(text: str, is_local: bool) -> None:
    url = source_of(text)
    assert isinstance(url, SourceUrl)
    assert url.is_local == is_local


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
