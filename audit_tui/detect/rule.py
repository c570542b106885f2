"""A rule as it is run, and as it lies in the cache."""

from __future__ import annotations

from typing import Any

from audit_tui.core.investigate.detections import Level, RuleInfo
from audit_tui.core.record import Record
from audit_tui.detect.tree import Tree, from_json, to_json


class LogSource(Record):
    """The logs that a rule is about, as its author says it; empty texts are not told."""

    product: str = ""
    service: str = ""
    category: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.product, self.service or self.category))) or "(none)"


class Correlation(Record):
    """The way hits of other rules make one of this."""

    kind: str
    """``event_count``, ``value_count``, ``temporal`` or ``temporal_ordered``."""
    rules: tuple[str, ...]
    """The names or ids of the rules that it looks at."""
    group_by: tuple[str, ...]
    timespan_us: int
    compare: str = "gte"
    """``lt``, ``lte``, ``gt``, ``gte``, ``eq`` or ``neq``; of a temporal one nothing."""
    count: float = 1
    field: str = ""
    """The field whose different values are counted."""
    aliases: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Names of ``group_by``, each with the field that stands for it in hits of a rule."""


class Rule(Record):
    """A detection rule: either a condition on events, or a correlation of other rules' hits."""

    info: RuleInfo
    logsource: LogSource
    name: str = ""
    """The name by which correlations call it."""
    tree: Tree | None = None
    """The condition; None for a correlation."""
    correlation: Correlation | None = None
    is_part: bool = False
    """It only serves a correlation in its file: its own hits are not told."""
    trouble: str = ""
    """The reason why it cannot be run, as the end of a sentence; empty when it can."""


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """Return a rule as JSON values."""
    info = dict(rule.info.__dict__)
    info["level"] = rule.info.level.word
    return {
        "info": info,
        "logsource": dict(rule.logsource.__dict__),
        "name": rule.name,
        "tree": None if rule.tree is None else to_json(rule.tree),
        "correlation": None if rule.correlation is None else dict(rule.correlation.__dict__),
        "is_part": rule.is_part,
        "trouble": rule.trouble,
    }


def rule_from_json(value: dict[str, Any]) -> Rule:
    """Return the rule that JSON values tell.

    Raises:
        KeyError, TypeError, ValueError: If they tell none.
    """
    info: dict[str, Any] = value["info"]
    info |= {name: tuple(info[name]) for name in ("false_positives", "references", "tags")}
    info["level"] = Level.named(info["level"])
    correlation = value["correlation"]
    if correlation is not None:
        aliases = tuple((alias, tuple(map(tuple, pairs))) for alias, pairs in correlation["aliases"])
        lists = {name: tuple(correlation[name]) for name in ("rules", "group_by")}
        correlation = Correlation(**{**correlation, **lists, "aliases": aliases})
    return Rule(
        info=RuleInfo(**info),
        logsource=LogSource(**value["logsource"]),
        name=value["name"],
        tree=None if value["tree"] is None else from_json(value["tree"]),
        correlation=correlation,
        is_part=value["is_part"],
        trouble=value["trouble"],
    )
