"""The public rules of CloudTrail over many of its events: cold, and when nothing new came.

The samples of invictus, again and again with keys and times of their own: SCALE_TRAIL names a store, which is
made if need be, SCALE_TRAIL_EVENTS how many events it gets (100,000).

python -m pytest -m scale -s tests/scale/test_detect.py
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.core.query import EventQuery
from audit_tui.detect.live import LiveDetections
from audit_tui.ingest.import_logs import import_logs
from audit_tui.store.read.reader import StoreReader, open_store
from audit_tui.store.write.writer import StoreWriter
from tests.formats.logs import SHARED
from tests.scale.measuring import calibration_ms, figure, print_table

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.investigate.detections import Detected

pytestmark = pytest.mark.scale

RULES = SHARED / "sigma" / "rules" / "cloud" / "aws"
HOUR_US = 3_600_000_000
MUST_S = 20
"""For 57 rules and 1,000,000 events, cold."""


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    path = Path(os.environ.get("SCALE_TRAIL", tmp_path / "trail.db"))
    wanted = int(os.environ.get("SCALE_TRAIL_EVENTS", "100000"))
    if path.exists():
        return path
    samples = tmp_path / "samples.db"
    import_logs([SHARED / "cloudtrail" / "invictus"], samples)
    with StoreReader(samples) as reader:
        events = list(reader.events(EventQuery()))
    with StoreWriter(path) as writer:
        for copy in range(-(-wanted // len(events))):
            writer.append([shifted(event, copy) for event in events[: wanted - copy * len(events)]])
    return path


def shifted(event: AuditEvent, copy: int) -> AuditEvent:
    """The same event in another hour."""
    occurred_us = event.occurred_us + copy * HOUR_US
    return replace(event, seq=None, key=f"{event.key}-{copy}", occurred_us=occurred_us)


@pytest.mark.skipif(not RULES.exists(), reason="the samples are not part of the project")
def test_detecting(trail: Path, tmp_path: Path) -> None:
    factory = open_store(trail)
    with closing(factory()) as reader:
        events = reader.info().events
    before = calibration_ms()
    seconds: list[float] = []
    cpu: list[float] = []
    detections = LiveDetections(
        [RULES], factory, tmp_path / "cache.db", tmp_path / "hits.db", tmp_path / "silences.toml"
    )
    last: list[Detected] = []
    for _ in range(2):
        started, cpu_s = time.perf_counter(), time.process_time()
        detections.run(last.append, CancelToken())
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - cpu_s)
    hits = sum(rule.events for rule in last[-1].hits)
    figures = [
        figure(
            f"57 rules, cold, {hits:,} hits of {len(last[-1].hits)}",
            seconds[:1],
            unit="s",
            must=f"{MUST_S} for 1M",
        ),
        figure("the same, of the processor", cpu[:1], unit="s"),
        figure("the same again", seconds[1:], unit="s"),
    ]
    print_table(f"{events:,} events", figures, [before, calibration_ms()])
    assert len(last[-1].hits) == 11
    # Of the processor, for other programs may run too.
    assert cpu[0] < MUST_S * max(1, events / 1_000_000)
