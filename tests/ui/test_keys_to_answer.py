"""The keys that lead to an answer, counted, on the incident that was written by hand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from click.testing import CliRunner

from audit_tui.cli.main import commands
from audit_tui.cli.session import Session
from audit_tui.core.filter.filters import EVERYTHING
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.store.read.reader import open_store
from tests.ui import incident
from tests.ui.review_app import NOW, Driver, run_review

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = incident.incident()
OPENED = View(time_range=Preset.ALL_TIME)


async def play(driver: Driver, keys: list[str], most: int) -> None:
    assert len(keys) <= most
    await driver.press(*keys)


def test_which_addresses_created_access_keys() -> None:
    async def script(driver: Driver) -> None:
        # Filter, the beginning of the name, take what is offered, apply, facets.
        await play(driver, ["f", "c", "r", "enter", "enter", "S"], 8)
        count = sum(event.event == "CreateAccessKey" for event in EVENTS)
        assert driver.review.event_list.count.value == count
        await driver.until(lambda: all(address in driver.text() for address in incident.KEY_MAKERS))
        for address, events in incident.KEY_MAKERS.items():
            line = next(line for line in driver.lines() if address in line)
            assert str(events) in line.partition(address)[2]

    run_review(script, EVENTS, size=(160, 50), view=OPENED)


def test_without_the_loudest_user() -> None:
    async def script(driver: Driver) -> None:
        users = Counter(event.user for event in EVENTS)
        assert users.most_common(1)[0][0] == incident.LOUDEST_USER
        # The newest event is that robot's, as in most lists.
        await play(driver, ["l", "l", "exclamation_mark"], 3)
        assert driver.review.event_list.count.value == len(EVENTS) - users[incident.LOUDEST_USER]
        assert incident.LOUDEST_USER not in "\n".join(driver.lines()[3:])
        await driver.press("u")
        assert driver.review.event_list.count.value == len(EVENTS)

    run_review(script, EVENTS, view=OPENED)


def test_the_walk_narrows_by_what_is_seen() -> None:
    """Support hears "my trail is gone": search, the user, all with the key, and back again."""

    async def script(driver: Driver) -> None:
        review = driver.review
        first = review.table.highlighted
        await driver.press("slash", *"DeleteTrail", "enter")
        thief = review.table.highlighted
        assert thief is not None
        assert thief.event == "DeleteTrail"
        await driver.press("l", "l", "equals_sign")
        assert {row.filter for row in review.view.chips}
        assert review.event_list.count.value == sum(event.user == incident.THIEF for event in EVENTS)
        await driver.press("enter", "tab", "equals_sign")
        assert review.event_list.count.value == incident.STOLEN_KEY_EVENTS
        await driver.press("u", "u", "escape")
        assert review.table.highlighted == thief
        assert review.view == OPENED
        assert first != thief

    run_review(script, EVENTS, view=OPENED)


def test_the_incident_of_the_demo(tmp_path: Path) -> None:
    store = tmp_path / "demo.db"
    session = Session(clock=lambda: NOW)
    arguments = ["demo", "--no-open", "--events", "20000", "--store", str(store)]
    assert CliRunner().invoke(commands, arguments, obj=session).exit_code == 0

    async def script(driver: Driver) -> None:
        # The rarest events; the first of them; out of the facets; down to the invitation; around it.
        await play(driver, ["S", "r"], 2)
        await driver.until(lambda: "User invited" in driver.text())
        await play(driver, ["enter", "escape"], 2)
        downs = 0
        while (row := driver.review.table.highlighted) is None or "acme-help" not in (row.description or ""):
            await driver.press("down")
            downs += 1
        await play(driver, ["x"], 12 - 4 - downs)
        assert driver.review.view.in_force == EVERYTHING
        around = "\n".join(driver.lines())
        assert "it-support@acme-help" in around
        assert "paula@acme.io" in around
        await driver.press("x")
        assert driver.review.view.chips

    run_review(script, open_reader=open_store(store), size=(120, 40))
