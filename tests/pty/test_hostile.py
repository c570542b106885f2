"""The program on a hostile store in a terminal: it writes its own sequences, and no byte of the data's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent
from tests.cli.running import at, make_store
from tests.payloads import PAYLOADS, UNSAFE
from tests.pty.terminal import AUDIT_TUI, Terminal

if TYPE_CHECKING:
    from pathlib import Path

NAME = "a\x1b]0;pwned\x07\u202eb.db"
# What the program writes, each by its own form: cursor, colours, modes, clear, blocks of lines, and the
# clipboard as base64. No other kind of sequence, and no report that is asked for but these.
OWN = re.compile(
    r"\x1b\[[0-9;]*[ABCDGHdJKLMPSTXfm@r]"
    r"|\x1b\[\?[0-9;]+[hl]"
    r"|\x1b\[\?(2026|2048|2027|1016)\$p"
    r"|\x1b\[[<>=?]?[0-9;]*[u]"
    r"|\x1b\[[0-9]? q"
    r"|\x1b\]22;[a-z-]*\x1b\\"
    r"|\x1b\]22;[a-z-]*\x07"
    r"|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"
    r"|\x1b[78=>]"
    r"|[\r\n\x08]"
)
DIALOGS = {
    "J": "─ Event ",
    "f": "─ Filter by ─",
    "y": "─ Copy ─",
    "t": "─ Time range ─",
    "X": "─ Export ─",
    "?": "─ Help ─",
    ":": "─ Commands ─",
}
"""A text on the screen once a key's dialog is open."""


def left_over(output: bytes) -> str:
    """Return what is unsafe in the output besides the program's own sequences."""
    rest = OWN.sub("", output.decode("utf-8", "replace"))
    return "".join(rest[unsafe.start() : unsafe.start() + 20] for unsafe in UNSAFE.finditer(rest))


def test_the_screen_writes_no_sequence_of_the_data(tmp_path: Path) -> None:
    events = [
        AuditEvent(
            event=text,
            occurred_us=at("2026-11-20 09:00") + number * 60_000_000,
            category=text,
            user=text,
            description=text,
            source_ip=text,
            target=text,
            metadata={text: [text]},
        )
        for number, text in enumerate(PAYLOADS)
    ]
    store = make_store(tmp_path / NAME, events)
    with Terminal([*AUDIT_TUI, str(store), "--range", "all-time"], columns=110, rows=30) as terminal:
        terminal.wait_for(f"1 of {len(events)}")
        terminal.press("enter", "down", "down")
        terminal.wait_for("3 of ")
        for key, title in DIALOGS.items():
            terminal.press(key)
            terminal.wait_for(title)
            terminal.press("escape")
            # Alone: with the next key it would be Alt and that key.
            terminal.wait_until_gone(title)
        # A copied cell is a clean text in the terminal's clipboard, and is told of.
        terminal.press("y")
        terminal.wait_for(DIALOGS["y"])
        terminal.press("y")
        terminal.wait_for_bytes(b"\x1b]52;c;")
        terminal.press("end")
        terminal.wait_for(f"{len(events)} of {len(events)}")
        # Closes the pane first.
        terminal.press("q", "q")
        assert terminal.wait() == 0
        output = bytes(terminal.output)
    assert left_over(output) == ""
    for text in PAYLOADS:
        # Some are sequences that the program writes itself.
        if ("\x1b" in text or "\x07" in text) and OWN.sub("", text):
            assert text.encode("utf-8", "replace") not in output


def test_an_error_of_a_hostile_name_is_harmless(tmp_path: Path) -> None:
    with Terminal([*AUDIT_TUI, str(tmp_path / NAME)], columns=150) as terminal:
        assert terminal.wait() == 3
        assert left_over(bytes(terminal.output)) == ""
