"""``audit-tui import``: what is stored, what is told, and how it ends."""

from __future__ import annotations

import gzip
import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from audit_tui.cli.commands import import_
from audit_tui.cli.main import commands
from audit_tui.core.query import EventQuery
from audit_tui.errors import StoreFull, UsageError
from audit_tui.ingest import batches, pipeline
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import LogFile
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import make_store, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_tui.store.tables.rows import Draft
    from audit_tui.store.write.companion import AppendResult


def line(number: int, **fields: object) -> str:
    return json.dumps(
        {"time": f"2026-11-01T14:00:{number:02}Z", "event": "login", "user": f"user{number}", **fields}
    )


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "data" / "audit.db"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_text(f"{line(1)}\n{line(2)}\nnot json\n{line(3)}\n")
    (folder / "b.json.gz").write_bytes(gzip.compress(f"[{line(4)}, {line(5)}]".encode(), mtime=0))
    (folder / "c.csv").write_text("Time,Event,User\n2026-11-01 14:00:06Z,logout,user6\n2026-11-01,x\n")
    return folder


def count(store: Path) -> int:
    with StoreReader(store) as reader:
        return reader.count(EventQuery())


def users(store: Path) -> set[str | None]:
    with StoreReader(store) as reader:
        return {event.user for seq in range(1, count(store) + 1) if (event := reader.event(seq)) is not None}


def test_a_folder_is_imported_and_its_rejects_named(logs: Path, store: Path) -> None:
    result = run("import", str(logs), "-s", str(store))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "8 records read from 3 files: 6 stored, 0 duplicate, 2 rejected.",
        f"The store is {store}.",
        f"{logs}/a.jsonl:3: it is not JSON: expecting value at character 1",
        f"{logs}/c.csv:3: it has 2 columns, the header 3",
    ]
    assert {path.name for path in store.parent.iterdir()} == {"audit.db"}
    assert users(store) == {f"user{number}" for number in range(1, 7)}
    assert stat.S_IMODE(store.stat().st_mode) == 0o600


def test_the_same_again_stores_nothing_in_any_order(logs: Path, store: Path) -> None:
    run("import", str(logs), "-s", str(store))
    again = run(
        "import", str(logs / "c.csv"), str(logs / "b.json.gz"), str(logs / "a.jsonl"), "-s", str(store)
    )
    assert "8 records read from 3 files: 0 stored, 6 duplicate, 2 rejected." in again.stderr
    assert count(store) == 6


def test_nothing_new_and_nothing_wrong_is_success(logs: Path, store: Path) -> None:
    assert run("import", str(logs / "b.json.gz"), "-s", str(store)).exit_code == 0
    assert run("import", str(logs / "b.json.gz"), "-s", str(store)).exit_code == 0


def test_standard_input(store: Path) -> None:
    data = gzip.compress(f"{line(1, key='k')}\n{line(1, key='k')}\n".encode(), mtime=0)
    result = CliRunner().invoke(commands, ["import", "-", "-s", str(store)], input=data)
    assert result.exit_code == 0
    assert "2 records read from 1 file: 1 stored, 1 duplicate, 0 rejected." in result.stderr


def test_the_summary_as_json_adds_up(logs: Path, store: Path) -> None:
    result = run("import", str(logs), "-s", str(store), "--json")
    summary = json.loads(result.stdout)
    assert summary["read"] == summary["stored"] + summary["duplicate"] + summary["rejected"] == 8
    assert (summary["files"], summary["dry_run"], summary["interrupted"]) == (3, False, False)
    assert summary["rejects"][0] == {
        "file": f"{logs}/a.jsonl",
        "line": 3,
        "record": None,
        "reason": "it is not JSON: expecting value at character 1",
    }


def test_more_rejects_than_are_shown_are_counted_and_kept(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_bytes(line(1).encode() + b"\n" + b"\n".join(b"bad \xff\x1b[31m" for _ in range(50)))
    rejects_path = tmp_path / "rejects.jsonl"
    result = run("import", str(log), "-s", str(store), "--rejects", str(rejects_path))
    assert result.exit_code == 1
    assert "... and 30 more rejected (--rejects FILE keeps them all)." in result.stderr
    rejects = [json.loads(text) for text in rejects_path.read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == list(range(2, 52))
    assert rejects[0]["text"].encode("utf-8", "surrogateescape") == b"bad \xff\x1b[31m"
    assert stat.S_IMODE(rejects_path.stat().st_mode) == 0o600
    run("import", str(log), "-s", str(store), "--rejects", str(rejects_path))
    assert len(rejects_path.read_text().splitlines()) == 100


def test_rejects_never_follow_a_link_nor_touch_the_store(tmp_path: Path, logs: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "link"
    link.symlink_to(victim)
    store = make_store(tmp_path / "audit.db")
    assert run("import", str(logs), "-s", str(store), "--rejects", str(link)).exit_code == 3
    assert victim.read_text() == "precious"
    again = run("import", str(logs), "-s", str(store), "--rejects", str(store))
    assert again.exit_code == 3
    assert "belongs to the store" in again.stderr
    assert count(store) == 4


def test_rejects_in_the_imported_folder_are_not_read_as_they_grow(logs: Path, store: Path) -> None:
    result = run("import", str(logs), "-s", str(store), "--rejects", str(logs / "b.rejects"))
    assert "8 records read from 3 files" in result.stderr


def test_hostile_names_and_reasons_reach_the_terminal_as_escapes(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "a\x1b]52;c;eA==\x07[red].jsonl"
    log.write_text('{"time": "\\u001b[2J\\u202e", "event": "x"}\n')
    result = run("import", str(log), str(tmp_path / "none\x9b"), "-s", str(store))
    assert "\\x1b]52;c;eA==\\x07[red].jsonl:1: the time is not a time" in result.stderr
    assert "There is no file" in result.stderr
    assert not set(result.stderr) & {"\x1b", "\x07", "\x9b", "\u202e"}


class TestFilesThatCannotBeRead:
    """They are named, the others are imported, and the exit code tells."""

    def test_a_missing_file(self, logs: Path, store: Path) -> None:
        result = run("import", "nowhere.json", str(logs / "b.json.gz"), "-s", str(store))
        assert result.exit_code == 3
        assert "There is no file nowhere.json." in result.stderr
        assert count(store) == 2

    def test_nothing_is_created_when_nothing_can_be_read(self, store: Path) -> None:
        assert run("import", "nowhere.json", "-s", str(store)).exit_code == 3
        assert not store.parent.exists()

    def test_a_file_that_is_cut_off_keeps_its_first_records(self, tmp_path: Path, store: Path) -> None:
        whole = gzip.compress(
            "".join(f"{line(n % 60, n=os.urandom(90).hex())}\n" for n in range(9_000)).encode(), mtime=0
        )
        log = tmp_path / "a.gz"
        log.write_bytes(whole[: len(whole) // 2])
        result = run("import", str(log), "-s", str(store))
        assert result.exit_code == 3
        assert f"{log} ends too soon" in result.stderr
        assert 3_000 < count(store) < 6_000

    def test_a_file_that_is_no_log_is_an_error_by_name_and_a_note_in_a_folder(
        self, logs: Path, store: Path
    ) -> None:
        readme = logs / "README.md"
        readme.write_text("# About these logs\n\nThey are logs.\n")
        (logs / "a.jsonl").unlink()
        (logs / "c.csv").unlink()
        by_name = run("import", str(readme), "-s", str(store))
        assert by_name.exit_code == 3
        in_folder = run("import", str(logs), "-s", str(store))
        assert in_folder.exit_code == 1
        assert "README.md is not a log that is known" in in_folder.stderr
        assert count(store) == 2

    def test_the_store_is_never_opened_as_a_log(self, logs: Path) -> None:
        store = make_store(logs / "audit.db")
        (logs / "c.csv").unlink()
        result = run("import", str(logs), str(store), "-s", str(store))
        assert result.exit_code == 3
        assert f"{store} is the store itself." in result.stderr
        assert count(store) == 4 + 5


class TestUsage:
    """Wrong usage is refused before anything is stored."""

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ("user", "has no ="),
            ("user=", "has no ="),
            ("actor=who", "unknown column 'actor'"),
            ("user=who", "has no field 'who'"),
        ],
    )
    def test_a_wrong_map(self, logs: Path, store: Path, option: str, message: str) -> None:
        result = run("import", str(logs / "b.json.gz"), "-s", str(store), "--map", option)
        assert result.exit_code == 2
        assert message in result.stderr
        assert not store.exists()

    def test_an_unknown_field_lists_those_of_the_file(self, logs: Path, store: Path) -> None:
        result = run("import", str(logs / "c.csv"), "-s", str(store), "--map", "user=Who")
        assert "Its fields are Time, Event, User." in result.stderr

    def test_date_is_another_word_for_time(self) -> None:
        assert import_.parse_map(["Date=when", "USER=a=b"]).fields == {"time": "when", "user": "a=b"}
        with pytest.raises(UsageError):
            import_.parse_map(["when"])

    @pytest.mark.parametrize("args", [(), ("x", "--format", "xml")])
    def test_wrong_arguments(self, args: Sequence[str]) -> None:
        assert run("import", *args).exit_code == 2


def test_map_and_format_together(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "odd.txt"
    log.write_text("Moment;Act;Who\n1793541600;opened;ann\n")
    options = ("--format", "csv", "--map", "date=Moment", "--map", "event=Act", "--map", "user=Who")
    assert run("import", str(log), "-s", str(store), *options).exit_code == 0
    assert users(store) == {"ann"}


def test_a_dry_run_explains_and_stores_nothing(logs: Path, store: Path) -> None:
    result = run("import", str(logs), "-s", str(store), "--dry-run")
    assert "8 records read from 3 files: 6 would be stored, 0 duplicate, 2 rejected." in result.stderr
    assert result.stdout.count("JSON by usual names, line") == 3
    assert "time         2026-11-01T14:00:01.000000Z  (from time)" in result.stdout
    assert "user         user1  (from user)" in result.stdout
    assert not store.parent.exists()
    as_json = run("import", str(logs), "-s", str(store), "--dry-run", "--json")
    assert json.loads(as_json.stdout)["stored"] == 6


def test_originals_are_kept_on_request(logs: Path, store: Path) -> None:
    run("import", str(logs / "a.jsonl"), "-s", str(store), "--keep-original")
    with StoreReader(store) as reader:
        event = reader.event(1)
    assert event is not None
    assert event.original == line(1).encode()


def test_an_interrupted_import_keeps_what_was_committed_and_is_completed_by_the_next(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text("".join(f"{line(number)}\n" for number in range(10)))
    monkeypatch.setattr(pipeline, "BATCH_EVENTS", 3)
    with monkeypatch.context() as interrupted:
        appended: list[int] = []
        append = StoreWriter.append_drafts

        def stop_after_two(self: StoreWriter, drafts: Sequence[Draft]) -> AppendResult:
            if len(appended) == 2:
                raise KeyboardInterrupt
            appended.append(len(drafts))
            return append(self, drafts)

        interrupted.setattr(StoreWriter, "append_drafts", stop_after_two)
        result = run("import", str(log), "-s", str(store), "--json")
    assert result.exit_code == 130
    summary = json.loads(result.stdout)
    assert (summary["read"], summary["stored"], summary["interrupted"]) == (6, 6, True)
    assert "the same command again completes it." in result.stderr
    assert count(store) == 6
    again = run("import", str(log), "-s", str(store))
    assert "10 records read from 1 file: 4 stored, 6 duplicate, 0 rejected." in again.stderr
    assert again.exit_code == 0


def test_a_full_disk_says_what_was_stored(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text("".join(f"{line(number)}\n" for number in range(10)))
    monkeypatch.setattr(pipeline, "BATCH_EVENTS", 4)
    append = StoreWriter.append_drafts

    def full_at_the_end(self: StoreWriter, drafts: Sequence[Draft]) -> AppendResult:
        if len(drafts) < 4:
            raise StoreFull("There is no space left for the store.", "Make room and run it again.")
        return append(self, drafts)

    monkeypatch.setattr(StoreWriter, "append_drafts", full_at_the_end)
    result = run("import", str(log), "-s", str(store))
    assert result.exit_code == 3
    assert "8 records read from 1 file: 8 stored" in result.stderr
    assert "There is no space left for the store." in result.stderr
    assert "Make room and run it again." in result.stderr


def test_a_store_that_is_none_is_left_alone(logs: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("precious notes\n")
    result = run("import", str(logs), "-s", str(other))
    assert result.exit_code == 3
    assert str(other) in result.stderr
    assert other.read_text() == "precious notes\n"


def test_huge_records_make_small_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text("".join(f"{line(number, pad='x' * 400)}\n" for number in range(10)))
    monkeypatch.setattr(pipeline, "BATCH_CHARS", 1_000)
    monkeypatch.setattr(batches, "BATCH_CHARS", 400)
    sizes: list[int] = []

    class Sink:
        def append(self, drafts: Sequence[Draft]) -> tuple[int, int]:
            sizes.append(len(drafts))
            return len(drafts), 0

    importer = pipeline.Importer(Sink(), Reading(), lambda _: None)
    importer.take(LogFile("a", log, 0), lambda _: None)
    importer.flush()
    assert sum(sizes) == 10
    assert max(sizes) <= 3


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_where_there_is_nothing_only_that_is_said(
    tmp_path: Path, store: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "empty.json").touch()
    for name in ("none", "empty.json"):
        result = run("import", str(tmp_path / name), "-s", str(store), *options)
        assert (result.exit_code, result.stderr) == (0, f"There is no event in {tmp_path / name}.\n")
    told = json.loads(run("import", str(tmp_path / "none"), "-s", str(store), "--json").stdout)
    assert (told["read"], told["stored"], told["files"]) == (0, 0, 0)
    assert not store.exists()


def test_an_unknown_format_is_told_alike_by_import_and_open(tmp_path: Path, store: Path) -> None:
    log = tmp_path / "notes.txt"
    log.write_text("nothing to see\nin here\n")
    imported, opened = run("import", str(log), "-s", str(store)), run("open", "--plain", str(log))
    assert imported.stderr == opened.stderr
    assert imported.stderr.startswith(f"{log} is not a log that is known")
    assert "cloudtrail" in imported.stderr
    assert "--map time=FIELD" in imported.stderr


def test_the_advice_for_unknown_formats_comes_once(tmp_path: Path, store: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("nothing to see\nin here\n")
    told = run("import", str(tmp_path), "-s", str(store)).stderr
    assert told.count("is not a log that is known") == 3
    assert told.count("--map time=FIELD") == 1


class TestSecrets:
    """The effect of ``--secrets`` on passwords, keys and tokens."""

    LINE = '{"time":"2026-11-20T09:00:00Z","event":"Login","user":"bob","password":"hunter2hunter2","n":1}\n'

    @pytest.mark.parametrize(
        ("options", "is_stored"), [((), True), (("--secrets", "keep"), True), (("--secrets", "mask"), False),
                              (("--secrets", "Redact"), False), (("--secrets", "hash"), False)],
    )  # fmt: skip
    def test_they_are_stored_as_asked_and_never_twice(
        self, options: tuple[str, ...], is_stored: bool, tmp_path: Path
    ) -> None:
        log, store = tmp_path / "log.jsonl", tmp_path / "s.db"
        log.write_text(self.LINE)
        for stored in (1, 0):
            result = run("import", str(log), "-s", str(store), "--keep-original", "--json", *options)
            assert json.loads(result.stdout)["stored"] == stored
        printed = run("query", "-s", str(store), "--range", "all-time", "--format", "jsonl").stdout
        assert ("hunter2hunter2" in printed) is is_stored
        assert (b"hunter2hunter2" in store.read_bytes()) is is_stored
        assert '"n":1' in printed

    def test_the_settings_say_it_for_all_imports(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log, store = tmp_path / "log.jsonl", tmp_path / "s.db"
        log.write_text(self.LINE)
        monkeypatch.setenv("AUDIT_TUI_SECRETS", "redact")
        assert run("import", str(log), "-s", str(store)).exit_code == 0
        assert b"hunter2hunter2" not in store.read_bytes()
