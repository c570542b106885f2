"""An event of 10 MB on the screen: how long until it stands in the pane and as JSON, and what a key waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from audit_tui.store.write.writer import StoreWriter
from tests.pty.terminal import AUDIT_TUI, Terminal
from tests.scale.measuring import calibration_ms, figure, print_table, reply_to, shown_ms, tree_memory_mib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.scale, pytest.mark.timeout(1_800)]
MB = 1_000_000
SHAPES: dict[str, object] = {
    "one text": "x" * (10 * MB),
    "words": "word " * (2 * MB),
    "lines": "ab\n" * (3 * MB),
    "controls": "\x1b\u202e" * (2 * MB),
    "wide letters": "日本" * (2 * MB),
    "many texts": ["日本" * 4_000 for _ in range(400)],
    "many escapes": ["\x1b" * 1_500 for _ in range(1_500)],
    "500,000 numbers": list(range(500_000)),
    "200,000 names": {f"name-{number}": number for number in range(200_000)},
    "deep": "",
}
RUNS = 5
DELAYS_S = (0.0, 0.03, 0.07, 0.12, 0.2, 0.3, 0.45)
ROWS = 30


def deep(depth: int) -> dict[str, object]:
    """Objects within objects."""
    value: dict[str, object] = {"end": True}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.fixture(params=SHAPES)
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """The screen over small events, of which the newest is huge."""
    value = deep(900) if request.param == "deep" else {"value": SHAPES[request.param], "z": "end"}
    with StoreWriter(tmp_path / "audit.db", durable=False) as writer:
        writer.append([AuditEvent("Small", number, user="u") for number in range(ROWS)])
        writer.append([AuditEvent("Big", ROWS, user="u", metadata=value)])
    command = [*AUDIT_TUI, "open", str(tmp_path / "audit.db"), "--range", "all-time"]
    with Terminal(command, env={"TERM": "xterm-256color"}, columns=100, rows=30) as terminal:
        terminal.wait_for("1 of 31")
        terminal.read_until_quiet(1.0)
        yield terminal


def test_a_huge_event(terminal: Terminal, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["terminal"]
    calibrations = [calibration_ms()]
    panes, closing, texts, leaving, keys = [], [], [], [], []
    for _ in range(RUNS):
        panes.append(reply_to(terminal, "enter", 0.4).last_ms)
        closing.append(reply_to(terminal, "enter", 0.4).first_ms)
        texts.append(shown_ms(terminal, "J", lambda shown: '"event": "Big"' in shown.screen_text()))
        terminal.read_until_quiet(0.3)
        leaving.append(reply_to(terminal, "q", 0.3).first_ms)
    for delay_s in DELAYS_S:
        # A key while it is read, laid out or drawn. Not Escape, after which a terminal waits for more.
        terminal.press("J")
        terminal.wait_for("Esc close")
        until_s = time.monotonic() + delay_s
        while (left_s := until_s - time.monotonic()) > 0:
            terminal.take(left_s)
        keys.append(reply_to(terminal, "q", 0.3).first_ms)
        assert "Esc close" not in terminal.screen_text()
        terminal.read_until_quiet(0.3)
    print_table(
        f"an event of 10 MB: {name}",
        [
            figure("Enter to the pane at rest", panes, must="1,000"),
            figure("Enter again closes it", closing, must="100"),
            figure("J to the JSON", texts, must="1,000"),
            figure("q in the JSON", leaving, must="100"),
            figure("q while it is laid out", keys, must="100"),
            figure("memory", [tree_memory_mib(terminal.pid)], unit="MiB", must="300"),
        ],
        calibrations,
    )
