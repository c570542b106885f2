"""A thousand kills of everything that writes, drawn by a seed, in one store after the other.

    KILLS=250 KILL_SEED=2 python -m pytest -m scale -s tests/scale/test_kills.py

KILLS      how many must hit (1,000; three a second)
KILL_SEED  which (1)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.kills import KINDS

pytestmark = [pytest.mark.scale, pytest.mark.timeout(3_600)]
ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("KILLS", "1000"))
SEED = os.environ.get("KILL_SEED", "1")


def test_nothing_is_lost_nor_stored_twice_nor_called_wrong(tmp_path: Path) -> None:
    killing = [sys.executable, "-m", "tests.faults.kills", str(tmp_path), str(KILLS), SEED]
    result = json.loads(subprocess.run(killing, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    print(result)  # noqa: T201 - the table is what it is run for
    assert (result["wrong"], result["errors"]) == ({}, [])
    assert result["killed"] >= KILLS
    assert len(result["by kind"]) == len(KINDS) or KILLS < 60
