"""The lines of the manual, and what each means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    All,
    Any,
    AnyText,
    Condition,
    Filter,
    FilterField,
    MetaField,
    Not,
)
from audit_tui.core.filter.operators import (
    AT_LEAST,
    CONTAINS,
    CONTAINS_NOT,
    IN_NETWORK,
    IS,
    IS_NOT,
    LESS,
    MATCHES,
    MATCHES_NOT,
    NOT_IN_NETWORK,
    Operator,
)
from audit_tui.core.query_line.grammar import MEANING
from audit_tui.core.query_line.parse import parse
from audit_tui.core.query_line.text import line_of
from audit_tui.core.time.dates import MomentRange, TimeContext, TimeRange
from audit_tui.core.time.month import DayRange

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
CONTEXT = TimeContext(UTC, NOW)
NOVEMBER_1_US = str(int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000)
NOVEMBER_2_US = str(int(datetime(2026, 11, 2, tzinfo=UTC).timestamp()) * 1_000_000)
NOVEMBER_3_US = str(int(datetime(2026, 11, 3, tzinfo=UTC).timestamp()) * 1_000_000)


def c(field: FilterField | str, operator: Operator, value: str | None) -> Condition:
    """A condition; a field by its name in the metadata."""
    if not isinstance(field, Column | AnyText | MetaField):
        field = MetaField(field)
    return Condition(field, operator, value)


USER, EVENT = Column.USER, Column.EVENT
ALICE = c(USER, MATCHES, "alice")
LINES: list[tuple[str, Filter, str]] = [
    ("user:alice", ALICE, "user:alice"),
    ("USER:alice", ALICE, "user:alice"),
    ("user=alice", c(USER, IS, "alice"), "user=alice"),
    ("user!=alice", c(USER, IS_NOT, "alice"), "user!=alice"),
    ("-user:alice", c(USER, MATCHES_NOT, "alice"), "user!:alice"),
    ("!user:alice", c(USER, MATCHES_NOT, "alice"), "user!:alice"),
    ("not user:alice", c(USER, MATCHES_NOT, "alice"), "user!:alice"),
    ("NOT NOT user:alice", ALICE, "user:alice"),
    (
        "user:alice category!=Login",
        All((ALICE, c(Column.CATEGORY, IS_NOT, "Login"))),
        "user:alice category!=Login",
    ),
    ("user:alice AND event:login", All((ALICE, c(EVENT, MATCHES, "login"))), "user:alice event:login"),
    (
        'event:Role* or event:"API Key*"',
        Any((c(EVENT, MATCHES, "Role*"), c(EVENT, MATCHES, "API Key*"))),
        'event:(Role*, "API Key*")',
    ),
    (
        "(event:Role* or category:Roles) -user:svc-*",
        All(
            (
                Any((c(EVENT, MATCHES, "Role*"), c(Column.CATEGORY, MATCHES, "Roles"))),
                c(USER, MATCHES_NOT, "svc-*"),
            )
        ),
        "(event:Role* or category:Roles) user!:svc-*",
    ),
    (
        "event:(Login or Logout)",
        Any((c(EVENT, MATCHES, "Login"), c(EVENT, MATCHES, "Logout"))),
        "event:(Login, Logout)",
    ),
    ("user!=(alice, bob)", All((c(USER, IS_NOT, "alice"), c(USER, IS_NOT, "bob"))), "user!=(alice, bob)"),
    ("-user=(alice, bob)", All((c(USER, IS_NOT, "alice"), c(USER, IS_NOT, "bob"))), "user!=(alice, bob)"),
    ("user=", c(USER, IS, None), "user="),
    ("user!=", c(USER, IS_NOT, None), "user:*"),
    ("user:*", c(USER, IS_NOT, None), "user:*"),
    ("-user:*", c(USER, IS, None), "user="),
    ("(user=)", c(USER, IS, None), "user="),
    ("description~failed", c(Column.DESCRIPTION, CONTAINS, "failed"), "description~failed"),
    (
        'description!~"timed out"',
        c(Column.DESCRIPTION, CONTAINS_NOT, "timed out"),
        'description!~"timed out"',
    ),
    ('"access denied"', c(ANY_TEXT, CONTAINS, "access denied"), '"access denied"'),
    ("denied", c(ANY_TEXT, CONTAINS, "denied"), "denied"),
    ("text~denied", c(ANY_TEXT, CONTAINS, "denied"), "denied"),
    ("-denied", c(ANY_TEXT, CONTAINS_NOT, "denied"), "-denied"),
    ('"-denied"', c(ANY_TEXT, CONTAINS, "-denied"), '"-denied"'),
    ("access\\ denied", c(ANY_TEXT, CONTAINS, "access denied"), '"access denied"'),
    ("ip:10.0.0.0/8", c(Column.SOURCE_IP, IN_NETWORK, "10.0.0.0/8"), "source_ip:10.0.0.0/8"),
    ("source_ip=10.0.0.0/8", c(Column.SOURCE_IP, IN_NETWORK, "10.0.0.0/8"), "source_ip:10.0.0.0/8"),
    ("source_ip!=10.0.0.0/8", c(Column.SOURCE_IP, NOT_IN_NETWORK, "10.0.0.0/8"), "source_ip!:10.0.0.0/8"),
    ("meta.peer:2001:db8::/32", c("peer", IN_NETWORK, "2001:db8::/32"), "meta.peer:2001:db8::/32"),
    ("meta.peer=2001:db8::/32", c("peer", IS, "2001:db8::/32"), "meta.peer=2001:db8::/32"),
    ("source_ip:203.0.113.7", c(Column.SOURCE_IP, MATCHES, "203.0.113.7"), "source_ip:203.0.113.7"),
    (
        "outcome:failure severity>=high",
        All((c(Column.OUTCOME, MATCHES, "failure"), c(Column.SEVERITY, AT_LEAST, "4"))),
        "outcome:failure severity>=4",
    ),
    ("severity:info", c(Column.SEVERITY, IS, "1"), "severity=1"),
    ("seq:0012", c(Column.SEQ, IS, "12"), "seq=12"),
    ("meta.request.role=admin", c("request.role", IS, "admin"), "meta.request.role=admin"),
    ('meta."Model ID":m-17*', c("Model ID", MATCHES, "m-17*"), 'meta."Model ID":m-17*'),
    ('meta."a.b"=x', c("a.b", IS, "x"), "meta.a.b=x"),
    ('meta.x=""', c("x", IS, ""), 'meta.x=""'),
    ("meta.code>=400", c("code", AT_LEAST, "400"), "meta.code>=400"),
    ("meta.errorCode:*", c("errorCode", IS_NOT, None), "meta.errorCode:*"),
    ("-meta.errorCode:*", c("errorCode", IS, None), "meta.errorCode="),
    (
        "time>=2026-11-01 time<=2026-11-02",
        All((c(Column.TIME, AT_LEAST, NOVEMBER_1_US), c(Column.TIME, LESS, NOVEMBER_3_US))),
        "time>=2026-11-01T00:00:00Z time<2026-11-03T00:00:00Z",
    ),
    (
        "time:2026-11-01",
        All((c(Column.TIME, AT_LEAST, NOVEMBER_1_US), c(Column.TIME, LESS, NOVEMBER_2_US))),
        "time>=2026-11-01T00:00:00Z time<2026-11-02T00:00:00Z",
    ),
    ("time>2026-11-01", c(Column.TIME, AT_LEAST, NOVEMBER_2_US), "time>=2026-11-02T00:00:00Z"),
    (
        "target:arn:aws:s3:::bucket/*",
        c(Column.TARGET, MATCHES, "arn:aws:s3:::bucket/*"),
        "target:arn:aws:s3:::bucket/*",
    ),
    (
        'user:"CN=John Smith, OU=Ops"',
        c(USER, MATCHES, "CN=John Smith, OU=Ops"),
        'user:"CN=John Smith, OU=Ops"',
    ),
    (
        "description:C:\\Windows\\*",
        c(Column.DESCRIPTION, MATCHES, "C:\\Windows\\*"),
        'description:"C:\\\\Windows\\\\*"',
    ),
    (
        "a b or c d",
        Any(
            (
                All((c(ANY_TEXT, CONTAINS, "a"), c(ANY_TEXT, CONTAINS, "b"))),
                All((c(ANY_TEXT, CONTAINS, "c"), c(ANY_TEXT, CONTAINS, "d"))),
            )
        ),
        "a b or c d",
    ),
    (
        "not (a or b) c",
        All((Not(Any((c(ANY_TEXT, CONTAINS, "a"), c(ANY_TEXT, CONTAINS, "b")))), c(ANY_TEXT, CONTAINS, "c"))),
        "-(a or b) c",
    ),
    ("a and not b", All((c(ANY_TEXT, CONTAINS, "a"), c(ANY_TEXT, CONTAINS_NOT, "b"))), "a -b"),
    ("user::alice", c(USER, MATCHES, ":alice"), "user::alice"),
    ('user:"or"', c(USER, MATCHES, "or"), 'user:"or"'),
]


@pytest.mark.parametrize(("line", "expression", "canonical"), LINES, ids=[line for line, _, _ in LINES])
def test_a_line_means_this(line: str, expression: Filter, canonical: str) -> None:
    query = parse(line, CONTEXT)
    assert query.filter == expression
    assert query.time_range is None
    assert line_of(expression) == canonical


@pytest.mark.parametrize(
    ("line", "time_range", "rest"),
    [
        ("since:24h", MomentRange(NOW - timedelta(hours=24)), ""),
        ("user:alice since:24h", MomentRange(NOW - timedelta(hours=24)), "user:alice"),
        (
            'since:2026-11-01 until:"2026-11-02 14:00" (x)',
            MomentRange(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, 14, tzinfo=UTC)),
            "x",
        ),
        (
            "since:2026-11-01 until:2026-11-02",
            DayRange(datetime(2026, 11, 1).date(), datetime(2026, 11, 2).date()),  # noqa: DTZ001 - a day
            "",
        ),
        (
            'since:"Feb 21..Feb 22"',
            DayRange(datetime(2026, 2, 21).date(), datetime(2026, 2, 22).date()),  # noqa: DTZ001 - a day
            "",
        ),
    ],
)
def test_a_line_may_have_a_time_range(line: str, time_range: TimeRange, rest: str) -> None:
    query = parse(line, CONTEXT)
    assert query.time_range == time_range
    assert line_of(query.filter) == rest


def test_the_examples_of_the_manual_can_be_read() -> None:
    for line, _ in MEANING:
        parse(line, CONTEXT)


def test_a_list_from_a_file() -> None:
    people = {"people.txt": ["alice", "bob smith"]}
    query = parse("-user=@people.txt", CONTEXT, read_list=people.__getitem__)
    assert line_of(query.filter) == 'user!=(alice, "bob smith")'
