"""Tries an installed audit-tui as somebody does who has only the README: the demo, an event, the end.

    python -m tests.pty.installed PATH_OF_AUDIT_TUI

For ``.ci/run``: an editable install finds files that a wheel may lack.
"""

from __future__ import annotations

import sys
import tempfile

from tests.pty.terminal import Terminal


def main(program: str) -> None:
    """Make a small demo with this program, open an event, and leave."""
    with tempfile.TemporaryDirectory() as home:
        env = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME")) | {"HOME": home, "TERM": "xterm-256color"}
        command = [program, "demo", "--events", "2000", "--store", f"{home}/demo.db"]
        with Terminal(command, columns=140, rows=40, env=env) as terminal:
            terminal.wait_for("Last 30 Days")
            terminal.wait_for("1 of ")
            terminal.press("enter")
            terminal.wait_for("IP Address")
            # Not in one piece: Esc and a letter together are Alt and that letter.
            terminal.press("escape")
            terminal.wait_until_gone("IP Address")
            terminal.press("q")
            code = terminal.wait()
            assert code == 0, f"exit code {code}:\n{terminal.screen_text()}"


if __name__ == "__main__":
    main(*sys.argv[1:])
