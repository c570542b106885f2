"""The review screen on events in memory, as a program for a pseudo-terminal.

    python -m tests.pty.review_program [wide]

With ``wide`` the events hold letters of two cells, emoji and combining marks. When the key F12 comes, and all
is done that the keys before it led to, the program writes ``AT_REST``.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from audit_tui.config import Settings
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.ui.app import AuditApp
from audit_tui.ui.first_page import Opening
from tests.ui.fake_reader import fake_factory
from tests.ui.review_app import NOW, account
from tests.ui.waiting import at_rest

if TYPE_CHECKING:
    from textual.binding import BindingType

COUNT = 20_000
WORDS = (
    "日本語の監査",
    "emoji 👩 ok",
    "família",
    "한국어 사용자",
    "cafe\u0301 au lait",
    "plain",
    "│─ box ─│",
)


AT_REST = "\x1b]7777;at rest\x07"
"""Nothing that a terminal shows."""


class Program(AuditApp, inherit_bindings=False):
    """The app, which tells when it has come to rest."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *AuditApp.BINDINGS,
        Binding("f12", "tell_rest", priority=True, show=False),
    ]
    _telling: asyncio.Task[None] | None = None

    def action_tell_rest(self) -> None:
        self._telling = asyncio.create_task(self._tell_rest())

    async def _tell_rest(self) -> None:
        await at_rest(self)
        assert self._driver is not None
        self._driver.write(AT_REST)
        self._driver.flush()


def program(*, wide: bool) -> Program:
    """The app over events that are always the same."""
    events = account(COUNT, minutes_apart=2)
    if wide:
        events = tuple(
            replace(
                event, description=f"{WORDS[number % 7]} {number} {WORDS[number % 5]}", user=WORDS[number % 6]
            )
            for number, event in enumerate(events)
        )
    return Program(
        Opening(fake_factory(events), "demo.db", View(), zone_named("UTC"), lambda: NOW, Settings())
    )


if __name__ == "__main__":
    app = program(wide="wide" in sys.argv)
    app.run()
    sys.exit(app.return_code)
