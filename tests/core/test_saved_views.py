"""Saved views: those that ship, the user's file, and the hours outside of working time against an oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.matching import matcher
from audit_tui.core.filter.operators import IS
from audit_tui.core.investigate.saved_views import STARS, SavedView, SavedViews, only_new, saved, shipped
from audit_tui.core.query import Sort
from audit_tui.core.time.dates import Preset, TimeContext, resolve
from audit_tui.core.time.month import DayRange
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.errors import FileError, UsageError
from tests.payloads import PAYLOADS

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
CONTEXT = TimeContext(zone_named("Europe/Berlin"), NOW, 0)


def test_ten_views_ship_and_all_can_be_shown() -> None:
    assert len(shipped()) == 10
    assert len({view.name for view in shipped()}) == 10
    assert [view.star for view in shipped() if view.star] == list(STARS)
    for view in shipped():
        assert view.view(CONTEXT, View(time_range=Preset.ALL_TIME)).time_range is view.preset, view.name


@pytest.mark.parametrize(
    ("name", "events", "others"),
    [
        ("Failed logins", ["ConsoleLogin", "UserLoginFailed", "user.authentication.sso"], ["PutObject"]),
        ("Role and permission changes", ["Role assigned", "AttachRolePolicy"], ["AssumeRole", "GetRole"]),
        ("Keys and tokens", ["CreateAccessKey", "API Key created"], ["GetKeyPolicy"]),
        ("Deletions", ["DeleteTrail", "delete", "Role deleted", "Model undeployed"], ["Login"]),
        ("Recording switched off", ["StopLogging", "DAEMON_END"], ["StartLogging"]),
        ("Data taken out", ["FileDownloaded", "GetSecretValue", "CreateSnapshot"], ["Login"]),
    ],
)
def test_shipped_views_take_what_they_are_called(name: str, events: list[str], others: list[str]) -> None:
    view = next(view for view in shipped() if view.name == name)
    takes = matcher(view.view(CONTEXT, View()).filter)

    def is_taken(event: str) -> bool:
        return takes(AuditEvent(event, occurred_us=to_us(NOW), outcome=Outcome.FAILURE))

    assert [event for event in events if not is_taken(event)] == []
    assert [event for event in others if is_taken(event)] == []


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    views = SavedViews(tmp_path / "conf" / "views.toml")
    view = View(Condition(Column.USER, IS, 'al"ice \\'), DayRange(NOW.date(), NOW.date()), Sort(Column.USER))
    views.save(saved("Mine", view, CONTEXT))
    views.save(SavedView("Nights", "", Preset.THIS_MONTH, outside="06:00-22:00", star=1))
    views.save(SavedView("Who is new", new=Column.USER))
    again = SavedViews(views.path)
    mine, nights, new = list(again)[:3]
    assert mine.view(CONTEXT, View()).filter == view.filter
    assert resolve(mine.view(CONTEXT, View()).time_range, CONTEXT) == resolve(view.time_range, CONTEXT)
    assert mine.sort == Sort(Column.USER)
    assert again.starred(1) == nights
    assert new.new is Column.USER
    assert next(view.star for view in again if view.is_shipped) is None, "the star is the user's now"


@pytest.mark.parametrize("text", [text for text in PAYLOADS if text.isprintable() or "\x1b" in text])
def test_any_value_is_saved_as_it_is(text: str, tmp_path: Path) -> None:
    views = SavedViews(tmp_path / "views.toml")
    view = View(Condition(Column.USER, IS, text), Preset.ALL_TIME)
    views.save(saved("Odd", view, CONTEXT))
    again = SavedViews(views.path)
    assert not again.problem
    assert next(iter(again)).view(CONTEXT, View()) == view
    assert "\x1b" not in views.path.read_text()


def test_a_name_is_one_view(tmp_path: Path) -> None:
    views = SavedViews(tmp_path / "views.toml")
    views.save(SavedView("Failures", "outcome:failure user:alice", star=3))
    assert [view.query for view in views if view.name == "Failures"] == ["outcome:failure user:alice"]
    assert len(list(views)) == 10
    assert views.remove("Failures") and not views.remove("Failures")
    assert [view.is_shipped for view in views if view.name == "Failures"] == [True]


def test_without_a_range_it_leaves_the_one_that_is_shown() -> None:
    shown = View(time_range=Preset.LAST_YEAR)
    assert SavedView("x", "user:a").view(CONTEXT, shown).time_range is Preset.LAST_YEAR


@pytest.mark.parametrize(
    "text",
    [
        "[[view]",
        'view = "x"',
        "[[view]]\nquery = 'a'",
        "[[view]]\nname = 'a'\nstar = 10",
        "[[view]]\nname = 'a'\ncolour = 'red'",
        "[[view]]\nname = 'a'\noutside = 'night'",
        "[[view]]\nname = 'a'\noutside = '22:00-06:00'",
        "[[view]]\nname = 'a'\noutside = '07:00-25:00'",
        "[[view]]\nname = 'a'\noutside = '07:60-19:00'",
        "[[view]]\nname = 'a'\nnew = 'metadata'",
        "[[view]]\nname = 'a'\nrange = 'some days'",
        "[[view]]\nname = 3",
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_not_written_over(text: str, tmp_path: Path) -> None:
    path = tmp_path / "views.toml"
    path.write_text(text)
    views = SavedViews(path)
    assert str(path) in views.problem
    assert len(list(views)) == 10
    with pytest.raises(FileError):
        views.save(SavedView("x"))
    assert path.read_text() == text


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\nb"])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        saved(name, View(), CONTEXT)


@pytest.mark.parametrize("last_hour", [19, 24])
@pytest.mark.parametrize("preset", [Preset.LAST_30_DAYS, Preset.TODAY, Preset.THIS_WEEK, Preset.LAST_MONTH])
def test_off_hours_are_what_the_clock_on_the_wall_says(preset: Preset, last_hour: int) -> None:
    outside = f"07:00-{last_hour}:00"
    takes = matcher(SavedView("x", outside=outside, preset=preset).view(CONTEXT, View()).filter)
    interval = resolve(preset, CONTEXT)
    moment = NOW - timedelta(days=70)
    while moment < NOW:
        moment += timedelta(minutes=47)
        occurred_us = to_us(moment)
        if interval.start_us is not None and occurred_us < interval.start_us:
            continue
        if interval.end_us is not None and occurred_us >= interval.end_us:
            continue
        here = moment.astimezone(CONTEXT.zone)
        is_off = here.weekday() >= 5 or not 7 <= here.hour < last_hour
        assert takes(AuditEvent("x", occurred_us=occurred_us)) == is_off, here


def test_off_hours_need_a_range() -> None:
    view = SavedView("x", outside="07:00-19:00")
    for preset in (Preset.ALL_TIME, Preset.LAST_YEAR):
        with pytest.raises(UsageError):
            view.view(CONTEXT, View(time_range=preset))


def test_new_values_are_one_of_these() -> None:
    takes = matcher(only_new(Column.SOURCE_IP, ["10.0.0.1", "10.0.0.2"]))
    assert [takes(AuditEvent("x", 0, source_ip=f"10.0.0.{n}")) for n in range(4)] == [
        False,
        True,
        True,
        False,
    ]
    assert not matcher(only_new(Column.SOURCE_IP, []))(AuditEvent("x", 0, source_ip="10.0.0.1"))
