"""Correlations of rules: against the slow and obvious way, and the ten most asked cases."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.core.query import EventQuery
from audit_tui.detect.loading import BUILT_IN, load_rules
from audit_tui.detect.running import BaseHit, Runner, correlated
from audit_tui.detect.sigma_rules import read_rules
from audit_tui.detect.tree import Correlation
from tests.cli.running import at, run
from tests.detect.rules import rule_with
from tests.ui.fake_reader import fake_factory

if TYPE_CHECKING:
    from pathlib import Path

MINUTE_US = 60_000_000
SPAN = 5


def slowly(correlation: Correlation, hits: list[BaseHit]) -> set[int]:
    """The seqs of hits in a span that begins at a hit and for which the correlation holds."""
    seqs: set[int] = set()
    for first in hits:
        inside = sorted(
            hit
            for hit in hits
            if hit.group == first.group
            and first <= hit
            and hit.occurred_us <= first.occurred_us + correlation.timespan_us
        )
        rules = range(len(correlation.rules))
        number = len(inside)
        match correlation.kind:
            case "value_count":
                number = len({hit.value for hit in inside} - {None})
            case "temporal":
                holds = {hit.rule for hit in inside} == set(rules)
            case "temporal_ordered":
                holds = any(
                    [hit.rule for hit in some] == [*rules] for some in combinations(inside, len(rules))
                )
        if correlation.kind.endswith("count"):
            limit = correlation.count
            holds = {
                "gte": number >= limit,
                "gt": number > limit,
                "lte": number <= limit,
                "lt": number < limit,
                "eq": number == limit,
                "neq": number != limit,
            }[correlation.compare]
        if holds and not (correlation.kind == "temporal_ordered" and first.rule):
            seqs |= {hit.seq for hit in inside}
    return seqs


HITS = st.lists(
    st.tuples(
        st.integers(0, 20),
        st.integers(0, 2),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y", "z", None]),
    ),
    max_size=12,
).map(
    lambda rows: [
        BaseHit(time, seq, rule, (group,), value) for seq, (time, rule, group, value) in enumerate(rows)
    ]
)


@given(
    hits=HITS,
    kind=st.sampled_from(["event_count", "value_count", "temporal", "temporal_ordered"]),
    compare=st.sampled_from(["gte", "gt", "lte", "lt", "eq", "neq"]),
    count=st.integers(1, 4),
)
def test_hits_are_those_of_the_slow_and_obvious_way(
    hits: list[BaseHit], kind: str, compare: str, count: int
) -> None:
    correlation = Correlation(kind, ("p", "q", "r"), ("user",), SPAN, compare, count, "value")
    assert correlated(correlation, hits) == slowly(correlation, hits)


def base(name: str, detection: str) -> str:
    return rule_with(detection, rest=f"name: {name}\n")


def correlation(kind: str, rules: str, by: str, span: str, condition: str = "", more: str = "") -> str:
    lines = [
        "title: The correlation",
        "correlation:",
        f"    type: {kind}",
        f"    rules: [{rules}]",
        f"    group-by: [{by}]",
        f"    timespan: {span}",
    ]
    return "\n".join([*lines, *([f"    condition: {{{condition}}}"] if condition else []), more])


FAILED = base("failed", "s: {event: Login, outcome: failure}\ncondition: s")
LOGIN = base("login", "s: {event: Login, outcome: success}\ncondition: s")
DENIED = base("denied", "s: {outcome: failure}\ncondition: s")
GIVEN = base("given", "s: {event: Role assigned}\ncondition: s")
TAKEN = base("taken", "s: {event: Role removed}\ncondition: s")
INVITED = base("invited", "s: {event: User invited}\ncondition: s")
KEY = base("key", "s: {event: API Key created}\ncondition: s")
DELETED = base("deleted", "s: {event|endswith: ' deleted'}\ncondition: s")
GUESSED = "name: guessed\n" + correlation("event_count", "failed", "source_ip", "5m", "gte: 3")


def events_of(*rows: tuple[float, str, str, str, str]) -> list[AuditEvent]:
    """Events: the minute, the name with ``!`` for a failure, user, address, target."""
    return [
        AuditEvent(
            name.removesuffix("!"),
            at("2026-11-20 09:00") + int(minute * MINUTE_US),
            user=user or None,
            source_ip=address or None,
            target=target or None,
            outcome=Outcome.FAILURE if name.endswith("!") else Outcome.SUCCESS,
        )
        for minute, name, user, address, target in rows
    ]


CASES = {
    "brute force of one account": (
        [FAILED, correlation("event_count", "failed", "target", "2m", "gte: 3")],
        events_of(
            (0, "Login!", "", "a", "bob"),
            (1, "Login!", "", "b", "bob"),
            (1.5, "Login!", "", "c", "ann"),
            (2, "Login!", "", "d", "bob"),
            (9, "Login!", "", "d", "bob"),
        ),
        [1, 2, 4],
    ),
    "one password tried on many accounts": (
        [FAILED, correlation("value_count", "failed", "source_ip", "5m", "field: target, gte: 3")],
        events_of(
            (0, "Login!", "", "a", "bob"),
            (1, "Login!", "", "a", "bob"),
            (2, "Login!", "", "a", "ann"),
            (3, "Login!", "", "a", "cat"),
            (4, "Login!", "", "b", "dan"),
        ),
        [1, 2, 3, 4],
    ),
    "failures, then a login": (
        [FAILED, LOGIN, GUESSED, correlation("temporal_ordered", "guessed, login", "source_ip", "10m")],
        events_of(
            (0, "Login", "bob", "a", ""),
            (1, "Login!", "", "a", ""),
            (2, "Login!", "", "a", ""),
            (3, "Login!", "", "a", ""),
            (4, "Login", "bob", "a", ""),
            (5, "Login", "ann", "b", ""),
        ),
        [2, 3, 4, 5],
    ),
    "many denied calls": (
        [DENIED, correlation("event_count", "denied", "user", "10m", "gt: 2")],
        events_of(
            (0, "Get!", "bob", "", ""),
            (3, "List!", "bob", "", ""),
            (6, "Put!", "bob", "", ""),
            (7, "Put!", "", "", ""),
        ),
        [1, 2, 3],
    ),
    "many different denied calls": (
        [DENIED, correlation("value_count", "denied", "user", "10m", "field: event, gte: 3")],
        events_of(
            (0, "Get!", "bob", "", ""),
            (1, "get!", "bob", "", ""),
            (6, "Put!", "bob", "", ""),
            (7, "List!", "bob", "", ""),
        ),
        [1, 2, 3, 4],
    ),
    "one user from many addresses": (
        [LOGIN, correlation("value_count", "login", "user", "1h", "field: source_ip, gte: 2")],
        events_of(
            (0, "Login", "bob", "a", ""), (59, "Login", "bob", "b", ""), (130, "Login", "bob", "c", "")
        ),
        [1, 2],
    ),
    "a role given and taken within an hour": (
        [GIVEN, TAKEN, correlation("temporal_ordered", "given, taken", "target", "1h")],
        events_of(
            (0, "Role removed", "ann", "", "x"),
            (1, "Role assigned", "ann", "", "x"),
            (2, "Role assigned", "ann", "", "y"),
            (60, "Role removed", "ann", "", "x"),
            (90, "Role removed", "ann", "", "y"),
        ),
        [2, 4],
    ),
    "a key created by a new user": (
        [
            INVITED,
            KEY,
            correlation(
                "temporal_ordered",
                "invited, key",
                "member",
                "1d",
                more="    aliases: {member: {invited: target, key: user}}",
            ),
        ],
        events_of(
            (0, "User invited", "ann", "", "bob"),
            (1, "API Key created", "ann", "", ""),
            (2, "API Key created", "bob", "", ""),
        ),
        [1, 3],
    ),
    "deletions in a burst": (
        [DELETED, correlation("event_count", "deleted", "user", "1m", "gte: 3")],
        events_of(
            (0, "Model deleted", "bob", "", ""),
            (0.5, "Key deleted", "bob", "", ""),
            (1, "User deleted", "bob", "", ""),
            (1.2, "User deleted", "ann", "", ""),
        ),
        [1, 2, 3],
    ),
    "a key and a deletion, in any order": (
        [KEY, DELETED, correlation("temporal", "key, deleted", "user", "5m")],
        events_of(
            (0, "Model deleted", "bob", "", ""),
            (4, "API Key created", "bob", "", ""),
            (20, "API Key created", "bob", "", ""),
        ),
        [1, 2],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cases_that_are_asked_most(case: str) -> None:
    texts, events, seqs = CASES[case]
    rules, problems = read_rules("\n---\n".join(texts))
    assert not problems
    assert [rule.trouble for rule in rules] == [""] * len(rules)
    runner = Runner(rules)
    # The rules that it looks at are not told by themselves.
    (whole,) = [rule for rule in runner.rules if rule.info.title == "The correlation"][-1:]
    reader = fake_factory(events)()
    assert sorted(event.seq or 0 for event in runner.hits(reader, whole, EventQuery())) == seqs


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("step", [1, -1])
def test_an_event_is_told_as_it_comes_when_it_completes_one(case: str, step: int) -> None:
    texts, events, _ = CASES[case]
    runner = Runner(read_rules("\n---\n".join(texts))[0])
    reader = fake_factory(events[::step])()
    told = []
    for seq in range(1, len(events) + 1):
        event = reader.event(seq)
        assert event is not None
        hit = {rule.info.title for rule in runner.rules_of(event, reader)}
        upto = EventQuery(upto_seq=seq)
        for rule in runner.rules:
            is_hit = seq in {each.seq for each in runner.hits(reader, rule, upto)}
            assert (rule.info.title in hit) == is_hit, seq
        told += [seq] if "The correlation" in hit else []
    assert told


def test_a_correlation_of_what_is_not_there_is_named() -> None:
    rules, _ = read_rules(correlation("event_count", "gone", "user", "1m", "gte: 3"))
    (entry,) = Runner(rules).unread
    assert entry.reason == "it looks at the rule gone, which was not loaded"
    circle = "name: one\n" + correlation("event_count", "one", "user", "1m", "gte: 3")
    rules, _ = read_rules(circle)
    (entry,) = Runner(rules).unread
    assert "more than 5 deep" in entry.reason


def test_signing_and_login_profiles_are_not_logins(tmp_path: Path) -> None:
    store = str(tmp_path / "a.db")
    address = ("--source-ip", "192.0.2.1", "-s", store)
    for second in range(5):
        for event, outcome in (("DeleteLoginProfile", "failure"), ("ListSigningCertificates", "success")):
            record = ("record", event, "--outcome", outcome, "--time", f"2026-11-01 10:00:0{second}")
            assert run(*record, *address).exit_code == 0
    ended = run("detect", "built-in", "-s", store)
    assert (ended.exit_code, ended.stdout) == (0, "")
    for minute in range(5):
        record = ("record", "ConsoleLogin", "--outcome", "failure", "--time", f"2026-11-01 10:0{minute}:00")
        assert run(*record, *address).exit_code == 0
    assert "Passwords guessed" in run("detect", "built-in", "-s", store).stdout


def test_the_rules_that_come_with_the_program_find_the_demos_incident(tmp_path: Path) -> None:
    rules = load_rules([BUILT_IN])
    assert not rules.unread
    runner = Runner(rules.rules)
    assert len(runner.rules) == 10
    store = tmp_path / "demo.db"
    assert run("demo", "--events", "3000", "--no-open", "--store", str(store)).exit_code == 0
    result = run("detect", "built-in", "-s", str(store), "-q", "ip:192.0.2.66", "--format", "jsonl")
    titles = {line.split('"title":"')[1].split('"')[0] for line in result.stdout.splitlines()}
    assert titles == {
        "Passwords guessed",
        "Passwords guessed, then in",
        "Role created off hours",
        "User invited and promoted within an hour",
        "Key created by a user invited that day",
        "Guardrails undeployed in a row",
        "Denied change of a role",
    }
    assert result.exit_code == 1
