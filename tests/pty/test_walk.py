"""The walk of a new user in a real terminal of 80 by 24: demo, filter, time range, own logs."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.store.write.writer import StoreWriter
from tests.payloads import PAYLOADS, UNSAFE
from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.ui.review_app import NOW

if TYPE_CHECKING:
    from pathlib import Path

PREVIOUS_MONTH = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"


def count(store: Path, *options: str) -> str:
    """Return what ``audit-tui count`` says, as the screen writes it."""
    argv = [*AUDIT_TUI, "count", "-s", str(store), *options]
    return f"{int(subprocess.run(argv, capture_output=True, text=True, check=True).stdout):,}"


def open_demo(store: Path) -> Terminal:
    """The demo of a small account, up to now."""
    argv = [*AUDIT_TUI, "demo", "--events", "3000", "--days", "90", "--seed", "7", "--store", str(store)]
    return Terminal(argv)


def test_the_walk_by_keyboard(tmp_path: Path) -> None:
    store = tmp_path / "demo.db"
    with open_demo(store) as terminal:
        terminal.wait_for("newest first")
        terminal.wait_for(f"1 of {count(store)} ")

        terminal.press("enter")
        terminal.wait_for("category  ")
        terminal.press("escape")
        terminal.wait_until_gone("category  ")

        terminal.press("f")
        terminal.wait_for("Cancel")
        terminal.send("Role created")
        terminal.wait_for("│ Role created")
        terminal.press("down", "enter")
        terminal.wait_for("Event       ▾   Is Equal To")
        terminal.press("tab", "tab", "enter")
        terminal.wait_for("Column      ▾")
        terminal.send("svc-deploy@acme.io")
        terminal.wait_for("│ svc-deploy@acme.io")
        terminal.press("down", "enter")
        terminal.wait_for("User        ▾")
        terminal.press("shift+tab", "right")
        terminal.wait_for("Is Not Equal To")
        terminal.click(*terminal.find("OR "))
        options = ["--filter", "event=Role created", "--filter", "user!=svc-deploy@acme.io", "--match", "any"]
        terminal.wait_for(f"{count(store, *options)} events match")
        terminal.click(*terminal.find("Apply"))
        terminal.wait_for("Filter (2)")
        terminal.wait_for(f" of {count(store, *options)} ")

        terminal.press("t")
        terminal.wait_for("Cancel")
        terminal.click(*terminal.find("Last Month"))
        terminal.press("a")
        terminal.wait_until_gone("Time range")
        terminal.wait_for("Last Month")
        terminal.wait_for(f" of {count(store, *options, '--range', 'Last Month')} ")

        terminal.press("q")
        assert terminal.wait() == 0
        assert not terminal.is_alternate


def test_two_days_are_picked_on_the_calendar(tmp_path: Path) -> None:
    store = tmp_path / "demo.db"
    with open_demo(store) as terminal:
        terminal.wait_for("newest first")
        terminal.press("t")
        # A frame comes in pieces, from the top: wait for what is at the bottom of it.
        terminal.wait_for("Cancel")
        # The month before this one is whole, whatever day it is.
        terminal.click(*terminal.find(PREVIOUS_MONTH))
        terminal.wait_until_gone("]")
        terminal.click(*terminal.find(" 10 "))
        terminal.wait_for("10")
        terminal.click(*terminal.find(" 12 "))
        terminal.wait_for(", 3 days")
        terminal.press("a")
        terminal.wait_until_gone("Time range")
        # In the line above: descriptions have the word, too.
        terminal.read_until(lambda shown: " to " in shown.lines[0], what="two days in the line above")
        words = terminal.lines[0]
        first, last = words[words.index(" to ") - 10 :][:10], words[words.index(" to ") + 4 :][:10]
        assert first.endswith("-10")
        assert last.endswith("-12")
        terminal.wait_for(f" of {count(store, '--since', first, '--until', last)} ")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0


def test_own_cloudtrail_logs_are_imported_and_reviewed(tmp_path: Path) -> None:
    records = [
        {
            "eventVersion": "1.08",
            "eventID": f"id-{number}",
            "eventTime": f"2026-11-{number + 10}T10:00:00Z",
            "eventSource": "iam.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-central-1",
            "sourceIPAddress": "10.1.2.3",
            "userIdentity": {"type": "IAMUser", "userName": "alice"},
            "requestParameters": {"userName": "bob"},
            "responseElements": None,
        }
        for number, name in enumerate(["CreateUser", "AttachUserPolicy", "DeleteUser"])
    ]
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "one.json").write_text(json.dumps({"Records": records}))
    store = tmp_path / "audit.db"
    imported = subprocess.run(
        [*AUDIT_TUI, "import", str(folder), "-s", str(store)], capture_output=True, text=True, check=True
    )
    assert "3" in imported.stderr
    with Terminal([*AUDIT_TUI, "open", str(store), "--range", "All Time"]) as terminal:
        terminal.wait_for("1 of 3 ")
        # A name that does not fit is shortened in its middle.
        assert [line.split()[0][:7] for line in terminal.lines[2:5]] == [
            "DeleteU",
            "AttachU",
            "CreateU",
        ]
        terminal.press("enter")
        terminal.wait_for("10.1.2.3")
        terminal.press("q", "q")
        assert terminal.wait() == 0


@pytest.mark.parametrize("no_color", ["1", None])
def test_no_payload_reaches_the_terminal_from_the_screen(tmp_path: Path, no_color: str | None) -> None:
    store = tmp_path / "hostile.db"
    with StoreWriter(store, durable=False) as writer:
        writer.append(
            [
                AuditEvent(
                    event=payload,
                    category=payload,
                    user=payload,
                    description=payload,
                    target=payload,
                    source=payload,
                    source_ip=payload,
                    outcome=Outcome.FAILURE,
                    occurred_us=to_us(NOW) - number,
                    metadata={payload: [payload, {payload: payload}]},
                    key=f"k{number}",
                )
                for number, payload in enumerate(PAYLOADS)
            ]
        )
    argv = [*AUDIT_TUI, "open", str(store), "--range", "all-time"]
    with Terminal(argv, columns=100, rows=60, env={"NO_COLOR": no_color}) as terminal:
        terminal.wait_for("newest first")
        terminal.press("enter")
        terminal.wait_for("source IP")
        for number in range(1, len(PAYLOADS)):
            terminal.press("down")
            terminal.wait_for(f" {number + 1} of {len(PAYLOADS)} ")
        terminal.press("J")
        terminal.wait_for("Esc close")
        # Alone: with the letter that comes next it would be Alt and that letter.
        terminal.press("escape")
        terminal.wait_until_gone("Esc close")
        terminal.press("f")
        terminal.wait_for("Cancel")
        terminal.press("down")
        terminal.wait_for("└")
        terminal.press("ctrl+q")
        assert terminal.wait() == 0
        sent = own_sequences_removed(bytes(terminal.output).decode())
        assert not UNSAFE.search(sent), repr(UNSAFE.search(sent))


def own_sequences_removed(output: str) -> str:
    """The output without what the program itself may send: CSI, its mode queries, CR and LF between rows."""
    import re

    ours = re.compile(
        r"\x1b\[[0-9;?<>=]*[ $!\"']?[a-zA-Z]"  # CSI: moves, colours, modes
        r"|\x1b\]22;[a-z-]*\x07"  # OSC 22: the shape of the mouse pointer
        r"|\x1b[78=>]|\r|\n"
    )
    return ours.sub("", output)
