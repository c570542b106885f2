"""``--redact``: no user of the store is left on any surface, in any form, on any sample."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from audit_tui.core.columns import NAME_COLUMNS, Column
from audit_tui.core.event import AuditEvent, iso_utc
from audit_tui.core.event_text import json_text
from audit_tui.core.export import FILE_FORMATS, Format
from audit_tui.core.filter.filters import ANY_TEXT, Condition, MetaField
from audit_tui.core.filter.operators import CONTAINS, IS, IS_NOT
from audit_tui.core.privacy import redact_mode
from audit_tui.core.privacy.redact_mode import RedactingReader, RedactMode, shown_filter
from audit_tui.core.query import After, AtRow, EventQuery, PageKey, Sort
from audit_tui.errors import EXIT_OK
from audit_tui.store.read.reader import StoreReader
from tests.cli.running import at, make_store, run
from tests.formats.logs import FIXTURES, SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_tui.core.columns import ListColumn, NameColumn

NOBODY = frozenset({"system", "root", "unknown", "anonymous", "-", "(none)"})
ROLES = frozenset(
    {
        "admin",
        "user",
        "test",
        "owner",
        "security",
        "system",
        "unknown",
        "service",
        "support",
        "backup",
        "info",
    }
)
"""Parts of mail addresses that are words for jobs: these stay where they stand alone."""
ZOE = "zoe.quartz@acme.io"
EVENTS = (
    AuditEvent("Login", 1, user=ZOE, description=f"{ZOE} logged in", source_ip="203.0.113.77"),
    AuditEvent(
        "Login",
        2,
        user=ZOE,
        description="Zoe Quartz logged in from 203.0.113.77:443",
        source="zoe-laptop.acme.io",
    ),
    AuditEvent(
        "Role",
        3,
        user=ZOE.upper(),
        description=f"{ZOE.upper()} became admin",
        source_ip="2001:db8::77",
        target="zoe.quartz",
    ),
    AuditEvent(
        "File",
        4,
        user="bob",
        description="read /home/zoe.quartz/x of zoe.quartz",
        target="/home/zoe.quartz/x",
        source_ip="host-of-bob.acme.io",
    ),
    AuditEvent(
        f"Login {ZOE}",
        5,
        user="bob",
        category=ZOE,
        key="zoe.quartz-5",
        description="from host-of-bob.acme.io",
        source_ip="host-of-bob.acme.io",
    ),
    AuditEvent(
        "Meta",
        6,
        user="bob",
        metadata={
            ZOE: "v",
            "owner": {
                "login": "zoe.quartz",
                "first": "Zoe",
                "lastName": "Quartz",
                "phone": "+49 170 5551234",
            },
            "list": [ZOE, {"n": ZOE, "zquartz": 1042}],
            "path": f"/u/{ZOE}/z",
            "cn": "CN=zoe.quartz,OU=x",
            "uid": 1042,
            "arn": "arn:aws:iam::1:user/zoe.quartz",
            "url": f"https://x/?u={quote(ZOE, safe='')}",
            "b64": base64.b64encode(ZOE.encode()).decode(),
            "ip": "::ffff:203.0.113.77",
            "mac": "aa:bb:cc:dd:ee:ff",
            "phrase": "user-1042 and ip-10-0-0-7",
            "json": '{"by": "zoe.quartz\\u0040acme.io"}',
        },
    ),
    AuditEvent(
        "Sam",
        7,
        user="ACME\\zquartz",
        description="ACME\\zquartz and zquartz logged on",
        source_ip="10.1.1.1",
    ),
    AuditEvent(
        "Sam",
        8,
        user="zquartz",
        description="session of zquartz; zquartz-pc Zquartz",
        source_ip="10.1.1.1:55321",
    ),
    AuditEvent("Multi", 9, user="Zoe Quartz", description="Zoe Quartz invited Zoe  Quartz"),
    AuditEvent("Id", 10, user="1042", description="user 1042 did 1042 things", source_ip="fe80::1%eth0"),
    AuditEvent("Uni", 11, user="Zoë", description="Zoë and Zoe\u0308"),
    AuditEvent("Code", 12, user="user-1042", description="user-1042 here", target="ip-10-0-0-7"),
    AuditEvent("Code", 13, user="ip-10-0-0-7", description="ip-10-0-0-7 here"),
)
NEEDLES = (
    "zoe",
    "quartz",
    "203.0.113.77",
    "2001:db8::77",
    "5551234",
    "10.1.1.1",
    "1042",
    "aa:bb",
    "zoë",
    "10-0-0-7",
    "bob",
)


def made(folder: Path) -> Path:
    return make_store(folder / "made.db", [event_at(event) for event in EVENTS])


def event_at(event: AuditEvent) -> AuditEvent:
    # A random key may hold a needle by chance, as "1042".
    key = event.key or f"event {'abcdefghijklm'[event.occurred_us - 1]}"
    return replace(event, occurred_us=at("2026-11-20 09:00") + event.occurred_us, key=key)


MOST_EVENTS = 100
"""Events of a large sample on each surface but two; all of them on all nine take 20 seconds."""


def surfaces(store: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Everything that ``--redact`` shows of a store, and what shows it."""
    with StoreReader(store) as plain:
        newest = plain.page(EventQuery(), AtRow(0), MOST_EVENTS).rows
    redacted = ("-s", str(store), "--redact")
    options = (*redacted, "--range", "all-time")
    for form in ("table", "jsonl", "json", "csv", "md"):
        limit = 0 if form == "table" else MOST_EVENTS
        yield f"query {form}", run("query", *options, "--limit", str(limit), "--format", form).stdout
    since = ("--since", iso_utc(newest[-1].occurred_us))
    for form in FILE_FORMATS:
        out = folder / f"out.{form}"
        chosen = options if form == Format.JSON or len(newest) < MOST_EVENTS else (*redacted, *since)
        assert run("export", str(out), *chosen).exit_code == EXIT_OK
        yield f"export {form}", out.read_text()
    for column in NAME_COLUMNS:
        yield f"facets {column}", run("facets", column, *options, "--limit", "0").stdout
    mode = RedactMode(lambda: bytes(32), is_on=True)
    with StoreReader(store) as plain:
        # As the screen has it when it begins in redact mode.
        reader = RedactingReader(plain, mode)
        for column in NAME_COLUMNS:
            yield f"values of {column}", str(reader.values(column, "", 10_000))
            yield f"facets of {column}", str(reader.facets(EventQuery(), column, 10_000))
        yield "names of metadata", str(reader.metadata_names())
        rows = reader.page(EventQuery(), AtRow(0), 100_000).rows
        yield "list", str([tuple(row)[2:] for row in rows])
        # An export holds all of them; one by one they take a minute of a large sample.
        for row in rows[:MOST_EVENTS]:
            event = reader.event(row.seq)
            assert event is not None
            assert event.original is None
            yield "event", json_text(event)


def forms(user: str) -> set[str]:
    name = user.casefold()
    made = {name, quote(name, safe="").casefold()}
    if "@" in name and (local := name.partition("@")[0]) not in ROLES:
        made.add(local)
    return {form for form in made if len(form) >= 3}


def leaks(store: Path, folder: Path) -> list[tuple[str, str, str]]:
    with StoreReader(store) as reader:
        values = reader.values(Column.USER, "", 100_000)
    users = [value.value for value in values if value.value and value.value.lower() not in NOBODY]
    wanted = "|".join(
        sorted((re.escape(form) for user in users for form in forms(user)), key=len, reverse=True)
    )
    if not wanted:
        return []
    name = re.compile(rf"(?<![^\W_])(?:{wanted})(?![^\W_])")
    leaked = []
    for surface, text in surfaces(store, folder):
        folded = text.casefold()
        leaked += [
            (surface, match[0], folded[max(match.start() - 30, 0) : match.end() + 30])
            for match in name.finditer(folded)
        ]
    return leaked


def samples() -> list[Path]:
    fixtures = [path for path in FIXTURES.iterdir() if ".expected" not in path.name and path.is_file()]
    return [*sorted(fixtures), *(sorted(SHARED.iterdir()) if SHARED.exists() else ())]


@pytest.mark.parametrize("sample", samples(), ids=lambda path: path.name)
def test_no_user_of_a_sample_is_left_on_any_surface(sample: Path, tmp_path: Path) -> None:
    store = tmp_path / "audit.db"
    run("import", str(sample), "-s", str(store))
    if store.exists():
        assert leaks(store, tmp_path) == []


def test_no_form_of_a_name_is_left_on_any_surface(tmp_path: Path) -> None:
    store = made(tmp_path)
    assert leaks(store, tmp_path) == []
    for surface, text in surfaces(store, tmp_path):
        assert [needle for needle in NEEDLES if needle in text.casefold()] == [], (surface, text)


@pytest.mark.parametrize("column", [*NAME_COLUMNS, MetaField("by")])
def test_spellings_of_a_name_are_one_value(column: NameColumn | MetaField, tmp_path: Path) -> None:
    spellings = (ZOE, ZOE.upper(), ZOE.title())
    moment = at("2026-11-20 09:00")
    events = [
        AuditEvent(name, moment + number, user=name, category=name, metadata={"by": name})
        for number, name in enumerate(spellings)
    ]
    mode = RedactMode(lambda: bytes(32), is_on=True)
    with StoreReader(make_store(tmp_path / "made.db", events)) as plain:
        reader = RedactingReader(plain, mode)
        zoe = mode.pseudonyms_of(plain).user(ZOE)
        if not isinstance(column, MetaField):
            assert [(value.value, value.events) for value in reader.values(column, "", 10)] == [(zoe, 3)]
        facet = reader.facets(EventQuery(), column, 10)
        assert [(value.value, value.events) for value in facet.values] == [(zoe, 3)]


def test_the_same_name_has_one_pseudonym_on_all_surfaces(tmp_path: Path) -> None:
    mode = RedactMode(lambda: bytes(32), is_on=True)
    with StoreReader(made(tmp_path)) as plain:
        zoe = mode.pseudonyms_of(plain).user(ZOE)
        events = {event.event: event for event in RedactingReader(plain, mode).events(EventQuery())}
    login, role, meta = events["Login"], events["Role"], events["Meta"]
    assert login.user == role.user == zoe
    assert events[f"Login {zoe}"].category == zoe
    assert meta.metadata[zoe or ""] == "v"
    assert meta.metadata["list"][0] == zoe
    assert meta.metadata["url"] == f"https://x/?u={zoe}"
    assert meta.metadata["ip"] == events["Login"].source_ip or meta.metadata["ip"].startswith("ip-")
    assert meta.metadata["uid"] == events["Id"].user


@pytest.mark.parametrize("column", [Column.EVENT, Column.CATEGORY, Column.USER, Column.DESCRIPTION])
def test_what_is_shown_can_be_asked_for(column: Column, tmp_path: Path) -> None:
    mode = RedactMode(lambda: bytes(32), is_on=True)
    with StoreReader(made(tmp_path)) as plain:
        reader = RedactingReader(plain, mode)
        rows = reader.page(EventQuery(), AtRow(0), 100).rows
        for row, real in zip(rows, plain.page(EventQuery(), AtRow(0), 100).rows, strict=True):
            shown = getattr(row, column.attribute)
            if shown is None:
                continue
            expected = [each.seq for each in rows if getattr(each, column.attribute) == shown]
            for operator in (IS, IS_NOT):
                query = EventQuery(Condition(column, operator, shown))
                seqs = [each.seq for each in reader.page(query, AtRow(0), 100).rows]
                assert (sorted(seqs) == sorted(expected)) is (operator is IS)
                assert reader.count(query) == len(seqs)
            assert real.seq in expected


def test_a_filter_is_led_there_and_back(tmp_path: Path) -> None:
    mode = RedactMode(lambda: bytes(32), is_on=True)
    with StoreReader(made(tmp_path)) as plain:
        names = mode.pseudonyms_of(plain)
        reader = RedactingReader(plain, mode)
        for condition in (
            Condition(Column.USER, IS, ZOE),
            Condition(Column.USER, CONTAINS, "zoe.quartz"),
            Condition(Column.EVENT, IS, f"Login {ZOE}"),
            Condition(ANY_TEXT, CONTAINS, "/home/zoe.quartz"),
            Condition(Column.SOURCE_IP, IS, "203.0.113.77"),
            Condition(MetaField(ZOE), IS, "v"),
            Condition(Column.USER, IS, None),
        ):
            shown = shown_filter(condition, names)
            assert "zoe" not in str(shown)
            assert reader.count(EventQuery(shown)) >= plain.count(EventQuery(condition))
            assert shown_filter(shown, names) == shown


@pytest.mark.parametrize("column", [Column.EVENT, Column.CATEGORY, Column.USER, Column.DESCRIPTION])
def test_pages_go_on_where_they_ended(column: ListColumn, tmp_path: Path) -> None:
    mode = RedactMode(lambda: bytes(32), is_on=True)
    sort = Sort(column, descending=False)
    with StoreReader(made(tmp_path)) as plain:
        reader = RedactingReader(plain, mode)
        query = EventQuery(sort=sort)
        whole = reader.page(query, AtRow(0), 100).rows
        for place, row in enumerate(whole):
            key = PageKey.of(row, sort)
            assert reader.page(query, After(key), 100).rows == whole[place + 1 :]
            assert reader.locate(query, key) == place
            assert reader.page(query, After(key.just_before(sort)), 1).rows == (row,)


def test_users_that_come_while_it_is_open_are_hidden_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact_mode, "LEARN_AGAIN_S", 0.0)
    store = made(tmp_path)
    mode = RedactMode(lambda: bytes(32), is_on=True)
    with StoreReader(store) as plain:
        reader = RedactingReader(plain, mode)
        assert reader.page(EventQuery(), AtRow(0), 1).rows
        assert run("record", "Note", "--description", "dana did it", "-s", str(store)).exit_code == EXIT_OK
        assert run("record", "Note", "--user", "dana", "-s", str(store)).exit_code == EXIT_OK
        rows = reader.page(EventQuery(), AtRow(0), 2).rows
        assert "dana" not in str(rows)
