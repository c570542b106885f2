"""Sealing and verifying: the attacks of the threat model, each with what is found and what is not."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.evidence.checkpoint import PublicKey, origin_of, read_checkpoint
from audit_tui.core.evidence.leaf import Form, event_leaf
from audit_tui.errors import CheckpointError, SigningKeyError, StoreDamaged, StoreError
from audit_tui.store.evidence import seal_reading, signing, stretch_check, verify_work
from audit_tui.store.evidence.proving import Prover
from audit_tui.store.evidence.seal_reading import SealedStore
from audit_tui.store.evidence.verifying import Anchor, Mode, Report, Request, Result, verify
from audit_tui.store.index import keeper, text_index
from audit_tui.store.tables.rows import draft
from audit_tui.store.tables.text_layout import Stretch
from audit_tui.store.write.removing import Act
from audit_tui.store.write.seal_keys import give_key
from audit_tui.store.write.writer import StoreWriter
from tests.store import forger
from tests.store.tampering import ATTACKS, ROLL_BACK, Attack, Keys, open_raw

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

ACT = Act("root", "host", 0, "a test")
WHOLE = Stretch(1, 3_037)


def some(first: int, events: int) -> list[AuditEvent]:
    return [
        AuditEvent(
            f"Role {number % 5}",
            1_700_000_000_000_000 + number,
            key=f"k{number}",
            category=None if number % 3 else "Roles",
            user=f"user{number % 7}",
            description=f"thing {number} happened",
            outcome=list(Outcome)[number % 3],
            severity=None if number % 4 else number % 7,
            source_ip="10.0.0.1",
            target=f"t{number}",
            source="test",
            metadata={"n": number, "text": "héllo"},
            original=b"raw %d" % number,
        )
        for number in range(first, first + events)
    ]


class Sealed(NamedTuple):
    """A signed store of 3,037 events, an older copy of it, and what was kept elsewhere."""

    path: Path
    older: Path
    keys: Keys
    key: PublicKey
    anchor: Anchor


def newest_note(path: Path) -> str:
    with SealedStore(path) as store, store.snapshot():
        head = store.newest_head()
    assert head is not None
    return head.note


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    folder = tmp_path_factory.mktemp("sealed")
    path, older = folder / "audit.db", folder / "older.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUDIT_TUI_SEAL_KEY", str(folder / "key"))
        with StoreWriter(path, durable=False) as writer:
            key, _ = give_key(writer, ACT)
            for first in (1, 500, 1_000, 1_500):
                writer.append(some(first, 500 - (first == 1)))
        shutil.copy(path, older)
        with StoreWriter(path, durable=False) as writer:
            writer.append(some(2_000, 1_000))
            for number in range(37):
                writer.append(some(3_000 + number, 1))
        real = signing.load_signer(folder / "key")
        attacker, _ = signing.new_signer(key.name)
        yield Sealed(
            path, older, Keys(real, attacker), key, Anchor("kept", read_checkpoint(newest_note(path)))
        )


def copy_of(sealed: Sealed, tmp_path: Path) -> Path:
    return Path(shutil.copy(sealed.path, tmp_path / "copy.db"))


def words(report: Report) -> set[str]:
    return {f"{run.wrong} {run.first_seq}-{run.last_seq}" for run in report.wrong}


def test_a_store_as_it_was_written_verifies(sealed: Sealed) -> None:
    report = verify(sealed.path, Request(Mode.FULL, (sealed.key,), (sealed.anchor,)))
    assert report.result is Result.VERIFIED
    assert (report.size, report.matching_events, report.blocks) == (3_037, 3_037, 12)
    assert report.matching_blocks == 12
    assert report.heads == report.matching_heads == report.signatures
    assert (report.anchored_size, report.index_problems) == (3_037, ())
    assert verify(sealed.path, Request()).result is Result.NOT_ANCHORED


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_attacks_are_found_as_promised(sealed: Sealed, tmp_path: Path, attack: Attack) -> None:
    if attack.name == ROLL_BACK:
        path = shutil.copy(sealed.older, tmp_path / "copy.db")
    else:
        path = copy_of(sealed, tmp_path)
        connection = open_raw(path)
        attack.strike(connection, sealed.keys)
        connection.close()
    # What an attack does to the indexes is the next test's.
    given = (
        Request(indexes=False),
        Request(keys=(sealed.key,), indexes=False),
        Request(keys=(sealed.key,), anchors=(sealed.anchor,), indexes=False),
    )
    reports = [verify(path, request) for request in given]
    answers = " ".join("yes" if report.result is Result.FAILED else "no" for report in reports)
    assert answers == attack.seen
    assert set(attack.names) <= words(reports[0])
    if attack.names:
        assert words(reports[0]) == set(attack.names) | {
            item for item in words(reports[0]) if item.startswith("seal")
        }


def test_there_are_all_seventeen() -> None:
    assert len(ATTACKS) == 17


def test_a_row_that_an_index_lacks_is_found(sealed: Sealed, tmp_path: Path) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("PRAGMA writable_schema = ON")
    # An index that leaves one event out, under the name and with the columns of the whole one.
    connection.execute("UPDATE sqlite_schema SET sql = sql || ' WHERE seq <> 777' WHERE name = 'events_key'")
    connection.close()
    connection = open_raw(path)
    connection.execute("REINDEX events_key")
    connection.close()
    assert verify(path, Request(indexes=False)).result is not Result.FAILED
    report = verify(path, Request())
    assert report.result is Result.FAILED
    assert any("events_key" in problem for problem in report.index_problems)


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("UPDATE index_segments SET events = events - 1", "index: "),
        ("UPDATE index_bitmaps SET data = zeroblob(length(data)) WHERE place & 1 = 0", "index: "),
        ("DELETE FROM index_bitmaps WHERE place = (SELECT max(place) FROM index_bitmaps)", "index: "),
        ("UPDATE index_blocks SET times = zeroblob(length(times))", "index: "),
        ("UPDATE index_values SET data = substr(data, 1, length(data) - 1)", "index: "),
    ],
)
def test_what_the_index_hides_is_found(sealed: Sealed, tmp_path: Path, statement: str, part: str) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    build_index(connection, WHOLE)
    assert connection.execute(statement).rowcount > 0
    connection.close()
    report = verify(path, Request())
    assert (report.result, report.wrong) == (Result.FAILED, ())
    assert any(problem.startswith(part) for problem in report.index_problems)


THIEF = (
    "INSERT INTO sqlite_schema SELECT 'table', 'thief', 'thief', rootpage, 'CREATE TABLE thief (key,"
    " seq, PRIMARY KEY (key, seq)) WITHOUT ROWID' FROM sqlite_schema WHERE name = 'events_key'"
)
"""Gives the pages of an index to a table of its own, in which entries can be changed one by one."""


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM thief WHERE seq IN (777, 2000)", "lacks 2 events, the first event 777"),
        (
            "INSERT INTO thief SELECT key || 'x', seq FROM thief WHERE seq = 777",
            "has 1 row of no event",
        ),
        # By that number SQLite finds the row: it would show another event in this one's place.
        ("UPDATE thief SET seq = 5 WHERE seq = 777", "lacks 1 event, the first event 777"),
    ],
)
def test_a_stripped_or_padded_index_is_found(
    sealed: Sealed, tmp_path: Path, statement: str, problem: str
) -> None:
    path = copy_of(sealed, tmp_path)
    for item in (THIEF, statement, "DELETE FROM sqlite_schema WHERE name = 'thief'"):
        connection = open_raw(path)
        connection.execute("PRAGMA writable_schema = ON")
        assert connection.execute(item).rowcount > 0
        connection.close()
    report = verify(path, Request())
    assert (report.result, report.wrong) == (Result.FAILED, ())
    assert f"index events_key {problem}" in report.index_problems


def build_index(connection: sqlite3.Connection, stretch: Stretch) -> None:
    connection.execute("DELETE FROM index_segments")
    for table in ("index_values", "index_bitmaps", "index_blocks"):
        connection.execute(f"DELETE FROM {table}")
    keeper.write_segment(connection, *stretch)


BUILDERS = {"index": build_index, "text index": text_index.build_stretch}
"""By what the report calls it, what writes it from the rows that are there."""


@pytest.mark.parametrize("part", BUILDERS)
@pytest.mark.parametrize(
    "hide",
    [
        "DELETE FROM events WHERE seq = 777",
        "UPDATE events SET description = 'x', user_id = 1, source_ip = NULL WHERE seq = 777",
    ],
)
def test_an_event_that_is_hidden_from_searches_is_found(
    sealed: Sealed, tmp_path: Path, part: str, hide: str
) -> None:
    """Built from rows in which one is missing or another, all is well-formed, and does not have it."""
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    BUILDERS[part](connection, WHOLE)
    connection.close()
    assert verify(path, Request()).index_problems == ()
    connection = open_raw(path)
    connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM events WHERE seq = 777")
    connection.execute(hide)
    BUILDERS[part](connection, WHOLE)
    connection.execute("DELETE FROM events WHERE seq = 777")
    connection.execute("INSERT INTO events SELECT * FROM kept")
    connection.close()
    report = verify(path, Request())
    assert (report.result, report.wrong) == (Result.FAILED, ())
    assert report.index_problems
    assert all(problem.startswith(f"{part}: ") for problem in report.index_problems)


@pytest.mark.parametrize("runs", [verify_work._RUN, "import sys; sys.exit(1)", "print('{')"])
def test_a_second_process_does_its_share_or_the_first_does_all(
    sealed: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: str
) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("INSERT INTO index_blocks VALUES (1 << 40, NULL, x'00')")
    connection.execute("UPDATE events SET original = x'00' WHERE seq = 777")
    connection.execute("UPDATE user_names SET events = 7 WHERE id = 1")
    connection.close()
    expected = verify(path, Request())
    assert len(expected.index_problems) >= 2
    monkeypatch.setattr(verify_work, "LEAST_EVENTS", 1)
    monkeypatch.setattr(verify_work, "_RUN", runs)
    monkeypatch.setattr(verify_work, "_cores", lambda: 2)
    report = verify(path, Request())
    assert report.wrong == expected.wrong != ()
    assert set(report.index_problems) == set(expected.index_problems)
    assert report.matching_events == expected.matching_events == 3_036


def test_runs_of_wrong_events_are_joined_across_units(
    sealed: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch_check, "UNIT_BLOCKS", 1)
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("DELETE FROM events WHERE seq BETWEEN 250 AND 1030")
    connection.close()
    assert words(verify(path, Request(indexes=False))) == {"missing 250-1030"}


def test_added_events_are_looked_for_by_their_numbers(sealed: Sealed) -> None:
    """Going over all of ten million took --quick 3 s."""
    with SealedStore(sealed.path) as store, store.snapshot():
        plan = store.connection.execute(f"EXPLAIN QUERY PLAN {seal_reading.ADDED}", (1, 1)).fetchall()
    assert not [step for *_, step in plan if b"SCAN" in step]


def test_a_hidden_name_is_found(sealed: Sealed, tmp_path: Path) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("UPDATE user_names SET folded = 'x' WHERE name = 'user3'")
    connection.execute("UPDATE event_names SET events = events + 1 WHERE name = 'Role 1'")
    connection.close()
    problems = " ".join(verify(path, Request()).index_problems)
    assert "user_names cannot be found" in problems
    assert "event_names with a wrong number" in problems


@pytest.mark.parametrize("mode", [Mode.QUICK, Mode.SINCE])
def test_less_is_read_where_less_is_asked_for(sealed: Sealed, tmp_path: Path, mode: Mode) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("UPDATE events SET target = 'x' WHERE seq = 777")
    connection.close()
    since = Anchor("older", read_checkpoint(newest_note(sealed.older)), is_since=True)
    report = verify(path, Request(mode, anchors=(since,) if mode is Mode.SINCE else ()))
    assert report.result is (Result.VERIFIED if mode is Mode.SINCE else Result.NOT_ANCHORED)
    # The block in which the checkpoint ends is read from its beginning.
    assert report.checked_events == (0 if mode is Mode.QUICK else 3_037 - 1_792)
    connection = open_raw(path)
    connection.execute("UPDATE seal_block SET root = zeroblob(32) WHERE block = 2")
    connection.close()
    assert verify(path, Request(mode, anchors=(since,) if mode is Mode.SINCE else ())).result is Result.FAILED


def test_every_flipped_bit_is_found(sealed: Sealed, tmp_path: Path) -> None:
    _flip_every_bit(copy_of(sealed, tmp_path), [1, 256, 1_999, 3_037])


@pytest.mark.long
def test_every_flipped_bit_of_many_events_is_found(sealed: Sealed, tmp_path: Path) -> None:
    _flip_every_bit(copy_of(sealed, tmp_path), list(range(2, 3_037, 76)))


def _flip_every_bit(path: Path, seqs: list[int]) -> None:
    """Flip each bit of each value of events: none may have the leaf that was sealed."""
    flips = 0
    with Prover(path) as prover:
        for seq in seqs:
            proven, leaf = prover.prove(seq), prover.leaf(seq)
            columns = [value.encode() if isinstance(value, str) else value for value in proven.columns]
            assert event_leaf(seq, proven.occurred_us, columns, proven.form) == leaf
            for bit in range(63):
                flips += 1
                assert event_leaf(seq ^ 1 << bit, proven.occurred_us, columns, proven.form) != leaf
                assert event_leaf(seq, proven.occurred_us ^ 1 << bit, columns, proven.form) != leaf
            for place, value in enumerate(columns):
                for changed in _flipped(value):
                    flips += 1
                    others = [*columns[:place], changed, *columns[place + 1 :]]
                    assert event_leaf(seq, proven.occurred_us, others, proven.form) != leaf
    assert flips > 800 * len(seqs)


def _flipped(value: int | bytes | None) -> Iterator[int | bytes | None]:
    if value is None:
        yield b""
    elif isinstance(value, int):
        yield from (value ^ 1 << bit for bit in range(8))
        yield None
    else:
        for at in range(len(value) * 8):
            changed = bytearray(value)
            changed[at // 8] ^= 1 << at % 8
            yield bytes(changed)
        yield from (value[:-1], value + b"\0", None)


def test_leaves_are_made_the_same_in_all_ways(tmp_path: Path) -> None:
    awkward = [AuditEvent("", 0, key="\ud800\0", user=""), AuditEvent("ß", -1, key="x", target="")]
    drafts = [draft(event) for event in [*some(1, 40), *awkward]]
    with StoreWriter(tmp_path / "audit.db", durable=False) as writer:
        writer.append_drafts(drafts)
    columns = [
        (item.key, item.event, item.category, item.user, item.description, item.outcome, item.severity,
         item.source_ip, item.target, item.source, item.metadata, item.original)
        for item in drafts
    ]  # fmt: skip
    times = [item.occurred_us for item in drafts]
    plain = [event_leaf(*event, Form.EVENT) for event in zip(range(1, 43), times, columns, strict=True)]
    forged = [forger.leaf_of(*event) for event in zip(range(1, 43), times, columns, strict=True)]
    with SealedStore(tmp_path / "audit.db") as store, store.snapshot():
        sealed = store.blocks(0, 1)[0].leaves
        stored = store.content.leaves(store.content.rows(1, 42), Form.EVENT)
    assert b"".join(plain) == b"".join(stored) == b"".join(forged) == sealed


def test_a_head_is_kept_now_and_then_and_the_newest_always(sealed: Sealed) -> None:
    with SealedStore(sealed.path) as store, store.snapshot():
        sizes = [head.size for head in store.heads()]
        edges = store.connection.execute("SELECT count(edge) FROM seal_head").fetchone()
    assert sizes[-1] == 3_037
    assert all(later - earlier >= 1_000 for earlier, later in pairwise(sizes[:-1]))
    assert len(sizes) < 8
    assert edges == (1,)


def test_numbers_that_were_sealed_are_never_given_again(sealed: Sealed, tmp_path: Path) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("DELETE FROM events WHERE seq > 3030")
    connection.close()
    with StoreWriter(path, durable=False) as writer:
        assert writer.append(some(9_000, 1)).first_seq == 3_038
    assert "missing 3031-3037" in words(verify(path, Request(indexes=False)))


def test_events_past_the_seals_stop_the_writer(sealed: Sealed, tmp_path: Path) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("UPDATE events SET seq = 5000 WHERE seq = 3037")
    connection.close()
    with StoreWriter(path, durable=False) as writer, pytest.raises(StoreDamaged, match="past them"):
        writer.append(some(9_000, 1))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE seal_head SET root = zeroblob(32)",
        "UPDATE seal_block SET leaves = zeroblob(length(leaves))",
        "DELETE FROM seal_block",
    ],
)
def test_broken_seals_are_not_continued(sealed: Sealed, tmp_path: Path, statement: str) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute(statement)
    connection.close()
    with StoreWriter(path, durable=False) as writer, pytest.raises(StoreDamaged):
        writer.append(some(9_000, 1))


def test_a_store_without_seals_cannot_be_checked(sealed: Sealed, tmp_path: Path) -> None:
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("DELETE FROM seal_head")
    connection.close()
    with pytest.raises(StoreError, match="took them away"):
        verify(path, Request())
    connection = open_raw(path)
    connection.execute("DROP TABLE seal_head")
    connection.close()
    with pytest.raises(StoreError, match="took them away"):
        verify(path, Request())


def test_a_key_or_anchor_of_another_store_is_refused(sealed: Sealed) -> None:
    other = PublicKey(origin_of("other"), sealed.key.key)
    with pytest.raises(CheckpointError, match="another store"):
        verify(sealed.path, Request(keys=(other,)))
    note = sealed.anchor.note
    foreign = Anchor("x", note._replace(checkpoint=note.checkpoint._replace(origin=other.name)))
    with pytest.raises(CheckpointError, match="another store"):
        verify(sealed.path, Request(anchors=(foreign,)))


def test_a_signed_store_is_not_continued_without_its_key(
    sealed: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy_of(sealed, tmp_path)
    monkeypatch.setenv("AUDIT_TUI_SEAL_KEY", str(tmp_path / "nowhere"))
    with StoreWriter(path, durable=False) as writer:
        with pytest.raises(SigningKeyError, match="nothing is added unsigned"):
            writer.append(some(9_000, 1))
        connection = open_raw(path)
        connection.execute("DELETE FROM store_info WHERE name = 'seal_key'")
        connection.close()
        with pytest.raises(SigningKeyError, match="nothing is added unsigned"):
            writer.append(some(9_000, 1))
    _, secret = signing.new_signer(sealed.key.name)
    (tmp_path / "nowhere").write_text(secret)
    (tmp_path / "nowhere").chmod(0o600)
    with StoreWriter(path, durable=False) as writer, pytest.raises(SigningKeyError, match="not the key"):
        writer.append(some(9_000, 1))
    (tmp_path / "nowhere").chmod(0o644)
    with pytest.raises(SigningKeyError, match="Others may read"):
        signing.load_signer(tmp_path / "nowhere")


def test_a_key_can_be_replaced(sealed: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_of(sealed, tmp_path)
    old = sealed.path.with_name("key")
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("AUDIT_TUI_SEAL_KEY")
    place = signing.key_path(sealed.key.name.removeprefix(origin_of("")), sealed.key.key_id)
    place.parent.mkdir(mode=0o700)
    shutil.copy(old, place)
    with StoreWriter(path, durable=False) as writer:
        new, new_place = give_key(writer, ACT, may_replace=True)
        writer.append(some(9_000, 1_100))
    assert new_place.stat().st_mode & 0o777 == 0o600
    assert verify(path, Request(keys=(sealed.key,), indexes=False)).result is Result.FAILED
    both = verify(path, Request(keys=(sealed.key, new), anchors=(sealed.anchor,), indexes=False))
    assert both.result is Result.VERIFIED


def test_verifying_never_holds_up_the_log(sealed: Sealed, tmp_path: Path) -> None:
    """Between two snapshots a writer can write its log back, and what it adds is not damage."""
    path = copy_of(sealed, tmp_path)
    connection = open_raw(path)
    connection.execute("DELETE FROM store_info WHERE name = 'seal_key'")
    connection.execute("UPDATE seal_head SET note = substr(note, 1, instr(note, char(10) || char(10)))")
    connection.close()
    written: list[bool] = []
    with StoreWriter(path, durable=False) as writer:

        def progress(done: int, size: int) -> None:
            writer.append(some(20_000 + len(written) * 10, 10))
            written.append(writer.write_back())

        report = verify(path, Request(indexes=True), progress)
    assert (report.result, report.wrong, report.index_problems) == (Result.NOT_ANCHORED, (), ())
    assert written == [True] * len(written) != []
