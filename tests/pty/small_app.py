"""A small app on the project's terminal layer, for tests in a pseudo-terminal.

    python -m tests.pty.small_app WHAT [CRASH_DIRECTORY]

It shows numbered lines; down moves a marker. WHAT says what else: nothing, a way to crash, or a flood.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.widgets import Static

from audit_tui.errors import StoreDamaged
from audit_tui.ui.terminal.terminal_app import TerminalApp

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

LINES = 200
SECRET = "alice@example.org"


class SmallApp(TerminalApp):
    """Lines, one of them marked."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        ("down", "move", "Down"),
        ("q", "quit", "Quit"),
        ("x", "fail", "Fail"),
        ("m", "mouse", "Mouse"),
        ("z", "freeze", "Freeze"),
        ("ctrl+z", "suspend_process", "Suspend"),
    ]

    def __init__(self, what: str, directory: Path | None) -> None:
        super().__init__(crash_directory=directory)
        self.animation_level = "none"
        self.what = what
        self.directory = directory
        self.row = 0

    def compose(self) -> ComposeResult:
        if self.what == "compose":
            self.fail()
        yield Static(self.text(), markup=False)

    def text(self) -> str:
        marked = ("▶" if number == self.row else " " for number in range(LINES))
        return "\n".join(f"{mark} line {number} é" for number, mark in enumerate(marked))

    def on_mount(self) -> None:
        if self.what == "flood":
            self.call_after_refresh(self.flood)

    def flood(self) -> None:
        """Write until the event loop waits for the terminal, which takes no more."""
        assert self._driver is not None
        assert self.directory is not None
        threading.Thread(target=self.tell_when_full, args=(self.directory,), daemon=True).start()
        for _ in range(1_000_000):
            self._driver.write("\x1b[m" * 100)

    def tell_when_full(self, directory: Path) -> None:
        # Textual's writer takes 30 pieces before the event loop waits for it.
        queue = vars(self._driver)["_writer_thread"]._queue
        while not queue.full():
            threading.Event().wait(0.01)
        (directory / "full").touch()

    def action_move(self) -> None:
        self.row += 1
        self.query_one(Static).update(self.text())

    def action_freeze(self) -> None:
        """Never come back to the event loop."""
        assert self.directory is not None
        (self.directory / "frozen").touch()
        while True:
            self.row = -self.row

    def action_mouse(self) -> None:
        self.set_mouse(not self.has_mouse)

    def action_fail(self) -> None:
        match self.what:
            case "handler":
                self.fail()
            case "thread":
                self.run_worker(self.fail, thread=True)
            case "worker":
                self.run_worker(self.fail_later())
            case "store":
                raise StoreDamaged("The store audit.db is damaged.", "Restore it from a backup.")

    def fail(self) -> None:
        user = SECRET
        raise ValueError(f"no \x1b]0;pwn\x07{len(user)}")

    async def fail_later(self) -> None:
        self.fail()


if __name__ == "__main__":
    app = SmallApp(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    app.run(mouse=app.what != "no-mouse")
    sys.exit(app.return_code)
