"""Search over the whole result, and the way from event to event of a user or of failure."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import LISTABLE_COLUMNS, Column
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.filter.filters import ANY_TEXT, Condition
from audit_tui.core.filter.operators import CONTAINS, IS, IS_NOT
from audit_tui.core.query import EventQuery, PageKey, Sort
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.view import Chip, View
from audit_tui.errors import StoreDamaged
from audit_tui.ui.seeking import Seek, rank, seek
from tests.ui.fake_reader import FakeReader, fake_factory
from tests.ui.review_app import NOW, Driver, account, run_review
from tests.ui.waiting import Gate

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken

ALL_TIME = View(time_range=Preset.ALL_TIME)
CONTEXT = TimeContext(UTC, NOW)


async def search(driver: Driver, text: str) -> None:
    await driver.press("slash", *("space" if character == " " else character for character in text), "enter")


def place(driver: Driver) -> tuple[int, str]:
    row = driver.review.table.highlighted
    assert row is not None
    return driver.review.table.cursor_row, row.description or ""


def status(driver: Driver) -> str:
    return driver.lines()[-2]


def test_it_goes_to_the_hit_wherever_it_is_and_says_which_it_is() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        await search(driver, "THING 50")
        # 50, and 500 to 509; the newest stands at the top.
        assert place(driver) == (490, "Did thing 509")
        assert "match 1 of 11" in status(driver)
        assert table.cursor_row - table.scroll_offset.y == table.visible_rows // 2, "in the middle"
        await driver.press("n")
        assert place(driver) == (491, "Did thing 508")
        await driver.press(*["n"] * 9)
        assert place(driver) == (949, "Did thing 50")
        assert "match 11 of 11" in status(driver)
        await driver.press("n")
        assert place(driver) == (490, "Did thing 509")
        assert "From the top again." in status(driver)
        await driver.press("N")
        assert place(driver) == (949, "Did thing 50")
        await driver.press("N")
        assert place(driver) == (499, "Did thing 500"), "nothing is in force: it is a search"
        assert driver.review.view == ALL_TIME
        await driver.press("j")
        assert "match" not in status(driver)

    run_review(script, view=ALL_TIME)


def test_what_can_be_seen_of_the_text_is_marked() -> None:
    async def script(driver: Driver) -> None:
        def marked() -> list[str]:
            style = driver.review.table._styles_now().hit
            strips = driver.app.screen._compositor.render_strips()
            return [
                segment.text
                for strip in strips
                for segment in strip
                if segment.style is not None and segment.style.bgcolor == style.bgcolor
            ]

        await search(driver, "lOGI")
        assert set(marked()) == {"Logi"}
        await driver.press("slash", "backspace", "enter")
        assert not marked()

    run_review(script, account(20))


def test_the_row_under_the_cursor_is_the_first_hit() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("j", "j")
        await search(driver, "thing 97")
        assert place(driver) == (2, "Did thing 97")
        assert "match 1 of 1" in status(driver)
        await driver.press("n")
        assert place(driver) == (2, "Did thing 97")

    run_review(script, account(100), view=ALL_TIME)


def test_nothing_is_said_so_and_nothing_moves() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("n")
        assert "/ searches." in status(driver)
        await driver.press("j")
        await search(driver, "[nowhere")
        assert place(driver)[0] == 1
        assert "Nothing here contains '[nowhere'." in status(driver)
        await driver.press("slash", "escape")
        assert driver.review.view == View()

    run_review(script)


def test_it_keeps_to_what_the_filter_shows() -> None:
    chip = Chip(Condition(Column.USER, IS, "user3@acme.io"))

    async def script(driver: Driver) -> None:
        await search(driver, "login")
        shown = driver.review.event_list.shown
        row = driver.review.table.highlighted
        assert row is not None
        assert (row.event, row.user) == ("Login", "user3@acme.io")
        total = sum(e.user == "user3@acme.io" and e.event == "Login" for e in account())
        assert f"match 1 of {total}" in status(driver)
        assert shown.view.chips == (chip,)

    run_review(script, view=View(time_range=Preset.ALL_TIME, chips=(chip,)))


def test_it_searches_while_filters_are_lifted() -> None:
    chip = Chip(Condition(Column.EVENT, IS, "Login"))

    async def script(driver: Driver) -> None:
        await driver.press("\\")
        await search(driver, "agent")
        row = driver.review.table.highlighted
        assert row is not None
        assert row.event == "Agent created"

    run_review(script, view=View(time_range=Preset.ALL_TIME, chips=(chip,)))


def test_only_what_contains_it_can_be_kept_and_shown_again() -> None:
    async def script(driver: Driver) -> None:
        await search(driver, "thing 99")
        await driver.press("ampersand", "enter")
        assert driver.review.view.in_force == Condition(ANY_TEXT, CONTAINS, "thing 99")
        assert driver.review.event_list.count.value == 11
        await driver.press("u")
        assert driver.review.view == ALL_TIME
        await driver.press("ampersand", "9", "8", "7", "enter")
        assert driver.review.event_list.count.value == 1

    run_review(script, view=ALL_TIME)


def test_keys_typed_ahead_are_for_the_hit() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("slash", *"agent", "enter", "=")
        assert driver.review.view.in_force == Condition(Column.EVENT, IS, "Agent created")

    run_review(script)


def test_a_search_that_takes_long_can_be_ended() -> None:
    gate = Gate()

    def hook(name: str, _: CancelToken | None) -> None:
        if name == "locate":
            gate.pass_through()

    async def script(driver: Driver) -> None:
        await driver.pilot.press("slash", *"thing 5")
        await driver.pilot.press("enter")
        await driver.until(lambda: "Searching…  Esc ends it" in driver.text())
        await driver.pilot.press("j")
        await driver.pilot.press("escape")
        await driver.until(lambda: "Searching" not in driver.text())
        gate.open()
        await driver.settle()
        assert place(driver)[0] == 1

    run_review(script, hook=hook)


def test_an_error_is_told() -> None:
    is_damaged = False

    def hook(name: str, _: CancelToken | None) -> None:
        if is_damaged and name == "locate":
            raise StoreDamaged("The store is damaged.")

    async def script(driver: Driver) -> None:
        nonlocal is_damaged
        is_damaged = True
        await search(driver, "agent")
        assert "The store is damaged." in driver.text()
        is_damaged = False
        await driver.press("escape", "n")
        assert "match 1 of" in status(driver)

    run_review(script, hook=hook)


def test_the_next_and_the_previous_event_of_the_same_user() -> None:
    async def script(driver: Driver) -> None:
        events = account()[::-1]
        users = [event.user for event in events]
        await driver.press("j", "o")
        expected = users.index(users[1], 2)
        assert place(driver) == (expected, events[expected].description)
        count = users.count(users[1])
        assert f"event of this user 2 of {count}" in status(driver)
        await driver.press("O")
        assert place(driver)[0] == 1
        await driver.press("O")
        assert f"No earlier row here is of {users[1]}." in status(driver)

    run_review(script, view=ALL_TIME)


def test_the_next_and_the_previous_failure() -> None:
    async def script(driver: Driver) -> None:
        failures = [n for n, event in enumerate(account()[::-1]) if event.outcome is Outcome.FAILURE]
        await driver.press("e", "e")
        assert place(driver)[0] == failures[1]
        assert f"failure 2 of {len(failures)}" in status(driver)
        await driver.press("E", "E")
        assert place(driver)[0] == failures[0]
        assert "No failure above here." in status(driver)
        await driver.press("e")
        assert f"failure 2 of {len(failures)}" in status(driver), "what was said before is no longer true"
        await driver.press("end", "e")
        assert place(driver)[0] == 999
        assert "No failure below here." in status(driver)
        await driver.press("E", "e")
        assert f"failure {len(failures)} of {len(failures)}" in status(driver)

    run_review(script, view=ALL_TIME)


TEXTS = st.text("aAbBßsS% _\\", max_size=4)
EVENTS = st.lists(
    st.builds(
        AuditEvent,
        event=st.sampled_from(["Ab", "bA", "c"]),
        occurred_us=st.integers(0, 6),
        user=st.none() | TEXTS,
        description=st.none() | TEXTS,
        target=st.none() | TEXTS,
        outcome=st.sampled_from(Outcome),
    ),
    min_size=1,
    max_size=14,
)


@given(
    events=EVENTS,
    text=TEXTS.filter(bool),
    column=st.sampled_from(LISTABLE_COLUMNS),
    descending=st.booleans(),
    start=st.integers(0, 13),
    steps=st.integers(-4, 4).filter(bool),
    goes_round=st.booleans(),
)
def test_every_hit_is_the_next_one_by_brute_force(
    events: list[AuditEvent],
    text: str,
    column: Column,
    descending: bool,
    start: int,
    steps: int,
    goes_round: bool,
) -> None:
    reader = FakeReader(events)
    sort = Sort(next(key for key in LISTABLE_COLUMNS if key is column), descending)
    shown = View(Condition(Column.EVENT, IS_NOT, "c"), Preset.ALL_TIME, sort)
    rows = reader.result(EventQuery(shown.filter, sort=sort))
    if not rows:
        return
    start %= len(rows)
    by_seq = {event.seq: event for event in reader._events}

    def contains(number: int) -> bool:
        event = by_seq[rows[number].seq]
        texts = [event.event, event.user, event.description, event.target, event.category]
        return any(text.casefold() in (each or "").casefold() for each in texts)

    hits = [number for number in range(len(rows)) if contains(number)]
    ahead = [n for n in hits if n > start] if steps > 0 else [n for n in reversed(hits) if n < start]
    expected = ahead[: abs(steps)][-1:] or (hits[:1] if steps > 0 else hits[-1:]) * goes_round
    condition = Condition(ANY_TEXT, CONTAINS, text)
    query = shown.narrowed(condition).query(CONTEXT)
    wish = Seek(EventQuery(shown.filter, sort=sort), query, PageKey.of(rows[start], sort), steps, goes_round)
    hit = seek(reader, wish)
    if not expected:
        assert hit is None
        return
    assert hit is not None
    assert (hit.index, hit.row) == (expected[0], rows[expected[0]])
    assert hit.has_gone_round == (not ahead)
    assert rank(reader, wish, hit.row) == (hits.index(hit.index) + 1, len(hits))
    for request, page in hit.blocks:
        first = (
            request.edge if page.rows and page.rows[0].seq == hit.row.seq else request.edge - len(page.rows)
        )
        assert list(page.rows) == rows[first : first + len(page.rows)]


@pytest.mark.parametrize("text", ["%", "_", "\\", "*", '"', "[bold]", "\x1b[31m"])
def test_any_input_is_plain_text(text: str) -> None:
    events = [*account(30), AuditEvent("Odd", 1, description=f"so {text} here")]

    async def script(driver: Driver) -> None:
        driver.review._search(text)
        await driver.settle()
        row = driver.review.table.highlighted
        assert row is not None
        assert row.event == "Odd"
        assert "match 1 of 1" in status(driver)

    run_review(script, events, view=ALL_TIME, open_reader=fake_factory(events))


def test_newer_events_change_nothing() -> None:
    reader = FakeReader(account(200))
    gate = Gate()
    gate.open()

    def hook(name: str, _: CancelToken | None) -> None:
        if name == "locate":
            gate.pass_through()

    reader.hook = hook

    def append(count: int) -> None:
        start = len(reader._events)
        reader._events += [
            AuditEvent("Login", to_us(NOW) + start + n, key=f"n{start + n}", seq=start + n + 1)
            for n in range(count)
        ]

    async def script(driver: Driver) -> None:
        nonlocal gate
        await search(driver, "thing 5")
        assert "match 1 of 11" in status(driver)
        hit = place(driver)[1]
        append(7)
        await driver.press("R")
        assert place(driver)[1] == hit
        assert "match 1 of 11" in status(driver)
        assert driver.review.event_list.count.value == 207
        gate = Gate()
        await driver.pilot.press("n")
        await driver.until(lambda: gate.is_reached)
        append(5)
        driver.review.event_list.ask(driver.review.event_list.shown)
        gate.open()
        await driver.settle()
        assert driver.review.event_list.count.value == 212
        assert place(driver) == (212 - 59, "Did thing 58")
        assert "match 2 of 11" in status(driver)

    run_review(script, view=ALL_TIME, open_reader=lambda: reader)
