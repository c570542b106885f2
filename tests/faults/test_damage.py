"""Torn logs, damaged pages, full disks: RELIABILITY's R2, R3 and R9."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.core.query import AtRow, EventQuery
from audit_tui.errors import AuditTuiError, StoreFull
from audit_tui.store.evidence.verifying import Request, Result, verify
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BATCH = 10
COMMITS = 12
ALL = EventQuery()


def events(count: int, first: int = 0) -> list[AuditEvent]:
    return [
        AuditEvent(
            f"e{number % 7}",
            number * 1_000_000,
            key=f"k{number}",
            user=f"u{number % 5}",
            description=f"What happened {number} " * 3,
            metadata={"n": number},
        )
        for number in range(first, first + count)
    ]


# -- R2

LEFT_IN_THE_LOG = """
import os, sys
from audit_tui.store.write.writer import StoreWriter
from tests.faults.test_damage import BATCH, COMMITS, events
writer = StoreWriter(sys.argv[1], durable=False)
for commit in range(1, COMMITS):
    writer.append(events(BATCH, commit * BATCH))
    print(os.stat(sys.argv[1] + "-wal").st_size, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A store whose last commits are in its log, and the log's length after each of them."""
    path = tmp_path_factory.mktemp("torn") / "audit.db"
    with StoreWriter(path, durable=False) as writer:
        writer.append(events(BATCH))
    done = subprocess.run(
        [sys.executable, "-c", LEFT_IN_THE_LOG, str(path)], stdout=subprocess.PIPE, text=True, check=False
    )
    return path, [0, *map(int, done.stdout.split())]


def cut(data: bytearray, place: int, _: random.Random) -> None:
    del data[place:]


def zero(data: bytearray, place: int, _: random.Random) -> None:
    data[place : place + 512] = bytes(min(512, len(data) - place))


def garble(data: bytearray, place: int, chance: random.Random) -> None:
    data[place : place + 512] = chance.randbytes(min(512, len(data) - place))


def flip(data: bytearray, place: int, chance: random.Random) -> None:
    data[place] ^= 1 << chance.randrange(8)


LOGS = int(os.environ.get("DAMAGED_LOGS", "300"))


@pytest.mark.parametrize("cuts", [40, pytest.param(LOGS, marks=pytest.mark.scale, id="scale")])
def test_a_torn_log_leaves_whole_commits_and_no_later_ones(
    tmp_path: Path, torn: tuple[Path, list[int]], cuts: int
) -> None:
    source, sizes = torn
    log = source.with_name("audit.db-wal").read_bytes()
    chance = random.Random(2)
    for number in range(cuts):
        data = bytearray(log)
        place = chance.randrange(len(log))
        (cut, zero, garble, flip)[number % 4](data, place, chance)
        path = shutil.copyfile(source, tmp_path / f"{number}.db")
        path.with_name(f"{path.name}-wal").write_bytes(data)
        with StoreReader(path) as reader:
            newest = reader.newest_seq()
            assert reader.count(ALL) == newest
            assert len(list(reader.events(ALL))) == newest
        # What was whole before the damage is there; a log that is zeroed where it held zeros is whole.
        whole = sum(size <= place for size in sizes)
        assert newest % BATCH == 0
        assert newest >= whole * BATCH
        if bytes(data) != log and number % 4 != 1:
            assert newest <= (whole + 1) * BATCH
        assert verify(path, Request()).result is not Result.FAILED
        for path in tmp_path.glob(f"{number}.db*"):
            path.unlink()


# -- R9


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "audit.db"
    with StoreWriter(path, durable=False) as writer:
        writer.append(events(600))
    return path


def seen(path: Path) -> object:
    """Return what a reader sees of the events, or that SQLite cannot read them."""
    tables = ("events", "event_names", "category_names", "user_names", "source_names")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.text_factory = bytes
            return [connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables]
    except sqlite3.Error as error:
        return str(error)


def look_round(path: Path) -> int:
    """Ask a viewer all it can be asked; how many questions were refused, in words."""
    refused = 0
    try:
        reader = StoreReader(path)
    except AuditTuiError:
        return 1
    with reader:
        for question in (
            reader.info,
            reader.state,
            lambda: reader.page(ALL, AtRow(0), 50),
            lambda: reader.page(ALL, AtRow(400), 50),
            lambda: reader.count(ALL),
            lambda: [reader.event(seq) for seq in range(1, 600, 37)],
        ):
            try:
                question()
            except AuditTuiError:
                refused += 1
    return refused


@pytest.mark.parametrize("pages", [40, pytest.param(200, marks=pytest.mark.long)])
def test_every_change_of_a_page_that_can_be_seen_is_found(tmp_path: Path, sound: Path, pages: int) -> None:
    chance = random.Random(9)
    before, expected = sound.read_bytes(), seen(sound)
    for number in range(pages):
        data = bytearray(before)
        place = chance.randrange(100, len(data) - 64)
        data[place : place + 64] = chance.randbytes(64)
        path = tmp_path / f"{number}.db"
        path.write_bytes(data)
        look_round(path)
        if seen(path) != expected:
            try:
                report = verify(path, Request(indexes=False))
            except AuditTuiError:
                continue
            assert report.result is Result.FAILED, place


def test_what_can_be_read_of_a_damaged_store_is_shown(tmp_path: Path, sound: Path) -> None:
    path = shutil.copyfile(sound, tmp_path / "audit.db")
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'user_names_name'"
        ).fetchone()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root[0] - 1) * size)
        file.write(b"\xff" * size)
    with StoreReader(path) as reader:
        assert len(reader.page(ALL, AtRow(0), 50).rows) == 50
        assert reader.event(1) is not None
    report = verify(path, Request())
    assert (report.result, report.wrong) == (Result.FAILED, ())
    # The other indexes are not to blame for it.
    assert not [problem for problem in report.index_problems if "of no event" in problem]


# -- R3


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system in memory with little room."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=False)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="only root can mount")
def test_a_full_disk_loses_nothing_and_is_gone_on_from(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1500k") as folder:
        path = folder / "audit.db"
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(600_000))
        stored = 0
        with StoreWriter(path, durable=False) as writer, StoreReader(path) as reader:
            with pytest.raises(StoreFull) as caught:
                while True:
                    stored += writer.append(events(50, stored)).stored
            assert str(path) in caught.value.message
            assert "bytes are free" in caught.value.message
            assert reader.newest_seq() == stored > 0
            assert len(reader.page(ALL, AtRow(0), 20).rows) == 20
            ballast.unlink()
            assert writer.append(events(50, stored)).stored == 50
        assert verify(path, Request(indexes=False)).result is not Result.FAILED
        with StoreReader(path) as reader:
            assert reader.newest_seq() == stored + 50


def test_an_import_into_a_file_that_may_not_grow_says_what_is_stored(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(f'{{"time": {1_700_000_000 + n}, "event": "e{n}"}}\n' for n in range(12_000)))
    path = tmp_path / "audit.db"
    script = (
        "import resource, signal, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "from audit_tui.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "import", "-s", str(path), str(log)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "could not be written" in done.stderr
    with StoreReader(path) as reader:
        stored = reader.newest_seq()
    assert f"{stored:,} stored" in done.stderr
    assert stored % 5_000 == 0
