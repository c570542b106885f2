"""The rules that a command was given, loaded and told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.core.text import clean_visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.detect.running import Runner

BUILT_IN = "built-in"
"""The name of the rules that come with the program."""


def load_runner(names: Sequence[str]) -> Runner:
    """Load rules and say on stderr which of them cannot be run.

    Args:
        names: Paths; ``built-in`` are those of the program.

    Raises:
        UsageError: If there are none, or what reads them is not installed.
        FileError: If a path cannot be read.
    """
    # Imported when rules are asked for: nothing else needs them.
    from audit_tui.config import cache_directory
    from audit_tui.detect import loading
    from audit_tui.detect.running import Runner, unmapped_words

    paths = [loading.BUILT_IN if name == BUILT_IN else Path(name) for name in names]
    rules = loading.load_rules(paths, cache_directory() / "rules.db")
    runner = Runner(rules.rules)
    lines = loading.unread_words((*rules.unread, *runner.unread))
    for line in filter(None, (*lines, unmapped_words(runner.unmapped))):
        click.echo(clean_visible(line), err=True)
    return runner
