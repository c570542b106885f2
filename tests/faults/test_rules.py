"""Rules that hold for all code, because one line against them loses acknowledged events."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import audit_tui
from tests.cli.running import make_store

PACKAGE = Path(audit_tui.__file__).parent
ROOT = PACKAGE.parent
STORE_MODULES = sorted((PACKAGE / "store").rglob("*.py"))
OPENING = {
    "open",
    "read_bytes",
    "read_text",
    "write_bytes",
    "write_text",
    "copy",
    "copyfile",
    "copy2",
    "move",
}
MAY_OPEN = {
    # Only while this process has no connection to the file.
    ("connect.py", "create_file"),
    ("connect.py", "application_id"),
    ("connect.py", "_check_head"),
    # Other files than a store.
    ("foreign.py", "*"),
    ("lock.py", "_open"),
    ("holders.py", "process_words"),
    ("holders.py", "_holders"),
    ("file_system.py", "mount_of"),
    ("seal_status.py", "*"),
    ("seal_keys.py", "*"),
    ("signing.py", "*"),
    # A copy in the making, before it has its name; and its folder.
    ("copying.py", "_new_folder"),
    ("copying.py", "_remove_leftovers"),
    ("copying.py", "_copy"),
    ("copying.py", "_put"),
    # Never closed.
    ("verify_work.py", "_read_ahead"),
    # A writer of events.
    ("audit_log.py", "__enter__"),
}


def calls(path: Path) -> list[tuple[str, str]]:
    """The names of what each function of a module calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call):
                    match call.func:
                        case ast.Attribute(attr="copy") if not call.args:
                            pass  # of a set or a mapping
                        case ast.Attribute(attr=name) | ast.Name(id="open" as name):
                            names.append((function.name, name))
    return names


def test_no_code_of_the_store_opens_a_file_besides_these() -> None:
    # Closing a file drops all locks of the process on it, and another may delete the log (finding 3).
    opened = {
        (module.name, function)
        for module in STORE_MODULES
        for function, name in calls(module)
        if name in OPENING
    }
    assert {call for call in opened if call not in MAY_OPEN and (call[0], "*") not in MAY_OPEN} == set()


def test_only_one_place_connects_to_a_store() -> None:
    connecting = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        if re.search(r'sqlite3\.connect\((?!":memory:"|part\b)', path.read_text(encoding="utf-8"))
    ]
    # A table of another program's database is read by its own rules; caches of rules and hits are not stores.
    others = ("formats/", "detect/")
    assert [path for path in connecting if not path.startswith(others)] == ["store/file/connect.py"]


def test_no_write_begins_without_the_write_lock() -> None:
    # A transaction that reads first and writes later fails in spite of any timeout (BUSY_SNAPSHOT).
    for module in STORE_MODULES:
        source = module.read_text(encoding="utf-8")
        if '"BEGIN"' in source or "BEGIN DEFERRED" in source:
            assert not any(word in source for word in ("open_writer", "INSERT ", "UPDATE ")), module


OPEN_BESIDE = """
import asyncio, os, sys
from pathlib import Path
path, out = Path(sys.argv[1]), sys.argv[2]
opened = []
def hook(event, arguments):
    if event in ("open", "shutil.copyfile") and str(arguments[0]).startswith(str(path)):
        from audit_tui.store.file import connect
        if connect._open_files and not str(arguments[0]).endswith(".lock"):
            opened.append(str(arguments[0]))
sys.addaudithook(hook)
from datetime import UTC, datetime
from audit_tui.config import Settings
from audit_tui.core.time.dates import Preset
from audit_tui.core.event import AuditEvent
from audit_tui.core.view import View
from audit_tui.core.time.zones import zone_named
from audit_tui.store.read.reader import open_store
from audit_tui.store.write.writer import StoreWriter
from audit_tui.ui.app import AuditApp
from audit_tui.ui.first_page import Opening
from tests.ui.review_app import Driver
async def look_everywhere():
    writer = StoreWriter(path)
    writer.append([AuditEvent("acknowledged", 1)])
    opening = Opening(open_store(path), "x", View(time_range=Preset.ALL_TIME), zone_named("UTC"),
                      lambda: datetime.now(UTC), Settings())
    app = AuditApp(opening)
    async with app.run_test(size=(100, 30)) as pilot:
        driver = Driver(pilot, app)
        await driver.settle()
        for keys in (("enter",), ("down", "escape"), ("J",), ("escape",), ("f",), ("escape",), ("t",),
                     ("escape",), ("R",), ("s",), ("end",), ("y",), ("escape",), ("u",)):
            await driver.press(*keys)
        driver.review._watch_source()
        await driver.settle()
    open_store(path)().close()
    print("ready", *opened, flush=True)
    sys.stdin.read(1)
    os.kill(os.getpid(), 9)
asyncio.run(look_everywhere())
"""


def test_the_screen_never_opens_the_file_beside_its_connections(tmp_path: Path) -> None:
    # As store/test_files does for readers: whoever closes the store next would delete the log.

    store = make_store(tmp_path / "audit.db")
    child = subprocess.Popen(
        [sys.executable, "-c", OPEN_BESIDE, str(store), str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    with child, child.stdout, child.stdin:
        assert child.stdout.readline() == b"ready\n"
        other = sqlite3.connect(store)
        assert other.execute("SELECT count(*) FROM events").fetchone() == (5,)
        other.close()
    check = sqlite3.connect(store)
    assert check.execute("SELECT count(*) FROM events").fetchone() == (5,)
    check.close()
