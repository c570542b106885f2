"""The forty lines of QUERY.md over the large store, each asked first by a reader of its own.

    SCALE_STORE=STORE python -m pytest -m scale -s tests/scale/test_forty_lines.py

A figure is the median of three readers: the first rows, and the count by another reader.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.query import AtRow
from audit_tui.core.query_line.parse import parse
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.view import View
from audit_tui.errors import AuditTuiError
from audit_tui.store.read.reader import StoreReader
from tests.scale.measuring import Figure, calibration_ms, figure, print_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.query import EventQuery

pytestmark = pytest.mark.scale
TELLING = Path(__file__).parents[3] / "shared" / "QUERY.md"
CONTEXT = TimeContext(UTC, datetime(2026, 11, 30, 9, tzinfo=UTC))
RUNS = 3
MAX_PAGE_MS = 150
MAX_COUNT_MS = 3_000


def queries() -> dict[str, EventQuery]:
    """The lines that are not errors, by what is printed of them."""
    asked: dict[str, EventQuery] = {}
    for number, line in re.findall(r"(\d+) `(.+?)`(?=$|[ ])", TELLING.read_text(), re.MULTILINE):
        with suppress(AuditTuiError):
            parsed = parse(line, CONTEXT)
            view = View(filter=parsed.filter, time_range=parsed.time_range or Preset.ALL_TIME)
            asked[f"{number} {line[:40]}"] = view.query(CONTEXT)
    return asked


def test_the_forty_lines(store: Path) -> None:
    if not TELLING.exists():
        pytest.skip(f"needs {TELLING}")
    calibrations = [calibration_ms()]
    figures: list[Figure] = []
    late: list[str] = []
    questions: tuple[tuple[str, int, Callable[[StoreReader, EventQuery], object]], ...] = (
        ("first rows", MAX_PAGE_MS, lambda reader, query: reader.page(query, AtRow(0), 100)),
        ("count", MAX_COUNT_MS, lambda reader, query: reader.count(query)),
    )
    asked = queries()
    assert len(asked) == 39
    for line, query in asked.items():
        for what, must_ms, question in questions:
            taken = []
            for _ in range(RUNS):
                with StoreReader(store) as reader:
                    reader.newest_seq()
                    begin = time.perf_counter()
                    question(reader, query)
                    taken.append((time.perf_counter() - begin) * 1e3)
            figures.append(figure(f"{line}, {what}", taken, must=f"{must_ms} ms"))
            calibrations.append(figures[-1].calibration_ms)
            if median(taken) > must_ms:
                late.append(f"{line}, {what}: {median(taken):.0f} ms")
    print_table("the forty lines of QUERY.md", figures, calibrations)
    assert not late
