"""Logs that are opened directly, printed: what is shown, what is told, how it ends, what is left."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from audit_tui.cli.opening import logs
from audit_tui.cli.opening.logs import import_command
from audit_tui.cli.options import EventsChoice
from audit_tui.core.arriving import Arrival
from audit_tui.core.time.dates import TimeContext
from audit_tui.core.view import View
from audit_tui.errors import StoreFull
from audit_tui.ingest import pipeline
from audit_tui.ingest.background import Told
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import make_store, run
from tests.payloads import PAYLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.ingest.background import BackgroundImport
    from audit_tui.store.tables.rows import Draft
    from audit_tui.store.write.companion import AppendResult

RECENT, OLD = "2026-11-20T14:00", "2023-05-01T10:00"


def line(number: int, begin: str = RECENT, **fields: object) -> str:
    record = {"time": f"{begin}:{number:02}Z", "event": "login", "user": f"user{number}", **fields}
    return json.dumps(record) + "\n"


def lines(*numbers: int, begin: str = RECENT) -> str:
    return "".join(line(number, begin) for number in numbers)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with logs in ``logs``: five events."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "logs"
    made.mkdir()
    (made / "a.jsonl").write_text(lines(1, 2))
    (made / "b.json.gz").write_bytes(gzip.compress(f"[{line(3)}, {line(4)}]".encode(), mtime=0))
    (made / "c.csv").write_text("Time,Event,User\n2026-11-20 14:00:05Z,logout,user5\n")
    return made


def users(output: str) -> list[str]:
    """Return the users, from the top down; the description names them again."""
    return [next(word for word in row.split() if word.startswith("user")) for row in output.splitlines()[1:]]


def test_a_folder_is_printed_and_nothing_is_left(folder: Path, temporary: Path) -> None:
    result = run("open", "--plain", "logs", "--tz", "UTC")
    assert users(result.stdout) == ["user5", "user4", "user3", "user2", "user1"]
    assert result.stderr == "Keep it with: audit-tui import logs\n"
    assert result.exit_code == 0
    assert list(temporary.iterdir()) == []


def test_it_is_the_view_that_query_prints(folder: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "kept.db")
    run("import", "logs", "-s", store)
    asked = ("--filter", "event=login", "--since", "2026-11-01", "--tz", "Asia/Tokyo")
    assert run("open", "--plain", "logs", *asked).stdout == run("query", "-s", store, *asked).stdout


def test_files_and_folders_together(folder: Path) -> None:
    Path("more.jsonl").write_text(lines(6))
    result = run("open", "--plain", "more.jsonl", "logs")
    assert users(result.stdout) == ["user6", "user5", "user4", "user3", "user2", "user1"]
    assert result.stderr == "Keep it with: audit-tui import more.jsonl logs\n"


def test_without_the_command_too(folder: Path) -> None:
    # A command's name is first: this one is a path.
    (folder / "demo").write_text(lines(9))
    os.chdir(folder)
    assert users(run("./demo", "--plain").stdout) == ["user9"]


def test_a_store_is_printed_too(tmp_path: Path) -> None:
    store = make_store(tmp_path / "audit.db")
    plain, queried = run("open", "--plain", str(store)), run("query", "-s", str(store))
    assert (plain.stdout, plain.stderr) == (queried.stdout, queried.stderr)
    assert plain.exit_code == 0


class TestRange:
    def test_old_logs_are_shown_whatever_their_age(self, folder: Path) -> None:
        Path("old.jsonl").write_text(lines(1, 2, begin=OLD))
        assert users(run("open", "--plain", "old.jsonl").stdout) == ["user2", "user1"]

    def test_a_filter_that_nothing_matches_is_no_reason_for_another_range(self, folder: Path) -> None:
        Path("mixed.jsonl").write_text(lines(1) + lines(2, begin=OLD))
        result = run("open", "--plain", "mixed.jsonl", "--filter", "user=user2")
        assert result.stdout == ""
        assert "No events" in result.stderr

    def test_the_range_that_was_asked_for_stays(self, folder: Path) -> None:
        Path("old.jsonl").write_text(lines(1, begin=OLD))
        result = run("open", "--plain", "old.jsonl", "--range", "last-30-days")
        assert result.stdout == ""
        assert "No events in Last 30 Days" in result.stderr


class TestWrong:
    def test_rejects_are_told_and_where_to_keep_them(self, folder: Path) -> None:
        (folder / "d.jsonl").write_text(line(7) + "not json\n" + "".join('{"x": 1}\n' for _ in range(8)))
        result = run("open", "--plain", "logs")
        assert "user7" in users(result.stdout)
        messages = result.stderr.splitlines()
        assert messages[0] == "9 records of 15 could not be read as an event:"
        assert messages[1].startswith("  logs/d.jsonl:2: ")
        assert messages[6] == "  ... and 4 more"
        assert messages[7:] == [
            "To keep them: audit-tui import --rejects rejects.jsonl logs",
            "Keep it with: audit-tui import logs",
        ]
        assert result.exit_code == 1

    def test_a_file_that_is_no_log_is_told(self, folder: Path) -> None:
        (folder / "notes.txt").write_text("nothing to see\nin here\n")
        (folder / "cut.json.gz").write_bytes(gzip.compress(lines(8).encode(), mtime=0)[:-9])
        result = run("open", "--plain", "logs")
        assert "user1" in users(result.stdout)
        assert "  logs/notes.txt is not a log that is known" in result.stderr
        assert "  logs/cut.json.gz ends too soon" in result.stderr
        assert result.exit_code == 1

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("notes.txt", "nothing to see\nin here\n", "notes.txt is not a log that is known"),
            ("empty.json", "", "There is no event in empty.json."),
            ("none.json", '{"Records": []}', "There is no event in none.json."),
            (
                "bad.jsonl",
                '{"x": 1}\n{"x": 2}\n',
                "None of 2 records in bad.jsonl could be read as an event.",
            ),
        ],
    )
    def test_nothing_to_show_is_told_with_what_was_tried(
        self, folder: Path, temporary: Path, name: str, content: str, words: str
    ) -> None:
        Path(name).write_text(content)
        result = run("open", "--plain", name)
        assert (result.exit_code, result.stdout) == (3, "")
        assert words in result.stderr
        if "no event in" not in words:
            assert "cloudtrail" in result.stderr
            assert "audit-tui import" in result.stderr
        assert list(temporary.iterdir()) == []

    @pytest.mark.parametrize("content", [bytes(range(256)) * 8, b"\x00" * 99, b"\xff\xfe", b"\x1f\x8b\x08"])
    def test_bytes_that_are_no_log_end_in_a_sentence(self, folder: Path, content: bytes) -> None:
        Path("some.bin").write_bytes(content)
        result = run("open", "--plain", "some.bin")
        assert (result.exit_code, result.stdout) == (3, "")
        assert "some.bin" in result.stderr

    def test_an_empty_folder(self, folder: Path) -> None:
        Path("none").mkdir()
        (Path("none") / ".hidden.json").write_text(lines(1))
        result = run("open", "--plain", "none")
        assert result.exit_code == 3
        assert result.stderr.startswith("There is no event in none.\n")

    def test_a_missing_one_of_several_opens_nothing(self, folder: Path) -> None:
        result = run("open", "--plain", "logs", "lgos")
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr == "There is no file lgos.\nNothing was opened.\n"

    def test_a_log_and_a_store_are_two_things(self, folder: Path, tmp_path: Path) -> None:
        store = str(make_store(tmp_path / "audit.db"))
        for args in (("logs", "-s", store), (store, "logs")):
            result = run("open", "--plain", *args)
            assert (result.exit_code, result.stdout) == (2, "")
            assert "store" in result.stderr

    def test_a_pipe_that_nobody_writes_to_is_not_waited_for(self, folder: Path) -> None:
        os.mkfifo("pipe")
        for args in (("pipe",), ("logs", "pipe")):
            result = run("open", "--plain", *args)
            assert result.exit_code == 3
            assert "pipe" in result.stderr

    def test_another_programs_database_is_named_as_one(self, folder: Path) -> None:
        import sqlite3

        other = sqlite3.connect("other.db")
        other.execute("CREATE TABLE t (x)")
        other.close()
        assert "not an audit store" in run("open", "--plain", "other.db").stderr
        assert "is a database" in run("open", "--plain", "logs", "other.db").stderr

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_what_may_not_be_read_is_told(self, folder: Path) -> None:
        (folder / "a.jsonl").chmod(0)
        alone, among = run("open", "--plain", "logs/a.jsonl"), run("open", "--plain", "logs")
        assert (alone.exit_code, among.exit_code) == (3, 1)
        assert "is not allowed" in among.stderr
        assert users(among.stdout) == ["user5", "user4", "user3"]

    def test_a_full_disk_says_what_to_do(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(self: StoreWriter, drafts: Sequence[Draft]) -> AppendResult:
            raise StoreFull("It could not be written.", "Make room.")

        monkeypatch.setattr(StoreWriter, "append_drafts", full)
        result = run("open", "--plain", "logs")
        assert result.exit_code == 3
        assert result.stderr == (
            "It could not be written.\n"
            "Set TMPDIR to a folder with more room, or import them: audit-tui import logs\n"
        )

    def test_ctrl_c_while_reading_leaves_nothing(
        self, folder: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipeline, "BATCH_EVENTS", 2)
        append = StoreWriter.append_drafts

        def interrupted(self: StoreWriter, drafts: Sequence[Draft]) -> AppendResult:
            if self.newest_seq():
                raise KeyboardInterrupt
            return append(self, drafts)

        monkeypatch.setattr(StoreWriter, "append_drafts", interrupted)
        result = run("open", "--plain", "logs")
        assert (result.exit_code, result.stdout) == (130, "")
        assert list(temporary.iterdir()) == []


class TestScreen:
    """The arguments that the screen is given."""

    def shown(self, names: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
        from audit_tui.cli.options import EventsChoice
        from audit_tui.core.time.dates import TimeContext
        from audit_tui.core.view import View

        context = TimeContext(UTC, datetime(2026, 11, 22, 14, tzinfo=UTC))
        with logs.imported(names, EventsChoice(View(), context)) as opened:
            return opened.name, opened.notice

    @pytest.mark.parametrize(
        ("names", "name"),
        [
            (("logs",), "logs/ (5 events)"),
            (("logs/",), "logs/ (5 events)"),
            (("logs/b.json.gz",), "b.json.gz (2 events)"),
            (("logs/../logs",), "logs/ (5 events)"),
            (("logs/c.csv",), "c.csv (1 event)"),
            (("logs/a.jsonl", "logs/c.csv", "logs/b.json.gz"), "a.jsonl and 2 more (5 events)"),
        ],
    )
    def test_it_is_called_by_its_name(
        self, folder: Path, names: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.shown(names, monkeypatch)[0] == name

    def test_the_working_directory_has_a_name_too(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        assert self.shown((".",), monkeypatch)[0] == "logs/ (5 events)"

    @pytest.mark.parametrize(
        ("content", "notice"),
        [
            (lines(1), "temporary: audit-tui import keeps it"),
            (lines(1, begin=OLD), "nothing in Last 30 Days · temporary: audit-tui import keeps it"),
            (lines(1) + "no\n", "1 of 2 records rejected · temporary: audit-tui import keeps it"),
        ],
    )
    def test_the_notice_says_what_to_know(
        self, folder: Path, content: str, notice: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("x.jsonl").write_text(content)
        assert self.shown(("x.jsonl",), monkeypatch)[1] == notice


@pytest.mark.parametrize(
    ("names", "command"),
    [
        (("logs",), "audit-tui import logs"),
        (("my logs", "a'b"), "audit-tui import 'my logs' 'a'\"'\"'b'"),
        (("{home}/cloudtrail",), "audit-tui import ~/cloudtrail"),
        (("{home}/my logs",), "audit-tui import ~/'my logs'"),
        (("{home}",), "audit-tui import ~"),
        (("{home}work/x",), "audit-tui import {home}work/x"),
        (("-x", "~y", "-"), "audit-tui import ./-x './~y' -"),
        (("$(reboot)",), "audit-tui import '$(reboot)'"),
        (("a\x1b[2J",), "audit-tui import $'a\\x1b[2J'"),
        (("a\udcff",), "audit-tui import 'a\udcff'"),
    ],
)
def test_the_command_that_keeps_it_can_be_pasted(names: tuple[str, ...], command: str) -> None:
    home = os.environ["HOME"]
    assert import_command([name.format(home=home) for name in names]) == command.format(home=home)


@pytest.mark.parametrize("payload", [text for text in PAYLOADS if not {"/", "\x00"} & set(text) and text])
def test_a_hostile_name_reaches_stderr_as_text(folder: Path, payload: str) -> None:
    try:
        (folder / payload).write_text(line(7) + "not json\n")
    except (OSError, UnicodeEncodeError):
        pytest.skip("the file system takes no such name")
    for args in (["logs"], [f"logs/{payload}"]):
        message = run("open", "--plain", *args).stderr
        assert [character for character in message if not character.isprintable() and character != "\n"] == []


def test_no_store_yet_says_how_to_begin(tmp_path: Path) -> None:
    for args in ((), ("open",), ("open", "--plain")):
        result = run(*args)
        assert (result.exit_code, result.stdout) == (3, "")
        first, *ways = result.stderr.splitlines()
        assert "audit.db yet" in first
        assert [way.split(":")[1].split()[:2] for way in ways] == [
            ["audit-tui", "demo"],
            ["audit-tui", "import"],
            ["audit-tui", "FILE-OR-FOLDER..."],
        ]


def piped(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-c", script.replace("AUDIT", f"'{sys.executable}' -m audit_tui")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
        timeout=120,
    )


class TestStandardInput:
    def test_it_is_printed(self, folder: Path, temporary: Path) -> None:
        result = piped("AUDIT open - --plain --range all-time < logs/a.jsonl")
        assert users(result.stdout) == ["user2", "user1"]
        assert result.stderr == (
            "Keep it with: audit-tui import -\nWhat came through a pipe must come again.\n"
        )
        assert result.returncode == 0
        assert list(temporary.iterdir()) == []

    def test_compressed_too(self, folder: Path) -> None:
        result = piped("cat logs/b.json.gz | AUDIT - --plain --range all-time")
        assert users(result.stdout) == ["user4", "user3"]

    def test_the_output_of_a_command_as_an_argument(self, folder: Path) -> None:
        result = piped("AUDIT --plain <(cat logs/a.jsonl) logs/c.csv --range all-time")
        assert users(result.stdout) == ["user5", "user2", "user1"]

    def test_nothing_in_it(self, folder: Path) -> None:
        result = piped("AUDIT open - --plain </dev/null")
        assert result.returncode == 3
        assert result.stderr.startswith("There is no event in standard input.")

    def test_closed(self, folder: Path) -> None:
        result = piped("AUDIT open - --plain <&-")
        assert result.returncode == 3
        assert "Traceback" not in result.stderr

    def test_without_a_terminal_there_is_no_screen(self, folder: Path) -> None:
        result = piped("setsid -w AUDIT open - < logs/a.jsonl")
        assert (result.returncode, result.stdout) == (2, "")
        assert "The screen needs a terminal" in result.stderr
        assert "audit-tui open --plain" in result.stderr


def test_whoever_looks_at_the_end_of_logs_does_not_wait(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read, is_read = threading.Event(), threading.Event()
    all_read = logs._all_read

    def slow(*args: object) -> logs.Logs:
        may_read.wait()
        try:
            return all_read(*args)  # type: ignore[arg-type]
        finally:
            is_read.set()

    monkeypatch.setattr(logs, "_all_read", slow)
    make_store(folder / "audit.db")
    tally = pipeline.Tally(stored=4)
    background = SimpleNamespace(told=Told(tally, Arrival(4, is_done=True)), stop=lambda: None)
    choice = EventsChoice(View(), TimeContext(UTC, datetime(2026, 11, 20, tzinfo=UTC)))
    arrivals = logs._Arriving(["logs"], cast("BackgroundImport", background), choice, folder / "audit.db")
    assert not arrivals.look().is_done
    assert arrivals.arrival.is_done
    may_read.set()
    assert is_read.wait(60)
    assert arrivals._ending is not None
    arrivals._ending.join()
    assert arrivals.look() == Arrival(4, is_done=True, title="logs/ (4 events)", remark=logs.KEEP_WORDS)
