from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.geometry import Offset, Region

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.filter.filters import ANY_TEXT, Any, Condition, Filter, MetaField, parse_condition
from audit_tui.core.filter.operators import CONTAINS, IN_NETWORK, IS, IS_NOT, MATCHES
from audit_tui.core.flat_filter import Draft, FlatFilter, Form, Match
from audit_tui.core.query import EventQuery, Interval
from audit_tui.core.query_line.parse import Query
from audit_tui.core.query_line.text import line_of
from audit_tui.core.text import UNSAFE_CLASS, clean
from audit_tui.errors import StoreBusy
from audit_tui.ui.app import ThemedApp
from audit_tui.ui.screens.filter_by import FilterDialog
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.candidates import MAX_CANDIDATES
from audit_tui.ui.widgets.fields.condition_rows import ConditionRow, ConditionRows
from audit_tui.ui.widgets.fields.dropdown import PickLine
from audit_tui.ui.widgets.fields.popup_list import PopupList
from audit_tui.ui.widgets.fields.query_row import QueryInput
from audit_tui.ui.widgets.fields.row_checks import MatchCount, percentage
from audit_tui.ui.widgets.fields.value_input import Listing, ValueInput, picture
from tests.ui.fake_reader import FakeReader, Hook
from tests.ui.waiting import Gate, at_rest, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from audit_tui.core.cancel import CancelToken

USERS = ["Alice"] * 3 + ["alina"] * 2 + ["bob", "bob", None, "(none)"]
EVENTS = [
    AuditEvent("Role created" if user == "bob" else "Login", number, user=user, category="Roles")
    for number, user in enumerate(USERS)
]
ALICE = Condition(Column.USER, IS, "Alice")
NOT_BOB = Condition(Column.USER, IS_NOT, "bob")
LOGIN = Condition(Column.EVENT, IS, "Login")
HOSTILE = [
    "\x1b]0;pwn\x07",
    "\x1b]52;c;aGk=\x1b\\",
    "\x9b31m",
    "a\x00b",
    "line\nbreak\r\ttab",
    "\u202eevil\u2066",
    "zero\u200bwidth",
    "[bold]x[/nope]",
    "[@click=app.quit]x",
    "\ud800lone",
    "日本語ユーザー",
    "👩‍👩‍👧 family ❤️",
    "e\u0301\u0301\u0301\u0301",
    "\U000e0041tag",
    "x" * 10_000,
    "日" * 5_000,
    " leading and trailing ",
    "=cmd|' /C calc'!A0",
    "(none)",
    "",
]


class HostApp(ThemedApp):
    """The smallest app that keeps a Filter dialog."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self.reader = FakeReader([])
        self.results: list[FlatFilter | Query | None] = []

    def on_mount(self) -> None:
        self.dialog = FilterDialog(lambda: self.reader)
        self.install_screen(self.dialog, "filter-by")

    def read(self, reader: FakeReader) -> None:
        """Start over with other events."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.results.clear()
        self.reader = reader
        self.dialog.renew()

    def open(self, current: FlatFilter | Filter, query: EventQuery) -> None:
        self.dialog.begin(current, query)
        self.push_screen("filter-by", self.results.append)


class Stage:
    """One app for all tests of this module: to start one takes longer than most of them."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.app = HostApp()
        self._running = self.app.run_test(size=(80, 24))
        self.pilot = self.runner.run(self._running.__aenter__())

    def close(self) -> None:
        self.runner.run(self._running.__aexit__(None, None, None))
        self.runner.close()


STAGES: list[Stage] = []


@pytest.fixture(autouse=True, scope="module")
def _stage() -> Iterator[None]:
    STAGES.append(Stage())
    yield
    STAGES.pop().close()


class Driver:
    """Presses keys, clicks, and waits for what it leads to."""

    def __init__(self, app: HostApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.dialog = app.dialog

    async def open(self, *conditions: Condition, match: Match = Match.ALL) -> None:
        self.app.open(FlatFilter(match, conditions), EventQuery())
        await self.until(lambda: self.dialog.is_current and "counting" not in self.count)

    async def until(self, is_so: Callable[[], bool]) -> None:
        await self.settle()
        await until(self.pilot, is_so)
        await self.settle()

    async def press(self, *keys: str) -> None:
        """Send keys one after the other, each worked on before the next."""
        for key in keys:
            self.send(key)
            await self.settle()

    async def settle(self) -> None:
        """Let every message on its way arrive: down to a field, up to the app, and what it leads to."""
        await at_rest(self.app)

    def send(self, key: str) -> None:
        """Send a key and wait for nothing."""
        self.app.post_message(events.Key(key, key if len(key) == 1 else None))

    async def write(self, text: str) -> None:
        """Type a text in one burst and wait for its candidates."""
        for character in text:
            self.send(character)
        await self.until(lambda: self.has_typed(text))
        await self.candidates()

    def has_typed(self, text: str) -> bool:
        field = self.app.focused
        return isinstance(field, ValueInput) and (field.draft(Draft()).text or "").endswith(text)

    async def candidates(self) -> None:
        """Wait for the candidates of what is typed."""
        await self.until(self.has_candidates)
        await self.settle()

    def has_candidates(self) -> bool:
        field = self.app.focused
        return isinstance(field, ValueInput) and field.listing is Listing.OPEN

    async def click(self, target: type[ConditionRow] | str, x: int = 1, y: int = 0) -> None:
        assert await self.pilot.click(target, offset=(x, y))
        await self.settle()

    async def result(self) -> FlatFilter | Query | None:
        await self.until(lambda: bool(self.app.results))
        assert not self.dialog.is_current
        return self.app.results.pop()

    @property
    def rows(self) -> Sequence[ConditionRow]:
        return self.dialog.query_one(ConditionRows).rows

    @property
    def drafts(self) -> list[Draft]:
        return self.dialog.query_one(ConditionRows).drafts

    def has_focus(self, widget: object) -> bool:
        return self.app.focused is widget

    def has_list(self) -> bool:
        return self.popup.display

    @property
    def popup(self) -> PopupList:
        return self.dialog.query_one(PopupList)

    @property
    def labels(self) -> list[str]:
        return [item.label for item in self.popup.items]

    @property
    def count(self) -> str:
        return str(self.dialog.query_one(MatchCount).content)

    @property
    def hint(self) -> str:
        return str(self.dialog.query_one("#hint").render())

    @property
    def lines(self) -> list[str]:
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def line_of(self, part: str) -> str:
        return next(line for line in self.lines if part in line)


Script: TypeAlias = Callable[[Driver], Awaitable[None]]


def run_dialog(
    script: Script,
    all_events: Sequence[AuditEvent] = EVENTS,
    *,
    size: tuple[int, int] = (80, 24),
    hook: Hook | None = None,
    stage: Stage | None = None,
) -> None:
    stage = stage or STAGES[-1]
    reader = FakeReader(all_events, hook)

    async def main() -> None:
        stage.app.read(reader)
        await stage.pilot.resize_terminal(*size)
        await script(Driver(stage.app, stage.pilot))

    stage.runner.run(main())


# Opening


def test_without_a_filter_it_opens_with_one_empty_row_where_one_types() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        assert driver.drafts == [Draft()]
        assert driver.has_focus(driver.rows[0].value)
        assert not driver.has_list()
        assert "● AND  ○ OR   all of these hold" in driver.text
        assert driver.count == "9 events match"
        assert driver.text.count("Filter by") == 1
        await driver.press("enter")
        assert await driver.result() == FlatFilter()

    run_dialog(script)


def test_it_opens_with_the_filter_in_force_and_gives_it_back() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, NOT_BOB, match=Match.ANY)
        assert driver.drafts == [Draft.of(ALICE), Draft.of(NOT_BOB)]
        assert "○ AND  ● OR   at least one holds" in driver.text
        assert driver.line_of("Is Equal To").split()[1:-1] == [
            "User",
            "▾",
            "Is",
            "Equal",
            "To",
            "▾",
            "Alice",
            "▾",
            "✕",
        ]
        assert driver.count == "7 events match, 78%"
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ANY, (ALICE, NOT_BOB))

    run_dialog(script)


def test_a_filter_of_a_command_line_stays_what_it_is() -> None:
    given_filters = tuple(
        map(parse_condition, ("description~Role", "meta.a\x1b[31m!~x", "source_ip!=10.0.0.0/8", "user=Alice"))
    )

    async def script(driver: Driver) -> None:
        await driver.open(*given_filters)
        assert driver.drafts == [Draft.of(condition) for condition in given_filters]
        assert "\x1b" not in driver.text
        assert driver.line_of(" Contains").split()[1:-1] == ["Description", "▾", "Contains", "▾", "Role", "✕"]
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ALL, given_filters)
        await driver.open(given_filters[2])
        # Another column has no networks: the operator is that of a text.
        await driver.press("shift+tab", "shift+tab", "u")
        assert driver.drafts[0].condition() == Condition(Column.USER, IS_NOT, "10.0.0.0/8")

    run_dialog(script)


def test_one_dialog_opens_again_and_again_with_the_same_widgets() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, NOT_BOB)
        await driver.press("shift+tab", "shift+tab", "e")
        await driver.press("escape")
        assert await driver.result() is None
        before = list(driver.dialog.query(ConditionRow))
        assert len(before) >= 2
        await driver.open(LOGIN)
        assert driver.drafts == [Draft.of(LOGIN)]
        assert list(driver.dialog.query(ConditionRow)) == before
        assert [row.display for row in before] == [True] + [False] * (len(before) - 1)
        assert driver.has_focus(driver.rows[0].value)
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ALL, (LOGIN,))

    run_dialog(script)


# The value


def test_typing_alone_finds_a_value_in_any_column_and_enter_applies() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.write("ali")
        assert driver.labels == ["Alice", "alina"]
        assert driver.line_of("alina").split()[-4:-1] == ["User", "2", "│"]
        await driver.press("down", "down", "up", "enter")
        assert driver.drafts == [Draft(Column.USER, IS, "Alice")]
        assert not driver.has_list()
        await driver.until(lambda: driver.count == "3 events match, 33%")
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ALL, (ALICE,))

    run_dialog(script)


def test_a_value_typed_by_hand_is_kept_exactly() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("shift+tab", "shift+tab", "u", "tab", "right", "tab")
        await driver.write(" Carol ")
        assert "no “ Carol ” in the store" in driver.text
        await driver.press("enter", "enter")
        expected = Condition(Column.USER, IS_NOT, " Carol ")
        assert await driver.result() == FlatFilter(Match.ALL, (expected,))

    run_dialog(script)


def test_another_case_of_a_value_is_offered_and_enter_takes_it() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        await driver.write("alice")
        assert "no “alice” in the store; Enter takes “Alice”" in driver.text
        assert driver.popup.highlighted is None
        await driver.press("enter")
        assert driver.drafts == [Draft(Column.USER, IS_NOT, "Alice")]

    run_dialog(script)


@pytest.mark.parametrize("keys", [("tab", "shift+tab"), ("escape",)])
def test_another_case_is_only_offered(keys: tuple[str, ...]) -> None:
    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        await driver.write("alice")
        await driver.press(*keys)
        assert not driver.has_list()
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ALL, (Condition(Column.USER, IS_NOT, "alice"),))

    run_dialog(script)


def test_tab_takes_a_highlighted_candidate_and_goes_on() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        await driver.write("ali")
        await driver.press("down", "down", "tab")
        assert driver.drafts == [Draft(Column.USER, IS_NOT, "alina")]
        assert driver.has_focus(driver.rows[0].query_one(Button))
        assert not driver.has_list()

    run_dialog(script)


@pytest.mark.parametrize("typed", ["Role created", "role CREATED"])
@pytest.mark.parametrize("key", ["enter", "tab"])
@pytest.mark.parametrize("is_burst", [False, True])
def test_without_a_column_a_value_typed_out_brings_it(typed: str, key: str, is_burst: bool) -> None:
    expected = Condition(Column.EVENT, IS, "Role created")

    async def script(driver: Driver) -> None:
        await driver.open()
        driver.rows[0].value.insert(typed, 0)
        if not is_burst:
            await driver.candidates()
            assert "again to apply" in driver.hint
        driver.send(key)
        await driver.until(lambda: driver.drafts == [Draft.of(expected)])
        assert not driver.has_list()
        assert "⏎ apply" in driver.hint or key == "tab"
        await driver.click("#apply")
        assert await driver.result() == FlatFilter(Match.ALL, (expected,))

    run_dialog(script)


@pytest.mark.parametrize(
    ("typed", "line", "expected"),
    [
        (
            "user:bob event~Log",
            "user:bob event~Log",
            (Condition(Column.USER, MATCHES, "bob"), Condition(Column.EVENT, CONTAINS, "Log")),
        ),
        ("10.0.0.0/8", "source_ip:10.0.0.0/8", (Condition(Column.SOURCE_IP, IN_NETWORK, "10.0.0.0/8"),)),
        ("arn:aws:iam", '"arn:aws:iam"', (Condition(ANY_TEXT, CONTAINS, "arn:aws:iam"),)),
        ("no such name", '"no such name"', (Condition(ANY_TEXT, CONTAINS, "no such name"),)),
    ],
)
def test_what_is_typed_without_a_column_and_is_no_name_is_a_query(
    typed: str, line: str, expected: tuple[Condition, ...]
) -> None:
    conditions = (ALICE, *expected)

    async def script(driver: Driver) -> None:
        await driver.open(ALICE)
        await driver.click("#add")
        await driver.until(lambda: driver.has_focus(driver.rows[1].value))
        await driver.write(typed)
        assert "Enter takes it as a query" in driver.text
        await driver.press("enter")
        await driver.until(lambda: driver.drafts == [Draft.of(each) for each in conditions])
        assert f"user=Alice {line}" in driver.text
        assert not driver.has_list()
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ALL, conditions)

    run_dialog(script)


def test_a_query_with_a_mistake_goes_to_the_line_that_mends_it() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.write("usr:Alice")
        await driver.press("enter")
        await driver.until(lambda: driver.has_focus(driver.dialog.query_one(QueryInput)))
        assert "mends it" in driver.hint
        await driver.press("enter")
        await driver.until(lambda: "user:Alice" in driver.text)

    run_dialog(script)


def test_an_address_is_offered_without_a_column() -> None:
    addresses = [AuditEvent("Login", n, source_ip=f"10.8.8.{n % 2}") for n in range(5)]

    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.write("10.8")
        assert driver.labels == ["10.8.8.0", "10.8.8.1"]
        await driver.press("down", "down", "enter")
        assert driver.drafts == [Draft(Column.SOURCE_IP, IS, "10.8.8.1")]
        await driver.until(lambda: driver.count == "2 events match, 40%")

    run_dialog(script, addresses)


def test_a_value_of_two_columns_needs_a_choice() -> None:
    both = [AuditEvent("Login", 1, user="bob", category="bob")]

    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.write("bob")
        assert "in Category and User: choose one with ↓" in driver.text
        await driver.press("enter", "enter")
        assert driver.drafts == [Draft(text="bob")]
        assert "✗ missing" in driver.text
        assert driver.has_list()
        await driver.press("down", "down", "enter")
        assert driver.drafts[0].condition() is not None
        assert "✗" not in driver.text

    run_dialog(script, both)


def test_a_value_that_the_store_lacks_is_named_and_may_be_applied() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(Condition(Column.USER, IS_NOT, "lic"), ALICE)
        words = "User: no “lic” in the store; did you mean “Alice”?"
        await driver.until(lambda: words in driver.text)
        assert [row.value.is_unknown for row in driver.rows] == [True, False]
        await driver.press("down", "shift+tab", "shift+tab", "e")
        await driver.until(lambda: "Event: no “Alice” in the store" in driver.text)
        assert driver.drafts[1].text == "Alice"
        await driver.press("u")
        await driver.until(lambda: words in driver.text)
        await driver.click("#apply")
        assert await driver.result() == FlatFilter(Match.ALL, (Condition(Column.USER, IS_NOT, "lic"), ALICE))

    run_dialog(script)
    run_dialog(script, size=(80, 16))


def test_it_has_its_size_from_its_first_frame_on() -> None:
    stage = Stage()
    frames: list[tuple[Region, Region]] = []

    def keep(_: object) -> None:
        dialog = stage.app.dialog
        frames.append((dialog.query_one("#box").region, dialog.query_one("#hint").region))

    async def script(driver: Driver) -> None:
        driver.dialog.screen_layout_refresh_signal.subscribe(driver.app, keep, immediate=True)
        await driver.open()
        assert "counts: whole store" not in driver.text
        await driver.press("down")
        await driver.candidates()
        assert "counts: whole store ─┘" in driver.text

    try:
        run_dialog(script, stage=stage)
    finally:
        stage.close()
    assert len(set(frames)) == 1, frames


def test_the_highlight_can_be_left_upwards() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        await driver.write("ali")
        await driver.press("down", "up")
        assert driver.popup.highlighted is None
        await driver.press("enter", "enter")
        assert await driver.result() == FlatFilter(Match.ALL, (Condition(Column.USER, IS_NOT, "ali"),))

    run_dialog(script)


def test_down_lists_the_most_frequent_values_where_nothing_is_typed() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("down")
        await driver.candidates()
        assert driver.labels == [
            "Roles",
            "Login",
            "Alice",
            "Role created",
            "alina",
            "bob",
            "(none)",
            "(none)",
        ]
        await driver.press("pagedown", "enter")
        assert driver.drafts[0].condition() is not None

    run_dialog(script)


def test_the_missing_value_and_the_text_none_are_two_things() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(Condition(Column.USER, IS, "bob"))
        await driver.write("(none)")
        assert [(item.label, item.note, item.is_special) for item in driver.popup.items] == [
            ("(none)", "", False),
            ("(none)", "no user", True),
        ] or [(item.label, item.note, item.is_special) for item in driver.popup.items] == [
            ("(none)", "no user", True),
            ("(none)", "", False),
        ]
        special = [item.is_special for item in driver.popup.items].index(True)
        await driver.press(*["down"] * (special + 1), "enter")
        assert driver.drafts == [Draft(Column.USER, is_missing=True)]
        assert driver.rows[0].value.has_class("-fixed")
        await driver.press("x")
        await driver.candidates()
        assert driver.drafts == [Draft(Column.USER, text="x")], "it is replaced as a whole"
        await driver.press("backspace")
        assert driver.drafts == [Draft(Column.USER)]
        await driver.write("(none)")
        await driver.press("escape", "enter")
        typed = Condition(Column.USER, IS, "(none)")
        assert await driver.result() == FlatFilter(Match.ALL, (typed,))

    run_dialog(script)


def test_at_most_50_candidates_with_counts_at_the_right() -> None:
    crowd = [AuditEvent("Login", n, user=f"user{n % 200}") for n in range(400)]
    crowd += [AuditEvent("Login", n, user="user0") for n in range(1_202)]

    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        await driver.write("user")
        assert len(driver.popup.items) == MAX_CANDIDATES
        assert driver.line_of("1,204").index("1,204") + 5 == driver.line_of("user1 ").index("  2 ") + 3
        await driver.press("up")
        assert driver.popup.highlighted == MAX_CANDIDATES - 1
        assert driver.labels[-1] in driver.text, "the list scrolls"

    run_dialog(script, crowd)


def test_enter_before_the_answer_waits_for_it() -> None:
    release = Gate()

    def hold(method: str, cancel: CancelToken | None) -> None:
        if method == "values":
            release.pass_through()

    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        await driver.press(*"alice")
        driver.send("enter")
        driver.send("enter")
        await driver.pilot.pause(0)
        assert not driver.app.results
        release.open()
        assert await driver.result() == FlatFilter(Match.ALL, (Condition(Column.USER, IS_NOT, "Alice"),))

    run_dialog(script, hook=hold)


def test_the_newest_key_wins() -> None:
    release = Gate()
    asked: list[str] = []

    def hold_the_first(method: str, cancel: CancelToken | None) -> None:
        asked.append(method)
        if asked.count("values") == 1:
            release.pass_through()

    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        await driver.press("a")
        await driver.until(lambda: "values" in asked)
        await driver.press("l", "i", "n")
        release.open()
        await driver.candidates()
        assert driver.labels == ["alina"]
        assert asked.count("values") < 4, "questions that are out of date are not asked"

    run_dialog(script, hook=hold_the_first)


def test_keys_that_come_in_one_burst_land_where_they_were_meant() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, NOT_BOB)
        keys = ["x", "tab", "tab", "tab", "tab", "y", "z", "shift+tab", "left"]
        for key in keys:
            driver.send(key)
        await driver.until(lambda: driver.drafts[1].operator is IS)
        assert [draft.text for draft in driver.drafts] == ["x", "yz"]

    run_dialog(script)


def test_two_rows_that_can_never_hold_together_are_told() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(LOGIN, Condition(Column.EVENT, IS, "Role created"))
        assert "never together: Event is Login, and Event is Role created" in driver.text
        driver.dialog.query_one(PickLine).focus()
        await driver.press("o")
        assert "never together" not in driver.text

    run_dialog(script)


# The query line


def line_text(driver: Driver) -> str:
    return driver.dialog.query_one(QueryInput).value


def test_the_line_and_the_rows_say_the_same() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, NOT_BOB)
        assert line_text(driver) == "user=Alice user!=bob"
        await driver.press("up", "up")
        assert driver.has_focus(driver.dialog.query_one(QueryInput))
        await driver.press("end", *" event=Login")
        assert driver.drafts == [Draft.of(ALICE), Draft.of(NOT_BOB), Draft.of(LOGIN)]
        await driver.until(lambda: driver.count == "3 events match, 33%")
        await driver.press("down", "o")
        assert line_text(driver) == "user=Alice or user!=bob or event=Login"
        await driver.press("down", "delete", "ctrl+d")
        assert line_text(driver) == "user!=bob or event=Login"
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ANY, (NOT_BOB, LOGIN))

    run_dialog(script)


def test_a_query_that_rows_cannot_show_stays_text() -> None:
    line = "(user:alice or event:role*) -user=bob"

    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("up", "up", *line)
        assert "This query says more than rows can show" in driver.text
        assert not driver.dialog.query_one(ConditionRows).display
        await driver.until(lambda: driver.count == "3 events match, 33%")
        await driver.press("enter")
        result = await driver.result()
        assert isinstance(result, Query)
        assert line_of(result.filter) == "(user:alice or event:role*) user!=bob"
        driver.app.open(result.filter, EventQuery())
        await driver.settle()
        assert line_text(driver) == "(user:alice or event:role*) user!=bob"
        assert driver.has_focus(driver.dialog.query_one(QueryInput)), "it opens where one types"
        await driver.press("home", *["delete"] * 60, *"user=Alice")
        assert driver.dialog.query_one(ConditionRows).display
        assert driver.drafts == [Draft.of(ALICE)]

    run_dialog(script)


def test_an_error_points_at_the_place_and_enter_mends_it() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("up", "up", *"event=Login usr:alice")
        lines = driver.lines
        line = next(number for number, text in enumerate(lines) if "usr:alice" in text)
        assert lines[line + 1].index("^^^") == lines[line].index("usr")
        assert lines[line + 1].count("^") == 3
        assert driver.count == "not understood"
        assert "There is no column 'usr'. Did you mean user?" in driver.hint
        assert driver.hint.endswith("⏎ mends it")
        await driver.press("enter")
        assert line_text(driver) == "event=Login user:alice"
        assert "^" not in driver.text
        assert len(driver.drafts) == 2
        await driver.press("enter")
        assert isinstance(await driver.result(), FlatFilter)

    run_dialog(script)


def test_an_error_without_a_mend_keeps_the_dialog() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("up", "up", *"severity=9", "enter")
        assert driver.dialog.is_current
        assert "No severity is 9. Severities go from 0" in driver.hint
        await driver.click("#apply")
        assert driver.dialog.is_current
        await driver.press(*["backspace"] * 10, *"outcome=fail", "enter")
        assert line_text(driver) == "outcome=failure"
        await driver.press(*["backspace"] * 15, "enter")
        assert await driver.result() == FlatFilter()

    run_dialog(script, WIDE_EVENTS)


def test_the_line_is_completed() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("up", "up", *"us", "tab")
        assert line_text(driver) == "user:"
        await driver.press("s")
        await driver.until(driver.has_list)
        assert [(item.label, item.count) for item in driver.popup.items] == [
            ("svc-0", 7),
            ("svc-1", 7),
            ("svc-2", 6),
        ]
        await driver.press("down", "down", "enter")
        assert line_text(driver) == "user:svc-1 "
        await driver.press(*"meta.r", "tab", "a", "tab", "enter")
        assert line_text(driver) == "user:svc-1 meta.request.role:admin "
        result = await driver.result()
        assert isinstance(result, FlatFilter)
        assert len(result.conditions) == 2

    run_dialog(script, WIDE_EVENTS)


def test_a_value_that_cannot_be_drawn_is_for_the_rows() -> None:
    hostile = Condition(Column.USER, IS, "\x1b[31m")

    async def script(driver: Driver) -> None:
        await driver.open(hostile)
        assert driver.dialog.query_one(QueryInput).disabled
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ALL, (hostile,))
        await driver.open()
        assert not driver.dialog.query_one(QueryInput).disabled

    run_dialog(script)


# Columns, operators, AND / OR


WIDE_EVENTS = [
    AuditEvent(
        "Role created",
        number,
        user=f"svc-{number % 3}",
        source_ip=f"10.0.0.{number % 4}",
        outcome=Outcome.FAILURE if number % 5 == 0 else Outcome.SUCCESS,
        severity=number % 3,
        metadata={"request": {"role": "admin" if number % 2 else "viewer"}, "ids": ["a", f"b{number}"]},
    )
    for number in range(20)
]
ROLE = MetaField("request.role")


@pytest.mark.parametrize(
    ("typed", "labels", "picked"),
    [
        ("outc", ["success", "failure"], Condition(Column.OUTCOME, IS, "success")),
        ("sev", ["0", "1", "2"], Condition(Column.SEVERITY, IS, "0")),
        (
            "source i",
            [f"10.0.0.{number}" for number in range(4)],
            Condition(Column.SOURCE_IP, IS, "10.0.0.0"),
        ),
        ("st.rol", ["admin", "viewer"], Condition(ROLE, IS, "admin")),
    ],
)
def test_every_column_offers_its_values_with_counts(typed: str, labels: list[str], picked: Condition) -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("shift+tab", "shift+tab", "enter", *typed, "enter", "tab", "tab", "down")
        await driver.candidates()
        assert sorted(driver.labels) == sorted(labels)
        counts = [item.count or 0 for item in driver.popup.items]
        assert counts == sorted(counts, reverse=True)
        assert sum(counts) == len(WIDE_EVENTS)
        await driver.press("down", "enter", "enter")
        assert await driver.result() == FlatFilter(Match.ALL, (picked,))

    run_dialog(script, WIDE_EVENTS)


def test_counts_are_those_of_the_range() -> None:
    async def script(driver: Driver) -> None:
        driver.app.dialog.begin(FlatFilter(), EventQuery(interval=Interval(0, 10)), "Today")
        driver.app.push_screen("filter-by", driver.app.results.append)
        await driver.settle()
        await driver.write("svc-")
        assert [(item.label, item.count) for item in driver.popup.items] == [
            ("svc-0", 4),
            ("svc-1", 3),
            ("svc-2", 3),
        ]
        assert "counts: Today" in driver.text

    run_dialog(script, WIDE_EVENTS)


def test_the_mark_behind_a_value_opens_its_list() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(Condition(Column.USER, IS, "svc-1"))
        await driver.click(".opener", x=0)
        await driver.candidates()
        assert driver.labels == ["svc-0", "svc-1", "svc-2"]
        await driver.click("PopupList", x=2, y=2)
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ALL, (Condition(Column.USER, IS, "svc-2"),))

    run_dialog(script, WIDE_EVENTS)


def test_a_list_is_picked_value_by_value() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(Condition(Column.USER, IS, "svc-1"))
        await driver.press("shift+tab", "enter", "i", "i")
        while driver.rows[0].draft.form is not Form.LIST:
            await driver.press("right")
        await driver.press("tab", "end", ",", " ")
        await driver.write("2")
        await driver.press("enter")
        assert driver.rows[0].draft.text == "svc-1, svc-2, "
        await driver.until(lambda: driver.count == "13 events match, 65%")
        await driver.press("enter")
        either = Any((Condition(Column.USER, IS, "svc-1"), Condition(Column.USER, IS, "svc-2")))
        assert await driver.result() == FlatFilter(Match.ALL, (either,))
        driver.app.open(FlatFilter(Match.ALL, (either,)), EventQuery())
        await driver.settle()
        assert "Is One Of" in driver.text
        assert "svc-1, svc-2" in driver.text

    run_dialog(script, WIDE_EVENTS)


def test_a_value_that_cannot_match_is_told_and_the_dialog_stays() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("shift+tab", "shift+tab", "enter", *"outc", "enter", "tab", "tab")
        await driver.write("fiasco")
        assert driver.count == "a value cannot match"
        await driver.press("enter", "enter")
        assert driver.dialog.is_current
        assert "✗ 'fiasco' is not an outcome. Outcomes are success and failure" in driver.hint
        await driver.press(*["backspace"] * 6)
        await driver.write("fail")
        assert "Enter takes “failure”" in driver.text
        await driver.press("enter", "enter")
        assert await driver.result() == FlatFilter(Match.ALL, (Condition(Column.OUTCOME, IS, "failure"),))

    run_dialog(script, WIDE_EVENTS)


def test_is_empty_needs_no_value_and_any_text_contains() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(Condition(Column.USER, IS_NOT, None))
        assert "Is Not Empty" in driver.text
        assert driver.rows[0].value.disabled
        await driver.press("enter")
        assert driver.dialog.is_current or await driver.result() is not None

    async def any_text(driver: Driver) -> None:
        await driver.open()
        await driver.press("shift+tab", "shift+tab", "a")
        assert "Contains" in driver.text
        await driver.press("tab", "tab", *"svc-1", "enter")
        assert await driver.result() == FlatFilter(Match.ALL, (Condition(ANY_TEXT, CONTAINS, "svc-1"),))

    run_dialog(script, WIDE_EVENTS)
    run_dialog(any_text, WIDE_EVENTS)


def test_a_column_is_chosen_by_keyboard() -> None:
    cases: list[tuple[list[str], Column | None]] = [
        (["e"], Column.EVENT),
        (["c"], Column.CATEGORY),
        (["u", "c"], Column.CATEGORY),
        (["right"], Column.EVENT),
        (["right", "right", "left"], Column.EVENT),
        (["enter", "enter"], Column.EVENT),
        (["space", "down", "space"], Column.CATEGORY),
        (["down", "down", "down", "down", "enter"], Column.OUTCOME),
        (["down", *"source i", "enter"], Column.SOURCE_IP),
        (["enter", *"zz", "backspace", "backspace", *"SEV", "enter"], Column.SEVERITY),
        (["enter", "down", "escape"], None),
        (["x"], None),
    ]

    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("shift+tab", "shift+tab")
        for keys, field in cases:
            driver.dialog.query_one(ConditionRows).show([Draft()])
            await driver.press(*keys)
            assert driver.drafts == [Draft(field)], keys
            assert not driver.has_list()
            assert driver.dialog.is_current

    run_dialog(script)


def test_a_popup_of_a_choice_goes_with_the_focus() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("shift+tab", "enter")
        assert driver.has_list()
        await driver.press("down", "tab")
        assert driver.drafts == [Draft(operator=IS_NOT)]
        assert driver.has_focus(driver.rows[0].value)
        await driver.press("shift+tab", "enter", "shift+tab")
        assert not driver.has_list()

    run_dialog(script)


def test_and_or_by_keyboard() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, LOGIN)
        assert driver.count == "3 events match, 33%"
        await driver.press("up")
        tab = driver.dialog.query_one(PickLine)
        assert driver.has_focus(tab)
        for key, match in [("left", Match.ANY), ("right", Match.ALL), ("o", Match.ANY), ("o", Match.ANY)]:
            await driver.press(key)
            assert tuple(Match)[tab.index] is match
        for key, match in [
            ("a", Match.ALL),
            ("space", Match.ANY),
            ("space", Match.ALL),
            ("space", Match.ANY),
        ]:
            await driver.press(key)
            assert tuple(Match)[tab.index] is match
        await driver.until(lambda: driver.count == "7 events match, 78%")
        await driver.press("enter")
        assert await driver.result() == FlatFilter(Match.ANY, (ALICE, LOGIN))

    run_dialog(script)


# Everything by mouse


def test_the_whole_dialog_by_mouse() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.click(".column", 3)
        await driver.click("PopupList", 3, 2)
        await driver.click(".operator", 3)
        await driver.click("PopupList", 3, 1)
        assert driver.drafts == [Draft(Column.USER, IS_NOT)]
        await driver.click("ValueInput", 2)
        await driver.write("bo")
        await driver.click("PopupList", 3, 0)
        assert driver.drafts == [Draft.of(NOT_BOB)]
        await driver.click("PickLine", 9)
        await driver.click("#add")
        await driver.until(lambda: driver.has_focus(driver.rows[-1].value) and len(driver.rows) == 2)
        await driver.write("logi")
        await driver.click("PopupList", 3, 0)
        await driver.click("#apply")
        assert await driver.result() == FlatFilter(Match.ANY, (NOT_BOB, LOGIN))

    run_dialog(script)


def test_a_second_click_on_a_choice_closes_its_list() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.click(".operator")
        assert driver.has_list()
        await driver.click(".operator")
        assert not driver.has_list()
        await driver.click(".operator")
        await driver.click("MatchCount")
        assert not driver.has_list()
        assert driver.drafts == [Draft()]

    run_dialog(script)


@pytest.mark.parametrize(
    ("button", "expected"),
    [("#clear", FlatFilter()), ("#cancel", None), ("#apply", FlatFilter(Match.ALL, (ALICE,)))],
)
def test_the_buttons(button: str, expected: FlatFilter | None) -> None:
    async def by_mouse(driver: Driver) -> None:
        await driver.open(ALICE)
        await driver.click(button)
        assert await driver.result() == expected

    async def by_keyboard(driver: Driver) -> None:
        await driver.open(ALICE)
        for _ in range(10):
            await driver.press("tab")
            if isinstance(driver.app.focused, Button) and f"#{driver.app.focused.id}" == button:
                break
        await driver.press("enter")
        assert await driver.result() == expected

    run_dialog(by_mouse)
    run_dialog(by_keyboard)


# Rows


def test_rows_are_added_and_removed_by_keyboard() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, NOT_BOB, LOGIN)
        await driver.press("down", "ctrl+d")
        assert driver.drafts == [Draft.of(ALICE), Draft.of(LOGIN)]
        assert driver.has_focus(driver.rows[1].value)
        await driver.press("shift+tab", "delete")
        assert driver.drafts == [Draft.of(ALICE)]
        assert driver.has_focus(driver.rows[0].value), "the one before, and where Enter removes nothing"
        await driver.press("ctrl+d")
        assert driver.drafts == [Draft()], "one row is always there"
        await driver.press("tab", "tab", "enter")
        await driver.until(lambda: len(driver.rows) == 2 and driver.has_focus(driver.rows[1].value))
        await driver.press("shift+tab", "shift+tab", "delete")
        assert driver.has_focus(driver.rows[0].value)
        assert driver.drafts == [Draft()]
        await driver.until(lambda: driver.count == "9 events match")

    run_dialog(script)


def test_the_cross_removes_its_own_row() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, NOT_BOB, LOGIN)
        crosses = list(driver.dialog.query(".remove").results(Button))
        assert await driver.pilot.click(crosses[1])
        assert driver.drafts == [Draft.of(ALICE), Draft.of(LOGIN)]
        assert driver.has_focus(driver.rows[1].value)
        await driver.press("tab", "enter")
        assert driver.drafts == [Draft.of(ALICE)]

    run_dialog(script)


def test_delete_in_a_value_removes_a_letter() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE)
        await driver.press("home", "delete")
        assert driver.drafts == [Draft(Column.USER, IS, "lice")]

    run_dialog(script)


def test_arrows_move_between_rows_in_the_same_column() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, NOT_BOB)
        await driver.press("down")
        assert driver.has_focus(driver.rows[1].value)
        driver.rows[1].query_one(".column").focus()
        await driver.press("up")
        assert driver.has_focus(driver.rows[0].query_one(".column"))
        driver.rows[1].value.focus()
        await driver.press("down")
        assert driver.has_focus(driver.dialog.query_one("#add"))
        await driver.press("up")
        assert driver.has_focus(driver.rows[1].value)

    run_dialog(script)


# Applying


def test_what_is_missing_is_marked_and_the_dialog_stays() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE)
        rows = driver.dialog.query_one(ConditionRows)
        rows.show([Draft.of(ALICE), Draft(text="bob"), Draft(operator=IS_NOT), Draft(Column.EVENT)])
        await driver.click("#apply")
        assert not driver.app.results
        assert driver.has_focus(driver.rows[1].query_one(".column"))
        assert driver.text.count("✗ missing") == 1
        assert driver.text.count("✗ a value is missing") == 1
        rows.show([Draft.of(ALICE), Draft()])
        driver.rows[1].query_one(".column").focus()
        await driver.press("u")
        await driver.click("#apply")
        assert "✗ missing" not in driver.text
        assert "✗ a value is missing" in driver.text
        assert driver.has_focus(driver.rows[1].value)
        await driver.press("shift+tab", "shift+tab")
        await driver.press("tab", "tab")
        await driver.write("bob")
        assert "✗" not in driver.text
        await driver.press("enter", "enter")
        both = (ALICE, Condition(Column.USER, IS, "bob"))
        assert await driver.result() == FlatFilter(Match.ALL, both)

    run_dialog(script)


@pytest.mark.parametrize("draft", [Draft(Column.USER), Draft(text="bob")])
def test_a_single_row_that_was_touched_must_be_complete(draft: Draft) -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        driver.dialog.query_one(ConditionRows).show([draft])
        await driver.click("#apply")
        assert not driver.app.results
        assert "✗" in driver.text

    run_dialog(script)


def test_marks_are_gone_when_the_dialog_opens_again() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE)
        await driver.press("backspace", "backspace", "escape", "shift+tab", "shift+tab", "u")
        driver.rows[0].value.show(Draft(Column.USER))
        await driver.click("#apply")
        assert "✗ a value is missing" in driver.text
        await driver.press("escape")
        assert await driver.result() is None
        await driver.open()
        assert "✗" not in driver.text

    run_dialog(script)


def test_escape_closes_the_list_first() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE)
        await driver.write("bo")
        await driver.press("escape")
        assert not driver.has_list()
        assert driver.dialog.is_current
        await driver.press("escape")
        assert await driver.result() is None

    run_dialog(script)


# The number


def test_the_number_counts_complete_rows_in_the_range_in_force() -> None:
    async def script(driver: Driver) -> None:
        query = EventQuery(interval=Interval(1, None), upto_seq=7)
        driver.app.open(FlatFilter(Match.ALL, (ALICE,)), query)
        await driver.until(lambda: driver.count == "2 events match, 33%")
        await driver.click("#add")
        await driver.press("c")
        await driver.until(lambda: driver.count == "2 events match, 33%")

    run_dialog(script)


def test_the_number_says_when_nothing_matches_or_one() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE, Condition(Column.USER, IS, "bob"))
        assert driver.count == "no events match"
        await driver.press("escape")
        await driver.result()
        await driver.open(Condition(Column.USER, IS, None))
        assert driver.count == "1 event matches, 11%"

    run_dialog(script)


def test_a_change_counts_anew_and_gives_up_the_old_count() -> None:
    first = threading.Event()
    cancelled: list[bool] = []

    def hold(method: str, cancel: CancelToken | None) -> None:
        if method == "count" and cancel is not None and not first.is_set():
            first.set()
            wait = Gate()
            with cancel.interrupting(wait.open):
                wait.pass_through()
            cancelled.append(cancel.is_cancelled)

    async def script(driver: Driver) -> None:
        driver.app.open(FlatFilter(Match.ALL, (ALICE,)), EventQuery())
        await driver.until(first.is_set)
        assert driver.count == "counting…"
        await driver.press("up", "o", "down", "backspace")
        await driver.until(lambda: driver.count == "9 events match")
        assert cancelled == [True]

    run_dialog(script, hook=hold)


@pytest.mark.parametrize(
    ("part", "whole", "percents"),
    [
        (1, 1, "100%"),
        (1, 3, "33%"),
        (1, 100, "1%"),
        (12, 1000, "1.2%"),
        (999, 1000, "99%"),
        (1, 1_000_000, "<0.1%"),
        (1, 1000, "0.1%"),
        (9_996, 100_000, "10%"),
    ],
)
def test_percentages(part: int, whole: int, percents: str) -> None:
    assert percentage(part, whole) == percents


# Errors


@pytest.mark.parametrize("broken", ["values", "count"])
def test_an_error_is_one_calm_line_and_the_dialog_works_on(broken: str) -> None:
    is_busy = True

    def fail(method: str, cancel: CancelToken | None) -> None:
        if method == broken and is_busy:
            raise StoreBusy("The store is \x1b[31m busy.", "Wait.")

    async def script(driver: Driver) -> None:
        nonlocal is_busy
        await driver.open(NOT_BOB)
        await driver.press("x")
        # The other answer comes too, and takes nothing back.
        await driver.until(lambda: "counting" not in driver.count)
        assert "✗ The store is ␛[31m busy. Wait." in driver.text
        assert driver.dialog.is_current
        is_busy = False
        await driver.write("y")
        await driver.until(lambda: "busy" not in driver.text and driver.count == "9 events match")
        await driver.press("enter", "enter")
        result = await driver.result()
        assert isinstance(result, FlatFilter)
        [condition] = result.conditions
        assert isinstance(condition, Condition)
        assert condition.value == "xy"

    run_dialog(script, hook=fail)


# Hostile data


def test_hostile_values_round_trip_and_are_drawn_clean() -> None:
    async def script(driver: Driver) -> None:
        for start in range(0, len(HOSTILE), 7):
            conditions = tuple(Condition(Column.USER, IS, value) for value in HOSTILE[start : start + 7])
            await driver.open(*conditions)
            check_screen(driver)
            for row in driver.rows:
                if row.draft.text:
                    row.value.insert("x", 0)
                    row.value.delete(0, 1)
            await driver.settle()
            check_screen(driver)
            assert driver.drafts == [Draft.of(condition) for condition in conditions], "edits leave the rest"
            await driver.click("#apply")
            assert await driver.result() == FlatFilter(Match.ALL, conditions)

    run_dialog(script)


def test_hostile_values_are_picked_as_they_are() -> None:
    async def script(driver: Driver) -> None:
        await driver.open()
        await driver.press("shift+tab", "shift+tab", "u", "tab", "tab")
        for value in HOSTILE:
            driver.rows[0].value.show(Draft(Column.USER))
            driver.send("down")
            await driver.candidates()
            driver.popup.move(1)
            driver.popup.move(driver.labels.index(value or "(empty)"))
            await driver.press("enter")
            assert driver.drafts == [Draft(Column.USER, IS, value)]
            check_screen(driver)

    run_dialog(script, [AuditEvent("Login", 0, user=value) for value in HOSTILE])


def test_two_keys_on_a_button_close_one_screen() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE)
        driver.dialog.query_one("#apply").focus()
        driver.send("enter")
        driver.send("enter")
        assert await driver.result() == FlatFilter(Match.ALL, (ALICE,))
        await driver.settle()
        assert len(driver.app.screen_stack) == 1

    run_dialog(script)


def check_screen(driver: Driver) -> None:
    """Nothing unsafe stands on the screen, every line is as wide as it, and the frame is whole."""
    for strip in driver.app.screen._compositor.render_strips():
        assert not any(character in UNSAFE for character in strip.text)
        assert strip.cell_length == driver.app.size.width
    assert driver.text.count("╮") == 1


UNSAFE = {chr(code) for code in range(0x11000) if clean(chr(code)) != chr(code)}


@given(st.text(st.characters(codec=None), max_size=40))
def test_a_picture_is_safe_and_one_for_one(text: str) -> None:
    drawn = picture(text)
    assert len(drawn) == len(text)
    assert clean(drawn) == drawn


def test_editing_a_value_is_editing_a_text() -> None:
    rng = random.Random(7)
    alphabet = ["a", "Z", " ", "\x1b", "\u202e", "日", "❤️", "e\u0301", "[b]", "\n"]

    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        field = driver.rows[0].value
        text = "bob"
        for _ in range(300):
            start, end = sorted(rng.randint(0, len(text) + 2) for _ in range(2))
            added = rng.choice([*alphabet, ""])
            field.replace(added, start, end)
            text = text[:start] + added + text[end:]
            assert driver.drafts[0].text == (text or None)
            assert field.value == picture(text)
        await driver.settle()
        check_screen(driver)

    run_dialog(script)


def test_a_paste_is_kept_as_it_is() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(NOT_BOB)
        driver.app.post_message(events.Paste("evil\x1b[31m\u202e日"))
        await driver.until(lambda: driver.drafts[0].text == "evil\x1b[31m\u202e日")
        await driver.candidates()
        check_screen(driver)

    run_dialog(script)


def test_random_keys_never_crash_it() -> None:
    rng = random.Random(11)
    keys = [
        "tab",
        "shift+tab",
        "up",
        "down",
        "left",
        "right",
        "enter",
        "space",
        "escape",
        "delete",
        "backspace",
    ]
    keys += ["a", "o", "u", "e", "(", "ctrl+d", "home", "end", "pagedown", "ctrl+u", "ctrl+w"]
    hostile = [AuditEvent(value or "x", n, user=value, category=None) for n, value in enumerate(HOSTILE)]

    async def script(driver: Driver) -> None:
        for _ in range(6):
            await driver.open(
                *(Condition(Column.USER, IS, rng.choice(HOSTILE)) for _ in range(rng.randint(0, 3)))
            )
            for _ in range(30):
                if not driver.dialog.is_current:
                    break
                driver.send(rng.choice(keys))
                if rng.random() < 0.15:
                    await driver.settle()
            await driver.settle()
            while driver.dialog.is_current:
                await driver.press("escape")
            await driver.result()

    run_dialog(script, hostile)


# Sizes and looks


@pytest.mark.parametrize("size", [(160, 50), (80, 24), (60, 16), (40, 10), (20, 5), (10, 2), (1, 1)])
def test_any_size(size: tuple[int, int]) -> None:
    async def script(driver: Driver) -> None:
        await driver.open(*[ALICE, NOT_BOB] * 4)
        width = size[0]
        box = driver.dialog.query_one("#box").region
        assert box.width <= 100
        if size >= (80, 24):
            assert driver.text.count("✕") == 8
        if width >= 40:
            assert driver.app.screen.region.contains_region(box)
            for part in ("AND", "OR", "+ Add Filter", "Clear All", "Cancel", "Apply", "✕"):
                assert part in driver.text
            await driver.press(*["down"] * 7)
            assert driver.has_focus(driver.rows[7].value)
            assert box.contains_region(driver.rows[7].value.region)
        await driver.press("a")
        await driver.candidates()
        if width >= 40:
            assert driver.app.screen.region.contains_region(driver.popup.region)
            assert not driver.popup.region.overlaps(driver.rows[7].value.region)
        await driver.press("escape", "escape")
        assert await driver.result() is None

    run_dialog(script, size=size)


def test_it_follows_a_theme_that_was_changed_while_it_was_closed() -> None:
    async def script(driver: Driver) -> None:
        before = driver.app.theme
        colors = []
        for theme in (before, "textual-light", before):
            driver.app.theme = theme
            await driver.open(ALICE)
            box, value = driver.dialog.query_one("#box"), driver.rows[0].value
            colors.append((box.styles.background, value.styles.color))
            await driver.press("escape")
            await driver.result()
        assert colors[0] == colors[2] != colors[1]

    run_dialog(script)


def test_a_resize_while_a_list_is_open() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(ALICE)
        await driver.write("b")
        for size in ((40, 10), (120, 40), (1, 1), (80, 24)):
            await driver.pilot.resize_terminal(*size)
            await driver.settle()
        await driver.press("o")
        await driver.candidates()
        value = driver.rows[0].value
        await until(
            driver.pilot, lambda: driver.popup.region.offset == value.region.bottom_left - Offset(1, 0)
        )

    run_dialog(script)


def test_without_colours_the_focus_and_the_highlight_are_reversed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(driver: Driver) -> None:
        await driver.open(ALICE)
        await driver.press("shift+tab", "enter", "down")
        for widget, y in ((driver.app.focused, 0), (driver.popup, 1)):
            assert widget is not None
            strip = widget.render_line(y)
            styles = [segment.style for segment in strip if segment.text.strip()]
            assert all(style is not None and style.reverse for style in styles)

    stage = Stage()
    try:
        run_dialog(script, stage=stage)
    finally:
        stage.close()


def test_a_list_opens_above_where_there_is_no_room_below() -> None:
    async def script(driver: Driver) -> None:
        await driver.open(*[NOT_BOB] * 8)
        await driver.press(*["down"] * 7)
        await driver.write("a")
        assert driver.popup.region.bottom <= driver.rows[7].value.region.y or (
            driver.popup.region.y >= driver.rows[7].value.region.bottom
        )
        assert driver.labels[0] in driver.text

    run_dialog(script, size=(80, 15))


def test_the_unsafe_class_is_what_the_check_looks_for() -> None:
    assert "\x1b" in UNSAFE
    assert "\u202e" in UNSAFE
    assert "a" not in UNSAFE
    assert UNSAFE_CLASS
