"""``audit-tui detect``: which Sigma rules hit which events."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from audit_tui.cli.commands.query import to_stdout
from audit_tui.cli.options import all_time_unless_chosen, events_options, format_option, source_option
from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.redacting import mode_of, redact_option
from audit_tui.cli.rules import load_runner
from audit_tui.cli.source import reading
from audit_tui.config import config_path, data_directory
from audit_tui.core.event import MAX_US, MIN_US
from audit_tui.core.event_text import safe_json
from audit_tui.core.export import Format
from audit_tui.core.filter.filters import EVERYTHING, everywhere
from audit_tui.core.filter.matching import matcher
from audit_tui.core.investigate.detections import Level, RuleTotal
from audit_tui.core.query import EventQuery
from audit_tui.core.source import SourceUrl
from audit_tui.core.text import counted
from audit_tui.core.time.dates import Preset
from audit_tui.detect.memory import Memory
from audit_tui.detect.silences import FILE_NAME, Silences
from audit_tui.errors import EXIT_WRONG
from audit_tui.output.totals import hit_json, write_totals

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.privacy.pseudonyms import Pseudonyms
    from audit_tui.core.query import EventReader
    from audit_tui.core.source import EventSource
    from audit_tui.detect.memory import Hit
    from audit_tui.detect.tree import Rule

LEVELS = [level.word for level in Level]


@click.command("detect")
@click.argument("rules", metavar="RULES...", nargs=-1, required=True)
@source_option
@all_time_unless_chosen
@events_options
@click.option(
    "--min-level",
    metavar="LEVEL",
    type=click.Choice(LEVELS, case_sensitive=False),
    default=LEVELS[0],
    show_default=True,
    help=f"Only rules of this level and above: {', '.join(LEVELS)}.",
)
@click.option(
    "--all", "is_all", is_flag=True, help="Ask of every event, also of those that were looked at before."
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
    is_all: bool,
    redact: bool,
) -> None:
    """Print which Sigma rules hit which events.

    RULES are files, folders or zip archives of Sigma rules, or built-in for those of the program. The range
    is all time unless one is named. --format jsonl prints a line for each hit instead, with the rule's id,
    title, author, level and tags. The exit code is 1 when a rule hit. Without a filter or a range, hits are
    remembered in the data directory, and the next run asks only of events that came since.
    """
    runner = load_runner(rules)
    if choice.is_range_default:
        choice = replace(choice, view=replace(choice.view, time_range=Preset.ALL_TIME))
    form = Format(chosen.lower())
    least = Level.named(min_level).value
    asked = [rule for rule in runner.rules if rule.info.level.value >= least]
    mode = mode_of(context, redact=redact)
    silences = Silences(config_path().parent / FILE_NAME)
    totals: list[RuleTotal] = []
    path = None if isinstance(store, SourceUrl) else data_directory() / "detections.db"
    with (
        reading(store) as reader,
        Memory(path, reader, is_forgotten=is_all) as memory,
        ProgressLine() as progress,
    ):
        names = mode.pseudonyms(reader)
        newest = reader.newest_seq()
        query = replace(choice.query(), upto_seq=newest)
        is_everything = query == EventQuery(upto_seq=newest)
        for number, rule in enumerate(asked):
            if progress.is_due:
                progress.say(f"Rule {number} of {len(asked)}: {rule.info.title}")
            quiet = silences.of(rule.info)
            total = _Total(rule, quiet, names, partial(_print, rule) if form is Format.JSONL else None)
            if not is_everything:
                for event in runner.hits(reader, rule, query):
                    total.add(event)
            elif hits := memory.hits_of(runner, rule, newest).hits:
                total.add_hits(hits, reader)
            if total.events or total.silenced:
                totals.append(total.made())
    silenced = sum(total.silenced for total in totals)
    totals = [total for total in totals if total.events]
    totals.sort(key=lambda total: (-total.info.level.value, -total.events, total.info.title))
    if form is not Format.JSONL:
        write_totals(totals, sys.stdout, to_stdout(form, choice.context))
    sys.stdout.flush()
    words = counted(sum(total.events for total in totals), "hit")
    words += f", {silenced:,} silenced" if silenced else ""
    tell(f"{len(totals)} of {counted(len(asked), 'rule')} hit: {words}.")
    if totals:
        context.exit(EXIT_WRONG)


class _Total:
    """The things that the hits of a rule have in common, gathered one after the other.

    ``silenced`` takes the hits that are only counted; ``show`` is given the others.
    """

    def __init__(
        self,
        rule: Rule,
        silenced: Filter | None,
        names: Pseudonyms | None,
        show: Callable[[AuditEvent], None] | None,
    ) -> None:
        self._info = rule.info
        self._silenced = silenced
        self._is_silenced = (lambda _: False) if silenced is None else matcher(everywhere(silenced))
        self._names = names
        self._show = show
        self.events = 0
        self.silenced = 0
        self._first_us, self._last_us = MAX_US, MIN_US
        self._users: Counter[str] = Counter()

    def add_hits(self, hits: Mapping[int, Hit], reader: EventReader) -> None:
        """Add hits that are remembered; their events are read where more is wanted of them."""
        if self._silenced == EVERYTHING:
            self.silenced += len(hits)
            return
        is_plain = self._silenced is None and self._show is None
        for seq in sorted(hits, key=lambda seq: (hits[seq].occurred_us, seq), reverse=True):
            if is_plain:
                self._count(*hits[seq])
            elif (event := reader.event(seq)) is not None:
                self.add(event)

    def add(self, event: AuditEvent) -> None:
        if self._is_silenced(event):
            self.silenced += 1
            return
        self._count(event.occurred_us, event.user)
        if self._show is not None:
            self._show(event if self._names is None else self._names.event(event))

    def _count(self, occurred_us: int, user: str | None) -> None:
        self.events += 1
        self._first_us = min(self._first_us, occurred_us)
        self._last_us = max(self._last_us, occurred_us)
        if user is not None:
            self._users[user] += 1

    def made(self) -> RuleTotal:
        shown: Counter[str] = Counter()
        for user, events in self._users.items():
            shown[user if self._names is None else self._names.user(user) or ""] += events
        users = tuple(name for name, _ in shown.most_common())
        return RuleTotal(self._info, self.events, self._first_us, self._last_us, users, self.silenced)


def _print(rule: Rule, event: AuditEvent) -> None:
    sys.stdout.write(f"{safe_json(hit_json(rule.info, event))}\n")
