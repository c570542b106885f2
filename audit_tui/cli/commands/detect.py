"""``audit-tui detect``: which Sigma rules hit which events."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from audit_tui.cli.commands.query import to_stdout
from audit_tui.cli.options import events_options, format_option, source_option
from audit_tui.cli.progress import ProgressLine
from audit_tui.cli.redacting import redact_mode, redact_option
from audit_tui.cli.rules import load_runner
from audit_tui.cli.session import session_of
from audit_tui.cli.source import reading
from audit_tui.config import config_path
from audit_tui.core.event import MAX_US, MIN_US
from audit_tui.core.event_text import safe_json
from audit_tui.core.export import Format
from audit_tui.core.filter.filters import everywhere
from audit_tui.core.filter.matching import matcher
from audit_tui.core.investigate.detections import Level, RuleTotal
from audit_tui.core.text import counted
from audit_tui.core.time.dates import Preset
from audit_tui.detect.silences import FILE_NAME, Silences
from audit_tui.errors import EXIT_WRONG
from audit_tui.output.detections import hit_json, write_totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.privacy.pseudonyms import Pseudonyms
    from audit_tui.core.source import EventSource
    from audit_tui.detect.rule import Rule

LEVELS = [level.word for level in Level]


@click.command("detect")
@click.argument("rules", metavar="RULES...", nargs=-1, required=True)
@source_option
@events_options
@click.option(
    "--min-level",
    metavar="LEVEL",
    type=click.Choice(LEVELS, case_sensitive=False),
    default=LEVELS[0],
    show_default=True,
    help=f"Only rules of this level and above: {', '.join(LEVELS)}.",
)
@format_option
@redact_option
@click.pass_context
def detect_command(
    context: click.Context,
    rules: tuple[str, ...],
    store: EventSource,
    choice: EventsChoice,
    min_level: str,
    chosen: str,
    *,
    redact: bool,
) -> None:
    """Print which Sigma rules hit which events.

    RULES are files, folders or zip archives of Sigma rules, or built-in for those of the program. The range
    is all time unless one is named. --format jsonl prints a line for each hit instead, with the rule's id,
    title, author, level and tags. The exit code is 1 when a rule hit.
    """
    runner = load_runner(rules)
    if choice.is_range_default:
        choice = replace(choice, view=replace(choice.view, time_range=Preset.ALL_TIME))
    form = Format(chosen.lower())
    least = Level.named(min_level).value
    asked = [rule for rule in runner.rules if rule.info.level.value >= least]
    mode = redact_mode(is_on=redact or session_of(context).loaded.settings.redact)
    silences = Silences(config_path().parent / FILE_NAME)
    totals: list[RuleTotal] = []
    with reading(store) as reader, ProgressLine() as progress:
        names = mode.pseudonyms(reader)
        query = replace(choice.query(), upto_seq=reader.newest_seq())
        for number, rule in enumerate(asked):
            if progress.is_due:
                progress.say(f"Rule {number} of {len(asked)}: {rule.info.title}")
            total = _Total(rule, silences.of(rule.info), _printer(rule) if form is Format.JSONL else _quiet)
            for event in runner.hits(reader, rule, query):
                total.add(event, names)
            if total.events or total.silenced:
                totals.append(total.made())
    silenced = sum(total.silenced for total in totals)
    totals = [total for total in totals if total.events]
    totals.sort(key=lambda total: (-total.info.level.value, -total.events, total.info.title))
    if form is not Format.JSONL:
        write_totals(totals, sys.stdout, to_stdout(form, choice.context))
    sys.stdout.flush()
    hits = counted(sum(total.events for total in totals), "hit")
    quiet = f", {silenced:,} silenced" if silenced else ""
    click.echo(f"{len(totals)} of {counted(len(asked), 'rule')} hit: {hits}{quiet}.", err=True)
    if totals:
        context.exit(EXIT_WRONG)


class _Total:
    """The things that the hits of a rule have in common, gathered one after the other.

    Args:
        rule: The rule.
        silenced: Takes the hits that are only counted; None takes none.
        show: Is given the others.
    """

    def __init__(self, rule: Rule, silenced: Filter | None, show: Callable[[AuditEvent], None]) -> None:
        self._info = rule.info
        self._is_silenced = (lambda _: False) if silenced is None else matcher(everywhere(silenced))
        self._show = show
        self.events = 0
        self.silenced = 0
        self._first_us, self._last_us = MAX_US, MIN_US
        self._users: Counter[str] = Counter()

    def add(self, event: AuditEvent, names: Pseudonyms | None) -> None:
        """Add a hit, with its names as they are."""
        if self._is_silenced(event):
            self.silenced += 1
            return
        shown = event if names is None else names.event(event)
        self.events += 1
        self._first_us = min(self._first_us, event.occurred_us)
        self._last_us = max(self._last_us, event.occurred_us)
        if shown.user is not None:
            self._users[shown.user] += 1
        self._show(shown)

    def made(self) -> RuleTotal:
        """Return the totals."""
        users = tuple(name for name, _ in self._users.most_common())
        return RuleTotal(self._info, self.events, self._first_us, self._last_us, users, self.silenced)


def _printer(rule: Rule) -> Callable[[AuditEvent], None]:
    def show(event: AuditEvent) -> None:
        sys.stdout.write(f"{safe_json(hit_json(rule.info, event))}\n")

    return show


def _quiet(_: AuditEvent) -> None:
    """Print nothing: the rules are printed when all are asked."""
