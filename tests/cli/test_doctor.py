"""``audit-tui doctor``: each thing that can be wrong is found, with its fix, and nothing is written."""

from __future__ import annotations

import json
import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from audit_tui.config import config_path, keys_directory
from audit_tui.core.finding import Finding, Level
from audit_tui.store.file import connect, file_system
from audit_tui.store.read.diagnosing import has_wal_reset_fix, sqlite_finding
from audit_tui.ui.terminal.clipboard import Clipboard
from tests.cli.running import make_store, run
from tests.payloads import UNSAFE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return make_store(folder / "audit.db")


def findings(*args: str, code: int = 0) -> list[Finding]:
    result = run("doctor", "--json", *args)
    assert (result.exit_code, result.stderr) == (code, "")
    return [
        Finding(row["topic"], Level(row["level"]), row["message"], row["fix"] or "")
        for row in json.loads(result.stdout)["findings"]
    ]


def finding(topic: str, *args: str, level: Level = Level.WRONG, code: int = 1) -> Finding:
    """The finding of this topic and level."""
    match, *_ = [each for each in findings(*args, code=code) if (each.topic, each.level) == (topic, level)]
    return match


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        file.name: (file.stat().st_mode, file.read_bytes()) for file in folder.iterdir() if file.is_file()
    }


def test_a_healthy_store_is_well_and_nothing_is_written(store: Path) -> None:
    before = contents(store.parent)
    all_found = findings("-s", str(store))
    assert not [finding for finding in all_found if finding.level is Level.WRONG]
    after = {
        name: content
        for name, content in contents(store.parent).items()
        if not name.endswith(("-wal", "-shm"))
    }
    assert after == before
    topics = {finding.topic for finding in all_found}
    assert {
        "SQLite",
        "store",
        "folder",
        "file system",
        "free space",
        "schema",
        "journal",
        "index",
    } <= topics
    assert {"text index", "seals", "terminal", "locale", "settings"} <= topics
    words = run("doctor", "-s", str(store)).stdout
    assert words.endswith("Nothing to mend.\n")
    assert f"{store}, mode 0600." in words


def test_a_default_store_that_is_not_there_yet_is_no_fault() -> None:
    assert "audit-tui demo" in finding("store", level=Level.NOTE, code=0).fix


def test_a_store_that_is_named_and_cannot_be_read_is_3(tmp_path: Path) -> None:
    assert "There is no store" in finding("store", "-s", str(tmp_path / "none.db"), code=3).message
    (tmp_path / "text.db").write_text("no store")
    (tmp_path / "text.db").chmod(0o600)
    assert "not an audit store" in finding("store", "-s", str(tmp_path / "text.db"), code=3).message
    os.mkfifo(tmp_path / "pipe")
    assert "named pipe" in finding("store", "-s", str(tmp_path / "pipe"), code=3).message


def everybody_reads(store: Path) -> None:
    store.chmod(0o644)


def everybody_reads_and_the_group_writes(store: Path) -> None:
    store.chmod(0o664)


def everybody_changes_the_folder(store: Path) -> None:
    store.parent.chmod(0o777)


def the_lock_is_everybodys(store: Path) -> None:
    lock = store.with_name("audit.db.lock")
    lock.touch()
    lock.chmod(0o666)


def a_key_is_everybodys(store: Path) -> None:
    keys_directory().mkdir(parents=True)
    key = keys_directory() / "a.key"
    key.touch()
    key.chmod(0o640)


def settings_are_everybodys(store: Path) -> None:
    config_path().parent.mkdir(parents=True)
    config_path().write_text("mouse = true\n")
    config_path().chmod(0o666)


def settings_are_wrong(store: Path) -> None:
    config_path().parent.mkdir(parents=True)
    config_path().write_text('zone = "Nowhere"\n')


def settings_are_a_pipe(store: Path) -> None:
    config_path().parent.mkdir(parents=True)
    os.mkfifo(config_path())


@pytest.mark.parametrize(
    ("spoil", "topic", "message", "fix"),
    [
        (everybody_reads, "store", "Everybody may read /", "chmod o-rwx"),
        (everybody_reads_and_the_group_writes, "store", "Everybody may read, its group write /", "chmod o-"),
        (everybody_changes_the_folder, "folder", "Everybody may replace files", "chmod o-w"),
        (the_lock_is_everybodys, "lock", "Everybody may write", "chmod o-rwx"),
        (a_key_is_everybodys, "key", "Its group may read", "chmod go-rwx"),
        (settings_are_everybodys, "settings", "Everybody may write", "chmod o-rwx"),
        (settings_are_wrong, "settings", "line 1: zone names no time zone", "Europe/Berlin"),
        (settings_are_a_pipe, "settings", "is not a file", "AUDIT_TUI_CONFIG"),
    ],
)
def test_what_is_wrong_is_found_with_its_fix(
    store: Path, spoil: Callable[[Path], None], topic: str, message: str, fix: str
) -> None:
    spoil(store)
    match = finding(topic, "-s", str(store))
    assert message in match.message
    assert fix in match.fix


def test_what_is_missing_in_the_store_is_found(store: Path) -> None:
    with sqlite3.connect(store) as connection:
        for table in ("index_segments", "seal_head", "seal_block"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    levels = {finding.topic: finding.level for finding in findings("-s", str(store), code=1)}
    assert levels["seals"] is Level.WRONG
    assert levels["index"] is levels["journal"] is Level.NOTE


def test_another_machine_and_a_full_disk_are_found(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = file_system.Mount("nfs4", is_read_only=False)
    monkeypatch.setattr(file_system, "mount_of", lambda *_: mount)
    assert "nfs4" in finding("file system", "-s", str(store)).message
    monkeypatch.setattr(connect, "free_bytes", lambda _: 1000)
    assert "1,000 bytes" in finding("free space", "-s", str(store)).message


@pytest.mark.parametrize(
    ("version", "has_fix"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
    ],
)
def test_which_sqlite_has_the_fix(version: tuple[int, int, int], has_fix: bool) -> None:
    assert has_wal_reset_fix(version) is has_fix
    assert (sqlite_finding(version).level is Level.OK) is has_fix
    assert sqlite_finding((3, 36, 0)).level is Level.WRONG


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TERM", "dumb", "no screen"),
        ("NO_COLOR", "1", "no colours"),
        ("COLORTERM", "truecolor", "16 million"),
        ("TERM", "linux", "16 colours"),
        ("COLUMNS", "30", "30 cells wide"),
    ],
)
def test_the_terminal_is_told(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str) -> None:
    monkeypatch.setenv(variable, value)
    assert any(words in finding.message for finding in findings() if finding.topic == "terminal")


@pytest.mark.parametrize(
    ("option", "features", "fix"),
    [
        ("off", "clipboard", "set-clipboard on"),
        ("external", "256", "terminal-features"),
        ("on", "clipboard", ""),
    ],
)
def test_tmux_is_asked_for_its_clipboard(tmp_path: Path, option: str, features: str, fix: str) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text(f"#!/bin/sh\ncase $1 in show-options) echo {option};; *) echo {features};; esac\n")
    tmux.chmod(0o755)
    environment = {"TMUX": "x", "PATH": f"{tmp_path}:/usr/bin:/bin"}
    [finding] = Clipboard(lambda _: None, tmp_path, environment).tmux_findings()
    assert fix in finding.fix
    assert (finding.level is Level.OK) is (fix == "")
    assert list(Clipboard(lambda _: None, tmp_path, {}).tmux_findings()) == []


def test_no_name_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    result = run("doctor", "-s", str(tmp_path / "a\x1b]0;x\x07\u202eb.db"))
    assert not UNSAFE.search(result.output.replace("\n", ""))


@pytest.mark.parametrize("seq", [10**11, -5])
def test_a_number_that_no_event_can_have_is_named(store: Path, seq: int) -> None:
    connection = sqlite3.connect(store)
    connection.execute(
        "INSERT INTO events (seq, key, occurred_us, event_id, outcome) VALUES (?, 'x', 1, 1, 'unknown')",
        (seq,),
    )
    connection.commit()
    connection.close()
    wrong = finding("seals", "-s", str(store))
    assert f"Event {seq:,} is not sealed; the seals end at event 4." in wrong.message
