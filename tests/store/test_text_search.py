"""Every answer of the text index against testing each row, on small stretches and hostile texts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from audit_tui.core.columns import Column
from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.filter.filters import ANY_TEXT, Condition, MetaField
from audit_tui.core.filter.matching import is_inside
from audit_tui.core.filter.operators import AT_LEAST, CONTAINS, IN_NETWORK, IS, MATCHES
from audit_tui.errors import QueryCancelled, StoreDamaged
from audit_tui.store.evidence import text_check
from audit_tui.store.index import text_build, text_fields, text_grams, text_index, text_stretch
from audit_tui.store.index.row_conditions import Answer
from audit_tui.store.index.row_tests import metadata_leaves
from audit_tui.store.tables import text_layout
from audit_tui.store.tables.rows import StoredRow, draft, stored_text
from audit_tui.store.tables.text_layout import Stretch
from audit_tui.store.write.writer import StoreWriter
from tests.store.samples import build_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from audit_tui.core.filter.filters import FilterField

TEXTS = (
    "Created agent Élan", "created AGENT two", "Created agent Hiring lookup on gpt-4o-eu", "Straße",
    "STRASSE", "\u0130stanbul", "\u0131i", "\u212aelvin k", "ﬁne", "e\u0301cole", "a\nb", "nul\0here",
    "nul\u2400here", "half \ud800 there", "\\ud800", "日本語のログ", "", " ", "x" * 70, "aaaa", "10.0.0.0/8",
    "/etc/shadow", "agent [/] untitled", "a-0be96a", "a1b2", "[]", "--", "5",
)  # fmt: skip
SEARCHES = (
    "created", "AGENT", "created agent", "agent t", "created agent hiring lookup", "d agent", "é", "ss", "ß",
    "i", "\u0130", "k", "fi", "a", "aa", "a-", "eu-west-1", "\0", "\ud800", "\\ud800", "本語", "zzz", "10.",
    "5", "true", "xxxxxxxx", "%", "\n", "admin", "/", "/e", "nt [/", "[/]", "-0be9", "0be96a", "a1b2", "]",
    "--", "u-5c5574 logged", "on gpt-4o", "lookup on gpt-4o-eu", "\ufffd", "\xff", "٣",
)  # fmt: skip
WORDS = (
    "created",
    "Deleted",
    "agent",
    "é",
    "on",
    "ap-2",
    "u-5c5574",
    "logged",
    "in",
    "from",
    "[b]",
    "/x",
    "ß",
)
SENTENCE = ("created", "recreated", "agent", "agents", "of-7", "user", "to", "the", "x")
ADDRESSES = (
    None, "10.1.2.3", "10.255.0.1", "192.168.1.1", "2001:db8::1", "2001:DB8:0:0::2", "::ffff:10.0.0.9",
    "fe80::1%eth0", "host-7", "10.0.0.0/8", "300.1.1.1", "ﬀ::1",
)  # fmt: skip
NETWORKS = ("10.0.0.0/8", "10.1.2.3/32", "2001:db8::/32", "::/0", "0.0.0.0/0", "ff::/16")
METADATA: tuple[dict[str, object], ...] = (
    {},
    {"region": "eu-west-1", "n": 5, "ok": True, "none": None},
    {"request": {"role": "Admin", "ids": ["a-1", "a-2", {"deep": "x"}]}, "n": 5.0},
    {"request.role": "admin", "n": "5"},
    {"a=b": "EU-WEST-1", "\0k": "v", "\ud800": "\udc80", "": "nameless"},
    {"list": [], "empty": {}, "n": -1, "region": ["EU-west-1", "us", "us", ["us"]]},
    {"name": "a-0be96a", "k" * 600: {"inner": "long"}, "ip": "10.1.2.3"},
)
PATHS = (
    "region", "n", "ok", "none", "request", "request.role", "request.ids", "request.ids.deep", "a=b", "\0k",
    "\ud800", "list", "absent", "regio", "name", "ip",
)  # fmt: skip

texts = (
    st.sampled_from(TEXTS) | st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=8)
)
values = (
    st.none() | st.booleans() | st.integers(-9, 9) | texts | st.floats(allow_nan=False, allow_infinity=False)
)
metadata = st.sampled_from(METADATA) | st.dictionaries(
    st.sampled_from(PATHS) | st.text(max_size=3),
    st.recursive(
        values,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PATHS), inner, max_size=3)
        ),
        max_leaves=4,
    ),
    max_size=3,
)
events = st.lists(
    st.tuples(st.none() | texts, st.none() | texts, st.sampled_from(ADDRESSES), metadata),
    min_size=1,
    max_size=40,
)
fields = st.sampled_from(
    [ANY_TEXT, ANY_TEXT, Column.DESCRIPTION, Column.TARGET, Column.SOURCE_IP]
) | st.builds(MetaField, st.sampled_from(PATHS))
needles = st.sampled_from([*TEXTS, *SEARCHES, *WORDS]) | st.text(min_size=1, max_size=3)
edges = (
    st.sampled_from(["", "*"]) | needles.map(lambda text: f"*{text}") | needles.map(lambda text: f"{text}*")
)
conditions = (
    st.builds(Condition, fields, st.just(CONTAINS), needles.filter(bool))
    | st.builds(Condition, fields, st.just(IS), needles | st.none())
    | st.builds(Condition, fields, st.just(MATCHES), st.lists(needles, min_size=1, max_size=3).map("*".join))
    | st.builds(Condition, fields, st.just(MATCHES), st.tuples(edges, needles, edges).map("".join))
    | st.builds(Condition, fields, st.just(AT_LEAST), st.sampled_from(["0", "5", "-1"]))
    | st.builds(Condition, st.just(Column.SOURCE_IP), st.just(IN_NETWORK), st.sampled_from([*NETWORKS]))
)


class Opened:
    """A snapshot of a store, as the seam wants it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.memory: dict[object, object] = {}
        self.is_cancelled = False

    @property
    def newest_seq(self) -> int:
        return int(self._connection.execute("SELECT ifnull(max(seq), 0) FROM events").fetchone()[0])

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, tuple(parameters)).fetchall()

    def check(self) -> None:
        if self.is_cancelled:
            raise QueryCancelled("no longer wanted")


def search(snapshot: Opened, condition: Condition, *seqs: int) -> tuple[BitMap, BitMap]:
    """The seqs that match and those to be tested, after a look at some, and then at all."""
    answer = Answer(snapshot, condition)
    for part in (BitMap(seqs), BitMap(range(1, snapshot.newest_seq + 1))):
        answer.look(part)
        assert not answer.matches & answer.untested
    return answer.matches, answer.untested


def expected(connection: sqlite3.Connection, condition: Condition) -> list[int]:
    """The seqs of the events of which a text passes."""
    value = None if condition.value is None else stored_text(condition.value)
    passes = condition.operator.test(value)
    rows = connection.execute(text_fields.ROWS, (1, 2**40))
    return [seq for seq, *columns in rows if passes(texts_of(condition.field, *columns))]


def texts_of(
    field: FilterField, description: str | None, target: str | None, address: str | None, stored: str | None
) -> list[str]:
    """All texts that a field of an event has."""
    plain = {Column.DESCRIPTION: description, Column.TARGET: target, Column.SOURCE_IP: address}
    named = [] if stored is None else metadata_leaves(stored)
    if isinstance(field, MetaField):
        path = stored_text(field.path)
        return [stored_text(text) for name, text in named if is_inside(stored_text(name), path)]
    if field is ANY_TEXT:
        return [text for text in plain.values() if text is not None] + [
            stored_text(text) for _, text in named
        ]
    text = next(text for column, text in plain.items() if column is field)
    return [] if text is None else [text]


def drawn_events(drawn: list[tuple[Any, ...]], first: int = 1) -> list[AuditEvent]:
    return [
        AuditEvent(
            "Login", 1000 + place, key=f"k{place}", description=description, outcome=Outcome.SUCCESS,
            target=target, source_ip=address, metadata=dict(values),
        )
        for place, (description, target, address, values) in enumerate(drawn, first)
    ]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty store."""
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False, has_text_index=False):
        pass
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        # Each statement is a transaction of its own, and need not reach the disk.
        connection.execute("PRAGMA synchronous = OFF")
        yield connection


def fill(connection: sqlite3.Connection, events: list[AuditEvent]) -> None:
    """Put these events in place of all others."""
    text_layout.drop(connection)
    text_layout.create(connection)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM events")
    for seq, event in enumerate(events, 1):
        put(connection, seq, event)


def put(connection: sqlite3.Connection, seq: int, event: AuditEvent) -> None:
    """Put one event at a place."""
    row = draft(event)
    connection.execute(
        "INSERT OR REPLACE INTO events (seq, key, occurred_us, event_id, outcome, description, target,"
        " source_ip, metadata) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)",
        (
            seq,
            row.key,
            row.occurred_us,
            row.outcome,
            row.description,
            row.target,
            row.source_ip,
            row.metadata,
        ),
    )


SIZES: dict[str, dict[str, Any]] = {
    "usual": {},
    "tiny": {
        "FREQUENT_TEXT": 3, "FREQUENT_PIECE": 2, "GROUP_BYTES": 120, "SMALL_GROUP_BYTES": 1,
        "CROWDED_FOURS": 0, "PIECES_OF_A_SENTENCE": 0, "OF_A_PART": None,
    },
    "mixed": {"FREQUENT_TEXT": 2, "GROUP_BYTES": 60, "SMALL_GROUP_BYTES": 50, "FREQUENT_PIECE": 3},
    "few groups": {
        "FREQUENT_TEXT": 4, "SMALL_GROUP_BYTES": 1, "MAX_LARGE": 1, "FREQUENT_PIECE": 2, "OF_A_PART": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=events, asked=st.lists(conditions, min_size=1, max_size=12), data=st.data())
def test_an_answer_is_that_of_the_rows(
    store: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    sizes: str,
    drawn: list[tuple[Any, ...]],
    asked: list[Condition],
    data: st.DataObject,
) -> None:
    for name, value in SIZES[sizes].items():
        monkeypatch.setattr(text_build, name, value)
    fill(store, drawn_events(drawn))
    newest = len(drawn)
    step = data.draw(st.sampled_from([7, 16, 100]), label="seqs of a stretch")
    is_left_out = data.draw(st.booleans(), label="a stretch is left out")
    for number, first in enumerate(range(1, newest - newest % 3 + 1, step)):
        if not (is_left_out and number == 1):
            stretch = Stretch(first, min(first + step - 1, newest))
            text_index.build_stretch(store, stretch)
            assert text_check.problems(store, stretch) == []
    assert text_check.structure_problems(store) == []
    snapshot = Opened(store)
    for condition in asked:
        seq = data.draw(st.integers(1, newest), label="looked at first")
        matches, untested = search(snapshot, condition, seq)
        truth = expected(store, condition)
        assert list(matches) == [seq for seq in truth if seq not in untested], condition
        assert search(snapshot, condition) == (matches, untested)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.lists(st.sampled_from(SENTENCE), min_size=2, max_size=7), min_size=20, max_size=60),
    asked=st.lists(st.lists(st.sampled_from(SENTENCE), min_size=2, max_size=4), min_size=10, max_size=10),
    field=st.sampled_from([ANY_TEXT, Column.DESCRIPTION]),
)
def test_phrases_of_frequent_words_are_seen_also_where_they_are_rare(
    store: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    texts: list[list[str]],
    asked: list[list[str]],
    field: FilterField,
) -> None:
    for name, value in (SIZES["tiny"] | {"FREQUENT_PIECE": 5, "GROUP_BYTES": 400}).items():
        monkeypatch.setattr(text_build, name, value)
    fill(store, drawn_events([(" ".join(words), None, None, {}) for words in texts]))
    text_index.build_stretch(store, Stretch(1, len(texts)))
    for words in asked:
        for phrase in (" ".join(words), f"*{' '.join(words)}*{words[0]}*"):
            condition = Condition(field, MATCHES if "*" in phrase else CONTAINS, phrase)
            assert list(search(Opened(store), condition)[0]) == expected(store, condition), phrase


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=events.filter(lambda drawn: len(drawn) > 3),
    asked=st.lists(conditions, min_size=1, max_size=6),
    data=st.data(),
)
def test_after_a_removal_and_a_replacement_too(
    store: sqlite3.Connection, drawn: list[tuple[Any, ...]], asked: list[Condition], data: st.DataObject
) -> None:
    fill(store, drawn_events(drawn))
    build_texts(store)
    snapshot = Opened(store)
    for condition in asked:
        search(snapshot, condition)
    gone, changed = data.draw(st.permutations(range(1, len(drawn) + 1)), label="seqs")[:2]
    keeper = text_index.TextIndex()
    rows = [row for row in _stored_rows(store) if row.seq in (gone, changed)]
    keeper.on_remove(store, rows)
    store.execute("DELETE FROM events WHERE seq = ?", (gone,))
    put(store, changed, drawn_events([data.draw(events.map(lambda some: some[0]))], changed)[0])
    keeper.on_replace(store, [row for row in rows if row.seq == changed], [])
    for condition in asked:
        matches, untested = search(snapshot, condition)
        assert list(matches) == [seq for seq in expected(store, condition) if seq not in untested]
        assert gone not in matches


def _stored_rows(connection: sqlite3.Connection) -> list[Any]:
    columns = ", ".join(StoredRow._fields)
    return [StoredRow._make(row) for row in connection.execute(f"SELECT {columns} FROM events ORDER BY seq")]


SEVERAL = drawn_events(
    [(TEXTS[n % len(TEXTS)], TEXTS[n * 7 % 11], ADDRESSES[n % 5], METADATA[n % 7]) for n in range(60)]
)


@pytest.mark.parametrize("chunk_bytes", [1, 7, 100, 499, 500])
def test_runs_of_a_long_text_are_those_of_its_chunks(
    monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    data = b"".join(b"%d, %x\xff" % (number * 7919, number) for number in range(50))
    makers = (text_grams.pairs_of_bytes, text_grams.fours, text_grams.eights)
    whole = [make(data) for make in makers]
    monkeypatch.setattr(text_grams, "CHUNK_BYTES", chunk_bytes)
    assert [make(data) for make in makers] == whole
    assert len(whole[0]) == len({data[place : place + 2] for place in range(len(data) - 1)})


def uncompressed(data: bytes) -> bytes:
    """A part of the text index as it is before some are compressed."""
    try:
        return text_layout.inflated(data)
    except StoreDamaged:
        return data


def test_a_removed_text_leaves_no_byte(store: sqlite3.Connection) -> None:
    secret = "the Secret 4711"
    fill(store, [*SEVERAL, AuditEvent("Login", 1, key="s", description=secret, metadata={"note": secret})])
    build_texts(store)
    assert len(search(Opened(store), Condition(ANY_TEXT, CONTAINS, secret))[0]) == 1
    store.execute("PRAGMA secure_delete = ON")
    row = _stored_rows(store)[-1]
    keeper = text_index.TextIndex()
    keeper.on_remove(store, [row])
    put(store, row.seq, AuditEvent("Login", 1, key="s", description="(removed)"))
    keeper.on_replace(store, [row], [])
    everything = [
        uncompressed(data) for (data,) in store.execute("SELECT data FROM text_stretch_parts").fetchall()
    ]
    assert everything
    assert not [data for data in everything if b"secret" in data.lower() or b"4711" in data]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM text_stretch_parts WHERE place = (SELECT min(place) FROM text_stretch_parts)",
        "UPDATE text_stretch_parts SET data = zeroblob(10)"
        " WHERE place = (SELECT max(place) FROM text_stretch_parts)",
        "UPDATE text_stretches SET events = events + 1",
        "UPDATE text_stretches SET events = -1",
        "UPDATE events SET description = 'another' WHERE seq = 40",
        'UPDATE events SET metadata = \'{"region":"us"}\' WHERE seq = 40',
        "DELETE FROM events WHERE seq = 40",
        "INSERT INTO text_stretch_parts VALUES (9, x'00')",
        "INSERT INTO text_stretches VALUES (20, 30, 0, 0)",
    ],
)
def test_what_hides_an_event_from_a_search_is_told(store: sqlite3.Connection, change: str) -> None:
    fill(store, SEVERAL)
    build_texts(store)
    store.execute(change)
    problems = text_check.structure_problems(store)
    for stretch in text_index.stretches(store):
        problems += text_check.problems(store, stretch)
    assert problems


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.integers(0, 200), place=st.integers(0, 10_000), byte=st.integers(0, 255), is_cut=st.booleans())
def test_a_broken_index_is_an_error_and_nothing_worse(
    store: sqlite3.Connection, part: int, place: int, byte: int, is_cut: bool
) -> None:
    if not text_index.stretches(store):
        fill(store, SEVERAL)
        build_texts(store)
    parts = store.execute("SELECT place, data FROM text_stretch_parts ORDER BY place").fetchall()
    at, good = parts[part % len(parts)]
    place %= len(good)
    bad = good[:place] if is_cut else good[:place] + bytes([byte]) + good[place + 1 :]
    store.execute("UPDATE text_stretch_parts SET data = ? WHERE place = ?", (bad, at))
    try:
        for condition in (
            Condition(ANY_TEXT, CONTAINS, "agent"),
            Condition(ANY_TEXT, CONTAINS, "a"),
            Condition(ANY_TEXT, CONTAINS, "zzqx"),
            Condition(MetaField("region"), IS, None),
            Condition(Column.DESCRIPTION, IS, "Straße"),
            Condition(Column.DESCRIPTION, MATCHES, "a*two"),
            Condition(Column.SOURCE_IP, IN_NETWORK, "10.0.0.0/8"),
        ):
            try:
                matches, untested = search(Opened(store), condition)
                assert not matches or 0 < matches.min() <= matches.max() <= len(SEVERAL)
                assert not untested
            except StoreDamaged as error:
                assert "reindex" in (error.hint or "")
    finally:
        store.execute("UPDATE text_stretch_parts SET data = ? WHERE place = ?", (good, at))


def test_more_text_than_fits_is_divided_and_the_rest_left_to_the_rows(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, drawn_events([("agent " + "x" * (400 * (n >= 32)), None, None, {}) for n in range(64)]))
    monkeypatch.setattr(text_fields, "MAX_TEXT_BYTES", 3_000)
    monkeypatch.setattr(text_index, "LEAST_DIVIDED", 16)
    build_texts(store)
    condition = Condition(ANY_TEXT, CONTAINS, "agent")
    matches, untested = search(Opened(store), condition)
    assert list(matches) == list(range(1, 33))
    assert list(untested) == list(range(33, 65))
    for stretch in text_index.stretches(store):
        assert not text_check.problems(store, stretch)
    assert text_index.outstanding(store, 1) == []


def test_long_texts_are_left_to_the_rows_before_they_fill_the_memory(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of long texts no more are held than this, however little all events have together."""
    built: list[int] = []

    def counted(fields: text_fields.TextFields, told_apart: object) -> text_build.Built:
        texts = {text for column in fields.columns.values() for text in column.texts}
        built.append(sum(len(text) for text in texts if len(text) > text_fields.LONG_BYTES))
        return text_build.built_from(fields)

    monkeypatch.setattr(text_fields, "LONG_BYTES", 300)
    monkeypatch.setattr(text_index, "LEAST_DIVIDED", 4)
    monkeypatch.setattr(text_index, "built_from", counted)
    monkeypatch.setattr(text_index, "MAX_LONG_BYTES", 1_000)
    long = {"body": "agent " + "x" * 400}
    events = [("agent", None, None, long if n % 8 == 0 or n >= 60 else {}) for n in range(64)]
    fill(store, drawn_events(events))
    build_texts(store)
    assert built
    assert max(built) <= 1_000
    matches, untested = search(Opened(store), Condition(ANY_TEXT, CONTAINS, "agent"))
    assert untested
    assert list(matches | untested) == list(range(1, 65))
    monkeypatch.setattr(text_check, "MAX_LONG_BYTES", 1_000)
    for stretch in text_index.stretches(store):
        assert not text_check.problems(store, stretch)


def test_an_index_of_more_long_texts_by_an_older_program_is_right(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_fields, "LONG_BYTES", 300)
    fill(store, drawn_events([("x" * 400, None, None, {}) for _ in range(9)]))
    build_texts(store)
    monkeypatch.setattr(text_check, "MAX_LONG_BYTES", 1_000)
    (stretch,) = text_index.stretches(store)
    assert text_check.problems(store, stretch) == []
    store.execute("UPDATE text_stretches SET events = -1")
    assert text_check.problems(store, stretch)


def test_appended_events_get_short_stretches_and_whole_blocks(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (text_index, text_layout, text_stretch):
        monkeypatch.setattr(module, "BLOCK_EVENTS", 32)
    fill(store, [])
    text_layout.create(store)
    keeper, bulk = text_index.TextIndex(short_events=8), text_index.TextIndex(short_events=None)

    def append(companion: text_index.TextIndex, first: int, last: int) -> list[Stretch]:
        for seq in range(first, last + 1):
            put(store, seq, AuditEvent("Login", seq, key=f"k{seq}", description=f"Number {seq % 10}"))
        companion.on_append(store, [row for row in _stored_rows(store) if first <= row.seq <= last], [])
        assert text_check.structure_problems(store) == []
        return text_index.stretches(store)

    assert append(keeper, 1, 5) == []
    assert append(keeper, 6, 9) == [(1, 9)]
    assert append(keeper, 10, 30) == [(1, 9), (10, 30)]
    assert append(keeper, 31, 34) == [(1, 31)]
    assert append(bulk, 35, 70) == [(1, 31), (32, 63)]
    assert text_index.outstanding(store, 8) == []
    assert text_index.outstanding(store, 7) == [Stretch(64, 70)]
    assert append(bulk, 71, 200) == [(1, 31), (32, 63), (64, 95), (96, 127), (128, 159), (160, 191)]
    matches, untested = search(Opened(store), Condition(Column.DESCRIPTION, CONTAINS, "NUMBER 7"))
    assert list(matches) == list(range(7, 192, 10))
    assert list(untested) == list(range(192, 201))


def test_a_search_ends_when_it_is_cancelled(store: sqlite3.Connection) -> None:
    fill(store, SEVERAL)
    build_texts(store)
    snapshot = Opened(store)
    snapshot.is_cancelled = True
    with pytest.raises(QueryCancelled):
        search(snapshot, Condition(ANY_TEXT, CONTAINS, "agent"))


def test_without_an_index_all_rows_must_be_tested(store: sqlite3.Connection) -> None:
    fill(store, SEVERAL)
    text_layout.drop(store)
    matches, untested = search(Opened(store), Condition(ANY_TEXT, CONTAINS, "agent"))
    assert (len(matches), len(untested)) == (0, len(SEVERAL))
