"""Line, order, header, count, rows, copies and exports speak of the same events, whatever was asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.core.columns import LISTABLE_COLUMNS, Column
from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.filter.filters import EVERYTHING, All, Condition
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.privacy.redact_mode import RedactMode, shown_filter
from audit_tui.core.query import NEWEST_FIRST, Sort
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View, sort_words
from audit_tui.errors import QueryTooLong
from audit_tui.ui.screens.copy_source import CopyForm, CopySource
from audit_tui.ui.screens.text_dialog import TextDialog
from audit_tui.ui.widgets.list import event_list
from tests.ui.fake_reader import FakeReader
from tests.ui.review_app import NOW, Driver, account, run_review
from tests.ui.waiting import Gate

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.query import EventReader

ALL_TIME = View(time_range=Preset.ALL_TIME)
KENJI = View(Condition(Column.USER, IS, "user3@acme.io"), Preset.ALL_TIME)


def cursor_is_on_screen(driver: Driver) -> bool:
    table = driver.review.table
    return 0 <= table.cursor_row - table.scroll_offset.y < table.visible_rows


def command(driver: Driver) -> str:
    shown = driver.review.event_list.shown
    return CopySource(shown, range(1), Column.EVENT, (Column.EVENT,), ("audit-tui", "query")).command()


class Trouble:
    """Lets the questions for rows wait, or take too long, until told otherwise."""

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.expires = False

    def hook(self, method: str, cancel: CancelToken | None) -> None:
        if method not in ("page", "locate"):
            return
        if self.expires:
            raise QueryTooLong("The answer was not there after 0.2 s.", "Choose a shorter range.")
        if self.gate is not None:
            self.gate.pass_through()

    def hold(self) -> Gate:
        self.gate = Gate()
        return self.gate

    def end(self) -> None:
        self.expires = False
        if self.gate is not None:
            self.gate.open()
            self.gate = None


def test_columns_are_as_wide_as_the_last_rows_need() -> None:
    # By user the event under the cursor is among the last: fewer rows follow it than the screen shows.
    async def script(driver: Driver) -> None:
        driver.review.show_view(View(sort=Sort(Column.USER, descending=False)))
        await driver.settle()
        assert "Agent created " in driver.text()
        assert "…" not in driver.text()

    run_review(script, account(120, 600), size=(100, 24))


@pytest.mark.parametrize("key", ["0", "s", "T", "R", "P"])
@pytest.mark.parametrize("way", ["cancelled", "too long"])
def test_a_question_without_an_answer_leaves_the_screen_as_it_was(key: str, way: str) -> None:
    trouble = Trouble()

    async def script(driver: Driver) -> None:
        await driver.press("j", "j")
        before, copied = driver.lines(), command(driver)
        if way == "cancelled":
            gate = trouble.hold()
            await driver.pilot.press(key)
            await driver.until(lambda: gate.is_reached and "Esc ends it" in driver.text())
            await driver.pilot.press("escape")
        else:
            trouble.expires = True
            await driver.pilot.press(key)
            await driver.until(lambda: isinstance(driver.app.screen, TextDialog))
            await driver.pilot.press("escape")
        trouble.end()
        await driver.settle()
        assert driver.lines() == before
        assert command(driver) == copied
        assert driver.review.view == KENJI
        await driver.press("pagedown", "pageup")
        await driver.press("0")
        assert "Filter (" not in driver.lines()[0]

    redact = RedactMode(lambda: bytes(32))
    run_review(script, view=KENJI, zone="Europe/Berlin", hook=trouble.hook, redact=redact)


def test_the_end_by_the_deadline_offers_to_wait_on() -> None:
    trouble = Trouble()
    patient: list[int] = []

    async def script(driver: Driver) -> None:
        def open_patiently() -> EventReader:
            patient.append(1)
            trouble.end()
            return driver.review._open_reader()

        driver.review.event_list._open_patiently = open_patiently
        trouble.expires = True
        await driver.press("0")
        assert "Wait on" in driver.text()
        await driver.press("enter")
        assert "Filter (" not in driver.lines()[0]
        assert patient == [1]
        assert driver.review.view == ALL_TIME

    run_review(script, view=KENJI, hook=trouble.hook)


def test_a_long_question_says_that_it_runs_and_esc_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_list, "SLOW_S", 0.001)
    trouble = Trouble()

    async def script(driver: Driver) -> None:
        before = driver.lines()
        trouble.hold()
        await driver.pilot.press("s")
        await driver.until(lambda: "Sorting by event…  Esc ends it" in driver.lines()[-2])
        await driver.pilot.press("escape")
        trouble.end()
        await driver.settle()
        assert driver.lines() == before

    run_review(script, view=KENJI, hook=trouble.hook)


def test_the_cursor_is_on_the_screen_when_a_short_list_becomes_long() -> None:
    few = View(Condition(Column.USER, IS, "user3@acme.io"), Preset.ALL_TIME)

    async def script(driver: Driver) -> None:
        await driver.press("end")
        row = driver.review.table.highlighted
        await driver.press("0")
        assert driver.review.table.highlighted == row
        assert driver.review.table.cursor_row > 100
        assert cursor_is_on_screen(driver)

    some = [*account(40), *account(800, 30)]
    events = [replace(event, seq=None, key=None) for event in some]
    run_review(script, [replace(event, user="x") if n % 90 else event for n, event in enumerate(events)])
    rare = [replace(event, user="user3@acme.io" if n % 90 == 5 else "x") for n, event in enumerate(events)]
    run_review(script, rare, view=few)


def test_a_jump_puts_the_cursor_in_the_middle() -> None:
    async def script(driver: Driver) -> None:
        table = driver.review.table
        await driver.press("colon", *"500", "enter")
        assert table.cursor_row == 499
        assert abs(table.cursor_row - table.scroll_offset.y - table.visible_rows // 2) <= 1
        await driver.press("colon", *"502", "enter")
        assert abs(table.cursor_row - 2 - table.scroll_offset.y - table.visible_rows // 2) <= 1, "no move"

    run_review(script, view=ALL_TIME)


def test_the_first_row_stays_the_first_row_of_another_range() -> None:
    async def script(driver: Driver) -> None:
        assert driver.review.table.cursor_row == 0
        driver.review._take_time_range(Preset.LAST_30_DAYS)
        await driver.settle()
        assert driver.review.table.cursor_row == 0
        await driver.press("j", "j")
        row = driver.review.table.highlighted
        driver.review._take_time_range(Preset.ALL_TIME)
        await driver.settle()
        assert driver.review.table.highlighted == row

    run_review(script, account(3000), view=View(time_range=Preset.LAST_MONTH))


# -- random acts

FILTERS = (
    EVERYTHING,
    Condition(Column.USER, IS, "user3@acme.io"),
    Condition(Column.CATEGORY, IS, "Roles"),
    Condition(Column.EVENT, IS_NOT, "Login"),
    Condition(Column.USER, IS, "nobody"),
)
RANGES = (Preset.ALL_TIME, Preset.LAST_30_DAYS, Preset.LAST_MONTH, Preset.TODAY)
SORTS = (
    NEWEST_FIRST,
    *(Sort(column, descending=descending) for column in LISTABLE_COLUMNS for descending in (False, True)),
)
SIZES = ((100, 24), (140, 40), (100, 9))
Change = st.one_of(
    st.sampled_from(FILTERS).map(lambda filter_: ("view", filter_)),
    st.sampled_from(RANGES).map(lambda range_: ("view", range_)),
    st.sampled_from(SORTS).map(lambda sort: ("view", sort)),
    st.just(("reload", None)),
    st.just(("redact", None)),
    st.just(("zone", None)),
)
Act = st.one_of(
    st.tuples(st.sampled_from(("done", "done", "cancelled", "too long")), Change),
    st.tuples(st.sampled_from(("append", "replace")), st.integers(0, 60)),
    st.tuples(st.just("size"), st.sampled_from(SIZES)),
    st.tuples(st.just("keys"), st.lists(st.sampled_from(("j", "k", "end", "home", "pagedown")), max_size=3)),
)


@dataclass
class World:
    """A store that is written and replaced while the screen shows it, and what the screen should show."""

    trouble: Trouble = field(default_factory=Trouble)
    mode: RedactMode = field(default_factory=lambda: RedactMode(lambda: bytes(32)))

    def __post_init__(self) -> None:
        self.reader = FakeReader(account(120, 600), self.trouble.hook)
        self.shown_reader = self.reader
        self.shown_events = list(self.reader._events)
        self.view = View()
        self.is_redacted = False
        self.zone = "Europe/Berlin"

    def note(self, kind: str, value: object) -> None:
        """Note what is shown after a change that was answered."""
        if kind == "view":
            self.view = changed(self.view, value)
        self.is_redacted ^= kind == "redact"
        if kind == "zone":
            self.zone = "UTC" if self.zone != "UTC" else "Europe/Berlin"
        if kind in ("reload", "redact"):
            self.shown_reader = self.reader
        self.shown_events = list(self.shown_reader._events)

    def append(self, count: int) -> None:
        start = len(self.reader._events)
        more = [
            AuditEvent("Login", to_us(NOW) - number, user=f"user{number % 4}@acme.io", seq=start + number + 1)
            for number in range(count)
        ]
        self.reader._events += [replace(event, key=f"new-{event.seq}") for event in more]

    def replace(self, count: int) -> None:
        self.reader = FakeReader(account(60 + count, 400), self.trouble.hook)


def changed(view: View, value: object) -> View:
    """The view with another filter, range or order."""
    if isinstance(value, Preset):
        return replace(view, time_range=value)
    if isinstance(value, Sort):
        return replace(view, sort=value)
    assert isinstance(value, All | Condition)
    return replace(view, filter=value)


def ask(driver: Driver, world: World, kind: str, value: object) -> None:
    match kind:
        case "view":
            driver.review.show_view(_as_shown(world, changed(world.view, value)))
        case "reload":
            driver.review.action_reload()
        case "redact":
            driver.review.action_redact()
        case "zone":
            driver.review.action_zone()


async def act(driver: Driver, world: World, how: str, change: tuple[str, object]) -> None:
    """Ask for another view, with the end that is wanted, and note what should be shown then."""
    kind, value = change
    gate = world.trouble.hold() if how == "cancelled" else None
    world.trouble.expires = how == "too long"
    ask(driver, world, kind, value)
    if gate is not None:
        await driver.until(lambda: gate.is_reached)
        driver.review.event_list.cancel()
    elif how == "too long":
        await driver.until(lambda: isinstance(driver.app.screen, TextDialog))
        await driver.pilot.press("escape")
    world.trouble.end()
    await driver.settle()
    if how == "done":
        world.note(kind, value)


def _as_shown(world: World, view: View) -> View:
    """The view as the screen has it: with pseudonyms where names are replaced."""
    # Those of the screen: what it has not made, a pseudonym of nobody, it takes for a name.
    names = world.mode.pseudonyms_of(world.reader)
    return replace(view, filter=shown_filter(view.filter, names)) if world.is_redacted else view


def check(driver: Driver, world: World) -> None:
    review, table = driver.review, driver.review.table
    shown = review.event_list.shown
    view = _as_shown(world, world.view)
    assert shown.view == view
    assert shown.is_redacted == world.is_redacted
    oracle = FakeReader(world.shown_events)
    rows = oracle.result(world.view.query(shown.context))
    assert review.event_list.count.value == len(rows)
    assert review.event_list.count.exact
    assert cursor_is_on_screen(driver)
    top = driver.lines()[0]
    assert ("Filter (1)" in top) == (view.filter != EVERYTHING)
    assert view.range_words(shown.context) in top
    assert view.filter_words()[:20] in top
    assert ("redacted" in top) == world.is_redacted
    assert top.endswith(world.zone)
    assert sort_words(view.sort) in driver.lines()[-2]
    if rows:
        assert f" {table.cursor_row + 1:,} of {len(rows):,}" in driver.lines()[-2]
    else:
        assert "no events" in driver.lines()[-2]
    first_line = table.region.y + 1
    shown_lines = driver.lines()[first_line : first_line + table.visible_rows]
    for line, row in zip(shown_lines, rows[table.scroll_offset.y :], strict=False):
        assert row.event[:10] in line
    source = CopySource(shown, range(len(rows[:20])), Column.EVENT, (Column.EVENT, Column.TIME), ("q",))
    reader = RedactMode(lambda: bytes(32), is_on=world.is_redacted).readers(lambda: oracle)()
    copied = source.text(CopyForm.CELL, reader)
    assert copied == "\n".join(row.event for row in rows[:20])


@settings(max_examples=15)
@given(st.lists(Act, max_size=8))
def test_after_any_acts_all_speaks_of_the_same_events(acts: list[tuple[str, object]]) -> None:
    world = World()

    async def script(driver: Driver) -> None:
        for how, what in acts:
            if how in ("append", "replace"):
                assert isinstance(what, int)
                getattr(world, how)(what)
            elif how == "size":
                assert isinstance(what, tuple)
                await driver.pilot.resize_terminal(*what)
                await driver.settle()
            elif how == "keys":
                assert isinstance(what, list)
                await driver.press(*what)
            else:
                assert isinstance(what, tuple)
                await act(driver, world, how, what)
            check(driver, world)

    run_review(
        script,
        size=SIZES[0],
        zone="Europe/Berlin",
        redact=world.mode,
        open_reader=lambda: world.reader,
    )
