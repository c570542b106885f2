"""Formats of other packages, whole and broken."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from audit_tui.formats import registry
from tests.cli.running import run
from tests.formats.logs import read, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULE = """
from audit_tui.core.event import AuditEvent
from audit_tui.formats.record import Format, Shape

def _map(fields):
    if fields["lamp"] == "broken":
        raise ZeroDivisionError
    return AuditEvent(fields["lamp"], 1_793_541_600_000_000, key=fields["lamp"], source="lamps")

def _stumbles(fields):
    raise KeyError("x")

def _leaves(fields):
    raise SystemExit

LAMPS = Format("lamps", "Lamps", frozenset({Shape.JSON}), lambda fields: "lamp" in fields, _map)
STUMBLES = Format("stumbles", "Stumbles", frozenset({Shape.JSON}), _stumbles, _map)
TAKEN = Format("cloudtrail", "Mine", frozenset({Shape.JSON}), _stumbles, _map)
LEAVES = Format("leaves", "Leaves", frozenset({Shape.JSON}), _leaves, _leaves)
NONE = 7
"""
ENTRIES = """
[audit_tui.formats]
lamps = lamp_logs:LAMPS
stumbles = lamp_logs:STUMBLES
cloudtrail = lamp_logs:TAKEN
none = lamp_logs:NONE
gone = no_such_module:X
exits = exiting_logs:X
leaves = lamp_logs:LEAVES
other = lamp_logs:LAMPS
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "site"
    about = folder / "lamp_logs-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "lamp_logs.py").write_text(MODULE)
    (folder / "exiting_logs.py").write_text("raise SystemExit('bye')\n")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lamp-logs\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(folder))
    forget()
    yield
    forget()
    sys.modules.pop("lamp_logs", None)


def forget() -> None:
    registry.known_formats.cache_clear()
    registry._plugins.cache_clear()


@pytest.mark.usefixtures("plugins")
def test_a_format_of_another_package_is_detected_and_cannot_lose_other_records(tmp_path: Path) -> None:
    log = '{"lamp": "on"}\n{"lamp": "broken"}\n{"time": "2026-11-01", "event": "x"}\n{"lamp": "off"}\n'
    events, rejects = read(write(tmp_path, log))
    assert [(event.source, event.event) for event in events] == [
        ("lamps", "on"),
        ("jsonl", "x"),
        ("lamps", "off"),
    ]
    assert [(reject.line, reject.reason) for reject in rejects] == [
        (2, "the format lamps fails: ZeroDivisionError")
    ]
    assert {"lamps", "stumbles"} <= set(registry.format_names())


@pytest.mark.usefixtures("plugins")
def test_a_broken_one_is_a_line_on_stderr(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"lamp": "on"}\n')
    result = run("import", str(path), "-s", str(tmp_path / "a.db"), "--format", "Lamps")
    assert result.exit_code == 0
    assert [line for line in result.stderr.splitlines() if "left out" in line] == [
        "The format cloudtrail of lamp-logs is left out: there is a format of that name.",
        "The format exits of lamp-logs is left out: SystemExit: bye.",
        "The format gone of lamp-logs is left out: ModuleNotFoundError: No module named 'no_such_module'.",
        "The format none of lamp-logs is left out: lamp_logs:NONE is not a Format.",
        "The format other of lamp-logs is left out: it calls itself 'lamps'.",
    ]
    assert "1 record read from 1 file: 1 stored" in result.stderr


def test_all_our_own_formats_are_found_once_the_most_telling_first() -> None:
    names = [log_format.name for log_format in registry.known_formats()]
    assert sorted(names) == registry.built_in_names()[: len(names)]
    assert names[:3] == ["events", "cloudtrail", "gcp"]
    assert names.index("entra") < names.index("azure") < names.index("ecs")
