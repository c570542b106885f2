"""Correlations: hits of rules that lie close together, counted or joined, by what they have in common."""

from __future__ import annotations

import operator
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from audit_tui.detect.rule import Correlation

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
