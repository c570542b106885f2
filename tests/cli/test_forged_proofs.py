"""Forged proofs and forged times, by somebody with a text editor, hashlib and sqlite3."""

from __future__ import annotations

import base64
import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from audit_tui.core.event import AuditEvent
from tests.cli.running import at, make_store, run
from tests.store import forger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVENTS = [
    AuditEvent(
        "Payout", at(f"2026-11-2{number % 3} 10:0{number}"), f"k{number}", user=user, description="paid"
    )
    for number, user in enumerate(["mallory", "bob", "mallory", "eve", "mallory", "mallory"])
]
TRUSTED = ("VERIFIED", "CONSISTENT")


class Export(NamedTuple):
    """An export of the events of mallory, its proofs, and what a verifier holds."""

    store: Path
    out: Path
    proofs: Path
    key: str
    anchor: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.proofs.read_text().splitlines()]

    def put(self, lines: list[dict[str, Any]]) -> None:
        self.proofs.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))

    def check(self, *more: str) -> tuple[int, str]:
        """The exit code and the result, with key and anchor."""
        checked = run(
            "verify", "--proof", str(self.proofs), "--key", self.key, "--anchor", str(self.anchor), *more
        )
        return checked.exit_code, checked.stdout


@pytest.fixture(scope="module", params=["csv", "jsonl", "json", "md"])
def made(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Export:
    """An export with its store, its key and an anchor, in a folder of their own."""
    folder = tmp_path_factory.mktemp("export")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder / "home"))
        patch.setenv("AUDIT_TUI_CONFIG", str(folder / "config.toml"))
        (folder / "config.toml").touch()
        store = make_store(folder / "audit.db", EVENTS)
        key = run("seal", "key", "new", "-s", str(store)).stdout.strip()
        run("redact", "5", "-s", str(store), "--field", "description", "--why", "x", "--yes")
        out = folder / f"june.{request.param}"
        choice = ("--range", "all-time", "--filter", "user=mallory", "--tz", "Europe/Berlin")
        run("export", str(out), "-s", str(store), "--proof", *choice)
        run("seal", "anchor", str(folder / "kept"), "-s", str(store))
    return Export(store, out, out.with_name(f"{out.name}.proof.jsonl"), key, folder / "kept")


@pytest.fixture
def export(made: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    """A copy to forge."""
    shutil.copytree(made.store.parent, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(tmp_path / "config.toml"))
    store, out, proofs, anchor = (
        tmp_path / path.name for path in (made.store, made.out, made.proofs, made.anchor)
    )
    return Export(store, out, proofs, made.key, anchor)


def test_an_export_as_it_was_written_is_proven(export: Export) -> None:
    for more in ((), ("--store", str(export.store))):
        code, text = export.check(*more)
        assert (code, text.splitlines()[-1]) == (0, "RESULT     VERIFIED")
        assert "4 events proven to be under it; 1 of them redacted since" in text
        assert "these events in this order, to the byte" in text


def edit_export(export: Export) -> None:
    export.out.write_text(export.out.read_text().replace("mallory", "alice"))


def edit_one_letter(export: Export) -> None:
    text = export.out.read_text()
    export.out.write_text(text.replace("paid", "pa1d", 1))


def add_a_row(export: Export) -> None:
    export.out.write_text(export.out.read_text() + "forged\n")


def drop_a_row(export: Export) -> None:
    lines = export.out.read_text().splitlines(keepends=True)
    del lines[1]
    export.out.write_text("".join(lines))


def drop_a_proof(export: Export) -> None:
    lines = export.lines()
    del lines[1]
    export.put(lines)


def repeat_a_proof(export: Export) -> None:
    lines = export.lines()
    export.put([*lines[:2], *[lines[1]] * 49, *lines[2:]])


def swap_proofs(export: Export) -> None:
    head, first, second, *rest = export.lines()
    export.put([head, second, first, *rest])


def tell_fewer(export: Export) -> None:
    head, *rest = export.lines()
    export.put([head | {"events": 3}, *rest])


def another_name(export: Export) -> None:
    head, *rest = export.lines()
    export.put([head | {"file": "july.csv"}, *rest])


def disguise_as_redacted(export: Export) -> None:
    head, event, *rest = export.lines()
    leaf = forger.leaf_of(event["seq"], event["time_us"], event["columns"], event["form"])
    columns = list(event["columns"])
    columns[3] = "alice"
    forged = event | {"columns": columns, "leaf": base64.b64encode(leaf).decode()}
    export.put([head, forged, *rest])
    export.out.write_text(export.out.read_text().replace("mallory", "alice", 1))


def change_the_redacted(export: Export) -> None:
    """The present content of a redacted event is proven by the act that redacted it."""
    lines = export.lines()
    for line in lines:
        if "leaf" in line:
            line["columns"][3] = "alice"
    export.put(lines)


def declare_by_an_event(export: Export) -> None:
    """An ordinary event in the place of the act."""
    lines = export.lines()
    for line in lines:
        if line.get("declares"):
            line["form"] = 2
    export.put(lines)


ATTACKS: dict[str, Callable[[Export], None]] = {
    attack.__name__: attack
    for attack in (
        edit_export, edit_one_letter, add_a_row, drop_a_row, drop_a_proof, repeat_a_proof, swap_proofs,
        tell_fewer, another_name, disguise_as_redacted, change_the_redacted, declare_by_an_event,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_a_forged_export_is_not_proven(export: Export, name: str) -> None:
    ATTACKS[name](export)
    for more in ((), ("--store", str(export.store))):
        code, text = export.check(*more)
        assert code != 0, text
        assert not text.splitlines()[-1].removeprefix("RESULT").strip().startswith(TRUSTED)


def test_a_key_that_stands_twice_is_refused(export: Export) -> None:
    head, event, *_ = export.proofs.read_text().splitlines()
    export.proofs.write_text(f'{head}\n{event[:-1]}, "columns": {json.dumps([None] * 12)}}}\n')
    assert run("verify", "--proof", str(export.proofs)).exit_code == 3


def test_nothing_proven_is_not_verified(export: Export) -> None:
    head, *_ = export.lines()
    export.put([head | {"events": 0}])
    export.out.write_text("")
    code, text = export.check()
    assert code != 0
    export.out.unlink()
    code, text = export.check()
    assert (code, text.splitlines()[-1]) == (3, "RESULT     NOT PROVEN")


def test_without_the_export_only_the_events_are_proven(export: Export) -> None:
    export.out.unlink()
    code, text = export.check()
    assert (code, text.splitlines()[-1]) == (0, f"RESULT     VERIFIED - {export.out.name} was not compared")


def test_rows_left_out_of_both_are_told_by_their_number(export: Export) -> None:
    """Nobody can prove that there was no more; the number of proven rows is said."""
    store, out = export.store, export.out.with_suffix(".csv")
    run("export", str(out), "-s", str(store), "--range", "all-time", "--filter", "user=bob", "--proof")
    code, text = export._replace(proofs=out.with_name(f"{out.name}.proof.jsonl"), out=out).check()
    assert (code, "events     1 event proven" in text) == (0, True)


@pytest.mark.parametrize("export", ["csv"], indirect=True)
def test_a_time_of_a_seal_that_was_set_back_is_found(export: Export) -> None:
    assert "says the store" not in run("seal", "show", "-s", str(export.store)).stdout
    forger.strike(export.store, "UPDATE seal_head SET at = at - 25920000")
    checked = run("verify", "-s", str(export.store))
    assert checked.exit_code == 1
    assert "is not its checkpoint's" in checked.stdout


@pytest.mark.parametrize("export", ["csv"], indirect=True)
def test_a_time_without_a_checkpoint_is_what_the_store_says(export: Export) -> None:
    with forger.opened(export.store) as connection:
        seqs = [seq for (seq,) in connection.execute("SELECT seq FROM events ORDER BY seq")]
        forger.put_seals(connection, [forger.leaf_in(connection, seq) for seq in seqs])
    assert "says the store" in run("seal", "show", "-s", str(export.store)).stdout


def test_the_result_says_what_it_does_not_cover(tmp_path: Path) -> None:
    store = make_store(tmp_path / "audit.db", [AuditEvent("e", number) for number in range(600)])
    path, anchor, empty = str(store), tmp_path / "kept", tmp_path / "empty"
    run("seal", "anchor", str(anchor), "-s", path)
    ((store_id,),) = _rows(store, "SELECT value FROM store_info WHERE name = 'store_id'")
    empty.write_text(f"audit-tui/{store_id}\n0\n{base64.b64encode(forger.root_of([])).decode()}\n")
    checked = run("verify", "-s", path, "--anchor", str(empty), "--require-anchor")
    assert checked.exit_code == 4
    assert checked.stdout.splitlines()[-1] == (
        "RESULT     CONSISTENT, NOT ANCHORED - the anchor covers 0 of 600 events"
    )
    since = ("verify", "-s", path, "--since", str(anchor))
    unread = "512 events before --since were not read"
    assert run(*since).stdout.splitlines()[-1] == f"RESULT     VERIFIED - {unread}"
    assert json.loads(run(*since, "--json").stdout)["not_covered"] == [unread]
    quick = json.loads(run("verify", "-s", path, "--quick", "--json").stdout)
    assert quick["not_covered"] == ["the events were not read"]
    run("record", "Heartbeat", "-s", path)
    later = json.loads(run("verify", "-s", path, "--anchor", str(anchor), "--json").stdout)
    assert (later["result"], later["not_covered"]) == ("VERIFIED", ["the anchor covers 600 of 601 events"])


def _rows(store: Path, statement: str) -> list[tuple[Any, ...]]:
    with forger.opened(store) as connection:
        return connection.execute(statement).fetchall()
