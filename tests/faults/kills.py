"""Everything that writes, killed at any moment in one store; prints what came of it as JSON.

    python -m tests.faults.kills FOLDER KILLS SEED

Each kill is of an import, a follow, an append, a prune, a redaction or a backup, drawn by the seed; the next
goes on in the store that it left. A process of its own, as ``crowd``.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections import Counter
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.event import AuditEvent
from audit_tui.core.evidence.sealed import SealState
from audit_tui.core.query import EventQuery
from audit_tui.ingest import batches, pipeline
from audit_tui.ingest.events import Reading
from audit_tui.store.evidence.seal_status import StoreSealChecker
from audit_tui.store.evidence.verifying import Request, Result, verify
from audit_tui.store.file.copying import copied_store
from audit_tui.store.index import keeper
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.removing import Act, prune, redact
from audit_tui.store.write.writer import StoreWriter
from tests.faults.crowd import BATCH, Acknowledging, say

if TYPE_CHECKING:
    from collections.abc import Callable

ACT = Act("root", "host", 4_000_000_000_000_000, "a test")
RECORDS = 400
ROUND_S = 1_000
FIRST_S = 1_700_000_000
KINDS = ("import", "follow", "append", "prune", "redact", "backup")
LONGEST_S = {"import": 0.25, "follow": 0.7, "append": 0.05, "prune": 0.08, "redact": 0.08, "backup": 0.1}
"""A kill comes at any moment up to about this; what ends before is not killed, and not counted."""
NEW_STORE_EVERY = 150
TAIL = 200
"""Events in no segment of the index."""
MOST_ERRORS = 5


class Model:
    """Events that were offered to the store, and those of them that it must have."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.db"
        self.log = folder / "log.jsonl"
        self.copy = folder / "copy.db"
        self.number = 0
        self.lines: list[str] = []
        """The events of the log, by their targets: each fifth line stands three times in it."""
        self.offered: Counter[str] = Counter()
        self.acknowledged: Counter[str] = Counter()
        self.times_s: dict[str, int] = {}
        self.cut_s = 0
        """Events before this may be pruned."""
        self.pruned_s = 0
        """Events before this must be."""

    def new_log(self) -> None:
        """Begin the next log; the one before is whole in the store."""
        self.number += 1
        targets = [f"r{self.number}-{n}" for n in range(RECORDS)]
        self.lines = [target for n, target in enumerate(targets) for _ in range(1 if n % 5 else 3)]
        for target in self.lines:
            self.times_s[target] = FIRST_S + self.number * ROUND_S
        self.offered.update(self.lines)
        self.log.write_bytes(b"")

    def text(self) -> bytes:
        """The log."""
        return b"".join(
            b'{"time": %d, "event": "Login", "user": "bob", "target": "%s", "description": "Bob came in"}\n'
            % (self.times_s[target], target.encode())
            for target in self.lines
        )

    def took(self, kind: str, number: int) -> None:
        """Note what was acknowledged."""
        if kind in ("import", "follow"):
            self.acknowledged |= Counter(self.lines[:number])
        elif kind == "append":
            self.acknowledged.update(f"a{self.number}-{n}" for n in range(number))
        elif kind == "prune" and number:
            self.pruned_s = self.cut_s

    def begin_append(self) -> None:
        """Begin a new series of appended events."""
        self.number += 1
        targets = [f"a{self.number}-{n}" for n in range(3_000)]
        self.offered.update(targets)
        self.times_s.update(dict.fromkeys(targets, FIRST_S + self.number * ROUND_S))

    def wrong(self, *, is_whole: bool) -> Counter[str]:
        """Compare with the store; ``is_whole`` says that all of the log must be in it."""
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT target, occurred_us FROM events").fetchall()
        stored = Counter(target for target, _ in rows if target in self.times_s)
        wrong: Counter[str] = Counter()
        must = self.acknowledged | Counter(self.lines) if is_whole else self.acknowledged
        wrong["lost"] = sum(
            max(0, number - stored[target])
            for target, number in must.items()
            if self.times_s[target] >= self.cut_s
        )
        wrong["twice"] = sum(max(0, number - self.offered[target]) for target, number in stored.items())
        wrong["not pruned"] = sum(occurred_us < self.pruned_s * 1_000_000 for _, occurred_us in rows)
        with StoreReader(self.path) as reader:
            wrong["miscounted"] = int(reader.count(EventQuery()) != len(rows))
        wrong["false alarms"] = int(verify(self.path, Request()).result is Result.FAILED)
        with closing(StoreSealChecker(self.path)) as checker:
            wrong["false alarms"] += int(checker.run(lambda _: None).state is not SealState.HOLDS)
        if self.copy.exists():
            wrong["bad copies"] = int(verify(self.copy, Request()).result is Result.FAILED)
            self.copy.unlink()
        return wrong


def do_import(model: Model, descriptor: int) -> None:
    """Import the log in small batches."""
    with ExitStack() as stack:
        importer = pipeline.Importer(Acknowledging(model.path, stack, descriptor), Reading(), lambda _: None)
        nothing = pipeline.NoProgress()
        pipeline.import_all(importer, [str(model.log)], (), lambda _: nullcontext(nothing))


def do_follow(model: Model, descriptor: int) -> None:
    """Import the log while it grows."""
    with ExitStack() as stack:
        importer = pipeline.Importer(Acknowledging(model.path, stack, descriptor), Reading(), lambda _: None)
        pipeline.follow_log(importer, str(model.log), (), lambda _: None)


def do_append(model: Model, descriptor: int) -> None:
    """Append durably, three events at a time."""
    occurred_us = (FIRST_S + model.number * ROUND_S) * 1_000_000
    with StoreWriter(model.path) as writer:
        for first in range(0, 3_000, 3):
            numbers = range(first, first + 3)
            writer.append(
                [AuditEvent("e", occurred_us, user="u", target=f"a{model.number}-{n}") for n in numbers]
            )
            say(descriptor, first + 3)


def do_prune(model: Model, descriptor: int) -> None:
    """Delete what is older than the last few logs."""
    with StoreWriter(model.path) as writer:
        prune(writer, model.cut_s * 1_000_000, ACT)
        say(descriptor, 1)


def do_redact(model: Model, descriptor: int) -> None:
    """Redact a hundred events that still say something."""
    with StoreWriter(model.path) as writer, closing(sqlite3.connect(model.path)) as connection:
        seqs = connection.execute(
            "SELECT seq FROM events WHERE description = 'Bob came in' ORDER BY random() LIMIT 100"
        )
        if some := [seq for (seq,) in seqs]:
            redact(writer, some, ("description", "user"), ACT)
        say(descriptor, 1)


def do_backup(model: Model, descriptor: int) -> None:
    """Copy the store, and verify the copy."""
    with copied_store(model.path, model.copy, lambda *_: None) as copy:
        verify(copy, Request())
    say(descriptor, 1)


WORK: dict[str, Callable[[Model, int], None]] = {
    "import": do_import,
    "follow": do_follow,
    "append": do_append,
    "prune": do_prune,
    "redact": do_redact,
    "backup": do_backup,
}


def grow(model: Model, chance: random.Random, is_over: threading.Event) -> None:
    """Write the log in pieces that end anywhere."""
    text = model.text()
    with model.log.open("ab") as log:
        place = log.tell()
        while place < len(text) and not is_over.wait(0.01):
            place += log.write(text[place : place + chance.randrange(1, 9_000)])
            log.flush()


def killed(kind: str, model: Model, after_s: float | None) -> tuple[int, bool]:
    """Run some work and kill it.

    Returns:
        The greatest number that it acknowledged, and whether the kill came before its end.
    """
    receiver, sender = os.pipe()
    pid = os.fork()
    if not pid:
        code = 0
        try:
            os.close(receiver)
            WORK[kind](model, sender)
        except BaseException:  # noqa: BLE001 - the parent is told, whatever it is
            traceback.print_exc()
            code = 1
        os._exit(code)
    os.close(sender)
    is_over = threading.Event()
    growing = threading.Thread(target=grow, args=(model, random.Random(pid), is_over))
    if kind == "follow":
        growing.start()
    pidfd = os.pidfd_open(pid)
    select.select([pidfd], [], [], after_s)
    os.close(pidfd)
    os.kill(pid, signal.SIGKILL)
    is_over.set()
    if kind == "follow":
        growing.join()
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError(f"{kind} failed")
    with os.fdopen(receiver, "rb") as pipe:
        return max(map(int, pipe.read().split()), default=0), os.WIFSIGNALED(status)


def killings(folder: Path, kills: int, seed: int) -> dict[str, object]:
    """Kill, compare, and again, until as many kills hit."""
    pipeline.BATCH_EVENTS = batches.BATCH_EVENTS = BATCH
    # So that removals meet segments of the index, of many sizes.
    keeper.IndexKeeper.__init__.__defaults__ = (TAIL, keeper.MAX_SMALL_MERGE)
    chance = random.Random(seed)
    hit: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    errors: list[str] = []
    longest_s = dict(LONGEST_S)
    model = new_model(folder, 0)
    while hit.total() < kills and len(errors) < MOST_ERRORS:
        kind = chance.choice(KINDS)
        if kind == "append":
            model.begin_append()
        elif kind == "prune":
            # What is not older than this may come again with the log that is being imported.
            model.cut_s = max(model.cut_s, FIRST_S + (model.number - chance.randrange(1, 6)) * ROUND_S)
            model.cut_s = min(model.cut_s, model.times_s[model.lines[0]])
        elif kind == "import":
            model.log.write_bytes(model.text())
        try:
            began_s = time.monotonic()
            number, was_hit = killed(kind, model, chance.random() * longest_s[kind])
            hit[kind] += was_hit
            took_s = time.monotonic() - began_s
            if kind != "follow":  # which has no end
                # A busy machine takes longer: kills are to come in the midst of the work, and at its end.
                longest_s[kind] = longest_s[kind] * 1.2 if was_hit else max(LONGEST_S[kind], 1.2 * took_s)
            model.took(kind, number)
            wrong.update(model.wrong(is_whole=kind == "import" and not was_hit))
            if +wrong:
                return {
                    "killed": hit.total(),
                    "by kind": hit,
                    "wrong": +wrong,
                    "errors": [kind, str(model.path)],
                }
            if chance.random() < 0.2:
                model.log.write_bytes(model.text())
                number, _ = killed("import", model, None)
                wrong.update(model.wrong(is_whole=True))
                model.new_log()
        except Exception:  # noqa: BLE001 - told, and the test fails
            errors.append(f"{kind}: {traceback.format_exc()}")
        if hit.total() // NEW_STORE_EVERY > int(model.path.parent.name):
            model = new_model(folder, hit.total() // NEW_STORE_EVERY)
    return {"killed": hit.total(), "by kind": hit, "wrong": +wrong, "errors": errors}


def new_model(folder: Path, number: int) -> Model:
    """A new store with a log to be imported."""
    place = folder / str(number)
    place.mkdir(exist_ok=True)
    model = Model(place)
    model.new_log()
    with StoreWriter(model.path) as writer:
        writer.append([AuditEvent("begin", 4_000_000_000_000_000)])
    return model


def main() -> None:
    """Do what the arguments say."""
    folder, kills, seed = sys.argv[1:]
    print(json.dumps(killings(Path(folder), int(kills), int(seed))))  # noqa: T201 - for the test


if __name__ == "__main__":
    main()
