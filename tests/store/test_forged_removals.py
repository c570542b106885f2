"""An attacker declares removals: with events that anybody can record or import, and with those of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.evidence.checkpoint import PublicKey, read_checkpoint
from audit_tui.core.evidence.sealed import SealState
from audit_tui.errors import StoreDamaged, UsageError
from audit_tui.ingest.import_logs import import_logs
from audit_tui.store.evidence.seal_reading import SealedStore
from audit_tui.store.evidence.seal_status import StoreSealChecker
from audit_tui.store.evidence.verifying import Anchor, Report, Request, Result, verify
from audit_tui.store.write.audit_log import AuditLog
from audit_tui.store.write.removing import Act, prune, redact
from audit_tui.store.write.seal_keys import give_key
from audit_tui.store.write.writer import StoreWriter
from tests.store import forger

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

ACT = Act("root", "host", 1_000_000, "a test")
CRIME, PAYOUT = 41, 42


def event(number: int, metadata: dict[str, Any] | None = None) -> AuditEvent:
    text = f"mallory paid {number}"
    return AuditEvent("Payout", number, f"k{number}", None, "mallory", text, metadata=metadata or {})


class Signed(NamedTuple):
    """A signed store of the events 2 to 43, after one of its key."""

    path: Path
    key: PublicKey

    def append(self, *events: AuditEvent) -> int:
        with StoreWriter(self.path, durable=False) as writer:
            return writer.append(events).last_seq or 0

    def verified(self) -> Report:
        """The answer with the key, and an anchor of now."""
        with SealedStore(self.path) as store, store.snapshot():
            head = store.newest_head()
        assert head is not None
        return verify(
            self.path, Request(keys=(self.key,), anchors=(Anchor("a", read_checkpoint(head.note)),))
        )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Signed:
    monkeypatch.setenv("AUDIT_TUI_SEAL_KEY", str(tmp_path / "key"))
    with StoreWriter(tmp_path / "audit.db", durable=False) as writer:
        key, _ = give_key(writer, ACT)
        writer.append(
            [event(number, metadata={"note": "x", "who": {"name": "m"}}) for number in range(2, 44)]
        )
    return Signed(tmp_path / "audit.db", key)


def prune_words(ranges: str, **more: object) -> dict[str, Any]:
    return {"Action": "prune", "Numbers SHA-256": forger.digest_of(ranges), **more}


def recorded(store: Signed, metadata: dict[str, Any]) -> int:
    return store.append(AuditEvent("page.view", 1, user="visitor", metadata=metadata))


def imported(store: Signed, metadata: dict[str, Any]) -> int:
    lines = store.path.with_name("lines.jsonl")
    line = {"time": "2026-11-30T06:00:00Z", "event": "page.view", "user": "visitor", **metadata}
    lines.write_text(json.dumps(line) + "\n")
    import_logs([lines], store.path)
    with StoreWriter(store.path, durable=False) as writer:
        return writer.newest_seq()


def by_log(store: Signed, metadata: dict[str, Any]) -> int:
    with AuditLog(store.path) as log:
        return log.record("page.view", metadata=metadata).seq or 0


def word_for_word(store: Signed, metadata: dict[str, Any]) -> int:
    """Record as an event what this program writes itself, to the last letter."""
    words = {"Action": metadata["Action"], "Reason": "retention", "Events": 1, "Numbers": str(CRIME)}
    words |= {"Numbers SHA-256": metadata["Numbers SHA-256"], "Host": "host"}
    return store.append(
        AuditEvent(
            "Events pruned", 1, key="0" * 32, category="Audit log", user="root", outcome=Outcome.SUCCESS,
            description=f"root pruned 1 event ({CRIME}): retention", target=f"1 event ({CRIME})",
            source="audit-tui", metadata=words,
        )
    )  # fmt: skip


@pytest.mark.parametrize("plant", [recorded, imported, by_log, word_for_word])
def test_nothing_recorded_declares_a_prune(
    store: Signed, plant: Callable[[Signed, dict[str, Any]], int]
) -> None:
    planted = plant(store, prune_words(str(CRIME)))
    assert store.verified().result is Result.VERIFIED
    forger.strike(
        store.path,
        f"DELETE FROM events WHERE seq = {CRIME}",
        f"INSERT INTO seal_removed VALUES ({planted}, {CRIME}, {CRIME})",
    )
    report = store.verified()
    assert (report.result, report.declarations) == (Result.FAILED, ())
    assert [(run.wrong, run.first_seq) for run in report.wrong] == [("missing", CRIME)]
    assert any(f"event {planted}, which is said" in problem for problem in report.seal_problems)
    assert StoreSealChecker(store.path).run(lambda _: None).state is SealState.BROKEN


def test_nothing_recorded_declares_a_redaction(store: Signed) -> None:
    with forger.opened(store.path) as connection:
        connection.execute("UPDATE events SET description = 'alice paid' WHERE seq = ?", (PAYOUT,))
        leaf = forger.leaf_in(connection, PAYOUT).hex()
        connection.execute("UPDATE events SET description = 'mallory paid 42' WHERE seq = ?", (PAYOUT,))
    words = {"Action": "redact", "Numbers SHA-256": forger.digest_of(str(PAYOUT)), "Fields": ["description"]}
    planted = recorded(store, words | {"Leaves": {str(PAYOUT): leaf}})
    forger.strike(
        store.path,
        f"UPDATE events SET description = 'alice paid' WHERE seq = {PAYOUT}",
        f"INSERT INTO seal_removed VALUES ({planted}, {PAYOUT}, {PAYOUT})",
    )
    report = store.verified()
    assert [(run.wrong, run.first_seq) for run in report.wrong] == [("changed", PAYOUT)]


@pytest.mark.parametrize("ranges", [(41, 41), (39, 41), (44, 44), (60, 70), (-5, 41), (0, 0), (1, 2**63 - 1)])
def test_an_honest_declaration_speaks_of_its_own_ranges_only(store: Signed, ranges: tuple[int, int]) -> None:
    with StoreWriter(store.path, durable=False) as writer:
        assert prune(writer, 11, ACT).events == 9
    forger.strike(
        store.path,
        "UPDATE seal_removed SET first_seq = {}, last_seq = {}".format(*ranges),
        f"DELETE FROM events WHERE seq BETWEEN {ranges[0]} AND {ranges[1]} AND seq < 44",
    )
    report = store.verified()
    assert (report.result, report.declarations) == (Result.FAILED, ())


def test_one_declaration_is_not_used_twice(store: Signed) -> None:
    """The ranges of a later event, or of none: a declaration is that of one event."""
    with StoreWriter(store.path, durable=False) as writer:
        prune(writer, 11, ACT)
        seq = prune(writer, 21, ACT).by_events[0]
    forger.strike(store.path, f"UPDATE seal_removed SET event_seq = {seq - 1} WHERE event_seq = {seq}")
    assert store.verified().result is Result.FAILED


def test_a_list_of_removals_that_was_taken_away_is_named(store: Signed) -> None:
    with StoreWriter(store.path, durable=False) as writer:
        (seq,) = prune(writer, 11, ACT).by_events
    assert store.verified().result is Result.VERIFIED
    forger.strike(store.path, "DELETE FROM seal_removed")
    report = store.verified()
    assert f"event {seq} says that it removed events, but the list of removals has nothing of it" in (
        report.seal_problems
    )
    assert [(run.wrong, run.first_seq, run.last_seq) for run in report.wrong] == [("missing", 2, 10)]


@pytest.mark.parametrize(
    "change",
    [
        "description = 'alice paid'",
        "target = 'x'",
        "occurred_us = 7",
        "original = x'00'",
        "metadata = '{}'",
        "description = NULL",
    ],
)
def test_a_redacted_event_is_what_the_redaction_left(store: Signed, change: str) -> None:
    with StoreWriter(store.path, durable=False) as writer:
        redact(writer, [PAYOUT], ["description", "meta.who.name"], ACT)
    assert (store.verified().result, store.verified().redacted_events) == (Result.VERIFIED, 1)
    forger.strike(store.path, f"UPDATE events SET {change} WHERE seq = {PAYOUT}")
    report = store.verified()
    assert [(run.wrong, run.first_seq) for run in report.wrong] == [("changed", PAYOUT)]


def test_redaction_does_not_hide_an_earlier_change(store: Signed) -> None:
    forger.strike(store.path, f"UPDATE events SET target = 'x' WHERE seq = {PAYOUT}")
    with (
        StoreWriter(store.path, durable=False) as writer,
        pytest.raises(StoreDamaged, match="as it was sealed"),
    ):
        redact(writer, [PAYOUT], ["description"], ACT)
    report = store.verified()
    assert [(run.wrong, run.first_seq) for run in report.wrong] == [("changed", PAYOUT)]
    assert report.declarations == ()


def test_an_event_is_redacted_again_and_acts_are_not(store: Signed) -> None:
    with StoreWriter(store.path, durable=False) as writer:
        redact(writer, [PAYOUT], ["description"], ACT)
        redact(writer, [PAYOUT], ["user"], ACT)
        with pytest.raises(UsageError, match="records an act"):
            redact(writer, [1], ["user"], ACT)
    report = store.verified()
    assert (report.result, report.redacted_events, len(report.declarations)) == (Result.VERIFIED, 1, 2)


def test_declarations_of_earlier_versions_stay_valid_and_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before forms were told apart all events had form 1, and the words alone told a declaration."""
    path = tmp_path / "audit.db"
    with StoreWriter(path, durable=False) as writer:
        writer.append([event(number) for number in range(1, 41)])
        prune(writer, 11, ACT)
        redact(writer, [20, 21], ["description"], ACT)
    with forger.opened(path) as connection:
        left = {seq: forger.leaf_in(connection, seq, 1).hex() for seq in (20, 21)}
        (metadata,) = connection.execute("SELECT metadata FROM events WHERE seq = 42").fetchone()
        text = json.dumps(json.loads(metadata) | {"Leaves": left}, separators=(",", ":"))
        connection.execute("UPDATE events SET metadata = ? WHERE seq = 42", (text,))
        old_form(connection)
    report = verify(path, Request(indexes=False))
    assert (report.result, report.wrong, report.seal_problems) == (Result.NOT_ANCHORED, (), ())
    assert (report.pruned_events, report.redacted_events) == (10, 2)
    assert [declaration.is_old for declaration in report.declarations] == [True, True]
    # What is appended now is sealed in another form, and its acts are told apart.
    with StoreWriter(path, durable=False) as writer:
        prune(writer, 13, ACT)
        redact(writer, [20], ["user"], ACT)
    report = verify(path, Request(indexes=False))
    assert (report.result, report.wrong, report.seal_problems) == (Result.NOT_ANCHORED, (), ())
    assert [declaration.is_old for declaration in report.declarations] == [True, True, False, False]
    # Words that this program never wrote declare nothing, in the old form either.
    with forger.opened(path) as connection:
        connection.execute("UPDATE events SET description = 'root pruned much' WHERE seq = 41")
        old_form(connection)
    assert "event 41, which is said" in " ".join(verify(path, Request(indexes=False)).seal_problems)


def old_form(connection: sqlite3.Connection) -> None:
    """Seal every event that stands there in form 1; the leaves of others stay."""
    newest = connection.execute("SELECT max(size) FROM seal_head").fetchone()[0]
    (leaves,) = connection.execute("SELECT leaves FROM seal_block").fetchone()
    new = [leaves[place * 32 :][:32] for place in range(newest)]
    declared = {20, 21}
    for (seq,) in connection.execute("SELECT seq FROM events").fetchall():
        if seq not in declared:
            new[seq - 1] = forger.leaf_in(connection, seq, 1)
    forger.put_seals(connection, new)
