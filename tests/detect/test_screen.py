"""Rules on the screen: hits marked in place, listed, told in the pane, silenced, and remembered."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from audit_tui.core.cancel import CancelToken
from audit_tui.core.event import AuditEvent, to_us
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View
from audit_tui.demo import DemoValues, demo_events
from audit_tui.detect.live import LiveDetections
from audit_tui.detect.loading import BUILT_IN
from audit_tui.store.read.reader import open_store
from audit_tui.store.write.writer import StoreWriter
from audit_tui.ui.screens.review.detecting import NO_RULES
from tests.detect.rules import rule_with, write_rules
from tests.ui.fake_reader import fake_factory
from tests.ui.review_app import NOW, Driver, account, run_review

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.investigate.detections import Detected
    from audit_tui.core.query import ReaderFactory

ALL_TIME = View(time_range=Preset.ALL_TIME)
KEYS = rule_with(
    'k: {event: "API Key created", user: user1@acme.io}\ncondition: k',
    rest="level: high\nauthor: Ann Author\nfalsepositives: [Rotation of keys]\nreferences: [https://example.org/k]",
).replace("A rule", "Key of user1")
LOGINS = rule_with("l: {event: Login}\ncondition: l", rest="level: low").replace("A rule", "Any login")
ODD = rule_with("l: {description|re: 'thing 99[0-4]$'}\ncondition: l", rest="level: critical")


def rules_of(folder: Path, open_reader: ReaderFactory, *texts: str) -> LiveDetections:
    return LiveDetections(
        [write_rules(folder / "rules", *(texts or (KEYS, LOGINS)))],
        open_reader,
        folder / "cache.db",
        folder / "detections.db",
        folder / "silences.toml",
    )


def opener(events: list[AuditEvent] | None = None) -> ReaderFactory:
    return fake_factory(account() if events is None else events, None, "demo.db")


def gutters(driver: Driver) -> str:
    lines = driver.lines()
    first = next(place for place, line in enumerate(lines) if line.startswith(" Event ")) + 1
    return "".join(line[:1] or " " for line in lines[first:-2])


def test_hits_are_marked_among_what_happened_around_them(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        # Of every five the newest is a login; a failure that is a hit shows the letter.
        assert gutters(driver).startswith("ⓛ    ⓛ ")
        assert "2 of 2 rules hit, " in driver.text()
        await driver.press("m")
        assert gutters(driver).startswith("●    ⓛ ")

    run_review(script, view=ALL_TIME, folder=tmp_path, detections=rules_of(tmp_path, opener()))


def test_the_list_of_rules_shows_one_rules_events(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("D")
        text = driver.text()
        assert "ⓗ     29  Key of user1" in text
        assert "Ann Author" in text
        assert "ⓛ    200  Any login" in text
        await driver.press("enter")
        assert driver.review.event_list.count.value == 29
        assert set(gutters(driver).strip()) == {"ⓗ"}
        await driver.press("u")
        assert driver.review.event_list.count.value == 1000

    run_review(script, view=ALL_TIME, detections=rules_of(tmp_path, opener()))


def test_the_pane_says_why(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("D", "enter", "enter")
        text = driver.text()
        assert "ⓗ  Key of user1 (Ann Author)" in text
        assert "because Event matches API Key created and User" in text
        assert "or harmless: Rotation of keys" in text

    run_review(script, view=ALL_TIME, size=(160, 50), detections=rules_of(tmp_path, opener()))


def test_the_way_to_the_next_hit_in_place(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("D", "n")
        row = driver.review.table.highlighted
        assert row is not None
        assert (row.event, row.user) == ("API Key created", "user1@acme.io")
        assert "Hit 1 of 29 in this view." in driver.text()
        assert driver.review.event_list.count.value == 1000
        await driver.press("D", "n")
        assert "Hit 2 of 29 in this view." in driver.text()

    run_review(script, view=ALL_TIME, detections=rules_of(tmp_path, opener()))


def test_all_that_a_rule_says_of_itself(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("D", "i")
        text = driver.text()
        assert "Harmless: Rotation of keys" in text
        assert "https://example.org/k" in text
        assert 'event:"API Key created" user:user1@acme.io' in text

    run_review(script, view=ALL_TIME, size=(120, 40), detections=rules_of(tmp_path, opener()))


def test_a_rule_opens_as_a_query_to_be_tuned(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("D", "e")
        assert "API Key created" in driver.text()
        assert driver.app.screen is not driver.review
        await driver.press("escape")
        assert driver.review.event_list.count.value == 29

    run_review(script, view=ALL_TIME, detections=rules_of(tmp_path, opener()))


def test_a_silence_leaves_hits_out_and_counts_them(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("D", "j", "x", "a")
        assert "ⓛ" not in gutters(driver)
        await driver.press("D")
        assert "29 hits, 200 silenced" in driver.text()
        await driver.press("escape")

    run_review(script, view=ALL_TIME, detections=rules_of(tmp_path, opener()))
    assert 'title = "Any login"' in (tmp_path / "silences.toml").read_text()


def test_a_silence_of_one_user(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("j", "j", "j", "j", "j", "D", "j", "x", "u")
        await driver.press("D")
        assert "Any login" in driver.text()
        assert "silenced" in driver.text()

    run_review(script, view=ALL_TIME, detections=rules_of(tmp_path, opener()))
    assert 'when = "user:user' in (tmp_path / "silences.toml").read_text()


def test_a_test_that_no_query_says_shows_its_events_alone(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("D", "enter")
        assert driver.review.event_list.count.value == 5
        assert gutters(driver).strip() == "ⓒⓒⓒⓒⓒ"

    run_review(script, view=ALL_TIME, detections=rules_of(tmp_path, opener(), ODD))


def test_the_strip_shows_when_rules_hit(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        failures = driver.lines()[2]
        assert failures.count("ⓗ") > 5
        assert "ⓛ" in failures

    run_review(script, view=ALL_TIME, size=(160, 50), detections=rules_of(tmp_path, opener()))


def test_only_new_events_are_looked_at_afterwards(tmp_path: Path) -> None:
    events = account()
    asked: list[str] = []

    async def look(driver: Driver) -> None:
        await driver.press("D")
        assert "ⓗ     29  Key of user1" in driver.text()

    def note(question: str, *_: object) -> None:
        asked.append(question)

    for runs in (1, 2):
        asked.clear()
        detections = rules_of(tmp_path, fake_factory(events, note, "demo.db"))
        run_review(look, events, view=ALL_TIME, detections=detections)
        assert asked.count("events") == (1 if runs == 1 else 0), asked


def test_what_comes_meanwhile_is_asked_too(tmp_path: Path) -> None:
    store = tmp_path / "audit.db"
    with StoreWriter(store) as writer:
        writer.append(account(50))
    factory = open_store(store)

    async def script(driver: Driver) -> None:
        before = gutters(driver).count("ⓛ")
        with StoreWriter(store) as writer:
            writer.append([AuditEvent("Login", to_us(NOW), user="new")])
        await driver.press("R")
        await driver.until(lambda: gutters(driver).count("ⓛ") == before + 1)
        assert driver.lines()[2].startswith("ⓛLogin")

    detections = rules_of(tmp_path, factory)
    run_review(script, view=ALL_TIME, open_reader=factory, size=(80, 24), detections=detections)


def test_what_comes_in_parts_is_found_as_at_once(tmp_path: Path) -> None:
    events = list(demo_events(DemoValues(until=NOW, events=700)))
    store = tmp_path / "audit.db"
    growing: LiveDetections | None = None
    for first, last in pairwise([0, 300, 301, 420, 421, 422, 600, 700]):
        with StoreWriter(store) as writer:
            writer.append(events[first:last])
        factory = open_store(store)
        if growing is None:
            growing = LiveDetections(
                [BUILT_IN], factory, tmp_path / "c.db", tmp_path / "h.db", tmp_path / "s.toml"
            )
        at_once = LiveDetections([BUILT_IN], factory, tmp_path / "c.db", None, tmp_path / "s.toml")
        hits = []
        for detections in (growing, at_once):
            told: list[Detected] = []
            detections.run(told.append, CancelToken())
            hits.append({rule.info.title: rule.seqs for rule in told[-1].hits})
        assert hits[0] == hits[1]
    assert "Passwords guessed, then in" in hits[0]


def test_without_rules_the_key_says_how_to_name_them() -> None:
    async def script(driver: Driver) -> None:
        await driver.press("D")
        assert NO_RULES[:60] in driver.text()

    run_review(script, view=ALL_TIME)


def test_rules_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        assert "There are no rules." in driver.text()
        await driver.press("escape")
        assert driver.app.screen is driver.review

    detections = rules_of(tmp_path, opener())
    for file in (tmp_path / "rules").iterdir():
        file.unlink()
    run_review(script, view=ALL_TIME, detections=detections)


def test_rules_are_a_facet_that_narrows_and_leaves_out(tmp_path: Path) -> None:
    async def script(driver: Driver) -> None:
        await driver.press("S", "home")
        text = driver.text()
        assert re.search(r"Rule +2 values", text)
        assert re.search(r"ⓛ Any login +200", text)
        assert re.search(r"ⓗ Key of user1 +29", text)
        await driver.press("down", "enter")
        assert driver.review.event_list.count.value == 29
        assert re.search(r"Rule +1 value", driver.text())
        await driver.press("u")
        assert driver.review.event_list.count.value == 1000
        await driver.press("S", "S", "home", "!")
        assert driver.review.event_list.count.value == 800

    run_review(script, view=ALL_TIME, size=(160, 50), detections=rules_of(tmp_path, opener()))


def test_silenced_hits_are_not_in_the_facet(tmp_path: Path) -> None:
    detections = rules_of(tmp_path, opener(), ODD, KEYS)
    (tmp_path / "silences.toml").write_text('[[silence]]\nlevel = "high"\nwhen = "seq<500"\n')

    async def script(driver: Driver) -> None:
        await driver.press("S", "home")
        assert re.search(r"ⓒ A rule +5", driver.text())
        shown = re.search(r"ⓗ Key of user1 +(\d+)", driver.text())
        assert shown is not None
        await driver.press("home", "enter")
        assert driver.review.event_list.count.value == int(shown[1]) < 29

    run_review(script, view=ALL_TIME, size=(160, 50), detections=detections)
