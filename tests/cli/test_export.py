"""``audit-tui export``: what is in the file, who may read it, and what is left when it fails."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.export import FILE_FORMATS, Format
from audit_tui.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE, EXIT_USAGE
from audit_tui.store.read.reader import StoreReader
from tests.cli.running import at, make_store, run
from tests.payloads import PAYLOADS, UNSAFE
from tests.pty.terminal import AUDIT_TUI, Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SEALS = (
    "Seals: the seals of 4 events fit each other, not anchored; the events were not compared with them"
    " (audit-tui verify does).\n"
)
DATA = (Format.CSV, Format.JSONL, Format.JSON)
OLD_EXPORT = "event,user\nLogin,bob\n"


def hostile_store(path: Path) -> Path:
    """Events that carry each payload in every text, a minute apart."""
    return make_store(
        path,
        (
            AuditEvent(
                event=payload,
                occurred_us=at("2026-11-20 09:00") + 60_000_000 * number,
                key=f"k{number}",
                category=payload,
                user=payload,
                description=f"{payload}\n{payload}",
                outcome=list(Outcome)[number % 3],
                severity=number % 7,
                source_ip=payload,
                target=payload,
                source=payload,
                metadata={payload: [payload, {"n": 12345678901234567890}]},
            )
            for number, payload in enumerate((*PAYLOADS, "x" * 100_000))
        ),
    )


def events_of(store: Path) -> list[dict[str, object]]:
    from audit_tui.core.query import EventQuery

    with StoreReader(store) as reader:
        return [event.to_json() for event in reader.events(EventQuery())]


def export(store: Path, out: Path, *args: str) -> Result:
    return run("export", str(out), "-s", str(store), *args)


def test_the_ending_chooses_the_format_and_everything_is_said(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = export(store, out)
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "",
        f"Exported 2 events of Last 30 Days to {out}; --range all-time takes in all 4.\n{SEALS}",
    )
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert [event["key"] for event in events] == ["k2", "k1"], "newest first"
    assert events == events_of(store)[:2]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert export(store, tmp_path / "all.NDJSON", "--range", "all-time").stderr.startswith("Exported 4 ")
    assert export(store, tmp_path / "x.txt", "--format", "csv", "--filter", "user=").exit_code == 0


def test_what_is_replaced_is_told(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert export(store, out, "--range", "all-time").stderr == f"Exported 4 events to {out}.\n{SEALS}"
    replaced = f"Exported 2 events{{}} to {out}, replacing what was there{{}}.\n{SEALS}"
    expected = replaced.format(" of Last 30 Days", "; --range all-time takes in all 4")
    assert export(store, out).stderr == expected
    assert export(store, out, "--range", "last-30-days").stderr == replaced.format("", "")


def test_an_export_says_whether_the_record_holds(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.md"
    export(store, out)
    assert out.read_text().endswith("\n" + SEALS.replace(".\n", "\n"))
    connection = sqlite3.connect(store)
    connection.execute("UPDATE seal_head SET root = zeroblob(32)")
    connection.commit()
    connection.close()
    assert "Seals: BROKEN; audit-tui verify says where." in export(store, out).stderr
    assert out.read_text().endswith("\nSeals: BROKEN; audit-tui verify says where\n")


def test_nothing_is_said_to_be_nothing(store: Path, tmp_path: Path) -> None:
    result = export(store, tmp_path / "x.csv", "--filter", "user=nobody")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0].startswith("Exported 0 events")
    assert "--range all-time" in result.stderr
    assert (tmp_path / "x.csv").read_text().count("\n") == 1


FORMULAS = ("=1+1", "+1", "-x", "@x", "'=1+1", "''@x", "\t=1", '"=1', "'", "''", "x=1", "＝1")  # noqa: RUF001


def test_texts_that_look_like_formulas_come_back_as_they_were(tmp_path: Path) -> None:
    events = [
        AuditEvent(
            text, at("2026-11-20 09:00") + number, key=f"{text}{number}", user=text, target=text, source=text
        )
        for number, text in enumerate(FORMULAS)
    ]
    store = make_store(tmp_path / "audit.db", events)
    out = tmp_path / "out.csv"
    assert export(store, out, "--range", "all-time").exit_code == 0
    again = json.loads(run("import", str(out), "-s", str(store), "--json").stdout)
    assert (again["stored"], again["duplicate"], again["rejected"]) == (0, len(FORMULAS), 0)
    other = tmp_path / "other.db"
    run("import", str(out), "-s", str(other))
    for event, back in zip(events_of(store), events_of(other), strict=True):
        assert back | {"seq": 0} == event | {"seq": 0}


@pytest.mark.parametrize("form", DATA)
def test_an_import_of_an_export_stores_nothing_new_and_elsewhere_everything(
    form: Format, tmp_path: Path
) -> None:
    store = hostile_store(tmp_path / "audit.db")
    out = tmp_path / f"out.{form}"
    raw = ("--raw-csv",) if form is Format.CSV else ()
    assert export(store, out, "--range", "all-time", *raw).exit_code == 0
    count = len(events_of(store))
    again = run("import", str(out), "-s", str(store), "--json")
    assert json.loads(again.stdout)["duplicate"] == count, again.stderr
    assert json.loads(again.stdout)["stored"] == 0
    other = tmp_path / "other.db"
    new = json.loads(run("import", str(out), "-s", str(other), "--json").stdout)
    assert (new["stored"], new["rejected"]) == (count, 0)
    second = tmp_path / f"second.{form}"
    run("export", str(second), "-s", str(other), "--range", "all-time", *raw)

    def without_seq(path: Path) -> list[dict[str, object]]:
        return [event | {"seq": None} for event in events_of(path)]

    assert without_seq(other) == without_seq(store)


def test_a_csv_with_defused_cells_stores_nothing_new_either(tmp_path: Path) -> None:
    store = hostile_store(tmp_path / "audit.db")
    out = tmp_path / "out.csv"
    export(store, out, "--range", "all-time")
    with out.open(newline="") as stream:
        csv.field_size_limit(1_000_000)
        cells = [cell for row in list(csv.reader(stream))[1:] for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" \"'\n").startswith(("=", "+", "@", "\t", "\r"))
                and not cell.startswith("'")]  # fmt: skip
    summary = json.loads(run("import", str(out), "-s", str(store), "--json").stdout)
    assert (summary["stored"], summary["rejected"]) == (0, 0)


@pytest.mark.parametrize("form", [Format.JSONL, Format.JSON, Format.MARKDOWN])
def test_no_payload_gets_into_what_a_terminal_may_show(form: Format, tmp_path: Path) -> None:
    out = tmp_path / f"out.{form}"
    columns = ("--columns", "all")
    assert export(hostile_store(tmp_path / "a.db"), out, "--range", "all-time", *columns).exit_code == 0
    lines = out.read_text(encoding="utf-8").split("\n")
    assert not [line for line in lines if UNSAFE.search(line)]
    assert any("x" * 100_000 in line for line in lines), "nothing is cut"


def test_columns_are_all_the_visible_ones_or_named(store: Path, tmp_path: Path) -> None:
    def head(name: str, *args: str) -> str:
        assert export(store, tmp_path / name, *args).exit_code == 0
        return (tmp_path / name).read_text(encoding="utf-8").splitlines()[0]

    visible = "event,category,user,time,description"
    assert head("a.csv") == head("b.csv", "--columns", "all")
    assert head("a.csv").startswith("seq,key,time,event")
    assert head("c.csv", "--columns", "visible") == visible
    assert head("d.csv", "--columns", "Date, user") == "time,user"
    assert head("e.md") == "| Event | Category | User | Date (UTC) | Description |"
    assert "| Source IP |" in head("f.md", "--columns", "all")
    assert set(json.loads(head("g.jsonl", "--columns", "visible"))) == set(visible.split(","))


@pytest.mark.parametrize(
    ("out", "args", "message"),
    [
        ("-", (), "audit-tui query --format csv"),
        ("x.txt", (), "--format"),
        ("x", (), "--format"),
        ("x.csv.gz", (), "--format"),
        ("x.csv", ("--columns", "nope"), "no column 'nope'"),
        ("x.csv", ("--columns", "user,user"), "twice"),
        ("x.jsonl", ("--raw-csv",), "for CSV"),
        ("x.csv", ("--format", "table"), "table"),
    ],
)
def test_what_is_not_understood_writes_nothing(
    out: str,
    args: tuple[str, ...],
    message: str,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    result = run("export", out, "-s", str(store), *args)
    assert result.exit_code == EXIT_USAGE
    assert message in result.stderr
    assert not list(folder.iterdir())


def test_an_older_export_is_replaced_and_only_its_owner_may_read_it(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text(OLD_EXPORT)
    out.chmod(0o644)
    assert export(store, out).exit_code == 0
    assert out.read_text().startswith("seq,")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "kind", ["link", "dangling", "folder", "fifo", "missing folder", "store", "hard link"]
)
def test_nothing_else_is_replaced(kind: str, store: Path, tmp_path: Path) -> None:
    victim, out = tmp_path / "victim", tmp_path / "out.csv"
    victim.write_text("precious")
    match kind:
        case "link":
            out.symlink_to(victim)
        case "dangling":
            out.symlink_to(tmp_path / "nowhere")
        case "folder":
            out.mkdir()
        case "fifo":
            os.mkfifo(out)
        case "missing folder":
            out = tmp_path / "nope" / "out.csv"
        case "store":
            out = store
        case "hard link":
            out.hardlink_to(store)
    before = sorted(path.name for path in tmp_path.iterdir())
    result = export(store, out, "--format", "csv")
    assert result.exit_code == EXIT_UNREADABLE
    assert str(out) in result.stderr
    assert victim.read_text() == "precious"
    after = sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(("-wal", "-shm")))
    assert after == [name for name in before if not name.endswith(("-wal", "-shm"))]
    assert len(events_of(store)) == 4


@pytest.mark.parametrize("form", FILE_FORMATS)
def test_a_full_disk_leaves_nothing_behind(form: Format, tmp_path: Path) -> None:
    store = hostile_store(tmp_path / "audit.db")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / f"old.{form}").write_text(OLD_EXPORT)
    ended = subprocess.run(
        [*AUDIT_TUI, "export", f"old.{form}", "-s", str(store), "--range", "all-time", "--columns", "all"],
        cwd=folder,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
        check=False,
    )
    assert ended.returncode == EXIT_UNREADABLE
    assert ended.stderr.splitlines() == [
        f"old.{form} cannot be written: File too large.",
        "Nothing was left behind. Make room, or choose another place.",
    ]
    assert [path.name for path in folder.iterdir()] == [f"old.{form}"]
    assert (folder / f"old.{form}").read_text() == OLD_EXPORT


INTERRUPTED = """
import os, signal, sys
from audit_tui.cli.main import main
from audit_tui.output import writers as exporting

def told(events, out, writing):
    for number, _ in enumerate(events):
        out.write("half")
        out.flush()
        os.kill(os.getpid(), SIGNAL)
exporting.write_events = told
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_nothing_behind(number: signal.Signals, store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    script = INTERRUPTED.replace("SIGNAL", str(int(number)))
    ended = subprocess.run(
        [sys.executable, "-c", script, "export", "x.csv", "-s", str(store)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (128 + number, "")
    assert EXIT_INTERRUPTED == 128 + signal.SIGINT
    assert not list(folder.iterdir())


def test_a_terminal_is_told_and_keeps_a_clean_line(store: Path, tmp_path: Path) -> None:
    with Terminal(
        [*AUDIT_TUI, "export", str(tmp_path / "x.csv"), "-s", str(store), "--range", "all-time"]
    ) as it:
        assert it.wait() == 0
        assert "Exported 4 events to" in "".join(it.lines)
        assert "Exporting" not in "".join(it.lines)
