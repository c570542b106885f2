"""The review screen on events in memory, as a program for a pseudo-terminal.

    python -m tests.pty.review_program [wide]

With ``wide`` the events hold letters of two cells, emoji and combining marks.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from audit_tui.config import Settings
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.ui.app import AuditApp
from audit_tui.ui.first_page import Opening
from tests.ui.fake_reader import fake_factory
from tests.ui.review_app import NOW, account

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


def program(*, wide: bool) -> AuditApp:
    """The app over events that are always the same."""
    events = account(COUNT, minutes_apart=2)
    if wide:
        events = [
            replace(
                event, description=f"{WORDS[number % 7]} {number} {WORDS[number % 5]}", user=WORDS[number % 6]
            )
            for number, event in enumerate(events)
        ]
    return AuditApp(
        Opening(fake_factory(events), "demo.db", View(), zone_named("UTC"), lambda: NOW, Settings())
    )


if __name__ == "__main__":
    app = program(wide="wide" in sys.argv)
    app.run()
    sys.exit(app.return_code)
