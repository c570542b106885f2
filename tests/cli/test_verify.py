"""verify, seal, redact, prune and proofs as a user runs them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.store.read.reader import StoreReader
from tests.cli.running import EVENTS, at, make_store, run
from tests.store.check_proof import check

if TYPE_CHECKING:
    from click.testing import Result

SECRETS = ("verysecretuser", "verysecrettext", "verysecretmeta", "verysecretraw")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").touch()
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(tmp_path / "config" / "config.toml"))
    secret = AuditEvent(
        "Login",
        at("2026-11-21 10:00"),
        key="secret",
        user=SECRETS[0],
        description=SECRETS[1],
        metadata={"a": {"token": SECRETS[2], "kept": 1}},
        original=SECRETS[3].encode(),
    )
    return make_store(tmp_path / "audit.db", [*EVENTS, secret])


def refused(*arguments: str) -> tuple[int, str]:
    """Return how a command ends that has nothing for standard output, and what it says."""
    result = run(*arguments)
    assert result.stdout == ""
    return result.exit_code, result.stderr


def verdict(result: Result) -> tuple[int, str]:
    return result.exit_code, result.stdout.splitlines()[-1].removeprefix("RESULT     ")


def test_a_walk_with_a_key_and_an_anchor(store: Path, tmp_path: Path) -> None:
    made = run("seal", "key", "new", "-s", str(store))
    public = tmp_path / "store.pub"
    public.write_text(made.stdout)
    (private,) = (tmp_path / "config" / "keys").glob("*.key")
    assert private.stat().st_mode & 0o777 == 0o600
    assert str(private) in made.stderr
    assert run("seal", "key", "show", "-s", str(store)).stdout == made.stdout
    assert "verify --key takes it" in made.stderr
    code, message = refused("seal", "key", "new", "-s", str(store))
    assert (code, "signs this store already" in message) == (3, True)
    anchor = tmp_path / "kept"
    run("seal", "anchor", str(anchor), "-s", str(store))
    assert anchor.read_text() == run("seal", "anchor", "-s", str(store)).stdout
    assert len(anchor.read_text().splitlines()) == 6
    run("record", "Heartbeat", "-s", str(store))
    verified = run(
        "verify", "-s", str(store), "--key", str(public), "--anchor", str(anchor), "--require-anchor"
    )
    assert verdict(verified) == (0, "VERIFIED - the anchor covers 6 of 7 events")
    assert "events     7 of 7 match their seals" in verified.stdout
    assert "size 6 (at " in verified.stdout
    assert "not covered by the anchor: 1 newer event (signed only)" in verified.stdout
    private.unlink()
    code, message = refused("record", "Heartbeat", "-s", str(store))
    assert (code, "nothing is added unsigned" in message) == (3, True)
    assert "key     " in run("seal", "show", "-s", str(store)).stdout


def test_without_an_anchor_it_says_what_cannot_be_seen(store: Path) -> None:
    plain = run("verify", "-s", str(store))
    assert verdict(plain) == (0, "CONSISTENT, NOT ANCHORED")
    assert "removal of the newest events or a restored older copy cannot be seen" in plain.stdout
    assert run("verify", "-s", str(store), "--require-anchor").exit_code == 4
    quick = run("verify", "-s", str(store), "--quick")
    assert verdict(quick) == (0, "CONSISTENT, NOT ANCHORED - the events were not read")


def test_wrong_events_are_named(store: Path, tmp_path: Path) -> None:
    anchor = tmp_path / "kept"
    run("seal", "anchor", str(anchor), "-s", str(store))
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("UPDATE events SET target = 'x' WHERE seq = 2")
    connection.execute("DELETE FROM events WHERE seq IN (3, 4)")
    connection.close()
    result = run("verify", "-s", str(store), "--anchor", str(anchor), "--no-indexes")
    assert "events     event 2: content changed (sealed " in result.stdout
    assert "events     events 3-4: missing, no declared prune" in result.stdout
    assert verdict(result) == (1, "FAILED - 3 events; everything else fits")
    message = json.loads(run("verify", "-s", str(store), "--json").stdout)
    assert message["result"] == "FAILED"
    assert [(run_["what"], run_["first"], run_["last"]) for run_ in message["wrong"]] == [
        ("changed", 2, 2),
        ("missing", 3, 4),
    ]
    assert message["indexes"]["problems"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("verify", "-s", "nowhere.db"), 3),
        (("verify", "--quick", "--since", "x"), 2),
        (("verify", "--key", "nowhere"), 3),
        (("verify", "--anchor", "nowhere"), 3),
        (("verify", "--anchor", "audit.db"), 3),
        (("verify", "--proof", "audit.db"), 3),
        (("seal", "key", "show"), 3),
        (("seal", "key", "new", "-s", "nowhere.db"), 3),
        (("redact", "1", "--field", "user", "--why", "x"), 2),
        (("redact", "9", "--field", "user", "--why", "x", "--yes"), 2),
        (("redact", "x", "--field", "user", "--why", "x", "--yes"), 2),
        (("redact", "1", "--field", "event", "--why", "x", "--yes"), 2),
        (("redact", "1", "--field", "user", "--why", " ", "--yes"), 2),
        (("prune", "--keep", "1", "--why", "x"), 2),
        (("prune", "--why", "x", "--yes"), 2),
        (("prune", "--keep", "1", "--before", "2026-01-01", "--why", "x", "--yes"), 2),
    ],
)
def test_what_cannot_be_done_is_refused(
    store: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    monkeypatch.chdir(store.parent)
    monkeypatch.setenv("AUDIT_TUI_STORE", str(store))
    before = run("verify", "--json", "-s", str(store)).stdout.split('"seconds"')[0]
    assert refused(*arguments)[0] == code
    assert run("verify", "--json", "-s", str(store)).stdout.split('"seconds"')[0] == before


def test_a_redaction_leaves_no_byte_and_is_declared(store: Path, tmp_path: Path) -> None:
    anchor = tmp_path / "kept"
    run("seal", "anchor", str(anchor), "-s", str(store))
    done = run(
        "redact",
        "5",
        "-s",
        str(store),
        "--field",
        "user",
        "--field",
        "description",
        "--field",
        "meta.a.token",
        "--why",
        "ticket 12",
        "--yes",
    )
    assert "Redacted 1 event in" in done.stderr
    assert done.exit_code == 0
    left = b"".join(path.read_bytes() for path in store.parent.glob("audit.db*"))
    assert [secret for secret in SECRETS if secret.encode() in left] == []
    verified = run("verify", "-s", str(store), "--anchor", str(anchor))
    assert verdict(verified) == (0, "VERIFIED - the anchor covers 5 of 6 events")
    assert "declared   redacted 1 event (by event 6), pruned none" in verified.stdout
    with StoreReader(store) as reader:
        event, message = reader.event(5), reader.event(6)
    assert event is not None and message is not None
    assert (event.user, event.metadata) == ("[redacted]", {"a": {"token": "[redacted]", "kept": 1}})
    assert (message.event, message.metadata["Reason"], message.metadata["Numbers"]) == (
        "Events redacted",
        "ticket 12",
        "5",
    )
    # Nobody can hide a second change behind a redaction, nor redact what declares it.
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("UPDATE events SET description = 'forged' WHERE seq = 5")
    connection.close()
    assert "event 5: content changed" in run("verify", "-s", str(store)).stdout
    code, words = refused("redact", "6", "-s", str(store), "--field", "user", "--why", "x", "--yes")
    assert (code, "records a removal" in words) == (2, True)


def test_redacting_what_is_not_there_or_again_records_nothing(store: Path) -> None:
    def redacted(*numbers: str, field: str) -> tuple[int, str]:
        return refused("redact", *numbers, "-s", str(store), "--field", field, "--why", "x", "--yes")

    code, message = redacted("5", field="meta.tokn")
    assert (code, "Nothing was redacted: event 5 had nothing in meta.tokn" in message) == (2, True)
    assert redacted("5", field="meta.a.token")[0] == 0
    code, message = redacted("5", field="meta.a.token")
    assert (code, "or it is redacted" in message) == (2, True)
    code, message = redacted("1-5", field="user")
    assert (code, "Redacted 4 events" in message, "1 event had nothing there" in message) == (0, True, True)
    assert run("count", "-s", str(store), "--range", "all-time").stdout == "7\n"
    assert verdict(run("verify", "-s", str(store)))[0] == 0


def test_a_redacted_value_that_still_stands_elsewhere_is_told(store: Path) -> None:
    result = run("redact", "1", "-s", str(store), "--field", "target", "--why", "x", "--yes")
    assert result.exit_code == 1
    assert "a redacted value still stands in its description" in result.stderr


def test_a_redacted_value_is_told_of_in_every_part_of_the_event(tmp_path: Path) -> None:
    store = make_store(
        tmp_path / "audit.db",
        [
            AuditEvent(
                "Login of bob",
                at("2026-11-20 09:00"),
                key="bob-17",
                category="bob",
                user="bob",
                source="bob-pc",
                metadata={"owner": "bob", "note": "for 4711-9", "n": {"id": "4711-9"}},
            )
        ],
    )
    result = run("redact", "1", "-s", str(store), "--field", "user", "--why", "x", "--yes")
    assert result.exit_code == 1
    for field in ("event", "category", "source", "key"):
        assert f"still stands in its {field}; only prune takes that away." in result.stderr
    assert "still stands in its metadata; --field metadata." in result.stderr
    result = run("redact", "1", "-s", str(store), "--field", "meta.n", "--why", "x", "--yes")
    assert (result.exit_code, "still stands in its metadata" in result.stderr) == (1, True)


def test_pruning_is_declared_and_readers_do_without(store: Path, tmp_path: Path) -> None:
    anchor = tmp_path / "kept"
    run("seal", "anchor", str(anchor), "-s", str(store))
    done = run("prune", "-s", str(store), "--before", "2026-11-01", "--why", "retention", "--yes", "--vacuum")
    assert "Pruned 2 events" in done.stderr
    verified = run("verify", "-s", str(store), "--anchor", str(anchor))
    assert verdict(verified) == (0, "VERIFIED - the anchor covers 5 of 6 events")
    assert "events     4 of 4 match" in verified.stdout
    assert "pruned 2 events (by event 6)" in verified.stdout
    assert run("count", "-s", str(store), "--range", "all-time").stdout == "4\n"
    with StoreReader(store) as reader:
        assert (reader.info().events, reader.newest_seq(), reader.event(3)) == (4, 6, None)
    assert (
        len(run("query", "-s", str(store), "--range", "all-time", "--format", "jsonl").stdout.splitlines())
        == 4
    )
    again = run("prune", "-s", str(store), "--before", "2026-11-01", "--why", "retention", "--yes")
    assert "Nothing to prune" in again.stderr
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("DELETE FROM seal_removed")
    connection.close()
    assert "events 3-4: missing, no declared prune" in run("verify", "-s", str(store)).stdout


def test_a_forged_declaration_declares_nothing(store: Path) -> None:
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("DELETE FROM events WHERE seq = 2")
    connection.execute("INSERT INTO seal_removed VALUES (1, 2, 2)")
    connection.close()
    result = run("verify", "-s", str(store), "--no-indexes").stdout
    assert "event 2: missing, no declared prune" in result
    assert "event 1, which is said to declare that, does not" in result


def test_proofs_hold_with_and_without_the_store_and_for_others(store: Path, tmp_path: Path) -> None:
    public = run("seal", "key", "new", "-s", str(store)).stdout.strip()
    out = tmp_path / "out.csv"
    run("export", str(out), "-s", str(store), "--range", "all-time", "--proof")
    proofs = tmp_path / "out.csv.proof.jsonl"
    assert verdict(run("verify", "--proof", str(proofs))) == (0, "CONSISTENT, NOT ANCHORED")
    both = run("verify", "--proof", str(proofs), "-s", str(store), "--key", public)
    assert verdict(both) == (0, "VERIFIED")
    assert "6 events proven" in both.stdout
    assert check(str(proofs), public) == (6, [])
    run("redact", "5", "-s", str(store), "--field", "all", "--why", "x", "--yes")
    after = tmp_path / "after.csv"
    run("export", str(after), "-s", str(store), "--range", "all-time", "--proof")
    redacted = run("verify", "--proof", f"{after}.proof.jsonl", "-s", str(store))
    assert verdict(redacted) == (0, "VERIFIED")
    assert "7 events proven to be under it; 1 of them redacted since" in redacted.stdout
    assert verdict(run("verify", "--proof", f"{after}.proof.jsonl", "--key", public)) == (0, "VERIFIED")
    assert check(f"{after}.proof.jsonl") == (7, [])


def test_forged_proofs_are_refused(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    run("export", str(out), "-s", str(store), "--range", "all-time", "--proof")
    proofs = tmp_path / "out.csv.proof.jsonl"
    text = proofs.read_text()
    proofs.write_text(text.replace("bob@acme.io", "eve@acme.io"))
    result = run("verify", "--proof", str(proofs))
    assert verdict(result) == (1, "FAILED")
    assert "event 2: is not what was sealed" in result.stdout
    assert check(str(proofs)) == (4, [2])
    proofs.write_text(text)
    out.write_text("changed")
    assert (
        "out.csv: differs from these events, about from line 1 on"
        in run("verify", "--proof", str(proofs)).stdout
    )
    lines = text.splitlines()
    for broken in (
        "x",
        "{}",
        "[]",
        lines[1].replace('"seq": ', '"seq": "'),
        lines[1].replace('"seq": ', '"seq": 1e9'),
    ):
        proofs.write_text("\n".join([lines[0], broken]))
        assert refused("verify", "--proof", str(proofs))[0] == 3


def test_a_proof_of_a_changed_event_is_not_made(store: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("UPDATE events SET target = 'x' WHERE seq = 2")
    connection.close()
    out = tmp_path / "out.csv"
    code, message = refused("export", str(out), "-s", str(store), "--range", "all-time", "--proof")
    assert (code, "not as it was sealed" in message) == (3, True)
    assert not Path(tmp_path / "out.csv.proof.jsonl").exists()
