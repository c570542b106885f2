"""Programs that are killed, or write and read one store at once; prints what came of it as JSON.

    python -m tests.faults.crowd import FOLDER KILLS SEED
    python -m tests.faults.crowd together FOLDER WRITERS COMMITS READERS

A process of its own, because it forks: each child costs milliseconds instead of a start of Python.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sqlite3
import sys
import time
import traceback
from contextlib import ExitStack, closing, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent
from audit_tui.core.query import After, AtRow, EventQuery, PageKey, Sort
from audit_tui.errors import StoreError, StoreMissing
from audit_tui.ingest import batches, pipeline
from audit_tui.ingest.events import Reading
from audit_tui.store.evidence.verifying import Request, Result, verify
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.tables import schema
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_tui.store.tables.rows import Draft

BATCH = 50
RECORDS = 2_000
OLDEST_FIRST = Sort(descending=False)


def say(descriptor: int, number: int) -> None:
    """Acknowledge, in a piece that a pipe never parts."""
    os.write(descriptor, b"%d\n" % number)


class Acknowledging(pipeline.InStore):
    """Tells how much of an import is stored, once it is."""

    def __init__(self, store: Path, stack: ExitStack, descriptor: int) -> None:
        super().__init__(store, stack)
        self._descriptor = descriptor
        self._taken = 0

    def append(self, drafts: Sequence[Draft]) -> tuple[int, int]:
        result = super().append(drafts)
        self._taken += len(drafts)
        say(self._descriptor, self._taken)
        return result


def do_import(folder: Path, descriptor: int) -> None:
    """Import the log, in small batches."""
    with ExitStack() as stack:
        sink = Acknowledging(folder / "audit.db", stack, descriptor)
        importer = pipeline.Importer(sink, Reading(), lambda _: None)
        with stack:
            nothing = pipeline.NoProgress()
            pipeline.import_all(importer, [str(folder / "log.jsonl")], (), lambda _: nullcontext(nothing))


def do_append(folder: Path, descriptor: int) -> None:
    """Append durably, three events at a time."""
    with StoreWriter(folder / "audit.db") as writer:
        while True:
            result = writer.append([AuditEvent("e", number, user="u") for number in range(3)])
            say(descriptor, result.last_seq or 0)


def do_migrate(folder: Path, descriptor: int) -> None:
    """Bring a store to a version of tomorrow, with a step that takes a while; then make others."""

    def step(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE tomorrow (n INTEGER PRIMARY KEY) STRICT")
        connection.executemany("INSERT INTO tomorrow VALUES (?)", ((n,) for n in range(2_000)))

    schema.MIGRATIONS = (*schema.MIGRATIONS, step)
    schema.VERSION = len(schema.MIGRATIONS)
    say(descriptor, 0)
    with StoreWriter(folder / "audit.db"):
        pass


WORK: dict[str, Callable[[Path, int], None]] = {
    "import": do_import,
    "append": do_append,
    "migrate": do_migrate,
}


def killed(kind: str, folder: Path, after: int, then_s: float) -> int:
    """Run some work and kill it.

    Args:
        kind: Which work.
        folder: Where.
        after: Kill it once it has acknowledged so often, or ended.
        then_s: And so much later.

    Returns:
        The greatest number that it acknowledged.
    """
    receiver, sender = os.pipe()
    pid = os.fork()
    if not pid:
        with suppress(BaseException):
            os.close(receiver)
            WORK[kind](folder, sender)
        os._exit(0)
    os.close(sender)
    text = b""
    while text.count(b"\n") < after and (piece := os.read(receiver, 4096)):
        text += piece
    select.select([], [], [], then_s)
    os.kill(pid, signal.SIGKILL)
    while piece := os.read(receiver, 4096):
        text += piece
    os.close(receiver)
    os.waitpid(pid, 0)
    return max(map(int, text.split()), default=0)


def examined(path: Path) -> dict[str, object]:
    """Tell what is in a store, and whether it is what was stored."""
    with StoreReader(path) as reader:
        newest, counted = reader.newest_seq(), reader.count(EventQuery())
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        seqs, keys = connection.execute("SELECT count(*), count(DISTINCT key) FROM events").fetchone()
    # The indexes of an import that was killed are built by the next writer.
    report = verify(path, Request(indexes=False))
    is_whole = newest == counted == seqs == keys and report.result is not Result.FAILED
    return {"events": newest, "is_whole": is_whole}


def killings(kind: str, folder: Path, kills: int, seed: int) -> list[dict[str, object]]:
    """Kill, look, and again; at the end let an import come through."""
    pipeline.BATCH_EVENTS = batches.BATCH_EVENTS = BATCH
    path = folder / "audit.db"
    lines = (
        f'{{"time": {1_700_000_000 + n}, "event": "e{n % 9}", "user": "u{n % 5}"}}\n' for n in range(RECORDS)
    )
    (folder / "log.jsonl").write_text("".join(lines))
    chance = random.Random(seed)
    results: list[dict[str, object]] = []
    for number in range(kills):
        if kind == "migrate":
            path.unlink(missing_ok=True)
            with StoreWriter(path) as writer:
                writer.append([AuditEvent("e", n) for n in range(3)])
        stored = number * RECORDS // (kills * 2 * BATCH)
        after = 1 if kind == "migrate" else stored + chance.randint(0, 4)
        acknowledged = killed(kind, folder, after, chance.random() * (0.03 if kind == "migrate" else 0.01))
        try:
            result = examined(path) | {"acknowledged": acknowledged}
        except StoreMissing:
            result = {"events": 0, "is_whole": True, "acknowledged": acknowledged}
        except StoreError as error:
            # Killed while it was made: the next writer makes it.
            result = {"events": 0, "is_whole": not acknowledged, "acknowledged": 0, "error": str(error)}
        if kind == "migrate":
            with closing(sqlite3.connect(path)) as connection:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'tomorrow'")
                has_table = bool(tables.fetchone()[0])
                rows = connection.execute("SELECT count(*) FROM tomorrow").fetchone()[0] if has_table else 0
            result |= {"version": version, "rows": rows}
        results.append(result)
    if kind != "migrate":
        if kind == "import":
            do_import(folder, os.open(os.devnull, os.O_WRONLY))
        with StoreWriter(path):
            pass
        results.append(examined(path))
    return results


# -- all at once


def write(path: Path, number: int, commits: int) -> dict[str, object]:
    """Append batch after batch, and measure the longest wait."""
    longest_s = 0.0
    with StoreWriter(path, durable=False) as writer:
        for commit in range(commits):
            began_s = time.monotonic()
            writer.append([AuditEvent(f"w{number}", commit, key=f"{number}-{commit}-{n}") for n in range(3)])
            longest_s = max(longest_s, time.monotonic() - began_s)
    return {"stored": commits * 3, "longest_s": longest_s}


def follow(path: Path, expected: int) -> dict[str, object]:
    """Page through what comes until all is there; each event once, whole batches only."""
    seen: set[int] = set()
    gaps = doubles = halves = looks = largest_log = 0
    log = path.with_name(path.name + "-wal")
    with StoreReader(path) as reader:
        upto = 0
        while upto < expected:
            looks += 1
            state = reader.state()
            newest = state.newest_seq
            halves += newest % 3 != 0
            with suppress(OSError):
                largest_log = max(largest_log, log.stat().st_size)
            if newest == upto:
                select.select([], [], [], 0.002)
                continue
            place: AtRow | After = AtRow(0)
            new: list[int] = []
            query = EventQuery(sort=OLDEST_FIRST, upto_seq=newest)
            is_end = False
            while not is_end:
                page = reader.page(query, place, 500)
                new += [row.seq for row in page.rows]
                is_end = page.is_end
                if page.rows:
                    place = After(PageKey.of(page.rows[-1], OLDEST_FIRST))
            doubles += len(new) - len(set(new))
            gaps += len(set(range(1, newest + 1)) ^ set(new))
            seen.update(new)
            upto = newest
    return {"gaps": gaps, "doubles": doubles, "halves": halves, "looks": looks, "log_bytes": largest_log}


def keep_verifying(path: Path, expected: int) -> dict[str, object]:
    """Verify again and again until all is there."""
    times = failed = 0
    size = 0
    while size < expected:
        report = verify(path, Request(indexes=False))
        times, failed, size = times + 1, failed + (report.result is Result.FAILED), report.size
    return {"times": times, "failed": failed}


def together(folder: Path, writers: int, commits: int, readers: int) -> list[dict[str, object]]:
    """All at once, each in a process of its own."""
    path = folder / "audit.db"
    StoreWriter(path).close()
    expected = writers * commits * 3
    jobs: list[Callable[[], dict[str, object]]] = [
        *(partial(write, path, number, commits) for number in range(writers)),
        *(partial(follow, path, expected) for _ in range(readers)),
        partial(keep_verifying, path, expected),
    ]
    results = []
    for job in jobs:
        receiver, sender = os.pipe()
        if not os.fork():
            try:
                answer = job()
            except BaseException:  # noqa: BLE001 - the test is told, whatever it is
                answer = {"error": traceback.format_exc()}
            os.write(sender, json.dumps(answer).encode())
            os._exit(0)
        os.close(sender)
        results.append(receiver)
    answers = []
    for receiver in results:
        with os.fdopen(receiver, "rb") as pipe:
            answers.append(json.loads(pipe.read()))
    for _ in jobs:
        os.wait()
    return [*answers, examined(path)]


def main() -> None:
    """Do what the arguments say."""
    kind, folder, *numbers = sys.argv[1:]
    first, second, *third = map(int, numbers)
    if kind == "together":
        results = together(Path(folder), first, second, *third)
    else:
        results = killings(kind, Path(folder), first, second)
    print(json.dumps(results))  # noqa: T201 - for the test


if __name__ == "__main__":
    main()
