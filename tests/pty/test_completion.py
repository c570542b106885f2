"""Completion by bash, as it is typed in a terminal: values with spaces, and what a shell would obey."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from tests.cli.running import EVENTS, at, make_store
from tests.pty.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
HOSTILE = "$(touch owned); `touch owned` & \\ 'x"


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("audit-tui cou", "audit-tui count "),
        ("audit-tui count user:ali", "audit-tui count user:alice@acme.io "),
        ("audit-tui count met", "audit-tui count meta."),
        ("audit-tui count event:Role", r"audit-tui count event:\"Role\ created\" "),
        ("audit-tui count 'event:Role", "audit-tui count 'event:\"Role created\"' "),
        (
            "audit-tui count 'user:bob@acme.io event:Role",
            "audit-tui count 'user:bob@acme.io event:\"Role created\"' ",
        ),
        ("audit-tui count --filter user=bo", "audit-tui count --filter user=bob@acme.io "),
        ("audit-tui count --filter=user=bo", "audit-tui count --filter=user=bob@acme.io "),
    ],
)
def test_bash_completes_what_is_typed(tmp_path: Path, typed: str, completed: str) -> None:
    with _bash(tmp_path, EVENTS) as terminal:
        terminal.send(typed)
        terminal.wait_for(typed)
        terminal.press("tab")
        terminal.wait_for(completed.rstrip())
        # The cursor stands behind the space, or there is none.
        terminal.send("#")
        terminal.wait_for(f"go> {completed}#")


@pytest.mark.parametrize(("quote", "end"), [("", ""), ("'", ""), ('"', '"')])
def test_nothing_of_a_value_is_obeyed(tmp_path: Path, quote: str, end: str) -> None:
    event = AuditEvent("Login", at("2026-11-20 09:30:00"), user=HOSTILE)
    with _bash(tmp_path, [event]) as terminal:
        terminal.send(f"audit-tui count --range all-time {quote}user:")
        terminal.press("tab")
        terminal.wait_for("owned")
        # Bash closes a quote by itself, unless the value ends with the same.
        terminal.send(end)
        terminal.press("enter")
        terminal.wait_for("\n1\n")
    assert not (tmp_path / "owned").exists()


def _bash(folder: Path, events: list[AuditEvent] | tuple[AuditEvent, ...]) -> Terminal:
    """Return a bash in a folder that knows the command and a store of these events."""
    program = folder / "audit-tui"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m audit_tui "$@"\n')
    program.chmod(0o755)
    start = folder / "start.bash"
    start.write_text('PS1="go> "; cd "$HOME"; eval "$(_AUDIT_TUI_COMPLETE=bash_source audit-tui)"\n')
    store = make_store(folder / "audit.db", events)
    env = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "HOME": str(folder),
        "AUDIT_TUI_STORE": str(store),
        "INPUTRC": "/dev/null",
    }
    terminal = Terminal(["bash", "--noprofile", "--rcfile", str(start), "-i"], columns=140, env=env)
    terminal.wait_for("go>")
    return terminal
