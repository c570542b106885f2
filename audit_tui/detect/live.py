"""Rules asked of the store that is shown, in the background: what was looked at before is remembered."""

from __future__ import annotations

import time
from contextlib import closing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.detections import MAX_MARKS, Detected, RuleHits
from audit_tui.core.filters import EVERYTHING, All, Condition, everywhere
from audit_tui.core.operators import MORE
from audit_tui.core.query import EventQuery
from audit_tui.detect.loading import load_rules, unread_words
from audit_tui.detect.memory import Memory, Remembered
from audit_tui.detect.running import Runner, unmapped_words
from audit_tui.detect.silences import Silences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.detections import RuleInfo
    from audit_tui.core.filters import Filter
    from audit_tui.core.query import EventReader, ReaderFactory
    from audit_tui.detect.rule import Rule

REPORT_S = 0.25
"""The least time between two reports."""


class LiveDetections:
    """Rules of one store; implements ``core.detections.Detections``.

    Args:
        paths: Files, folders and archives of rules.
        open_reader: Opens the store, with names as they are.
        cache: The file of parsed rules.
        memory: The file of remembered hits; None remembers none.
        silences: The user's file of silences.
    """

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
        rules_asked = self._runner.rules
        hits: list[RuleHits] = []
        due_s = time.monotonic()
        with closing(self._open_reader()) as reader, _memory(self._memory, reader) as memory:
            store_id = reader.info().store_id
            if store_id != self._store_id:
                self._store_id, self._remembered = store_id, {}
            for number, rule in enumerate(rules_asked):
                cancel.check()
                if time.monotonic() >= due_s:
                    report(Detected(_ordered(hits), number, len(rules_asked), self._notes))
                    due_s = time.monotonic() + REPORT_S
                rule_hits = self._hits(reader, memory, rule, silences.of(rule.info), cancel)
                if rule_hits is not None:
                    hits.append(rule_hits)
        report(Detected(_ordered(hits), len(rules_asked), len(rules_asked), self._notes))

    def silence(self, info: RuleInfo, query: str) -> None:
        """Leave out hits of a rule from now on."""
        Silences(self._silences_path).add(info, query)

    def _hits(
        self,
        reader: EventReader,
        memory: Memory | None,
        rule: Rule,
        silenced: Filter | None,
        cancel: CancelToken,
    ) -> RuleHits | None:
        runner = self._runner
        if runner is None:
            return None
        newest = reader.newest_seq()
        before = self._remembered.get(rule.info.id)
        if before is None or before.upto_seq > newest:
            before = Remembered({}, 0) if memory is None else memory.recall(runner.key(rule), reader)
        times_us = dict(before.times_us)
        if newest > before.upto_seq:
            if rule.correlation is not None:
                # A new event may complete what began before.
                before, times_us = Remembered({}, 0), {}
            newer = Condition(Column.SEQ, MORE, str(before.upto_seq))
            query = EventQuery(EVERYTHING if not before.upto_seq else newer, upto_seq=newest)
            # Without what else is known of them: there may be a million.
            new = [replace(event, metadata={}) for event in runner.hits(reader, rule, query, cancel)]
            times_us |= {event.seq or 0: event.occurred_us for event in new}
            if memory is not None:
                memory.note(runner.key(rule), before, new, newest)
        self._remembered[rule.info.id] = Remembered(times_us, newest)
        if not times_us:
            return None
        expression = runner.plan_filter(rule)
        left_out: set[int] = set()
        if silenced == EVERYTHING:
            left_out = set(times_us)
        elif silenced is not None:
            quiet = EventQuery(everywhere(All((expression, silenced))), upto_seq=newest)
            left_out = {event.seq or 0 for event in reader.events(quiet, cancel)}.intersection(times_us)
        shown = sorted(times_us.keys() - left_out)
        marked = tuple(shown[-MAX_MARKS:])
        plan = runner.plan(rule)
        return RuleHits(
            rule.info,
            len(shown),
            marked,
            tuple(times_us[seq] for seq in marked),
            expression,
            is_exact=plan is not None and plan.is_exact,
            silenced=len(left_out),
        )


def _ordered(hits: Sequence[RuleHits]) -> tuple[RuleHits, ...]:
    return tuple(sorted(hits, key=lambda rule: (-rule.info.level.value, -rule.events, rule.info.title)))


def _memory(path: Path | None, reader: EventReader) -> AbstractContextManager[Memory | None]:
    return nullcontext() if path is None else Memory(path, reader.info().store_id)
