"""Taking events out of the screen in a real terminal: into a file, and out of a tmux as it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import make_store
from tests.pty.terminal import AUDIT_TUI, Terminal

if TYPE_CHECKING:
    from pathlib import Path

ROWS = "\n".join(
    [
        "Login\tLogin/Logout\tbob@acme.io\t2026-11-22 13:40:00 +00:00\tRefused: wrong password",
        "Role created\tRoles\talice@acme.io\t2026-11-20 09:30:00 +00:00\tCreated Auditor",
    ]
)


def review(store: Path) -> list[str]:
    return [*AUDIT_TUI, str(store), "--range", "all-time", "--tz", "UTC"]


@pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux")
def test_rows_come_out_of_a_tmux_with_default_settings(tmp_path: Path) -> None:
    store = make_store(tmp_path / "audit.db")
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", os.devnull]
    environment = {"TERM": "xterm-256color", "TMUX": None}
    with Terminal([*tmux, "new-session", *review(store)], env=environment) as outside:
        try:
            outside.wait_for("1 of 4 ")
            outside.press("v", "j")
            outside.wait_for("2 rows selected")
            outside.press("y")
            outside.wait_for("Copy 2 events")
            outside.press("r")
            outside.wait_for("Copied 2 rows to tmux and clipboard")
            buffer = subprocess.run([*tmux, "show-buffer"], capture_output=True, check=True).stdout
            assert buffer.decode() == ROWS
            outside.wait_for_bytes(b"\x07", outside.output.find(b"\x1b]52;"))
            sequence = outside.output.partition(b"\x1b]52;")[2].partition(b"\x07")[0]
            assert b64decode(sequence.partition(b";")[2]).decode() == ROWS
        finally:
            subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)


def test_the_copied_command_prints_what_is_shown(tmp_path: Path) -> None:
    store = make_store(tmp_path / "a 'store'.db")
    with Terminal(
        [*review(store), "--filter", "user=alice@acme.io"], env={"TMUX": None, "STY": None}
    ) as terminal:
        terminal.wait_for("1 of 2 ")
        terminal.press("y", "c")
        terminal.wait_for("Sent the command to the terminal's clipboard")
        sequence = terminal.output.partition(b"\x1b]52;c;")[2].partition(b"\x07")[0]
        terminal.press("q")
        assert terminal.wait() == 0
    command = b64decode(sequence).decode()
    assert command.startswith("audit-tui query ")
    command = command.replace("audit-tui", " ".join(AUDIT_TUI), 1)
    printed = subprocess.run(["/bin/sh", "-c", f"{command} --format jsonl"], capture_output=True, check=True)
    assert printed.stdout.count(b'"user":"alice@acme.io"') == len(printed.stdout.splitlines()) == 2


def test_an_export_is_written_where_the_program_was_started(tmp_path: Path) -> None:
    store = make_store(tmp_path / "audit.db")
    folder = tmp_path / "folder"
    folder.mkdir()
    start = ["/bin/sh", "-c", f'cd "{folder}" && exec "$@"', "sh", *review(store)]
    with Terminal(start) as terminal:
        terminal.wait_for("1 of 4 ")
        terminal.press("X")
        terminal.wait_for("All 4 events of the view, newest first.")
        terminal.press("enter")
        terminal.wait_for("Exported 4 events to")
        terminal.press("enter")
        terminal.wait_until_gone("Exported")
        terminal.press("q")
        assert terminal.wait() == 0
    [path] = folder.iterdir()
    assert path.suffix == ".csv"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().count("\n") == 5
