"""Rules asked of a source of events, and correlations of their hits."""

from __future__ import annotations

import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import ANY_TEXT, All, Any, Condition, MetaField, everywhere
from audit_tui.core.filter.matching import leaves, matcher, matcher_of
from audit_tui.core.filter.operators import MORE
from audit_tui.core.query import Bound, EventQuery, Interval
from audit_tui.core.query_line.text import line_of, normal
from audit_tui.core.record import Record
from audit_tui.core.text import counted
from audit_tui.detect.loading import Unread
from audit_tui.detect.plan import lookup_of, plan_of, table_of

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.query import EventReader
    from audit_tui.detect.plan import Plan, SourceTable
    from audit_tui.detect.tree import Correlation, Rule


MAX_DEPTH = 5
"""The most levels of correlations that look at correlations."""


class Unmapped(Record):
    """Rules of logs that are not imported, or not told apart."""

    logsource: str
    """As the rules say it; hostile until cleaned."""
    rules: int


class Runner:
    """Rules, ready to be asked."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._plans: dict[str, Plan] = {}
        self._tests: dict[str, Callable[[AuditEvent], bool]] = {}
        self._last_tail: tuple[EventReader, EventQuery, Tail] | None = None
        self._named = {rule.name: rule for rule in rules if rule.name} | {
            rule.info.id: rule for rule in rules
        }
        unmapped: Counter[str] = Counter()
        unread: list[Unread] = []
        runnable: list[Rule] = []
        for rule in rules:
            plan = plan_of(rule)
            if plan is not None:
                self._plans[rule.info.id] = plan
            elif rule.correlation is None:
                unmapped[str(rule.logsource)] += 1
        for rule in rules:
            missing = self._missing(rule)
            if missing:
                unread.append(Unread(rule.info.title, missing))
            elif (rule.correlation is not None or rule.info.id in self._plans) and not rule.is_part:
                runnable.append(rule)
        self.rules = tuple(sorted(runnable, key=lambda rule: -rule.info.level.value))
        """Those whose hits are told, the weightiest first."""
        self.unmapped = tuple(Unmapped(*pair) for pair in sorted(unmapped.items()))
        self.unread = tuple(unread)
        """Correlations of rules that were not loaded or cannot be run."""

    def plan(self, rule: Rule) -> Plan | None:
        """Return how a rule is asked; None for a correlation."""
        return self._plans.get(rule.info.id)

    def key(self, rule: Rule) -> tuple[str, str]:
        """Return the id and version of a rule, for a correlation with those of its rules."""
        if rule.correlation is None:
            return rule.info.id, rule.info.version
        return rule.info.id, "+".join([rule.info.version, *(part.info.version for part in self._parts(rule))])

    def line(self, rule: Rule) -> str:
        """Return the query line of a rule, or of the rules that a correlation looks at."""
        return line_of(self.plan_filter(rule))

    def plan_filter(self, rule: Rule) -> Filter:
        """Return a filter that takes every event that a rule may hit, as it is written."""
        filters = [self._plans[part.info.id].filter for part in self._parts(rule)]
        return normal(Any(tuple(filters)))

    def hits(
        self, reader: EventReader, rule: Rule, query: EventQuery, cancel: CancelToken | None = None
    ) -> Iterator[AuditEvent]:
        """Yield the events of a query that a rule hits, the newest first.

        A correlation does not see other events than those of the query either.
        """
        if rule.correlation is None:
            yield from self._matches(reader, self._plans[rule.info.id], query, cancel)
            return
        seqs = correlated(rule.correlation, self._base_hits(reader, rule, query, cancel))
        if seqs:
            last = None
            parts = (self.hits(reader, self._named[name], query, cancel) for name in rule.correlation.rules)
            for event in merge(*parts, key=_newest_first):
                if event.seq != last and event.seq in seqs:
                    yield event
                last = event.seq

    def _matches(
        self, reader: EventReader, plan: Plan, query: EventQuery, cancel: CancelToken | None
    ) -> Iterator[AuditEvent]:
        tail = self._tail(reader, query, cancel)
        filter_ = everywhere(normal(All((query.filter, plan.filter))))
        takes = matcher_of(everywhere(plan.filter), unpacked_texts)
        last = (unpacked.event for unpacked in tail.events if takes(unpacked))
        first: Iterator[AuditEvent] = iter(())
        if tail.upto_seq is not None:
            first = reader.events(replace(query, filter=filter_, upto_seq=tail.upto_seq), cancel)
        for event in merge(first, last, key=_newest_first):
            if plan.test is None or plan.test(event):
                yield event

    def _tail(self, reader: EventReader, query: EventQuery, cancel: CancelToken | None) -> Tail:
        """Return the last events of a query; one rule after the other asks for the same."""
        if query.upto_seq is None:
            query = replace(query, upto_seq=reader.newest_seq())
        if self._last_tail is None or self._last_tail[0] is not reader or self._last_tail[1] != query:
            self._last_tail = reader, query, Tail(reader, query, cancel)
        return self._last_tail[2]

    def let_go(self) -> None:
        """Let the events go that are held for the next rule."""
        self._last_tail = None

    def rules_of(self, event: AuditEvent, reader: EventReader) -> list[Rule]:
        """Return the rules that hit the newest event, the weightiest first.

        A correlation hits it when it holds with what came before; see ``is_told_at_once``.
        """
        return [
            rule for rule in self.rules if self.looks_at(rule, event) and self._holds(rule, event, reader)
        ]

    def _holds(self, rule: Rule, event: AuditEvent, reader: EventReader) -> bool:
        if rule.correlation is None:
            return True
        span_us = self._span_us(rule)
        near = Interval(event.occurred_us - span_us, event.occurred_us + span_us + 1)
        hits = self.hits(reader, rule, EventQuery(interval=near, upto_seq=event.seq))
        return is_told_at_once(rule) and any(hit.seq == event.seq for hit in hits)

    def _span_us(self, rule: Rule) -> int:
        """Return how far from an event others lie that a correlation sees with it."""
        if rule.correlation is None:
            return 0
        parts = (self._span_us(self._named[name]) for name in rule.correlation.rules)
        return rule.correlation.timespan_us + max(parts, default=0)

    def looks_at(self, rule: Rule, event: AuditEvent) -> bool:
        """Tell whether a rule hits an event, or a rule that a correlation looks at does."""
        return any(self._test(part)(event) for part in self._parts(rule))

    def _test(self, rule: Rule) -> Callable[[AuditEvent], bool]:
        test = self._tests.get(rule.info.id)
        if test is None:
            plan = self._plans[rule.info.id]
            takes, further = matcher(everywhere(plan.filter)), plan.test
            test = self._tests[rule.info.id] = (
                takes if further is None else lambda event: takes(event) and further(event)
            )
        return test

    def _parts(self, rule: Rule) -> list[Rule]:
        """Return the rules that look at events themselves: itself, or those of a correlation."""
        if rule.correlation is None:
            return [rule]
        return [part for name in rule.correlation.rules for part in self._parts(self._named[name])]

    def _missing(self, rule: Rule, depth: int = 0) -> str:
        if rule.correlation is None:
            return ""
        if depth > MAX_DEPTH:
            return f"it looks at correlations of correlations, more than {MAX_DEPTH} deep"
        for name in rule.correlation.rules:
            part = self._named.get(name)
            if part is None:
                return f"it looks at the rule {name}, which was not loaded"
            if part.correlation is None and part.info.id not in self._plans:
                return f"it looks at the rule {name}, whose logs ({part.logsource}) are not imported"
            if reason := self._missing(part, depth + 1):
                return reason
        return ""

    def _base_hits(
        self, reader: EventReader, rule: Rule, query: EventQuery, cancel: CancelToken | None
    ) -> Iterator[BaseHit]:
        correlation = rule.correlation
        if correlation is None:
            return
        aliases = {alias: dict(names) for alias, names in correlation.aliases}
        for place, name in enumerate(correlation.rules):
            part = self._named[name]
            table = table_of(self._parts(part)[0].logsource)
            if table is None:
                continue
            fields = [aliases.get(field, {}).get(name, field) for field in correlation.group_by]
            for event in self.hits(reader, part, query, cancel):
                texts = [_first(event, field, table) for field in (*fields, correlation.field)]
                *group, value = texts
                # Events without a user are not those of one user.
                if None not in group:
                    whole = tuple(text or "" for text in group)
                    yield BaseHit(event.occurred_us, event.seq or 0, place, whole, value)


def is_told_at_once(rule: Rule) -> bool:
    """Tell whether later events cannot undo that a rule hits: of a correlation that asks for few they do."""
    return rule.correlation is None or rule.correlation.compare in ("gt", "gte")


def _first(event: AuditEvent, field: str, table: SourceTable) -> str | None:
    if not field:
        return None
    texts = lookup_of(event, table)(field)
    return texts[0].casefold() if texts else None


def _newest_first(event: AuditEvent) -> tuple[int, int]:
    return -event.occurred_us, -(event.seq or 0)


def unmapped_words(unmapped: Sequence[Unmapped]) -> str:
    """Say which rules see no event here; empty when all do."""
    if not unmapped:
        return ""
    total = counted(sum(entry.rules for entry in unmapped), "rule")
    names = ", ".join(f"{entry.logsource} {entry.rules}" for entry in unmapped)
    return f"Not run: {total} of logs that are not imported: {names}."


TAIL_EVENTS = 4_096
"""The most events whose texts a store leaves without an index."""
MAX_TAIL_CHARS = 64_000_000
"""With more text the events are not held in memory, and the store answers for them too."""


class UnpackedEvent:
    """An event with its texts by the names that conditions have for them."""

    __slots__ = ("event", "texts_at")

    def __init__(self, event: AuditEvent) -> None:
        self.event = event
        self.texts_at: defaultdict[str, list[str]] = defaultdict(list)
        """The texts in the metadata by each name that leads to them; those of an empty name are all."""
        for path, text in leaves(event.metadata):
            self.texts_at[""].append(text)
            end = path.find(".")
            while end >= 0:
                self.texts_at[path[:end]].append(text)
                end = path.find(".", end + 1)
            self.texts_at[path].append(text)


def unpacked_texts(field: FilterField, unpacked: UnpackedEvent) -> Iterable[str]:
    """Return the texts of an event that a condition on a field looks at."""
    if isinstance(field, MetaField):
        return unpacked.texts_at.get(field.path, ())
    event = unpacked.event
    if field is ANY_TEXT:
        plain = (event.description, event.target, event.source_ip)
        return [*(text for text in plain if text is not None), *unpacked.texts_at.get("", ())]
    value = getattr(event, field.attribute) if isinstance(field, Column) else None
    return () if value is None else (str(value),)


class Tail:
    """The last events of a query, unpacked in memory so that each rule is tried on them at once.

    A store does not index their texts yet: each condition of each rule would read them again, 60 µs a time.
    """

    def __init__(self, reader: EventReader, query: EventQuery, cancel: CancelToken | None) -> None:
        newest = query.upto_seq
        self.upto_seq: int | None = newest
        """The bound of the events before them, for which the source answers; None where there are none."""
        self.events: Sequence[UnpackedEvent] = ()
        if not newest or isinstance(newest, Bound):
            # Where numbers tell nothing of time, all events would be the last.
            return
        before = max(0, newest - TAIL_EVENTS)
        last = Condition(Column.SEQ, MORE, str(before))
        unpacked: list[UnpackedEvent] = []
        chars = 0
        for event in reader.events(replace(query, filter=All((query.filter, last))), cancel):
            unpacked.append(UnpackedEvent(event))
            chars += sum(map(len, unpacked[-1].texts_at.get("", ())))
            if chars > MAX_TAIL_CHARS:
                return
        self.events, self.upto_seq = unpacked, before or None


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}


class BaseHit(NamedTuple):
    """A hit of a rule that a correlation looks at."""

    occurred_us: int
    seq: int
    rule: int
    """The place of the rule in the correlation's list."""
    group: tuple[str, ...]
    """The texts of the fields of ``group_by``."""
    value: str | None
    """The text of the field whose values are counted; None when it has none."""


def correlated(correlation: Correlation, hits: Iterable[BaseHit]) -> set[int]:
    """Return the seqs of the hits that lie in a span of time for which the correlation holds.

    A span begins at a hit, where an order counts of the first rule, and takes in what happened up to
    ``timespan_us`` later; all that lies in one that holds belongs to it.
    """
    groups: defaultdict[tuple[str, ...], list[BaseHit]] = defaultdict(list)
    for hit in hits:
        groups[hit.group].append(hit)
    seqs: set[int] = set()
    for group in groups.values():
        group.sort()
        marked = 0
        for start, end in _spans(correlation, group):
            seqs.update(hit.seq for hit in group[max(start, marked) : end])
            marked = max(marked, end)
    return seqs


def _spans(correlation: Correlation, group: Sequence[BaseHit]) -> Iterable[tuple[int, int]]:
    """Yield the spans for which the correlation holds, as places in the group: from, and up to before."""
    inside: Counter[object] = Counter()
    end = 0
    for start, first in enumerate(group):
        while end < len(group) and group[end].occurred_us <= first.occurred_us + correlation.timespan_us:
            inside[_counted(correlation, group[end])] += 1
            end += 1
        # What is to follow in an order begins with the first of it.
        begins = correlation.kind != "temporal_ordered" or first.rule == 0
        if begins and _holds(correlation, inside, end - start, group[start:end]):
            yield start, end
        before = _counted(correlation, first)
        inside[before] -= 1
        if not inside[before]:
            del inside[before]


def _counted(correlation: Correlation, hit: BaseHit) -> object:
    return hit.value if correlation.kind == "value_count" else hit.rule


def _holds(correlation: Correlation, inside: Counter[object], events: int, hits: Sequence[BaseHit]) -> bool:
    match correlation.kind:
        case "event_count":
            return _COMPARE[correlation.compare](events, correlation.count)
        case "value_count":
            return _COMPARE[correlation.compare](len(inside) - (None in inside), correlation.count)
        case "temporal":
            return len(inside) == len(correlation.rules)
        case _:
            return len(inside) == len(correlation.rules) and _is_in_order(len(correlation.rules), hits)


def _is_in_order(rules: int, hits: Sequence[BaseHit]) -> bool:
    """Tell whether hits of all rules follow each other in the order of the rules."""
    wanted = 0
    for hit in hits:
        wanted += hit.rule == wanted
    return wanted == rules
