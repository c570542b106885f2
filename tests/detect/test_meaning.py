"""A rule's filter of stored events means what the rule means for the record."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent
from audit_tui.core.filter.matching import is_inside, leaves, matcher
from audit_tui.core.query_line.text import line_of, normal
from audit_tui.detect.plan import plan_of
from audit_tui.detect.tree import (
    FieldTest,
    Group,
    Kind,
    Rule,
    Tree,
    compile_regex,
    literal_in,
    rule_from_json,
    rule_to_json,
)
from tests.detect.rules import TRAIL, read_one, rule_with

SUFFIX = ".amazonaws.com"


def holds(tree: Tree, record: dict[str, Any]) -> bool:
    """The meaning of a tree for a record, worked out the slow and obvious way."""
    if isinstance(tree, Group):
        parts = [holds(part, record) for part in tree.parts]
        return not parts[0] if tree.word == "not" else (all if tree.word == "all" else any)(parts)
    texts = [text for path, text in leaves(record) if is_inside(path, tree.field) or not tree.field]
    match tree.kind:
        case Kind.NULL:
            return not texts
        case Kind.FIELD:
            others = [text for path, text in leaves(record) if is_inside(path, tree.value)]
            return any(text.casefold() == other.casefold() for text in texts for other in others)
        case Kind.REGEX:
            return any(re.search(tree.value, text) for text in texts)
    flags = re.DOTALL | (re.NOFLAG if tree.kind is Kind.CASED else re.IGNORECASE)
    expression = ""
    escaped = False
    for sign in tree.value:
        if sign == "\\" and not escaped:
            escaped = True
            continue
        signs = {"*": ".*", "?": "."} if not escaped else {}
        expression += signs.get(sign, re.escape(sign))
        escaped = False
    whole = re.compile(expression, flags)
    return any(whole.search(text) if not tree.field else whole.fullmatch(text) for text in texts)


def stored(record: dict[str, Any]) -> AuditEvent:
    """A record of CloudTrail as an event of which the columns took what they can give back."""
    metadata = {name: value for name, value in record.items() if name not in ("eventName", "eventSource")}
    category = str(record["eventSource"]).removesuffix(SUFFIX)
    return AuditEvent(record["eventName"], 0, category=category, source="cloudtrail", metadata=metadata)


EXPRESSIONS = ["^a", "b.$", "s3"]
WORDS = st.text(alphabet="ab*?\\.", max_size=4)
PATTERNS = st.lists(
    st.sampled_from(["a", "b", "B", "*", "?", "\\*", "\\?", "\\\\", ".", SUFFIX, ".com", "s3"]), max_size=5
).map("".join)
TESTS = st.one_of(
    st.builds(
        FieldTest,
        st.sampled_from(["eventName", "eventSource", "x", "y.z"]),
        st.sampled_from([Kind.PATTERN, Kind.CASED]),
        PATTERNS,
    ),
    st.builds(FieldTest, st.sampled_from(["x", "y.z", "y"]), st.just(Kind.NULL)),
    st.builds(
        FieldTest, st.sampled_from(["x", "eventSource"]), st.just(Kind.REGEX), st.sampled_from(EXPRESSIONS)
    ),
    st.builds(FieldTest, st.just("x"), st.just(Kind.FIELD), st.sampled_from(["y.z", "eventName", "gone"])),
)
TREES = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds(Group, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Group, st.just("not"), st.tuples(inner)),
    ),
    max_leaves=6,
)
RECORDS = st.fixed_dictionaries(
    {
        "eventName": st.text(alphabet="abB*?", min_size=1, max_size=3),
        "eventSource": st.sampled_from(["s3", "a", "a.b", "b*"]).map(lambda name: name + SUFFIX),
    },
    optional={
        "x": st.one_of(WORDS, st.none(), st.lists(WORDS, max_size=2)),
        "y": st.fixed_dictionaries({"z": WORDS}),
    },
)


@given(tree=TREES, record=RECORDS)
def test_a_filter_takes_what_the_rule_hits(tree: Tree, record: dict[str, Any]) -> None:
    plan = plan_of(rule_of(tree))
    assert plan is not None
    event = stored(record)
    taken, wanted = matcher(plan.filter)(event), holds(tree, record)
    assert taken or not wanted, line_of(plan.filter)
    if plan.test is None:
        assert taken == wanted, line_of(plan.filter)
    elif taken:
        assert plan.test(event) == wanted


def rule_of(tree: Tree) -> Rule:
    base = read_one(TRAIL)
    return Rule(base.info, base.logsource, tree=tree)


@given(tree=TREES)
def test_a_rule_lies_in_the_cache_as_it_is(tree: Tree) -> None:
    rule = rule_of(tree)
    assert rule_from_json(json.loads(json.dumps(rule_to_json(rule)))) == rule


@pytest.mark.parametrize(
    ("detection", "line"),
    [
        ("s: {user: alice}\ncondition: s", "user:alice"),
        ("s: {user|startswith: svc-}\ncondition: not s", "user!:svc-*"),
        ("s: {user|contains: [a, b]}\ncondition: s", "user~(a, b)"),
        ("s: {user|cased: Alice}\ncondition: s", "user=Alice"),
        ("s: {user: null}\ncondition: s", "user="),
        ("s: {user|exists: true}\ncondition: s", "user:*"),
        ("s: {source_ip|cidr: 10.0.0.0/8}\ncondition: s", "source_ip:10.0.0.0/8"),
        ("s: {severity|gte: 4}\ncondition: s", "severity>=4"),
        ("s: {role.name: admin}\ncondition: s", "meta.role.name:admin"),
        ("s: {user: alice, event: Login}\nf: {outcome: success}\ncondition: s and not f", None),
        ("a: {user: a}\nb: {user: b}\ncondition: 1 of them", "user:(a, b)"),
    ],
)
def test_a_rule_is_a_line(detection: str, line: str | None) -> None:
    plan = plan_of(read_one(rule_with(detection)))
    assert plan is not None
    assert plan.is_exact
    assert line_of(plan.filter) == (line or "user:alice event:Login outcome!:success")


def test_a_record_of_an_event_must_match_by_itself() -> None:
    rule = read_one(
        rule_with(
            "s: {type: PATH, name|startswith: /etc/, nametype: CREATE}\ncondition: s",
            logsource="{product: linux, service: auditd}",
        )
    )
    plan = plan_of(rule)
    assert plan is not None
    assert plan.test is not None

    def event(*paths: tuple[str, str]) -> AuditEvent:
        records = [{"name": name, "nametype": kind} for name, kind in paths]
        return AuditEvent(
            "open", 0, source="auditd", metadata={"SYSCALL": {"exe": "/bin/sh"}, "PATH": records}
        )

    hit, mixed = event(("/etc/x", "CREATE")), event(("/etc/x", "NORMAL"), ("/tmp/y", "CREATE"))
    assert matcher(plan.filter)(hit)
    assert plan.test(hit)
    assert matcher(plan.filter)(mixed)
    assert not plan.test(mixed)


@pytest.mark.parametrize(
    ("expression", "literal"),
    [
        (".+:assumed-role/aws:.+", ":assumed-role/aws:"),
        (r"^abc\.de?f$", "abc.d"),
        ("ab|cd", ""),
        ("(ab|cd)efg[x]h", "efg"),
        ("ab+c", "ab"),
        ("x{2}yz", "yz"),
        ("x{12}", ""),
        ("ax{2,}b", "a"),
        (r"[a\]b]cd[[:alpha:]]e", "cd"),
        ("(?i)abc", ""),
        (r"\x41bc", ""),
        (r"\dabc", "abc"),
        ("a(b(c)d)?efg", "efg"),
    ],
)
def test_the_text_that_every_match_holds(expression: str, literal: str) -> None:
    assert literal_in(expression) == literal


PARTS = [
    "a",
    "b",
    "ab",
    ".",
    "\\.",
    "[ab]",
    "[^a]",
    "(ab)",
    "(a|b)",
    "a?",
    "b*",
    "a+",
    "x{2}",
    "^",
    "\\w",
    "|",
]


@given(st.lists(st.sampled_from(PARTS), max_size=6).map("".join), st.text(alphabet="abx.", max_size=8))
def test_no_match_lacks_it(expression: str, text: str) -> None:
    try:
        matches = compile_regex(expression).search(text) is not None
    except ValueError:
        return
    assert not matches or literal_in(expression) in text


def test_a_hostile_pattern_takes_no_longer_than_its_text() -> None:
    # Python's re would take 2 ** 40 steps.
    plan = plan_of(read_one(rule_with("s: {user|re: '(a+)+$'}\ncondition: s")))
    assert plan is not None
    assert plan.test is not None
    assert not plan.test(AuditEvent("e", 0, user="a" * 40_000 + "b"))
    assert normal(plan.filter) == plan.filter
