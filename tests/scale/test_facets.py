"""The panel of facets over a store of millions of events: all that it asks, one after the other.

python -m pytest -m scale -s tests/scale/test_facets.py
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from audit_tui.store.read.reader import open_store
from audit_tui.ui.widgets.facets.facet_lines import TOP_VALUES
from audit_tui.ui.widgets.facets.facet_panel import COUNTED_EVENTS, FIELDS
from tests.scale.filters import seeded, values_of
from tests.scale.measuring import calibration_ms, figure, print_table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.scale

FILTERS = int(os.environ.get("SCALE_FILTERS", "60"))


def test_facets(store: Path) -> None:
    reader = open_store(store)()
    top: list[float] = []
    whole: list[float] = []
    rarest: list[float] = []
    calibrations = [calibration_ms()]
    for asked in seeded(values_of(reader), FILTERS):
        query = asked.query()
        reader.count(query)  # The list has asked before the panel does.
        begin = time.perf_counter()
        facets = [
            (field, reader.facets(query, field, TOP_VALUES, most_events=COUNTED_EVENTS)) for field in FIELDS
        ]
        top.append((time.perf_counter() - begin) * 1e3)
        for field, facet in facets:
            if facet.distinct is None:
                reader.facets(query, field, TOP_VALUES, counts_all=True, most_events=COUNTED_EVENTS)
        whole.append((time.perf_counter() - begin) * 1e3)
        begin = time.perf_counter()
        for field in FIELDS:
            reader.facets(query, field, TOP_VALUES, rarest=True, most_events=COUNTED_EVENTS)
        rarest.append((time.perf_counter() - begin) * 1e3)
        calibrations.append(calibration_ms())
    figures = [
        figure("the top values of all fields", top, must="1000"),
        figure("with how many values there are", whole, must="1000"),
        figure("the rarest values of all fields", rarest, must="1000"),
    ]
    print_table("facets", figures, calibrations)
