"""Kill -9 at any moment, and many programs at once: RELIABILITY's R1, R4, R6 and R7."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.crowd import BATCH, RECORDS

ROOT = Path(__file__).parents[2]
CI_KILLS = {"import": 7, "append": 5, "migrate": 3}
"""Together 15."""
LONG_KILLS = 333
LARGEST_LOG_BYTES = 16 * 1024 * 1024


def crowd(*args: object) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.crowd", *map(str, args)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def kinds_and_kills() -> list[object]:
    return [
        *(pytest.param(kind, kills, id=f"{kind}-{kills}") for kind, kills in CI_KILLS.items()),
        *(pytest.param(kind, LONG_KILLS, marks=pytest.mark.long, id=f"{kind}-long") for kind in CI_KILLS),
    ]


@pytest.mark.parametrize(("kind", "kills"), kinds_and_kills())
def test_a_kill_loses_nothing_and_leaves_nothing_half(tmp_path: Path, kind: str, kills: int) -> None:
    found = crowd(kind, tmp_path, kills, 1)
    assert len(found) == kills + (kind != "migrate")
    assert all(one["is_whole"] for one in found)
    unit = {"import": BATCH, "append": 3, "migrate": 3}[kind]
    for one in found:
        assert one["events"] % unit == 0
        assert one["events"] >= one.get("acknowledged", 0)
    if kind == "import":
        assert found[-1]["events"] == RECORDS
    if kind == "migrate":
        assert {(one["version"], one["rows"]) for one in found} <= {(2, 0), (3, 2_000)}
        assert all(one["events"] == 3 for one in found)


@pytest.mark.parametrize(
    ("writers", "commits", "readers"),
    [pytest.param(4, 50, 2, id="4x50"), pytest.param(8, 3_000, 3, marks=pytest.mark.long, id="8x3000")],
)
def test_writers_viewers_and_a_verify_at_once(
    tmp_path: Path, writers: int, commits: int, readers: int
) -> None:
    *found, end = crowd("together", tmp_path, writers, commits, readers)
    assert [one["error"] for one in found if "error" in one] == []
    for one in found[writers : writers + readers]:
        assert (one["gaps"], one["doubles"], one["halves"]) == (0, 0, 0)
        assert one["log_bytes"] < LARGEST_LOG_BYTES
    assert found[-1]["times"] >= 1
    assert found[-1]["failed"] == 0
    assert end == {"events": writers * commits * 3, "is_whole": True}
