"""Nothing is written over: every command that writes a file, against every file that is not of its kind."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.config import keys_directory
from audit_tui.errors import EXIT_OK, EXIT_UNREADABLE, EXIT_WRONG
from tests.cli.running import EVENTS, make_store, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

BAD_LOG = "not json\n" * 3
NEW_SEAL_KEY = """
import resource
from audit_tui.store.evidence.signing import key_path, new_signer, write_key
signer, secret = new_signer("audit-tui/x")
resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))
write_key(key_path("x", signer.public.key_id), signer, secret)
"""
NEW_LOCAL_KEY = """
import resource
from audit_tui.cli.redacting import local_key
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
local_key("pseudonyms.key")
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from audit_tui.core.new_file import ANYTHING, new_file
with new_file(Path(sys.argv[1]), ANYTHING) as file:
    file.write("secret")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another store, with its log still beside it, as it is while somebody writes to it."""
    path = tmp_path / "other.db"
    make_store(path)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO store_info (name, value) VALUES ('x', 'y')")
    connection.commit()
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(f"{path}{suffix}", f"{tmp_path}/open.db{suffix}")
    connection.close()
    (tmp_path / "open.db.lock").write_text("1234      \n")
    return tmp_path / "open.db"


def anchor(out: Path, store: Path) -> Result:
    return run("seal", "anchor", str(out), "-s", str(store))


def export(out: Path, store: Path) -> Result:
    return run("export", str(out), "-s", str(store), "--range", "all-time", "--format", "csv")


def export_with_proof(out: Path, store: Path) -> Result:
    # The proof is what would lie at OUT.
    name = str(out).removesuffix(".proof.jsonl")
    return run("export", name, "-s", str(store), "--range", "all-time", "--format", "csv", "--proof")


def rejects(out: Path, store: Path) -> Result:
    log = out.with_name("bad.jsonl")
    log.write_text(BAD_LOG)
    return run("import", str(log), "-s", str(store), "--rejects", str(out), "--format", "jsonl")


WRITERS = (anchor, export, export_with_proof, rejects)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def victims(folder: Path, store: Path, other: Path) -> dict[str, Path]:
    """Files that no command may write over, by what they are."""
    made = {"store": store, "other store": other}
    made |= {
        f"other store's {suffix}": other.with_name(other.name + suffix)
        for suffix in ("-wal", "-shm", ".lock")
    }
    hard_link = folder / "hard-link.db"
    hard_link.hardlink_to(store)
    made["hard link of the store"] = hard_link
    database = folder / "places.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    made["another database"] = database
    for name, text in (
        ("notes", "Dear diary\n"),
        ("json", '{"a": 1}\n'),
        ("csv", "name,price\nx,1\n"),
        ("key", "PRIVATE+KEY+audit-tui/1+00000000+AAAA\n"),
        ("archive", "\x1f\ufffd\0\0"),
    ):
        made[name] = folder / name
        made[name].write_text(text)
    foreign = make_store(folder / "foreign.db")
    for name, write in (("anchor", anchor), ("export", export), ("proof", export_with_proof)):
        path = folder / ("foreign.proof.jsonl" if name == "proof" else f"foreign.{name}")
        assert write(path, foreign).exit_code == EXIT_OK
        made[f"another's {name}"] = path
    return made


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_no_command_writes_over_a_file_of_another_kind(
    write: Callable[[Path, Path], Result], store: Path, other: Path, tmp_path: Path
) -> None:
    own_kind = "another's export" if write is export else ""
    for name, victim in victims(tmp_path, store, other).items():
        if name == own_kind:
            continue
        before = digest(victim)
        out = victim
        if write is export_with_proof:
            # A proof's name is given by the export's.
            if name in ("store", "other store", "another's proof") or name.startswith("other store's"):
                continue
            out = victim.with_name(f"{victim.name}.proof.jsonl")
            shutil.copy(victim, out)
        ended = write(out, store)
        assert ended.exit_code == EXIT_UNREADABLE, (name, ended.stderr)
        assert digest(out) == digest(victim) == before, name
    assert run("verify", "-s", str(store)).exit_code == EXIT_OK


@pytest.mark.parametrize("write", [anchor, export, rejects], ids=lambda write: write.__name__)
def test_nothing_is_planted_where_a_database_keeps_its_own(
    write: Callable[[Path, Path], Result], store: Path, tmp_path: Path
) -> None:
    prod = make_store(tmp_path / "prod.db")
    for suffix in ("-wal", "-shm", "-journal", ".lock"):
        beside = prod.with_name(prod.name + suffix)
        assert write(beside, store).exit_code == EXIT_UNREADABLE
        assert not beside.exists()


def test_each_kind_takes_the_place_of_its_own_kind(store: Path, tmp_path: Path) -> None:
    for write in WRITERS:
        out = tmp_path / f"{write.__name__}.proof.jsonl"
        first, again = write(out, store), write(out, store)
        assert first.exit_code == again.exit_code == (EXIT_WRONG if write is rejects else EXIT_OK), (
            again.stderr
        )
    assert (tmp_path / "rejects.proof.jsonl").read_text().count("\n") == 6
    for form in ("csv", "jsonl", "json", "md"):
        for options in ((), ("--columns", "all"), ("--columns", "visible"), ("--filter", "user=nobody")):
            args = (
                "export",
                str(tmp_path / "out"),
                "-s",
                str(store),
                "--range",
                "all-time",
                "--format",
                form,
            )
            assert run(*args, *options).exit_code == EXIT_OK, (form, options)


def test_an_anchor_that_knows_more_than_the_store_is_kept(tmp_path: Path, store: Path) -> None:
    anchor_path = tmp_path / "kept.anchor"
    old = tmp_path / "old.db"
    shutil.copy(store, old)
    assert run("record", "Login", "-s", str(store)).exit_code == EXIT_OK
    assert anchor(anchor_path, store).exit_code == EXIT_OK
    before = anchor_path.read_text()
    # The store was rolled back: the anchor is the only thing that shows it.
    shutil.copy(old, store)
    ended = anchor(anchor_path, store)
    assert ended.exit_code == EXIT_UNREADABLE
    assert "5 events that this store does not have" in ended.stderr
    assert anchor_path.read_text() == before


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "hard link", "another's"])
def test_rejects_are_added_to_regular_files_of_this_user_only(kind: str, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "rejects"
    record = tmp_path / "own"
    record.write_text('{"file": "x"}\n')
    if kind == "fifo":
        os.mkfifo(out)
    elif kind == "link":
        out.symlink_to(record)
    elif kind == "folder":
        out.mkdir()
    elif kind == "hard link":
        out.hardlink_to(record)
    else:
        shutil.copy(record, out)
        if os.geteuid() != 0:
            pytest.skip("only root can give a file to another user")
        os.chown(out, 1234, 1234)
    log = tmp_path / "bad.jsonl"
    log.write_text(BAD_LOG)
    command = (sys.executable, "-m", "audit_tui", "import", str(log), "-s", str(store), "--rejects", str(out))
    # In a process of its own: to open a pipe that nobody reads would wait for ever.
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == EXIT_UNREADABLE, ended.stderr
    assert record.read_text() == '{"file": "x"}\n'


@pytest.mark.parametrize("make", [NEW_SEAL_KEY, NEW_LOCAL_KEY], ids=["seal key", "local key"])
def test_a_key_is_written_whole_or_not_at_all(make: str) -> None:
    pytest.importorskip("cryptography")
    command = (sys.executable, "-c", make)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "File too large" in ended.stderr
    assert list(keys_directory().iterdir()) == []


def test_what_a_killed_command_left_is_removed_by_the_next(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", KILLED, str(folder / "x.csv")], check=False)
        assert ended.returncode == -signal.SIGKILL
    [left] = folder.iterdir()
    assert left.name.endswith(".part")
    (folder / ".audit-tui-notours.part").write_text("mine")
    assert export(folder / "x.csv", store).exit_code == EXIT_OK
    assert sorted(path.name for path in folder.iterdir()) == [".audit-tui-notours.part", "x.csv"]
    assert (folder / "x.csv").read_text().count("\n") == 1 + len(EVENTS)
