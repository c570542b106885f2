"""Every test sees the same small world: no configuration, no colours asked for, UTC, an empty home."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

SCRUBBED = {
    "COLUMNS",
    "COLORTERM",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "ESCDELAY",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LINES",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "PYTHONWARNINGS",
    "STY",
    "TMUX",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "TZDIR",
}
KEPT_PREFIX = "TEXTUAL_SNAPSHOT_"
"""The snapshot plugin tells its workers so where their reports go."""
SCRUBBED_PREFIXES = ("AUDIT_TUI_", "_AUDIT_TUI_", "LC_", "TEXTUAL_", "XDG_")
SET = {
    "LC_ALL": "C.UTF-8",
    "TERM": "xterm-256color",
    "TEXTUAL_ANIMATIONS": "none",
    "TZ": "UTC",
}

MOST_ID_LENGTH = 60

# A busy machine is no failure; and a run that decides about a change must give the same answer twice.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ, max_examples=50)
settings.load_profile("project")


def pytest_configure() -> None:
    """Scrub the environment before Textual is imported, which reads its variables only then."""
    for name in list(os.environ):
        if name.startswith(KEPT_PREFIX):
            continue
        if name in SCRUBBED or name.startswith(SCRUBBED_PREFIXES):
            del os.environ[name]
    os.environ.update(SET)
    time.tzset()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long runs take as long as they take."""
    for item in items:
        if item.get_closest_marker("long") or item.get_closest_marker("scale"):
            item.add_marker(pytest.mark.timeout(0))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Keep the names of tests short: each is sent to the workers, and stands in the environment."""
    if isinstance(val, (str, bytes)) and len(val) > MOST_ID_LENGTH:
        return f"{val[:MOST_ID_LENGTH]!a}..."
    return None


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a home, and platform directories in it, where nothing is yet."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
