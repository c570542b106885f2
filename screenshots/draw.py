"""Draws the pictures of the README from the real app on the demo data, and every state into one page.

    python screenshots/draw.py
    python screenshots/draw.py /tmp/states.html

The same demo, clock and size each time, so that a picture changes only when the app does. The page is for
looking at before and after a change of the look.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

os.environ.pop("NO_COLOR", None)
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TERM"] = "xterm-256color"


from audit_tui.config import Settings
from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.flat_filter import FlatFilter, Match
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
    from collections.abc import Callable

    from textual.pilot import Pilot

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.export import ExportJob, ExportResult

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
    theme: str = ""
    """The name of a theme in the settings; empty for the program's choice."""
    has_rules: bool = False
    """The rules that come with the program are asked."""


def keys_of(text: str) -> tuple[str, ...]:
    """Keys as Textual names them, from a line with a blank between them."""
    return tuple(text.split())


NOBODY = View(Condition(Column.USER, IS, "nobody@acme.io"))
STATES: tuple[tuple[str, View, tuple[str, ...], str], ...] = (
    ("list", View(), keys_of("down down"), ""),
    ("folded", View(), keys_of("r down"), ""),
    ("pane", View(), keys_of("down down enter"), ""),
    ("facets", View(), keys_of("S j"), ""),
    ("facets-rarest-and-pane", View(), keys_of("enter S r l"), ""),
    ("chips", View(), keys_of("equals_sign down l exclamation_mark"), ""),
    ("filter", View(ROLES.expression()), keys_of("f down tab tab"), ""),
    ("time-range", View(time_range=Preset.LAST_30_DAYS), keys_of("t"), ""),
    ("time-strip", View(), keys_of("i"), ""),
    ("search", View(), keys_of("slash d e n i e d enter"), ""),
    ("around", View(Condition(Column.EVENT, IS, "Role created")), keys_of("x"), ""),
    ("pivot", View(), keys_of("p"), ""),
    ("columns", View(), keys_of("C j j j j j space"), ""),
    ("copy", View(), keys_of("y"), ""),
    ("export", View(), keys_of("X"), ""),
    ("commands", View(), keys_of("colon"), ""),
    ("help", View(), keys_of("question_mark"), ""),
    ("seals", View(), keys_of("I"), ""),
    ("json", View(), keys_of("J"), ""),
    ("empty", NOBODY, (), ""),
    ("error", View(), keys_of("colon z z z enter"), ""),
    ("light", View(), keys_of("down enter"), "light"),
    ("light-facets", View(), keys_of("S j"), "light"),
    ("sixteen-colours", View(), keys_of("down enter S j"), "terminal"),
)
SIZES = ((40, 12), (80, 24), (120, 36), (160, 50))

PICTURES = (
    Picture("review", WIDE, View(), (*["down"] * 7, "enter")),
    Picture("facets", WIDE, View(), keys_of("S r l j j")),
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
        Settings(theme=picture.theme or None),
        exporter=_no_export,
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


def _no_export(job: ExportJob, on_progress: Callable[[int], None], cancel: CancelToken) -> ExportResult:
    raise NotImplementedError("a picture exports nothing")


async def draw_page(path: Path, store: Path) -> None:
    """Draw every state at every size into one page."""
    parts = ["<!doctype html><meta charset=utf-8><title>audit-tui: every state</title>"]
    for name, view, keys, theme in STATES:
        parts.append(f"<h2>{name}</h2>")
        for width, height in SIZES:
            picture = Picture(f"{name}-{width}", (width, height), view, keys, theme)
            svg = await draw(picture, store)
            parts.append(
                f"<figure style='width:{width * 7}px'>{svg}<figcaption>{width}x{height}</figcaption></figure>"
            )
    path.write_text("\n".join(parts), encoding="utf-8")


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
        if sys.argv[1:]:
            await draw_page(Path(sys.argv[1]), store)
            return
        for picture in PICTURES:
            (HERE / f"{picture.name}.svg").write_text(await draw(picture, store), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
