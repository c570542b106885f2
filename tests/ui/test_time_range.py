"""The time-range dialog: every rule of the catalogue, by keyboard and by mouse."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from textual.events import Key
from textual.widgets import Static

from audit_tui.core.time.dates import MomentRange, Preset, TimeContext, TimeRange
from audit_tui.core.time.month import DayRange
from audit_tui.ui.app import ThemedApp
from audit_tui.ui.screens.time_range import PresetList, TimeRangeDialog
from audit_tui.ui.widgets.fields.dropdown import Dropdown
from audit_tui.ui.widgets.fields.line_input import LineInput
from audit_tui.ui.widgets.fields.month_view import MonthView
from audit_tui.ui.widgets.fields.popup_list import PopupList
from tests.ui.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from textual.pilot import Pilot

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)
TODAY = date(2026, 11, 22)
FIRST_EVENT = date(2024, 6, 15)
CHARACTERS = {"minus": "-", "space": " ", "colon": ":", "less_than_sign": "<", "greater_than_sign": ">"}
KEYS = {character: key for key, character in CHARACTERS.items()}


@dataclass
class Opening:
    """The way to open the dialog."""

    current: TimeRange = Preset.LAST_30_DAYS
    first_weekday: int = 0
    first_event: date | None = FIRST_EVENT
    size: tuple[int, int] = (80, 24)
    zone: str = "Europe/Berlin"
    is_colourless: bool = False
    is_on_calendar: bool = True
    """Go on to the calendar before the play; the dialog itself opens on the presets."""


@dataclass
class Stage:
    """An app with nothing but the dialog, and what it gave back."""

    pilot: Pilot[None]
    results: list[TimeRange | None] = field(default_factory=list)

    @property
    def dialog(self) -> TimeRangeDialog:
        screen = self.pilot.app.screen
        assert isinstance(screen, TimeRangeDialog)
        return screen

    @property
    def month(self) -> MonthView:
        return self.dialog.query_one(MonthView)

    @property
    def words(self) -> str:
        return str(self.dialog.query_one("#words", Static).content)

    @property
    def times(self) -> tuple[str, str]:
        since, until = self.dialog.query(LineInput)
        return since.value, until.value

    @property
    def picture(self) -> str:
        strips = self.dialog._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    async def sees(self, text: str) -> None:
        """Wait until a text stands on the screen: the list may scroll a frame later."""
        await until(self.pilot, lambda: text in self.picture, f"no {text!r}")

    async def press(self, *keys: str) -> None:
        """Press keys as a fast typist does: one burst, then wait. Pilot waits 50 ms for each."""
        for key in keys:
            character = key if len(key) == 1 else CHARACTERS.get(key)
            self.pilot.app.post_message(Key(key, character))
        await self.pilot.pause()

    async def click(self, selector: str, offset: tuple[int, int] | None = None) -> None:
        await self.pilot.click(selector, offset=offset or (1, 0))
        await self.pilot.pause()

    async def click_day(self, day: int) -> None:
        month = self.month
        at = next(
            (x, y)
            for y in range(7)
            for x in range(0, 28, 4)
            if (day_there := month.day_at(x, y)) and day_there.day == day
        )
        await self.click("#month-view", (at[0] + 1, at[1]))

    async def type_in(self, name: str, text: str) -> None:
        self.dialog.query_one(name, LineInput).focus()
        await self.press("end", "ctrl+u")
        await self.press(*(KEYS.get(character, character) for character in text))


class Host(ThemedApp):
    CSS = "Screen { background: $background; }"

    def __init__(self, *, is_colourless: bool) -> None:
        super().__init__("terminal" if is_colourless else None)


class Hall:
    """One app for all plays of this module: to start one takes longer than to play."""

    def __init__(self, *, is_colourless: bool) -> None:
        self.runner = asyncio.Runner()
        self.app = Host(is_colourless=is_colourless)
        self._running = self.app.run_test()
        self.pilot = self.runner.run(self._running.__aenter__())

    def close(self) -> None:
        self.runner.run(self._running.__aexit__(None, None, None))
        self.runner.close()


HALLS: dict[bool, Hall] = {}


@pytest.fixture(autouse=True, scope="module")
def _halls() -> Iterator[None]:
    yield
    while HALLS:
        HALLS.popitem()[1].close()


def run(play: Callable[[Stage], Awaitable[None]], opening: Opening | None = None) -> list[TimeRange | None]:
    """Open the dialog, play, and give back what it was dismissed with."""
    return run_each([play], opening)[0]


def run_each(
    plays: Iterable[Callable[[Stage], Awaitable[None]]], opening: Opening | None = None
) -> list[list[TimeRange | None]]:
    """Open a new dialog for each play."""
    given = opening or Opening()
    context = TimeContext(ZoneInfo(given.zone), NOW, given.first_weekday)
    if given.is_colourless not in HALLS:
        HALLS[given.is_colourless] = Hall(is_colourless=given.is_colourless)
    hall = HALLS[given.is_colourless]
    app, pilot = hall.app, hall.pilot

    async def whole() -> list[list[TimeRange | None]]:
        stages: list[Stage] = []
        while len(app.screen_stack) > 1:  # of a play that failed
            await app.pop_screen()
        for play in plays:
            await pilot.resize_terminal(*given.size)
            stage = Stage(pilot)
            stages.append(stage)
            dialog = TimeRangeDialog(given.current, context, given.first_event)
            await app.push_screen(dialog, stage.results.append)
            await pilot.pause()
            if given.is_on_calendar:
                stage.month.focus()
                await pilot.pause()
            await play(stage)
            if app.screen is dialog:
                await app.pop_screen()
        return [stage.results for stage in stages]

    return hall.runner.run(whole())


def november(first: int, last: int) -> DayRange:
    return DayRange(date(2026, 11, first), date(2026, 11, last))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_it_opens_on_the_presets_with_the_range_in_force_marked() -> None:
    async def play(stage: Stage) -> None:
        presets = stage.dialog.query_one(PresetList)
        assert presets.has_focus
        assert presets.highlighted == list(Preset).index(Preset.LAST_30_DAYS)
        assert stage.month.cursor == TODAY
        assert stage.month.marked == DayRange(date(2026, 10, 24), TODAY)
        assert stage.words == "Last 30 Days: 2026-10-24 to 2026-11-22, 30 days"
        assert stage.times == ("2026-10-24", "2026-11-22")
        await stage.sees("• Last 30 Days")
        await stage.sees(" 22] ")
        await stage.sees("Europe/Berlin")
        assert stage.picture.count("Time range") == 1

    assert run(play, Opening(is_on_calendar=False)) == []


def test_it_opens_on_the_month_of_the_range_in_force() -> None:
    async def play(stage: Stage) -> None:
        assert stage.month.cursor == date(2025, 3, 9)
        await stage.sees("March")

    assert run(play, Opening(DayRange(date(2025, 3, 2), date(2025, 3, 9)))) == []


@pytest.mark.parametrize("is_on_calendar", [False, True])
def test_digits_go_to_the_first_time(is_on_calendar: bool) -> None:
    async def play(stage: Stage) -> None:
        await stage.press(*"2026-11-0", "2", "enter")

    assert run(play, Opening(is_on_calendar=is_on_calendar)) == [DayRange(date(2026, 11, 2), TODAY)]


def test_the_times_take_what_a_jump_to_a_time_takes() -> None:
    async def play(stage: Stage) -> None:
        await stage.type_in("#since", "09:00")
        await stage.type_in("#until", "10:30")
        assert stage.words == "2026-11-22 09:00 to 10:30, 1 h 30 min"
        await stage.type_in("#until", "")
        await stage.type_in("#since", "24h")
        assert stage.words == "since 2026-11-21 14:00"
        await stage.type_in("#since", "yesterday")
        await stage.press("enter")

    assert run(play) == [MomentRange(moment("2026-11-20 23:00"), None)]


def test_a_length_up_to_now_is_a_preset() -> None:
    async def play(stage: Stage) -> None:
        await stage.press("end", "up", "up", "enter")
        assert stage.words == "Last Hour: since 2026-11-22 13:00"
        assert stage.month.marked == DayRange(TODAY, TODAY)
        await stage.press("enter")

    assert run(play, Opening(is_on_calendar=False)) == [Preset.LAST_HOUR]


def test_applied_untouched_it_gives_the_range_in_force_back() -> None:
    assert run(lambda stage: stage.press("a")) == [Preset.LAST_30_DAYS]
    half_open = MomentRange(moment("2026-11-01 13:00"), None)
    assert run(lambda stage: stage.press("a"), Opening(half_open)) == [half_open]


MOVES: list[tuple[str, date]] = [
    ("left", date(2026, 11, 21)),
    ("up", date(2026, 11, 15)),
    ("up up up up", date(2026, 10, 25)),
    ("right", TODAY),
    ("down", TODAY),
    ("up right", date(2026, 11, 16)),
    ("pageup", date(2026, 10, 22)),
    ("pageup pagedown", TODAY),
    ("pagedown", TODAY),
    ("home", date(2026, 11, 1)),
    ("pageup end", date(2026, 10, 31)),
    ("pageup end pageup", date(2026, 9, 30)),
    ("end", TODAY),
    ("less_than_sign", date(2025, 11, 22)),
    ("less_than_sign less_than_sign greater_than_sign", date(2025, 11, 22)),
    ("less_than_sign home t", TODAY),
]


def test_keys_move_the_cursor_but_never_beyond_today() -> None:
    async def play(stage: Stage) -> None:
        for keys, expected in MOVES:
            stage.month.cursor = TODAY
            await stage.press(*keys.split())
            assert stage.month.cursor == expected, keys
            assert stage.month.marked == DayRange(date(2026, 10, 24), TODAY)
            await stage.sees(f"{expected:%B}"[:9])
            await stage.sees(f"{expected.year}")

    assert run(play) == []


def test_a_leap_day_survives_the_years() -> None:
    async def play(stage: Stage) -> None:
        stage.month.cursor = date(2024, 2, 29)
        await stage.press("less_than_sign")
        assert stage.month.cursor == date(2023, 2, 28)
        stage.month.cursor = date.min
        await stage.press("left", "up", "pageup", "less_than_sign", "home")
        assert stage.month.cursor == date.min

    run(play)


PICKS: list[tuple[str, DayRange, str]] = [
    ("left space a", november(21, 22), "a day: up to today"),
    ("left left left space right space a", november(19, 20), "then a later one"),
    ("left space space a", november(21, 21), "the same twice"),
    ("left space left space a", november(20, 22), "an earlier one"),
    ("left left space right space space a", november(21, 22), "complete: over again"),
    ("left left enter right enter a", november(20, 21), "with Enter"),
    ("left left enter right enter enter", november(20, 21), "Enter again applies"),
    ("left enter enter", november(21, 21), "Enter twice: that one day, applied"),
    ("left space enter", november(21, 21), "Enter after Space, the same"),
    ("left enter m enter a", november(21, 22), "Enter after another choice picks"),
    ("m a", november(1, 22), "whole month, up to today"),
    ("y a", DayRange(date(2026, 1, 1), TODAY), "whole year, up to today"),
    ("pageup m a", DayRange(date(2026, 10, 1), date(2026, 10, 31)), "the month before, whole"),
    ("less_than_sign y a", DayRange(date(2025, 1, 1), date(2025, 12, 31)), "the year before, whole"),
    ("m left space a", november(21, 22), "a day after a whole month: over again"),
]


def test_days_are_picked_by_key() -> None:
    async def play(stage: Stage, keys: str) -> None:
        await stage.press(*keys.split())

    results = run_each([partial(play, keys=keys) for keys, _, _ in PICKS])
    for (_, expected, rule), result in zip(PICKS, results, strict=True):
        assert result == [expected], rule


CLICKS: list[tuple[list[int], DayRange]] = [
    ([10], november(10, 22)),
    ([10, 13], november(10, 13)),
    ([10, 10], november(10, 10)),
    ([10, 3], november(3, 22)),
    ([10, 13, 12], november(12, 22)),
    ([10, 25, 13], november(10, 13)),
]


def test_days_are_picked_by_mouse() -> None:
    async def play(stage: Stage, days: list[int], expected: DayRange) -> None:
        for day in days:
            await stage.click_day(day)
        assert stage.results == []
        assert stage.month.marked == expected, days
        await stage.click("#apply")

    results = run_each([partial(play, days=days, expected=expected) for days, expected in CLICKS])
    assert results == [[expected] for _, expected in CLICKS]


def test_a_day_after_today_cannot_be_picked_and_says_so() -> None:
    async def play(stage: Stage) -> None:
        await stage.click_day(25)
        assert stage.words == "Days after today cannot be picked."
        assert stage.month.marked == DayRange(date(2026, 10, 24), TODAY)
        await stage.press("a")

    assert run(play) == [Preset.LAST_30_DAYS]


def test_a_picked_range_is_said_marked_and_written_into_the_fields() -> None:
    async def play(stage: Stage) -> None:
        await stage.click_day(10)
        await stage.click_day(13)
        assert stage.words == "2026-11-10 to 2026-11-13, 4 days"
        assert stage.times == ("2026-11-10", "2026-11-13")
        await stage.sees("[10  11  12  13]")
        await stage.sees(" 22 ")
        assert "•" not in stage.picture

    run(play)


PRESETS: list[tuple[Preset, DayRange, date]] = [
    (Preset.ALL_TIME, DayRange(FIRST_EVENT, TODAY), TODAY),
    (Preset.YESTERDAY, november(21, 21), date(2026, 11, 21)),
    (Preset.THIS_WEEK, november(16, 22), TODAY),
    (Preset.THIS_MONTH, november(1, 30), TODAY),
    (Preset.LAST_MONTH, DayRange(date(2026, 10, 1), date(2026, 10, 31)), date(2026, 10, 31)),
    (Preset.LAST_YEAR, DayRange(date(2025, 1, 1), date(2025, 12, 31)), date(2025, 12, 31)),
]


def test_a_preset_shows_its_days_and_stays_a_preset() -> None:
    async def by_key(stage: Stage, preset: Preset, marked: DayRange, cursor: date) -> None:
        stage.dialog.query_one(PresetList).focus()
        await stage.press("home", *["down"] * list(Preset).index(preset), "enter")
        assert stage.month.marked == marked
        assert stage.month.cursor == cursor
        await stage.sees(f"• {preset.label}")
        assert stage.words.startswith(preset.label)
        assert stage.results == []
        await stage.press("enter")

    async def by_mouse(stage: Stage, preset: Preset, marked: DayRange, cursor: date) -> None:
        for _ in range(2):
            await stage.click("PresetList", (3, list(Preset).index(preset)))
            assert (stage.month.marked, stage.month.cursor) == (marked, cursor)
        assert stage.results == []
        await stage.click("#apply")

    for play, presets in ((by_key, PRESETS), (by_mouse, PRESETS[:2])):
        plays = [
            partial(play, preset=preset_, marked=marked, cursor=cursor) for preset_, marked, cursor in presets
        ]
        assert run_each(plays) == [[preset] for preset, _, _ in presets]


def test_enter_on_the_preset_in_force_picks_first_and_applies_then() -> None:
    async def play(stage: Stage) -> None:
        await stage.press("shift+tab")
        assert isinstance(stage.dialog.focused, PresetList)
        await stage.press("enter")
        assert stage.results == []
        await stage.press("enter")

    assert run(play) == [Preset.LAST_30_DAYS]


def test_all_time_of_an_empty_store_marks_nothing() -> None:
    async def play(stage: Stage) -> None:
        assert stage.month.marked is None
        assert stage.times == ("", "")
        await stage.sees("first event")
        await stage.sees("no end")

    run(play, Opening(Preset.ALL_TIME, first_event=None))


@pytest.mark.parametrize(
    ("first_weekday", "names"), [(0, "Mo  Tu  We"), (6, "Su  Mo  Tu"), (5, "Sa  Su  Mo")]
)
def test_weeks_begin_as_configured(first_weekday: int, names: str) -> None:
    async def play(stage: Stage) -> None:
        assert names in stage.picture
        assert stage.month.day_at(0, 2) is not None
        day = stage.month.day_at(1, 2)
        assert day is not None
        assert day.weekday() == first_weekday

    run(play, Opening(first_weekday=first_weekday))


def test_the_month_list_offers_no_month_after_today() -> None:
    async def play(stage: Stage) -> None:
        popup = stage.dialog.query_one(PopupList)
        await stage.press("tab", "tab")
        assert stage.dialog.query_one("#month", Dropdown).has_focus
        await stage.press("enter")
        assert [item.label for item in popup.items][-1] == "November"
        await stage.press("up", "enter")
        assert stage.month.cursor == date(2026, 10, 22)
        assert not popup.display

    run(play)


def test_the_year_list_goes_back_to_the_first_event() -> None:
    async def play(stage: Stage) -> None:
        popup = stage.dialog.query_one(PopupList)
        await stage.click("#year")
        assert [item.label for item in popup.items] == ["2024", "2025", "2026"]
        await stage.pilot.click(PopupList, offset=(2, 0))
        await stage.pilot.pause()
        assert stage.month.cursor == date(2024, 11, 22)
        await stage.click("#month")
        assert len(popup.items) == 12
        await stage.press("end", "enter")
        assert stage.month.cursor == date(2024, 12, 22)
        # Back in this year December is still to come.
        await stage.click("#year")
        await stage.press("end", "enter")
        assert stage.month.cursor == TODAY

    run(play)


def test_an_event_of_the_year_one_makes_no_endless_list() -> None:
    async def play(stage: Stage) -> None:
        await stage.click("#year")
        assert len(stage.dialog.query_one(PopupList).items) == 201

    run(play, Opening(first_event=date.min))


def test_arrows_go_to_the_month_before_and_after() -> None:
    async def play(stage: Stage) -> None:
        await stage.click("#before")
        assert stage.month.cursor == date(2026, 10, 22)
        await stage.click("#after")
        await stage.click("#after")
        assert stage.month.cursor == TODAY

    run(play)


def test_whole_month_and_year_by_mouse() -> None:
    async def play(stage: Stage) -> None:
        await stage.click("#before")
        await stage.click("#whole-month")
        assert stage.words == "2026-10-01 to 2026-10-31, 31 days"
        await stage.click("#whole-year")
        assert stage.words == "2026-01-01 to 2026-11-22, 326 days"

    run(play)


def test_escape_peels_the_list_first() -> None:
    async def play(stage: Stage) -> None:
        await stage.click("#month")
        assert stage.dialog.query_one(PopupList).display
        await stage.press("escape")
        assert not stage.dialog.query_one(PopupList).display
        assert stage.results == []
        await stage.press("escape")

    assert run(play) == [None]


@pytest.mark.parametrize("close", ["tab", "click", "t"])
def test_a_list_closes_when_one_goes_elsewhere(close: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.click("#month")
        if close == "click":
            await stage.click("#words")
        else:
            await stage.press(close)
        assert not stage.dialog.query_one(PopupList).display

    assert run(play) == []


@pytest.mark.parametrize("keys", ["escape", "q", "tab tab tab tab tab tab tab tab tab enter"])
def test_it_is_cancelled(keys: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.press("left", "space", *keys.split())

    assert run(play) == [None]


TYPED: list[tuple[str, str, TimeRange, str]] = [
    (
        "2026-11-01 14:00",
        "2026-11-02 09:30",
        MomentRange(moment("2026-11-01 13:00"), moment("2026-11-02 08:30")),
        "2026-11-01 14:00 to 2026-11-02 09:30, 19 h 30 min",
    ),
    ("2026-11-01", "2026-11-03", november(1, 3), "2026-11-01 to 2026-11-03, 3 days"),
    (
        "2026-11-01 14:00:05",
        "",
        MomentRange(moment("2026-11-01 13:00:05"), None),
        "since 2026-11-01 14:00:05",
    ),
    ("", "", Preset.ALL_TIME, "All Time, since the first event"),
]


def test_times_can_be_typed() -> None:
    async def play(stage: Stage, since: str, until: str, words: str, with_enter: bool) -> None:
        await stage.type_in("#since", since)
        await stage.type_in("#until", until)
        assert stage.words == words
        await (stage.press("enter") if with_enter else stage.click("#apply"))

    for with_enter, typed in ((True, TYPED), (False, TYPED[:1])):
        plays = [
            partial(play, since=since, until=until, words=words, with_enter=with_enter)
            for since, until, _, words in typed
        ]
        assert run_each(plays) == [[expected] for _, _, expected, _ in typed]


@pytest.mark.parametrize(
    ("since", "until", "wrong", "message"),
    [
        ("2026-13-01", "2026-11-22", "since", "There is no time '2026-13-01'"),
        ("2026-11-01", "tomorrow", "until", "cannot be read"),
        ("2026-11-20", "2026-11-01", "until", "2026-11-20 comes after 2026-11-01."),
    ],
)
def test_a_wrong_time_is_marked_and_said_and_the_dialog_stays(
    since: str, until: str, wrong: str, message: str
) -> None:
    async def play(stage: Stage) -> None:
        await stage.type_in("#since", since)
        await stage.type_in("#until", until)
        for attempt in ("enter", "click"):
            await (stage.press("enter") if attempt == "enter" else stage.click("#apply"))
            assert stage.results == []
            assert stage.words.startswith("✗ ")
            assert message in stage.words
            assert [box.id for box in stage.dialog.query(LineInput) if box.has_class("-invalid")] == [wrong]
            assert stage.dialog.focused is stage.dialog.query_one(f"#{wrong}")
        await stage.press("escape")

    assert run(play) == [None]


def test_another_choice_mends_a_wrong_time() -> None:
    async def play(stage: Stage) -> None:
        await stage.type_in("#since", "x")
        await stage.click_day(10)
        assert not stage.dialog.query(".-invalid")
        assert stage.words == "2026-11-10 to 2026-11-22, 13 days"
        await stage.press("a")

    assert run(play) == [november(10, 22)]


def test_a_typed_time_undone_leaves_the_preset() -> None:
    async def play(stage: Stage) -> None:
        stage.dialog.query_one("#until", LineInput).focus()
        await stage.press("x")
        assert stage.words.startswith("✗")
        await stage.press("backspace")
        assert stage.words.startswith("Last 30 Days")
        await stage.press("enter")

    assert run(play) == [Preset.LAST_30_DAYS]


def test_typing_shows_the_days_on_the_calendar() -> None:
    async def play(stage: Stage) -> None:
        await stage.type_in("#since", "2026-09-05 12:00")
        assert stage.month.cursor == date(2026, 9, 5)
        assert stage.month.marked == DayRange(date(2026, 9, 5), TODAY)
        await stage.sees("[ 5")

    run(play)


def test_typed_times_are_of_the_zone_that_is_shown() -> None:
    async def play(stage: Stage) -> None:
        await stage.sees("America/New_York")
        await stage.type_in("#since", "2026-11-01 01:30")
        await stage.type_in("#until", "2026-11-01 14:00")
        await stage.press("enter")

    # 01:30 comes twice that day; the first is meant.
    expected = MomentRange(moment("2026-11-01 05:30"), moment("2026-11-01 19:00"))
    assert run(play, Opening(zone="America/New_York")) == [expected]


def test_tab_goes_round_every_part_and_nothing_else_happens() -> None:
    async def play(stage: Stage) -> None:
        seen = []
        for _ in range(12):
            focused = stage.dialog.focused
            assert focused is not None
            seen.append(focused.id or type(focused).__name__)
            await stage.press("tab")
        assert seen == [
            "month-view",
            "before",
            "month",
            "year",
            "after",
            "whole-month",
            "whole-year",
            "since",
            "until",
            "cancel",
            "apply",
            "PresetList",
        ]
        assert stage.month.has_focus
        await stage.press("shift+tab")
        assert stage.dialog.query_one(PresetList).has_focus
        await stage.press("right")
        assert stage.month.has_focus

    assert run(play) == []


def test_letters_are_typed_in_a_field_and_do_nothing_else() -> None:
    async def play(stage: Stage) -> None:
        await stage.type_in("#since", "amtyq")
        assert stage.times[0] == "amtyq"

    assert run(play) == []


def test_the_wheel_turns_the_months() -> None:
    async def play(stage: Stage) -> None:
        stage.month.action_move_months(-2)
        await stage.pilot._post_mouse_events(_scroll_events(), MonthView, offset=(2, 2))
        await stage.pilot.pause()
        assert stage.month.cursor == date(2026, 10, 22)

    run(play)


def _scroll_events() -> list[type]:
    from textual.events import MouseScrollDown

    return [MouseScrollDown]


@pytest.mark.parametrize("is_colourless", [False, True])
def test_focus_and_range_show_without_colours(is_colourless: bool) -> None:
    async def play(stage: Stage) -> None:
        await stage.press("left", "left", "space")
        line = stage.month.render_line(4)
        cells = {segment.text.strip(" ·"): segment.style for segment in line}
        assert [text for text in cells if text.startswith("[")] == ["[20"]
        cursor = cells["[20"]
        assert cursor is not None
        assert cursor.reverse or not is_colourless
        assert cursor.bold
        today = cells["22"]
        assert today is not None
        assert today.underline
        if is_colourless:
            await stage.sees("[20··21··22]")
            await stage.sees("Cancel  [Apply]")
        else:
            between, outside = cells["21"], cells["19"]
            assert between is not None
            assert outside is not None
            assert between.bgcolor != outside.bgcolor

    run(play, Opening(is_colourless=is_colourless))


@pytest.mark.parametrize(
    "size", [(300, 80), (80, 24), (60, 20), (56, 16), (40, 12), (40, 10), (20, 5), (4, 2), (1, 1)]
)
def test_any_size_works(size: tuple[int, int]) -> None:
    async def play(stage: Stage) -> None:
        await stage.press("home", "up", "pageup", "end", "left", "space", "right", "space")
        stage.dialog.query_one("#since", LineInput).focus()
        await stage.press("x", "backspace", "a", "backspace", "enter")

    assert run(play, Opening(size=size)) == [DayRange(date(2026, 9, 29), date(2026, 9, 30))]


def test_the_presets_are_one_key_away_also_in_a_burst() -> None:
    async def play(stage: Stage) -> None:
        await stage.press("shift+tab", "up", "enter", "enter")

    assert run(play) == [Preset.LAST_MONTH]


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("#month-view", "Shift+Tab presets"),
        ("PresetList", "⏎ choose, again applies"),
        ("#since", "2026-11-01 14:00, 14:00"),
        ("#month", "⏎ list"),
        ("#cancel", "⏎ press"),
    ],
)
def test_a_hint_says_what_the_keys_do_where_one_is(part: str, message: str, width: int) -> None:
    async def play(stage: Stage) -> None:
        stage.dialog.query_one(part).focus()
        await stage.pilot.pause()
        assert message in stage.picture

    run(play, Opening(size=(width, 12)))


def test_the_hint_moves_nothing_and_gives_way_on_a_low_terminal() -> None:
    async def play(stage: Stage) -> None:
        height = stage.dialog.query_one("#box").region.height
        for _ in range(12):
            assert stage.dialog.query_one("#hint").region.height == 1
            assert stage.dialog.query_one("#box").region.height == height
            await stage.press("tab")
        await stage.pilot.resize_terminal(40, 10)
        await until(stage.pilot, lambda: stage.dialog.query_one("#hint").region.height == 0)

    run(play)


def test_a_low_terminal_keeps_the_highlighted_preset_in_sight() -> None:
    async def play(stage: Stage) -> None:
        stage.dialog.query_one(PresetList).focus()
        await stage.press("end")
        await stage.sees("Last 7 Days")
        await stage.press("home")
        await stage.sees("All Time")

    run(play, Opening(size=(40, 10)))


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
def test_everything_is_in_sight(size: tuple[int, int]) -> None:
    async def play(stage: Stage) -> None:
        for text in (
            "All Time",
            "Last Year",
            "30 ",
            "Whole year",
            "From",
            "To",
            "30 days",
            "Cancel",
            "Apply",
        ):
            await stage.sees(text)
        box = stage.dialog.query_one("#box")
        assert box.region.height <= min(22, size[1])
        assert box.region.width <= 60

    run(play, Opening(size=size))


@pytest.mark.parametrize("keys", ["", "home", "pageup", "pageup end", "pageup pageup home"])
def test_a_low_terminal_keeps_the_cursor_and_the_buttons_in_sight(keys: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.press(*keys.split())
        month = stage.month
        body = stage.dialog.query_one("#choose-body")
        await until(
            stage.pilot,
            lambda: body.region.contains(month.region.x, month.region.y + month.line_of(month.cursor)),
        )
        await stage.sees("Apply")

    run(play, Opening(size=(40, 10)))


def test_a_dialog_can_be_resized_while_a_list_is_open() -> None:
    async def play(stage: Stage) -> None:
        await stage.click("#month")
        await stage.pilot.resize_terminal(40, 10)
        await stage.pilot.pause()
        await stage.press("escape", "escape")

    run(play)


def test_the_rest_of_the_program_does_not_load_it() -> None:
    code = "import sys, audit_tui.core.time.dates; print('textual' in sys.modules, 'calendar' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "False"
