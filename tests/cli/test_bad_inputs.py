"""Each bad input of a log: one line costs itself, what is odd is kept, and the next line is stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from audit_tui.core.query import EventQuery
from audit_tui.store.read.reader import StoreReader
from tests.cli.running import run

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.event import AuditEvent

GOOD = b'{"time": "2026-11-01T14:00:00Z", "event": "good"}'


class Case(NamedTuple):
    """A bad line, and what becomes of it."""

    line: bytes
    reason: str = ""
    """Why it is rejected; empty when it is stored."""
    metadata: dict[str, object] | None = None
    keeps_original: bool = False


def odd(value: bytes) -> bytes:
    return b'{"time": "2026-11-01T14:00:00Z", "event": "odd", "x": ' + value + b"}"


CASES = {
    "depth": Case(odd(b"[" * 100_000 + b"]" * 100_000), "nested"),
    "depth of objects": Case(odd(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "nested"),
    "depth that fits": Case(odd(b"[" * 150 + b"]" * 150)),
    "5,000 digits": Case(odd(b"9" * 5_000), "too many digits"),
    "5,000 digits of a fraction": Case(odd(b"0." + b"3" * 5_000), keeps_original=True),
    "2^63": Case(odd(b"9223372036854775808"), metadata={"x": 2**63}),
    "2^64 and more": Case(odd(b"123456789012345678901234567890"), metadata={"x": int("1234567890" * 3)}),
    "lone surrogate": Case(odd(b'"\\ud800"'), metadata={"x": "\ud800"}),
    "NUL": Case(odd(b'"a\\u0000b"'), metadata={"x": "a\0b"}),
    "NaN": Case(odd(b"NaN"), metadata={"x": "NaN"}, keeps_original=True),
    "Infinity": Case(odd(b"-Infinity"), metadata={"x": "-Infinity"}, keeps_original=True),
    "1e999": Case(odd(b"1e999"), metadata={"x": "1e999"}, keeps_original=True),
    "a key twice": Case(odd(b'1, "x": 2'), metadata={"x": 2}, keeps_original=True),
    "no UTF-8": Case(odd(b'"\xff\xfe"'), keeps_original=True),
    "control characters": Case(odd(b'"\x1b[31m\t\x07"'), metadata={"x": "\x1b[31m\t\x07"}),
    "line separators": Case(odd('"a\u2028b\x85c\x0bd"'.encode()), metadata={"x": "a\u2028b\x85c\x0bd"}),
    "a huge text": Case(odd(b'"' + b"x" * 3_000_000 + b'"')),
    "longer than a record may be": Case(odd(b'"' + b"x" * (16 * 1024 * 1024) + b'"'), "longer than 16 MiB"),
    "a quote left open": Case(b'{"time": "2026-11-01T14:00:00Z", "event": "odd', "it is not JSON"),
    "CR LF": Case(odd(b"1") + b"\r", metadata={"x": 1}),
    "year 1": Case(odd(b"1").replace(b"2026", b"0001"), "out of range"),
    "year 9999": Case(odd(b"1").replace(b"2026", b"9999"), "out of range"),
    "year 99999": Case(odd(b"1").replace(b"2026", b"99999"), "not a time"),
    "month 13": Case(odd(b"1").replace(b"-11-", b"-13-"), "not a time"),
    "time of 400 digits": Case(b'{"time": ' + b"1" * 400 + b', "event": "odd"}', "time"),
    "only NUL": Case(b"\0\0\0\0", "it is not JSON"),
}


def imported(
    folder: Path, data: bytes, name: str = "a.jsonl"
) -> tuple[list[AuditEvent], list[dict[str, Any]]]:
    log, store = folder / name, folder / "audit.db"
    log.write_bytes(data)
    result = run("import", str(log), "-s", str(store), "--json")
    summary = json.loads(result.stdout)
    assert summary["read"] == summary["stored"] + summary["duplicate"] + summary["rejected"]
    with StoreReader(store) as reader:
        events = [reader.event(seq) for seq in range(1, reader.count(EventQuery()) + 1)]
    return [event for event in events if event is not None], summary["rejects"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_bad_line_costs_itself_at_most(tmp_path: Path, case: Case) -> None:
    before, after = GOOD.replace(b"good", b"before"), GOOD.replace(b"good", b"after")
    # Two good lines first tell that records end with their lines; the last has no end.
    events, rejects = imported(tmp_path, b"\n".join([GOOD, before, case.line, after]))
    names = [event.event for event in events]
    assert [name for name in names if name != "odd"] == ["good", "before", "after"]
    if case.reason:
        assert "odd" not in names
        assert case.reason in rejects[0]["reason"]
        assert {reject["line"] for reject in rejects} == {3}
        return
    assert rejects == []
    (event,) = (event for event in events if event.event == "odd")
    assert case.metadata is None or event.metadata == case.metadata
    assert event.original == (case.line if case.keeps_original else None)


CSV = {
    "a huge cell": (b'2026-11-01,x,"' + b"y" * 3_000_000 + b'"\n', []),
    "a quote left open": (b'2026-11-01,"x\n', [2]),
    "too many cells": (b"2026-11-01,x,y,z\n", [2]),
    "no UTF-8": (b"2026-11-01,x,\xff\n", []),
    "NUL": (b"2026-11-01,x,a\0b\n", []),
    "CR LF": (b"2026-11-01,x,y\r\n", []),
    "a cell of several lines": (b'2026-11-01,x,"a\nb\r\nc"\n', []),
}


@pytest.mark.parametrize(("row", "reject_lines"), CSV.values(), ids=CSV.keys())
def test_a_bad_row_costs_itself_at_most(tmp_path: Path, row: bytes, reject_lines: list[int]) -> None:
    data = b"Time,Event,Note\n" + row + b"2026-11-02,last,z"
    events, rejects = imported(tmp_path, data, "a.csv")
    assert [reject["line"] for reject in rejects] == reject_lines
    assert [event.event for event in events] == ["last"] if reject_lines else ["x", "last"]
