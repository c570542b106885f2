"""Whatever the bytes are: events, rejects, or a file that is named as no log; never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_tui.core.event import json_text
from audit_tui.errors import FileError
from audit_tui.formats.record import Reject
from audit_tui.ingest.events import Mapped, Reading
from tests.formats.logs import read, write

SEEDS = [
    b'{"time": "2026-11-01T14:00:00Z", "event": "login", "user": {"name": "bob"}, "ip": "192.0.2.1"}\n',
    b'{"Records": [{"eventVersion": "1", "eventSource": "s3.amazonaws.com", "eventName": "GetObject",'
    b' "eventTime": "2026-11-01T14:00:00Z", "requestParameters": {"bucketName": "b", "key": "k"}}]}',
    b'Time,Event,User\n2026-11-01 14:00,"log\nin",bob\n5/18/2021 9:13 PM,out,"b"\n',
    b'{"key": "k", "time": "2026-11-01T14:00:00Z", "event": "Login", "metadata": {"a": 1}}\n',
]
PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b",",
    b":",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"NaN",
    b"1e999",
    b"9" * 5_000,
    b"\\ud800",
    b"{" * 300,
    b"null",
    b"\xe2\x80\xa8",
    b";",
    b"\t",
]


def check(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = write(Path(folder), data)
        for reading in (
            Reading(),
            Reading("jsonl"),
            Reading("csv"),
            Reading("cloudtrail", keep_original=True),
        ):
            try:
                events, rejects = read(log, reading)
            except FileError:
                continue
            for event in events:
                json_text(event.to_json()).encode()
                json.dumps(event.metadata, allow_nan=False)
                for text in (
                    event.event,
                    event.user,
                    event.category,
                    event.description,
                    event.target,
                    event.key,
                ):
                    assert text is None or "\x00" not in text.encode().decode()
            for reject in rejects:
                assert reject.line >= 1
                assert reject.reason


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    check(data)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from(PIECES), st.booleans()), max_size=6),
)
def test_any_damage_to_a_good_log(seed: bytes, hurts: list[tuple[int, bytes, bool]]) -> None:
    data = seed * 3
    for place, piece, replaces in hurts:
        data = data[:place] + piece + data[place + (len(piece) if replaces else 0) :]
    check(data)
    check(gzip.compress(data, mtime=0)[: len(data) // 2 + 20])


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
usual = st.sampled_from(
    [
        "time",
        "event",
        "action",
        "user",
        "actor",
        "message",
        "outcome",
        "severity",
        "ip",
        "target",
        "source",
        "key",
        "category",
        "type",
        "id",
        "entity",
        "metadata",
        "Records",
        "value",
        "eventSource",
        "eventVersion",
        "eventName",
    ]
)


@settings(max_examples=60)
@given(st.lists(st.dictionaries(usual, any_json | st.just("2026-11-01"), max_size=6), max_size=5))
def test_any_json_under_usual_names(records: list[dict[str, object]]) -> None:
    check("\n".join(json.dumps(each) for each in records).encode())
    check(json.dumps(records, indent=1).encode())


@pytest.mark.parametrize("seed", SEEDS)
def test_every_byte_that_is_missing_at_the_end(seed: bytes) -> None:
    for size in range(0, len(seed), 3):
        check(seed[:size])


def test_kinds_are_told_apart() -> None:
    assert not issubclass(Mapped, Reject)


@pytest.mark.long
def test_what_a_fuzzer_that_sees_the_code_makes_up(tmp_path: Path) -> None:
    """For 30 minutes, or ``AUDIT_TUI_FUZZ_S``: no exception and no input that takes 20 s."""
    pytest.importorskip("atheris")
    seconds = os.environ.get("AUDIT_TUI_FUZZ_S", "1800")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.formats.fuzzing", seconds, str(tmp_path)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4_000:]
