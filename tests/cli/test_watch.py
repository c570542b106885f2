"""``watch`` as a process: no event is missed and none comes twice, whatever happens to store and run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.store.write.writer import StoreWriter
from tests.cli.running import at, make_store, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHEN = at("2026-11-22 10:00")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def append(store: Path, *names: str) -> None:
    with StoreWriter(store, durable=False) as writer:
        writer.append([AuditEvent(name, WHEN, user=name[:1]) for name in names])


@contextmanager
def watching(store: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A watch that has begun: its place is noted before the first look."""
    command = [sys.executable, "-m", "audit_tui", "watch", "-s", str(store), *words]
    folder = store.parent / "state"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.seq")}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        while not any(before.get(path) != path.stat().st_mtime_ns for path in folder.rglob("*.seq")):
            assert process.poll() is None, process.communicate()
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def names(process: subprocess.Popen[str], events: int) -> list[str]:
    """The events that it prints next."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline())["event"] for _ in range(events)]


def test_new_events_come_each_once(store: Path) -> None:
    with watching(store, "user:a", "--max", "3") as process:
        append(store, "a1", "b1")
        assert names(process, 1) == ["a1"]
        append(store, "b2", "a2", "a3", "a4")
        out, err = process.communicate(timeout=60)
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["a2", "a3"]
    assert (process.returncode, err) == (0, "Watched: 3 events.\n")
    # What came while nobody watched, and no more.
    append(store, "a5")
    result = run("watch", "-s", str(store), "user:a", "--since-last", "--max", "2")
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["a4", "a5"]


def test_another_query_has_a_place_of_its_own(store: Path) -> None:
    with watching(store, "user:a"):
        append(store, "a1")
    with watching(store, "user:b"):
        append(store, "b1")
    append(store, "a2", "b2")
    result = run("watch", "-s", str(store), "user:b", "--since-last", "--max", "1")
    assert '"b' in result.stdout


def test_a_run_that_is_killed_goes_on_where_it_was(store: Path) -> None:
    seen: list[str] = []
    wanted = [f"a{number}" for number in range(60)]
    with watching(store) as process:
        append(store, *wanted[:30])
        seen += names(process, 11)
        process.kill()
        assert process.stdout is not None
        seen += [json.loads(line)["event"] for line in process.stdout if line.endswith("\n")]
    append(store, *wanted[30:])
    rest = str(len(wanted) - len(seen))
    result = run("watch", "-s", str(store), "--since-last", "--max", rest)
    assert seen + [json.loads(line)["event"] for line in result.stdout.splitlines()] == wanted


STRUCK_BETWEEN = (
    "import os, sys\n"
    "from audit_tui.cli.watched import Cursor\n"
    "from audit_tui.cli.main import main\n"
    "save, number, kind = Cursor.save, int(sys.argv.pop(1)), int(sys.argv.pop(1))\n"
    "def struck(self, seq):\n"
    "    if seq == number:\n"
    "        os.kill(os.getpid(), kind)\n"
    "    save(self, seq)\n"
    "Cursor.save = struck\n"
    "main()\n"
)
"""A watch that gets a signal when it has printed an event, before it notes its number."""


@pytest.mark.parametrize("way", ["pipe", "appended file"])
def test_a_run_that_is_killed_behind_a_line_repeats_none(store: Path, tmp_path: Path, way: str) -> None:
    with watching(store):
        pass
    append(store, "a1", "a2", "a3")
    newest = 4 + 3
    words = ["watch", "-s", str(store), "--since-last"]
    out = tmp_path / "out"
    first = [sys.executable, "-c", STRUCK_BETWEEN, str(newest - 1), str(int(signal.SIGKILL)), *words]
    rest = [sys.executable, "-m", "audit_tui", *words, "--max", "1"]
    if way == "pipe":
        lines = b"".join(
            subprocess.run(each, stdout=subprocess.PIPE, check=False).stdout for each in (first, rest)
        )
    else:
        for each in (first, rest):
            with out.open("ab") as stream:
                subprocess.run(each, stdout=stream, check=False)
        lines = out.read_bytes()
    assert [json.loads(line)["event"] for line in lines.splitlines()] == ["a1", "a2", "a3"]


def test_a_line_that_was_cut_off_is_finished_in_the_same_pipe(store: Path, tmp_path: Path) -> None:
    with watching(store):
        pass
    with StoreWriter(store, durable=False) as writer:
        writer.append([AuditEvent("long", WHEN, description="x" * 300_000), AuditEvent("end", WHEN)])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    command = [sys.executable, "-m", "audit_tui", "watch", "-s", str(store), "--since-last"]
    with pipe.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream)
        data = os.read(reader, 1_000)
        process.kill()  # with a full pipe before it
        process.wait()
        process = subprocess.Popen([*command, "--max", "1"], stdout=stream)
        while data.count(b"\n") < 2:
            data += os.read(reader, 65_536)
        assert process.wait() == 0
    os.close(reader)
    assert [json.loads(line)["event"] for line in data.splitlines()] == ["long", "end"]


@pytest.mark.long
def test_no_kill_repeats_a_line_or_misses_one(store: Path, tmp_path: Path) -> None:
    """300 kills at random moments, each line through one pipe."""
    chance = random.Random(1)
    with watching(store):
        pass
    wanted = [f"e{number}" for number in range(30_000)]
    for first in range(0, len(wanted), 5_000):
        append(store, *wanted[first : first + 5_000])
    read_end, write_end = os.pipe()
    parts: list[bytes] = []
    command = [sys.executable, "-m", "audit_tui", "watch", "-s", str(store), "--since-last"]

    def carry() -> None:
        while data := os.read(read_end, 65_536):
            parts.append(data)

    carrier = threading.Thread(target=carry)
    carrier.start()
    for _ in range(300):
        process = subprocess.Popen(command, stdout=write_end, stderr=subprocess.DEVNULL)
        size = len(parts)
        while len(parts) < size + chance.randrange(1, 60) and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.wait()
    os.close(write_end)
    carrier.join()
    lines = b"".join(parts).splitlines()
    assert [json.loads(line)["event"] for line in lines] == wanted[: len(lines)]
    assert len(lines) > 3_000


def test_a_store_that_is_replaced_is_watched_from_its_beginning(store: Path, tmp_path: Path) -> None:
    with watching(store) as process:
        append(store, "a1")
        assert names(process, 1) == ["a1"]
        old = tmp_path / "old.db"
        for suffix in ("", "-wal", "-shm"):
            beside = store.with_name(store.name + suffix)
            if beside.exists():
                beside.rename(old.with_name(old.name + suffix))
        make_store(store, [AuditEvent("n1", WHEN), AuditEvent("n2", WHEN)])
        assert names(process, 2) == ["n1", "n2"]
        append(store, "n3")
        assert names(process, 1) == ["n3"]


def test_a_writer_that_is_killed_leaves_whole_events_only(store: Path) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from audit_tui.core.event import AuditEvent\n"
        "from audit_tui.store.write.writer import StoreWriter\n"
        "writer = StoreWriter(Path(sys.argv[1]), durable=False)\n"
        "for n in range(10_000):\n"
        f"    writer.append([AuditEvent(f'w{{n}}', {WHEN})])\n"
        "    print(n, flush=True)\n"
    )
    with watching(store) as process:
        writer = subprocess.Popen([sys.executable, "-c", code, str(store)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(25):
            writer.stdout.readline()
        writer.kill()
        acknowledged = 25 + writer.stdout.read().count(b"\n")
        writer.stdout.close()
        writer.wait()
        append(store, "end")
        seen = names(process, acknowledged)
        while seen[-1] != "end":
            seen += names(process, 1)
    assert seen[:-1] == [f"w{number}" for number in range(len(seen) - 1)]
    assert len(seen) - 1 >= acknowledged


def test_a_command_gets_each_event_on_its_standard_input(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    hostile = "a'; touch pwned; '$(touch pwned)`touch pwned`"
    with watching(store, "--exec", f"tee -a '{out}'", "--max", "2") as process:
        append(store, hostile, "a2")
        process.communicate(timeout=60)
    assert [json.loads(line)["event"] for line in out.read_text().splitlines()] == [hostile, "a2"]


def test_a_command_that_fails_ends_it_and_gets_the_event_again(store: Path, tmp_path: Path) -> None:
    with watching(store, "--exec", "false") as process:
        append(store, "a1", "a2")
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "false ended with 1 at event 5." in err
    # By another command: what was not handled is not lost.
    out = tmp_path / "out"
    assert (
        run("watch", "-s", str(store), "--since-last", "--exec", f"tee -a {out}", "--max", "2").exit_code == 0
    )
    assert [json.loads(line)["event"] for line in out.read_text().splitlines()] == ["a1", "a2"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_ends_with_its_summary(store: Path, number: int, code: int) -> None:
    with watching(store) as process:
        append(store, "a1")
        assert names(process, 1) == ["a1"]
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Watched: 1 event." in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_ends_with_its_summary_while_it_gives_out_a_line_too(store: Path, number: int, code: int) -> None:
    with watching(store):
        pass
    append(store, "a1", "a2", "a3")
    words = ["watch", "-s", str(store), "--since-last"]
    command = [sys.executable, "-c", STRUCK_BETWEEN, "6", str(int(number)), *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (code, "Watched: 2 events.\n")
    result = run(*words, "--max", "1")
    assert [json.loads(line)["event"] for line in (ended.stdout + result.stdout).splitlines()] == [
        "a1",
        "a2",
        "a3",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--exec", "'"), "--exec cannot be read"),
        (("--exec", ""), "--exec names no command."),
        (("usr:x",), "There is no column 'usr'."),
        (("--max", "0"), "--max is a whole number, 1 or more."),
    ],
)
def test_wrong_usage_ends_with_2(store: Path, words: tuple[str, ...], message: str) -> None:
    result = run("watch", "-s", str(store), *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_rules_choose_the_events_and_are_named_with_them(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("sigma.collection")
    rule = tmp_path / "rule.yml"
    rule.write_text(
        "title: Key made\nauthor: Ann\nlevel: high\nlogsource: {product: audit-tui}\n"
        "detection:\n    s: {event|re: '^Key [0-9]$'}\n    condition: s\n"
    )
    with watching(store, "--rules", str(rule)) as process:
        append(store, "Key x", "Key 1", "Login", "Key 2")
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [line["event"] for line in lines] == ["Key 1", "Key 2"]
    assert [(hit["title"], hit["author"], hit["level"]) for hit in lines[0]["rules"]] == [
        ("Key made", "Ann", "high")
    ]


def test_a_correlation_is_told_with_the_event_that_completes_it(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("sigma.collection")
    rules = tmp_path / "rule.yml"
    rules.write_text(
        "title: Key made\nname: made\nlogsource: {product: audit-tui}\n"
        "detection:\n    s: {event: 'Key *'}\n    condition: s\n---\n"
        "title: Keys in a row\nlevel: high\ncorrelation: {type: event_count, rules: [made],"
        " group-by: [user], timespan: 1h, condition: {gte: 3}}\n---\n"
        "title: Few keys\ncorrelation: {type: event_count, rules: [made],"
        " group-by: [user], timespan: 1h, condition: {lt: 3}}\n"
    )
    append(store, "Key 0")
    with watching(store, "--rules", str(rules)) as process:
        append(store, "Key 1", "Login", "Key 2")
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
    assert line["event"] == "Key 2"
    assert [hit["title"] for hit in line["rules"]] == ["Keys in a row"]
