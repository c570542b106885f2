"""The rules that a command was given, loaded and told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.progress import tell
from audit_tui.cli.source import open_source
from audit_tui.config import cache_directory, config_path, data_directory
from audit_tui.core.filter.filters import Any, everywhere
from audit_tui.core.text import clean_visible, counted
from audit_tui.errors import FileError
from audit_tui.output.totals import rule_json

if TYPE_CHECKING:
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.investigate.detections import Detections
    from audit_tui.core.query import EventReader
    from audit_tui.core.source import EventSource
    from audit_tui.detect.running import Runner
    from audit_tui.detect.tree import Rule

BUILT_IN = "built-in"
"""The name of the rules that come with the program."""


rules_option = click.option(
    "--rules",
    "rules",
    metavar="RULES",
    multiple=True,
    help="Ask these Sigma rules: a file, folder or zip archive, or built-in. May be repeated.",
)
"""``--rules``; the command gets ``rules: tuple[str, ...]``."""


def rule_paths(names: Sequence[str]) -> list[Path]:
    """Return the places of rules; FileError if nothing is there."""
    from audit_tui.detect.loading import BUILT_IN as FOLDER

    paths = [FOLDER if name == BUILT_IN else Path(name).expanduser() for name in names]
    for path in paths:
        if not path.exists():
            raise FileError(f"There are no rules at {path}.", "Name a file, a folder or a zip archive.")
    return paths


def live_detections(names: Sequence[str], source: EventSource, *, is_remembered: bool) -> Detections | None:
    """Return the rules of a screen, which it loads when it is there; None when none were named.

    Hits are remembered for the next time where the source outlives the run.

    Raises:
        FileError: If nothing is there.
    """
    if not names:
        return None
    from audit_tui.detect.live import LiveDetections
    from audit_tui.detect.silences import FILE_NAME

    return LiveDetections(
        rule_paths(names),
        open_source(source),
        cache_directory() / "rules.db",
        data_directory() / "detections.db" if is_remembered else None,
        config_path().parent / FILE_NAME,
    )


def load_runner(names: Sequence[str]) -> Runner:
    """Load rules and say on stderr which of them cannot be run.

    Raises:
        UsageError: If there are none, or what reads them is not installed.
        FileError: If a path cannot be read.
    """
    # Imported when rules are asked for: nothing else needs them.
    from audit_tui.detect import loading
    from audit_tui.detect.running import Runner, unmapped_words

    rules = loading.load_rules(rule_paths(names), cache_directory() / "rules.db")
    runner = Runner(rules.rules)
    lines = loading.unread_words((*rules.unread, *runner.unread))
    tell(*filter(None, (*lines, unmapped_words(runner.unmapped))))
    return runner


class RuleWatch:
    """The rules that hit events as they come."""

    def __init__(self, names: Sequence[str]) -> None:
        from audit_tui.detect.running import is_told_at_once

        self._runner = load_runner(names)
        self._hit: list[Rule] = []
        late = counted(sum(not is_told_at_once(rule) for rule in self._runner.rules), "correlation")
        if not late.startswith("0 "):
            tell(f"Not run: {late} that only the end of the time span decides.")

    @property
    def filter(self) -> Filter:
        """Takes every event that a rule may hit."""
        return everywhere(Any(tuple(map(self._runner.plan_filter, self._runner.rules))))

    def is_hit(self, event: AuditEvent, reader: EventReader) -> bool:
        """Tell whether a rule hits the newest event, with its names as they are, and remember which do."""
        self._hit = self._runner.rules_of(event, reader)
        return bool(self._hit)

    @property
    def words(self) -> str:
        """The rules that hit the last event, for people."""
        infos = (rule.info for rule in self._hit)
        titles = (f"{info.level.word}: {info.title} ({info.author or 'no author'})" for info in infos)
        return clean_visible("; ".join(titles))

    def to_json(self) -> list[dict[str, object]]:
        """Return the rules that hit the last event, for programs."""
        return [rule_json(rule.info) for rule in self._hit]
