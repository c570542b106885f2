"""The main states as pictures: a change of one is seen in the report and judged by eye.

After a change that is wanted: ``python -m pytest tests/ui/test_snapshots.py --snapshot-update``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from audit_tui.config import Settings
from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.flat_filter import FlatFilter, Match
from audit_tui.core.time.dates import Preset
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.ui.app import AuditApp
from audit_tui.ui.first_page import Opening
from tests.ui.fake_reader import fake_factory
from tests.ui.review_app import NOW, account

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from textual.app import App
    from textual.pilot import Pilot

TWO_FILTERS = FlatFilter(
    Match.ANY,
    (Condition(Column.EVENT, IS, "Login"), Condition(Column.USER, IS_NOT, "user3@acme.io")),
)


class SnapCompare(Protocol):
    """The plugin's fixture."""

    def __call__(
        self,
        app: App[None],
        press: Iterable[str] = ...,
        terminal_size: tuple[int, int] = ...,
        run_before: Callable[[Pilot[None]], Awaitable[None]] | None = ...,
    ) -> bool: ...


def app(view: View, theme: str = "dark") -> AuditApp:
    settings = Settings(theme=theme)
    opening = Opening(fake_factory(account()), "demo.db", view, zone_named("UTC"), lambda: NOW, settings)
    return AuditApp(opening)


def pressing(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Press keys, and wait for the answers to each."""

    async def run(pilot: Pilot[None]) -> None:
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            for _ in range(3):
                await pilot.app.workers.wait_for_complete()
                await pilot.pause()

    return run


def test_the_list_at_80_columns(snap_compare: SnapCompare) -> None:
    assert snap_compare(app(View()), terminal_size=(80, 24), run_before=pressing("down", "l"))


def test_the_pane_beside_the_list(snap_compare: SnapCompare) -> None:
    keys = ("down", "down", "enter")
    assert snap_compare(app(View(), "light"), terminal_size=(130, 30), run_before=pressing(*keys))


def test_the_filter_dialog(snap_compare: SnapCompare) -> None:
    assert snap_compare(app(View(TWO_FILTERS.expression())), terminal_size=(80, 24), run_before=pressing("f"))


def test_the_time_range_dialog(snap_compare: SnapCompare) -> None:
    view = View(time_range=Preset.LAST_30_DAYS)
    assert snap_compare(app(view), terminal_size=(80, 24), run_before=pressing("t"))
