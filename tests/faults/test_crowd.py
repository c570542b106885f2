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
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def kinds_and_kills() -> list[object]:
    return [
        *(pytest.param(kind, kills, id=f"{kind}-{kills}") for kind, kills in CI_KILLS.items()),
        *(pytest.param(kind, LONG_KILLS, marks=pytest.mark.long, id=f"{kind}-long") for kind in CI_KILLS),
    ]


@pytest.mark.parametrize(("kind", "kills"), kinds_and_kills())
def test_a_kill_loses_nothing_and_leaves_nothing_half(tmp_path: Path, kind: str, kills: int) -> None:
    results = crowd(kind, tmp_path, kills, 1)
    assert len(results) == kills + (kind != "migrate")
    assert all(result["is_whole"] for result in results)
    unit = {"import": BATCH, "append": 3, "migrate": 3}[kind]
    for result in results:
        assert result["events"] % unit == 0
        assert result["events"] >= result.get("acknowledged", 0)
    if kind == "import":
        assert results[-1]["events"] == RECORDS
    if kind == "migrate":
        assert {(result["version"], result["rows"]) for result in results} <= {(2, 0), (3, 2_000)}
        assert all(result["events"] == 3 for result in results)


@pytest.mark.parametrize(
    ("writers", "commits", "readers"),
    [pytest.param(4, 50, 2, id="4x50"), pytest.param(8, 3_000, 3, marks=pytest.mark.long, id="8x3000")],
)
def test_writers_viewers_and_a_verify_at_once(
    tmp_path: Path, writers: int, commits: int, readers: int
) -> None:
    *results, end = crowd("together", tmp_path, writers, commits, readers)
    assert [result["error"] for result in results if "error" in result] == []
    for result in results[writers : writers + readers]:
        assert (result["gaps"], result["doubles"], result["halves"]) == (0, 0, 0)
        assert result["log_bytes"] < LARGEST_LOG_BYTES
    assert results[-1]["times"] >= 1
    assert results[-1]["failed"] == 0
    assert end == {"events": writers * commits * 3, "is_whole": True}
