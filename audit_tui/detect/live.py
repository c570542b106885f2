"""Rules asked of the store that is shown, in the background: what was looked at before is remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.filter.filters import EVERYTHING, All, everywhere
from audit_tui.core.investigate.detections import MAX_MARKS, Detected, RuleHits
from audit_tui.core.query import Bound, EventQuery
from audit_tui.detect.loading import load_rules, unread_words
from audit_tui.detect.memory import Memory, after
from audit_tui.detect.running import Runner, unmapped_words
from audit_tui.detect.silences import Silences

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.investigate.detections import RuleInfo
    from audit_tui.core.query import EventReader, ReaderFactory
    from audit_tui.detect.memory import Hit, Remembered
    from audit_tui.detect.tree import Rule

MAX_FRESH = 2_000
"""This many new events are read at once, and tried by each rule."""
REPORT_S = 0.25
"""The least time between two reports."""


class LiveDetections:
    """Rules of one store; implements ``core.detections.Detections``."""

    def __init__(
        self,
        paths: Sequence[Path],
        open_reader: ReaderFactory,
        cache: Path,
        memory: Path | None,
        silences: Path,
    ) -> None:
        self._paths = paths
        self._open_reader = open_reader
        self._cache = cache
        self._memory = memory
        self._silences_path = silences
        self._runner: Runner | None = None
        self._notes: tuple[str, ...] = ()
        self._store_id = ""
        self._remembered: dict[str, Remembered] = {}
        """The hits of this run of the program, by the rule's id: the file is checked once."""

    def run(self, report: Callable[[Detected], None], cancel: CancelToken) -> None:
        """Ask all rules, and report what hit from time to time and at the end."""
        if self._runner is None:
            rules = load_rules(self._paths, self._cache)
            self._runner = Runner(rules.rules)
            notes = unread_words((*rules.unread, *self._runner.unread))
            self._notes = tuple(filter(None, (*notes, unmapped_words(self._runner.unmapped))))
        silences = Silences(self._silences_path)
        runner = self._runner
        rules_asked = runner.rules
        hits: list[RuleHits] = []
        due_s = time.monotonic()
        with closing(self._open_reader()) as reader, Memory(self._memory, reader) as memory:
            store_id = reader.info().store_id
            if store_id != self._store_id:
                self._store_id, self._remembered = store_id, {}
            newest = reader.newest_seq()
            fresh = self._fresh(reader, newest, cancel)
            for number, rule in enumerate(rules_asked):
                cancel.check()
                if time.monotonic() >= due_s:
                    report(Detected(_ordered(hits), number, len(rules_asked), self._notes))
                    due_s = time.monotonic() + REPORT_S
                before = self._remembered.get(rule.info.id)
                remembered = memory.hits_of(runner, rule, newest, before, fresh=fresh, cancel=cancel)
                self._remembered[rule.info.id] = remembered
                if remembered.hits:
                    silenced, wanted = silences.of(rule.info), runner.plan_filter(rule)
                    left_out = _left_out(reader, silenced, wanted, remembered.hits, cancel)
                    hits.append(_rule_hits(rule, runner, remembered.hits, left_out))
        runner.let_go()
        report(Detected(_ordered(hits), len(rules_asked), len(rules_asked), self._notes))

    def silence(self, info: RuleInfo, query: str) -> None:
        """Leave out hits of a rule from now on."""
        Silences(self._silences_path).add(info, query)

    def _fresh(self, reader: EventReader, newest: int, cancel: CancelToken) -> Sequence[AuditEvent] | None:
        """Return the events that came since all rules were asked; None where they are many, or the first.

        A few are tried by each rule at once: so a list that is followed costs no question a rule.
        """
        upto = {remembered.upto_seq for remembered in self._remembered.values()}
        if len(upto) != 1 or len(self._remembered) != len(self._runner.rules if self._runner else ()):
            return None
        (seq,) = upto
        if isinstance(newest, Bound) or not 0 < newest - seq <= MAX_FRESH:
            return None
        return list(reader.events(after(seq, newest), cancel))


def _left_out(
    reader: EventReader,
    silenced: Filter | None,
    expression: Filter,
    hits: Mapping[int, Hit],
    cancel: CancelToken,
) -> set[int]:
    if silenced is None:
        return set()
    if silenced == EVERYTHING:
        return set(hits)
    quiet = EventQuery(everywhere(All((expression, silenced))), upto_seq=max(hits))
    return {event.seq or 0 for event in reader.events(quiet, cancel)}.intersection(hits)


def _rule_hits(rule: Rule, runner: Runner, hits: Mapping[int, Hit], left_out: set[int]) -> RuleHits:
    shown = sorted(hits.keys() - left_out)
    marked = tuple(shown[-MAX_MARKS:])
    plan = runner.plan(rule)
    return RuleHits(
        rule.info,
        len(shown),
        marked,
        tuple(hits[seq].occurred_us for seq in marked),
        runner.plan_filter(rule),
        is_exact=plan is not None and plan.is_exact,
        silenced=len(left_out),
    )


def _ordered(hits: Sequence[RuleHits]) -> tuple[RuleHits, ...]:
    return tuple(sorted(hits, key=lambda rule: (-rule.info.level.value, -rule.events, rule.info.title)))
