"""Draws the pictures of the README from the real app on the demo data.

    python screenshots/draw.py

The same demo, clock and size each time, so that a picture changes only when the app does.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

os.environ.pop("NO_COLOR", None)
os.environ["TEXTUAL_ANIMATIONS"] = "none"


from audit_tui.config import Settings
from audit_tui.core.columns import Column
from audit_tui.core.filters import Condition
from audit_tui.core.flat_filter import FlatFilter, Match
from audit_tui.core.operators import IS, IS_NOT
from audit_tui.core.time.dates import Preset
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.demo import DemoValues, demo_events
from audit_tui.detect.live import LiveDetections
from audit_tui.detect.loading import BUILT_IN
from audit_tui.store.read.reader import open_store
from audit_tui.store.write.writer import StoreWriter
from audit_tui.ui.app import AuditApp
from audit_tui.ui.first_page import Opening

if TYPE_CHECKING:
    from textual.pilot import Pilot

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
EVENTS = 20_000
SMALL = (80, 24)
WIDE = (130, 36)
LARGE = (160, 50)
EVERYTHING = View(time_range=Preset.ALL_TIME)
ROLES = FlatFilter(
    Match.ANY,
    (
        Condition(Column.EVENT, IS, "Role created"),
        Condition(Column.CATEGORY, IS, "Roles"),
        Condition(Column.USER, IS_NOT, "svc-deploy@acme.io"),
    ),
)


class Picture(NamedTuple):
    """One picture: what is shown, and the keys that lead there."""

    name: str
    size: tuple[int, int]
    view: View
    keys: tuple[str, ...]
    has_rules: bool = False
    """The rules that come with the program are asked."""


PICTURES = (
    Picture("review", WIDE, View(), (*["down"] * 7, "enter")),
    Picture("list", SMALL, View(), ("down", "down")),
    Picture("filter", SMALL, View(ROLES.expression()), ("f", "down", "tab", "tab")),
    Picture("time-range", SMALL, View(time_range=Preset.LAST_30_DAYS), ("t",)),
    Picture("detections", SMALL, EVERYTHING, ("D",), has_rules=True),
    Picture("detections-wide", LARGE, EVERYTHING, ("D", "down", "n", "enter"), has_rules=True),
    Picture("help", SMALL, View(), ("question_mark",)),
)


def make_store(path: Path) -> None:
    """The demo store that all pictures show."""
    with StoreWriter(path, durable=False, bulk=True) as writer:
        writer.append(list(demo_events(DemoValues(until=NOW, events=EVENTS))))


async def draw(picture: Picture, store: Path) -> str:
    """Run the app as far as the picture wants; returns the SVG."""
    rules = None
    if picture.has_rules:
        files = (store.with_name(name) for name in ("rules.db", "hits.db", "silences.toml"))
        rules = LiveDetections([BUILT_IN], open_store(store), *files)
    opening = Opening(
        open_store(store),
        "demo.db",
        picture.view,
        zone_named("Europe/Berlin"),
        lambda: NOW,
        Settings(),
        detections=rules,
    )
    app = AuditApp(opening)
    async with app.run_test(size=picture.size) as pilot:
        await rest(pilot)
        for key in picture.keys:
            await pilot.press(key)
            await rest(pilot)
        return tidy(app.export_screenshot(title="audit-tui"), picture.name)


async def rest(pilot: Pilot[None]) -> None:
    """Wait until no question is under way and every message is handled."""
    for _ in range(5):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def tidy(svg: str, name: str) -> str:
    """The picture with ids of its own instead of random ones, and with a font that every machine has."""
    svg = re.sub(r"terminal-\d+", f"terminal-{name}", svg)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas")


async def main() -> None:
    """Draw all pictures beside this program."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "demo.db"
        make_store(store)
        for picture in PICTURES:
            (HERE / f"{picture.name}.svg").write_text(await draw(picture, store), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
