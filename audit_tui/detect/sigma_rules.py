"""Sigma rules as our own: the one place that knows pySigma, which is imported when a new rule is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from audit_tui.core.investigate.detections import Level, RuleInfo
from audit_tui.detect.tree import (
    ANY,
    SINGLE,
    Correlation,
    FieldTest,
    Group,
    Kind,
    LogSource,
    Rule,
    Tree,
    compile_regex,
    escaped,
    tests_in,
    to_json,
)
from audit_tui.errors import UsageError

MAX_TESTS = 5_000
"""The most tests of one rule; the largest of 3,780 public rules has 600."""
MAX_DEPTH = 40
"""Filters may be nested 50 deep, and some levels are ours."""
INSTALL = "pip install 'audit-tui[sigma]'"


class _Unusable(Exception):
    """A rule cannot be run: why, as the end of a sentence."""


def require_sigma() -> None:
    """Check that what reads rules is installed; UsageError if it is not."""
    try:
        import re2  # noqa: F401
        import sigma.collection  # noqa: F401
    except ImportError:
        raise UsageError("Rules need pySigma, which is not installed.", INSTALL) from None


def read_rules(text: str) -> tuple[list[Rule], list[str]]:
    """Return the rules of a YAML text, and what is wrong with those that cannot be read.

    A rule that can be read and not run is returned with its trouble.
    """
    import yaml
    from sigma.collection import SigmaCollection

    try:
        # Aliases that expand to more than 10,000 nodes, cycles and double keys are errors there.
        collection = SigmaCollection.from_yaml(text, collect_errors=True, resolve_references=False)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f", line {mark.line + 1}"
        return [], [f"it is not YAML{line}: {getattr(error, 'problem', None) or error}"]
    except RecursionError:
        return [], ["it is nested too deeply"]
    except Exception as error:  # noqa: BLE001 - pySigma raises whatever a strange document makes of it
        return [], [f"it is not a Sigma rule: {type(error).__name__}: {error}"]
    problems = [
        str(error)
        for error in collection.errors
        if not any(error in rule.errors for rule in collection.rules)
    ]
    rules = [_rule(parsed) for parsed in collection.rules]
    parts = {
        reference.reference
        for parsed in collection.rules
        if getattr(parsed, "rules", None) and not parsed.generate
        for reference in parsed.rules
    }
    # By id, so that a rule of the same name in another file is not taken for one of this.
    ids = {rule.name: rule.info.id for rule in rules if rule.name}
    return [
        replace(
            rule,
            is_part=not parts.isdisjoint({rule.name, rule.info.id}),
            correlation=None if rule.correlation is None else _by_id(rule.correlation, ids),
        )
        for rule in rules
    ], problems


def _by_id(correlation: Correlation, ids: dict[str, str]) -> Correlation:
    return replace(
        correlation,
        rules=tuple(ids.get(name, name) for name in correlation.rules),
        aliases=tuple(
            (alias, tuple((ids.get(name, name), field) for name, field in pairs))
            for alias, pairs in correlation.aliases
        ),
    )


def _rule(parsed: Any) -> Rule:  # noqa: ANN401 - pySigma's
    tree: Tree | None = None
    correlation: Correlation | None = None
    source = getattr(parsed, "logsource", None)
    logsource = (
        LogSource()
        if source is None
        else LogSource(*map(_text, (source.product, source.service, source.category)))
    )
    trouble = ""
    try:
        if parsed.errors:
            raise _Unusable(f"it is not right: {parsed.errors[0]}")
        if hasattr(parsed, "detection"):
            tree = _whole_tree(parsed)
        else:
            correlation = _correlation(parsed)
    except _Unusable as error:
        trouble = str(error)
    except RecursionError:
        trouble = "its condition is nested too deeply"
    except Exception as error:  # noqa: BLE001 - a condition is parsed only now, and may raise anything
        trouble = f"its condition is not right: {error}"
    content = [
        None if tree is None else to_json(tree),
        dict(logsource.__dict__),
        None if correlation is None else dict(correlation.__dict__),
        _text(parsed.title),
    ]
    version = sha256(json.dumps(content, sort_keys=True).encode("utf-8", "backslashreplace")).hexdigest()[:16]
    level = parsed.level
    info = RuleInfo(
        id=_text(parsed.id) or version,
        version=version,
        title=_text(parsed.title) or "(no title)",
        level=Level.MEDIUM if level is None else Level.named(level.name),
        author=_text(parsed.author),
        description=_text(parsed.description),
        false_positives=tuple(map(_text, parsed.falsepositives or ())),
        references=tuple(map(_text, parsed.references or ())),
        tags=tuple(map(_text, parsed.tags or ())),
        date=_text(parsed.modified or parsed.date),
        license=_text(parsed.license),
    )
    return Rule(info, logsource, _text(parsed.name), tree, correlation, trouble=trouble)


def _text(value: object) -> str:
    return "" if value is None else str(value).encode("utf-8", "backslashreplace").decode()


def _whole_tree(parsed: Any) -> Tree:  # noqa: ANN401 - pySigma's
    # Several conditions: any of them.
    trees = [_tree(condition.parsed, 0) for condition in parsed.detection.parsed_condition]
    tree = trees[0] if len(trees) == 1 else Group("any", tuple(trees))
    for number, test in enumerate(tests_in(tree), 1):
        if number > MAX_TESTS:
            raise _Unusable(f"it has more than {MAX_TESTS:,} tests")
        if test.kind is Kind.REGEX:
            try:
                compile_regex(test.value)
            except ValueError as error:
                raise _Unusable(f"RE2 does not take its regular expression {test.value!r}: {error}") from None
    return tree


def _tree(node: Any, depth: int) -> Tree:  # noqa: ANN401 - pySigma's
    if depth > MAX_DEPTH:
        raise _Unusable(f"its condition is nested more than {MAX_DEPTH} deep")
    word = {"ConditionAND": "all", "ConditionOR": "any", "ConditionNOT": "not"}.get(type(node).__name__)
    if word is not None:
        return _group(word, [_tree(part, depth + 1) for part in node.args])
    return _value(getattr(node, "field", None) or "", node.value)


def _group(word: str, parts: list[Tree]) -> Tree:
    flat: list[Tree] = []
    for part in parts:
        is_same = isinstance(part, Group) and part.word == word != "not"
        flat += part.parts if isinstance(part, Group) and is_same else (part,)
    return flat[0] if len(flat) == 1 and word != "not" else Group(word, tuple(flat))


_ORDERS = {"LT": Kind.LESS, "LTE": Kind.AT_MOST, "GT": Kind.MORE, "GTE": Kind.AT_LEAST}


def _value(field: str, value: Any) -> Tree:  # noqa: ANN401 - pySigma's
    name = type(value).__name__
    if name not in _VALUES:
        raise _Unusable(f"it uses {name}, which is not supported")
    return _VALUES[name](field, value)


def _time_part(field: str, value: Any) -> Tree:  # noqa: ANN401 - pySigma's
    if value.timestamp_part.name != "HOUR":
        raise _Unusable(f"it asks for the {value.timestamp_part.name.lower()} of a time")
    return FieldTest(field, Kind.HOUR, str(value.number))


def _exists(field: str, value: Any) -> Tree:  # noqa: ANN401 - pySigma's
    null = FieldTest(field, Kind.NULL)
    return Group("not", (null,)) if value.exists else null


def _compared(field: str, value: Any) -> Tree:  # noqa: ANN401 - pySigma's
    number = str(value.number)
    if value.op.name in _ORDERS:
        return FieldTest(field, _ORDERS[value.op.name], number)
    return Group("not", (FieldTest(field, Kind.PATTERN, number),))


def _regex(field: str, value: Any) -> Tree:  # noqa: ANN401 - pySigma's
    flags = "".join(sorted(flag.name[0].lower() for flag in value.flags))
    return FieldTest(field, Kind.REGEX, (f"(?{flags})" if flags else "") + str(value.regexp))


def _reference(field: str, value: Any) -> Tree:  # noqa: ANN401 - pySigma's
    kinds = {
        (False, False): Kind.FIELD,
        (True, False): Kind.FIELD_START,
        (False, True): Kind.FIELD_END,
        (True, True): Kind.FIELD_PART,
    }
    return FieldTest(field, kinds[value.starts_with, value.ends_with], value.field)


_VALUES: dict[str, Callable[[str, Any], Tree]] = {
    "SigmaString": lambda field, value: FieldTest(field, Kind.PATTERN, _pattern(value)),
    "SigmaCasedString": lambda field, value: FieldTest(field, Kind.CASED, _pattern(value)),
    "SigmaBool": lambda field, value: FieldTest(field, Kind.PATTERN, "true" if value.boolean else "false"),
    "SigmaNumber": lambda field, value: FieldTest(field, Kind.PATTERN, str(value.number)),
    "SigmaTimestampPart": _time_part,
    "SigmaNull": lambda field, _: FieldTest(field, Kind.NULL),
    "SigmaExists": _exists,
    "SigmaCIDRExpression": lambda field, value: FieldTest(field, Kind.NETWORK, value.cidr),
    "SigmaCompareExpression": _compared,
    "SigmaRegularExpression": _regex,
    "SigmaFieldReference": _reference,
    "SigmaExpansion": lambda field, value: _group("any", [_value(field, inner) for inner in value.values]),
}


def _pattern(value: Any) -> str:  # noqa: ANN401 - pySigma's
    from sigma.types import Placeholder, SpecialChars

    signs = {SpecialChars.WILDCARD_MULTI: ANY, SpecialChars.WILDCARD_SINGLE: SINGLE}
    text = ""
    for part in value.s:
        if isinstance(part, Placeholder):
            raise _Unusable(f"it wants the list %{part.name}% of somebody's own values (expand)")
        text += escaped(_text(part)) if isinstance(part, str) else signs[part]
    return text


def _correlation(parsed: Any) -> Correlation:  # noqa: ANN401 - pySigma's
    kind = parsed.type.name.lower()
    condition = parsed.condition
    if kind not in ("event_count", "value_count", "temporal", "temporal_ordered"):
        raise _Unusable(f"it is a correlation of the kind {kind}")
    if parsed.rules is None or not hasattr(condition, "count"):
        raise _Unusable("its condition joins rules by words")
    field = condition.fieldref or ""
    if not isinstance(field, str):
        raise _Unusable("it counts the values of several fields together")
    if kind == "value_count" and not field:
        raise _Unusable("it names no field whose values it counts")
    return Correlation(
        kind=kind,
        rules=tuple(_text(reference.reference) for reference in parsed.rules),
        group_by=tuple(map(_text, parsed.group_by or ())),
        timespan_us=parsed.timespan.seconds * 1_000_000,
        compare=condition.op.name.lower(),
        count=condition.count,
        field=_text(field),
        aliases=tuple(
            (
                _text(alias.alias),
                tuple((_text(rule.reference), _text(name)) for rule, name in alias.mapping.items()),
            )
            for alias in parsed.aliases
        ),
    )
