"""Every test sees the same small world: no configuration, no colours asked for, UTC, an empty home."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from types import FrameType

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
SHARED = Path(__file__).parents[1] / ".." / "shared" / "samples"
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
DEFAULT_MARKERS = "not scale and not long"
"""As in ``pyproject.toml``."""

# A busy machine must not fail a test. Other examples each time, also in CI, where hypothesis would take the
# same ones for ever; what fails prints the line that reproduces it.
settings.register_profile("project", deadline=None, derandomize=False, max_examples=50, print_blob=True)
# pytest --hypothesis-profile=thorough tests/readers
settings.register_profile("thorough", settings.get_profile("project"), max_examples=2000)
settings.load_profile("project")


def pytest_configure() -> None:
    """Make the small world, before Textual is imported, which reads its variables only then."""
    _let_children_take_signals()
    _scrub_environment()
    # A fifth of the time of collecting was spent in looking for garbage.
    gc.set_threshold(100_000, 50, 100)


def _let_children_take_signals() -> None:
    """Give the programs that the tests start the signals that a terminal gives them.

    Under nohup SIGHUP is ignored, and with ``&`` SIGINT, and a program inherits that: a test that interrupts
    one would wait for ever. A handler is not inherited. This process stays as deaf as it was told to be, and
    a worker ends with the process that started it, not by a signal of its own.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        is_worker = number == signal.SIGHUP and "PYTEST_XDIST_WORKER" in os.environ
        if is_worker or signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _ignore)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Take a signal and do nothing."""


def _scrub_environment() -> None:
    for name in list(os.environ):
        if name.startswith(KEPT_PREFIX):
            continue
        if name in SCRUBBED or name.startswith(SCRUBBED_PREFIXES):
            del os.environ[name]
    os.environ.update(SET)
    time.tzset()


def pytest_report_header() -> list[str]:
    """Say it when the real logs are missing."""
    return [] if SHARED.exists() else ["tests/samples left out: no real logs in ../shared/samples"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long runs take as long as they take."""
    for item in items:
        if item.get_closest_marker("long") or item.get_closest_marker("scale"):
            item.add_marker(pytest.mark.timeout(0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Start a worker more than there are processors: each waits for programs and timers now and then.

    Without ``-n auto``, tests that were chosen run in this process: they end before a worker has started.
    """
    is_chosen = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.keyword
    if config.option.numprocesses == "logical" and (is_chosen or config.option.markexpr != DEFAULT_MARKERS):
        return 0
    return len(os.sched_getaffinity(0)) + 1 if sys.platform == "linux" else (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the tests and modules: they took it half of its time."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Keep the names of tests short: each is sent to the workers, and stands in the environment."""
    if isinstance(val, (str, bytes)) and len(val) > MOST_ID_LENGTH:
        return f"{val[:MOST_ID_LENGTH]!a}..."
    return None


_numbers = itertools.count()


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty directory; pytest's own looks through those of all tests before for the next number."""
    path = tmp_path_factory.getbasetemp() / f"t{next(_numbers)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a home, and platform directories in it, where nothing is yet."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
