"""The commands in a real terminal: what fits it, what is refused, and how it is left."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from tests.cli.running import EVENTS, at, make_store
from tests.payloads import PAYLOADS
from tests.pty.terminal import AUDIT_TUI, Terminal

if TYPE_CHECKING:
    from pathlib import Path

ALL = ("--range", "all-time")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make_store(tmp_path / "audit.db")


def test_a_table_fits_a_terminal_of_80_columns(store: Path) -> None:
    with Terminal([*AUDIT_TUI, "query", "-s", str(store), *ALL]) as terminal:
        assert terminal.wait() == 0
        assert terminal.lines[:3] == [
            " Event         Category      User           Date                 Description",
            "✗Login         Login/Logout  bob@acme.io    2026-11-22 13:40:00  Refused: wrong…",
            " Role created  Roles         alice@acme.io  2026-11-20 09:30:00  Created Auditor",
        ]


@pytest.mark.parametrize("columns", [36, 40, 59, 60, 79, 80, 200])
def test_no_row_of_a_table_is_wrapped(tmp_path: Path, columns: int) -> None:
    long = AuditEvent("漢字" * 30, at("2026-11-22 12:00"), user="u" * 99, description="é" * 400, category="c")
    store = make_store(tmp_path / "s.db", [*EVENTS, long])
    with Terminal([*AUDIT_TUI, "query", "-s", str(store), *ALL], columns=columns) as terminal:
        assert terminal.wait() == 0
        rows = [line for line in terminal.lines if line]
        assert len(rows) == 6
        assert all("2026-" in row or "2025-" in row or "Date" in row for row in rows)


def test_a_terminal_gets_a_hundred_events_and_is_told_so(tmp_path: Path) -> None:
    events = (AuditEvent(f"E{number}", at("2026-11-22 12:00") + number) for number in range(1204))
    store = make_store(tmp_path / "s.db", events)
    with Terminal([*AUDIT_TUI, "query", "-s", str(store), *ALL], rows=110) as terminal:
        assert terminal.wait() == 0
        rows = [line for line in terminal.lines if line]
        assert (rows[1].split()[0], rows[100].split()[0]) == ("E1203", "E1104")
        assert rows[101:] == ["100 of 1,204 events; --limit 0 shows all."]


@pytest.mark.parametrize("form", ["table", "md", "csv", "jsonl", "json"])
def test_no_payload_reaches_the_terminal(tmp_path: Path, form: str) -> None:
    events = [
        AuditEvent(f"e{text}", at("2026-11-22 12:00"), user=text, description=text, metadata={text: text})
        for text in PAYLOADS
    ]
    store = make_store(tmp_path / "s.db", events)
    with Terminal([*AUDIT_TUI, "query", "-s", str(store), *ALL, "--format", form]) as terminal:
        assert terminal.wait() == 0
        text = terminal.output.decode().replace("\r\n", "")
        assert [character for character in text if not character.isprintable()] == []


@pytest.mark.parametrize("term", ["dumb", "unknown", "", None])
def test_a_dumb_terminal_is_told_what_to_use_instead(store: Path, term: str | None) -> None:
    with Terminal([*AUDIT_TUI, str(store)], env={"TERM": term}) as terminal:
        assert terminal.wait() == 2
        assert "better terminal" in terminal.screen_text()
        assert "audit-tui query" in terminal.screen_text()
        assert b"\x1b" not in terminal.output


@pytest.mark.parametrize("redirection", ["</dev/null", ">/dev/null", "2>/dev/null"])
def test_a_redirected_stream_is_no_terminal(store: Path, tmp_path: Path, redirection: str) -> None:
    script = f"'{sys.executable}' -m audit_tui '{store}' {redirection}; echo code $?"
    with Terminal(["/bin/sh", "-c", script]) as terminal:
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.output
        if redirection != ">/dev/null":
            assert "code 2" in terminal.screen_text()
        if redirection != "2>/dev/null":
            assert "The screen needs a terminal" in terminal.screen_text()


def test_what_is_no_store_is_refused_before_the_terminal_is_touched(tmp_path: Path) -> None:
    with Terminal([*AUDIT_TUI, str(tmp_path)]) as terminal:
        assert terminal.wait() == 3
        assert "There is no event in" in terminal.screen_text().replace("\n", "")
        assert b"\x1b" not in terminal.output


def test_the_screen_shows_what_was_asked_for_and_leaves_the_terminal_clean(store: Path) -> None:
    asked = ("--filter", "event=Login", "--range", "all-time", "--tz", "Asia/Tokyo")
    with Terminal([*AUDIT_TUI, str(store), *asked]) as terminal:
        terminal.wait_for("All Time")
        terminal.wait_for("1 of 2")
        assert terminal.is_alternate
        screen = terminal.screen_text()
        for words in ("audit.db", "Filter (1)", "event=Login", "Asia/Tokyo", "22:40:00", "bob@acme.io"):
            assert words in screen
        assert "Role created" not in screen
        terminal.press("q")
        assert terminal.wait() == 0
        assert not terminal.is_alternate


@pytest.mark.parametrize(("mouse", "is_asked"), [("on", True), ("off", False)])
def test_the_mouse_is_asked_for_unless_the_settings_say_no(store: Path, mouse: str, is_asked: bool) -> None:
    with Terminal([*AUDIT_TUI, str(store), *ALL], env={"AUDIT_TUI_MOUSE": mouse}) as terminal:
        terminal.wait_for("1 of 4")
        assert (b"?1000h" in terminal.output) is is_asked
        terminal.press("q")
        assert terminal.wait() == 0


def test_the_mouse_is_switched_while_the_screen_runs(store: Path) -> None:
    with Terminal([*AUDIT_TUI, "open", "--no-mouse", str(store), *ALL]) as terminal:
        terminal.wait_for("1 of 4")
        assert b"?1000h" not in terminal.output
        terminal.press("ctrl+o")
        terminal.wait_for("The mouse is on")
        assert terminal.output.count(b"?1000h") == 1
        terminal.press("ctrl+o")
        terminal.wait_for("The mouse is off")
        assert terminal.output.rfind(b"?1000l") > terminal.output.rfind(b"?1000h")
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_screen_and_leaves_the_terminal_clean(
    store: Path, number: signal.Signals, code: int
) -> None:
    with Terminal([*AUDIT_TUI, str(store), *ALL]) as terminal:
        terminal.wait_for("1 of 4")
        terminal.signal(number)
        assert terminal.wait() == code
        assert not terminal.is_alternate
        assert terminal.output.rfind(b"\x1b[?25h") > terminal.output.rfind(b"\x1b[?25l")
        for mode in (b"1000", b"1002", b"1003", b"1006"):
            assert terminal.output.rfind(b"?%sl" % mode) >= terminal.output.rfind(b"?%sh" % mode)


def test_ctrl_c_ends_a_command_without_a_traceback(tmp_path: Path) -> None:
    events = (
        AuditEvent("E", at("2026-11-22 12:00") + number, description="x" * 99) for number in range(3000)
    )
    store = make_store(tmp_path / "s.db", events)
    command = [*AUDIT_TUI, "query", "-s", str(store), *ALL, "--limit", "0"]
    with Terminal(command) as terminal:
        terminal.wait_for("2026-11-22")
        terminal.press("ctrl+c")
        assert terminal.wait() == 130
        assert "Traceback" not in terminal.screen_text()


def test_json_of_one_event_reads_back(store: Path) -> None:
    command = [*AUDIT_TUI, "query", "-s", str(store), *ALL, "--limit", "1", "--format", "json"]
    with Terminal(command, columns=300) as terminal:
        assert terminal.wait() == 0
        text, _, _ = terminal.output.decode().rpartition("]")
        assert json.loads(text + "]")[0]["outcome"] == Outcome.FAILURE


def test_a_store_of_old_events_opens_on_all_of_them(tmp_path: Path) -> None:
    store = make_store(tmp_path / "old.db", [AuditEvent("Login", at("2001-01-01 12:00"))])
    with Terminal([*AUDIT_TUI, str(store)]) as terminal:
        terminal.wait_for("nothing in Last 30 Days")
        terminal.wait_for("All Time")
        terminal.wait_for("Login")
        terminal.press("q")
        assert terminal.wait() == 0


def test_following_says_what_came_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "app.jsonl"
    log.write_text('{"time": "2026-11-01T10:00:00Z", "event": "a"}\n')
    with Terminal([*AUDIT_TUI, "import", "--follow", "app.jsonl", "-s", "s.db"]) as terminal:
        terminal.wait_for("Following app.jsonl: 1 stored. Ctrl+C ends it.")
        with log.open("a") as file:
            file.write("nonsense\n")
        terminal.wait_for("1 stored, 1 rejected. Ctrl+C ends it.")
        terminal.press("ctrl+c")
        assert terminal.wait() == 130
        assert "Following" not in terminal.screen_text()


@pytest.mark.parametrize("words", [["-"], ["-", "--plain"]])
def test_a_keyboard_is_not_a_log(words: list[str]) -> None:
    with Terminal([*AUDIT_TUI, *words]) as terminal:
        assert terminal.wait() == 2
        assert terminal.lines[0] == "No log comes from the keyboard."
