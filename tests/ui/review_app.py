"""The review screen over events in memory, driven by keys, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.config import Settings
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.investigate.notebook import Notebook
from audit_tui.core.investigate.saved_views import SavedViews
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.formats.meaning import meaning_of, pairs
from audit_tui.ui.app import AuditApp
from audit_tui.ui.first_page import Opening
from tests.ui.fake_reader import Hook, fake_factory
from tests.ui.waiting import at_rest, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from audit_tui.core.arriving import Arrivals
    from audit_tui.core.evidence.sealed import SealChecker
    from audit_tui.core.export import Exporter
    from audit_tui.core.investigate.detections import Detections
    from audit_tui.core.investigate.notebook import CaseJob
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import ReaderFactory
    from audit_tui.ui.screens.review.screen import ReviewScreen

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
KINDS = (
    ("Role assigned", "Roles"),
    ("API Key created", "Models"),
    ("Model undeployed", "Models"),
    ("Agent created", "Agents"),
    ("Login", "Login/Logout"),
)


@cache
def account(count: int = 1000, minutes_apart: int = 60) -> tuple[AuditEvent, ...]:
    """Events of five kinds and seven users, the newest of them an hour before NOW."""
    events = []
    for number in range(count):
        name, category = KINDS[number % len(KINDS)]
        occurred_at = NOW - timedelta(minutes=minutes_apart * (count - number))
        events.append(
            AuditEvent(
                event=name,
                category=category,
                seq=number + 1,
                key=f"fake-{number + 1}",
                user=None if number % 10 == 9 else f"user{number % 7}@acme.io",
                occurred_us=to_us(occurred_at),
                description=f"Did thing {number}",
                outcome=Outcome.FAILURE if number % 11 == 0 else Outcome.SUCCESS,
                source_ip="10.20.4.7",
                target="llama-3-70b-eu",
                metadata={"IP Address": "10.20.4.7", "Model ID": "m-4f19c2", "Model Name": "llama"},
            )
        )
    return tuple(events)


class Driver:
    """Presses keys and waits for what they lead to, never for time."""

    def __init__(self, pilot: Pilot[None], app: AuditApp) -> None:
        self.pilot = pilot
        self.app = app

    @property
    def review(self) -> ReviewScreen:
        return self.app.review

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Wait until no question is under way and every message is handled."""
        await at_rest(self.app)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""
        await until(self.pilot, condition)

    def lines(self) -> list[str]:
        """Return what stands on the screen."""
        compositor = self.app.screen._compositor
        return [strip.text.rstrip() for strip in compositor.render_strips()]

    def text(self) -> str:
        return "\n".join(self.lines())


Script: TypeAlias = Callable[[Driver], Awaitable[None]]


def run_review(
    script: Script,
    events: Sequence[AuditEvent] | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    view: View | None = None,
    zone: str = "UTC",
    hook: Hook | None = None,
    clock: Callable[[], datetime] = lambda: NOW,
    settings: Settings | None = None,
    exporter: Exporter | None = None,
    redact: RedactMode | None = None,
    open_checker: Callable[[], SealChecker] | None = None,
    open_reader: ReaderFactory | None = None,
    folder: Path | None = None,
    detections: Detections | None = None,
    shows_firsts: bool = False,
    write_case: Callable[[CaseJob], int] | None = None,
    arrivals: Arrivals | None = None,
    seen_before: Callable[[], int | None] | None = None,
    settles: bool = True,
) -> None:
    """Run a script against the app, when it has come to rest; where it never does, ``settles`` is False."""

    async def main() -> None:
        opener = open_reader or fake_factory(account() if events is None else events, hook, "demo.db")
        opening = Opening(
            opener if redact is None else redact.readers(opener),
            "demo.db",
            view or View(),
            zone_named(zone),
            clock,
            settings or Settings(),
            exporter=exporter,
            redact=redact,
            open_checker=open_checker,
            open_notebook=None if folder is None else partial(Notebook.of_store, folder),
            open_saved_views=None if folder is None else partial(SavedViews, folder / "views.toml"),
            seen_before=seen_before,
            meaning_of=meaning_of,
            pairs=pairs,
            shows_firsts=shows_firsts,
            arrivals=arrivals,
            write_case=write_case,
            names=("/data/demo.db",),
            command_words=("audit-tui", "query", "-s", "/data/demo.db"),
            detections=detections,
        )
        app = AuditApp(opening)
        async with app.run_test(size=size) as pilot:
            driver = Driver(pilot, app)
            if settles:
                await driver.settle()
            await script(driver)

    asyncio.run(main())
