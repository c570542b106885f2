"""Random filters of all fields and operators, with values that try to break out of a line."""

from __future__ import annotations

from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    All,
    Any,
    Condition,
    Filter,
    MetaField,
    Not,
)
from audit_tui.core.filter.operators import (
    AT_LEAST,
    AT_MOST,
    CONTAINS,
    IN_NETWORK,
    IS,
    LESS,
    MATCHES,
    MORE,
    TEXT_OPERATORS,
    Operator,
)

HOSTILE = (
    *(
        "alice",
        "a b",
        "(x)",
        'q"q',
        "back\\slash",
        "and",
        "OR",
        "not",
        "*",
        "x*",
        "**",
        "-neg",
        "!bang",
    ),
    *(
        "a:b",
        "a=b",
        "",
        "user:bob",
        "ü✓",
        "a,b",
        "\\",
        "trail\\",
        '\\"',
        "10.0.0.0/8",
        "=",
        "~x",
        "\t",
        "a\nb",
    ),
    *(
        "@file",
        "\u202egnp.exe",
        "nul\0",
        "␀",
        " lead",
        "trail ",
        "2001:db8::/32",
        "<b>",
        "'; DROP TABLE events; --",
    ),
    *("C:\\Windows\\*", "\x1b[31m", "since:1h", ")", "(", "-", "!", '"', "\u00a0", "\u2028", "\ud800"),
)
VALUES = st.sampled_from(HOSTILE) | st.text(max_size=12)
NUMBERS = st.integers(-(10**9), 10**18).map(str) | st.sampled_from(["1.5", "-0.25", "1e3", "007"])
PATHS = st.sampled_from(
    ["a", "a b", "x.y", "a=b", 'q"u', "-z", "C:\\", "a..b", ".", "meta.a", "a.b c.d", "(", "ü", "a:b", "\\"]
) | st.text(min_size=1, max_size=8)
TEXTS: st.SearchStrategy[object] = st.sampled_from(
    [
        *(Column.EVENT, Column.CATEGORY, Column.USER, Column.DESCRIPTION),
        *(Column.SOURCE_IP, Column.TARGET, Column.SOURCE, ANY_TEXT),
    ]
) | st.builds(MetaField, PATHS)
_NETWORKED = st.sampled_from([Column.SOURCE_IP, Column.TARGET]) | st.builds(MetaField, PATHS)
_COUNTED = st.sampled_from([Column.SEQ, Column.SEVERITY])
_ORDER = (LESS, AT_MOST, MORE, AT_LEAST)


def _either(*positive: Operator) -> st.SearchStrategy[Operator]:
    """These operators and their negations."""
    return st.sampled_from([*positive, *(operator.negation for operator in positive)])


CONDITIONS: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Condition, TEXTS, _either(*TEXT_OPERATORS), VALUES),
    st.builds(Condition, TEXTS | _COUNTED | st.just(Column.TIME), _either(IS), st.none()),
    st.builds(Condition, _NETWORKED, _either(IN_NETWORK), st.sampled_from(["10.0.0.0/8", "2001:db8::/32"])),
    st.builds(Condition, st.builds(MetaField, PATHS), _either(*_ORDER), NUMBERS),
    st.builds(Condition, st.just(Column.SEQ), _either(IS, *_ORDER), st.integers(0, 10**18 - 1).map(str)),
    st.builds(Condition, st.just(Column.SEVERITY), _either(IS), st.integers(0, 6).map(str)),
    st.builds(Condition, st.just(Column.SEVERITY), _either(*_ORDER), st.integers(1, 5).map(str)),
    st.builds(Condition, st.just(Column.OUTCOME), _either(IS), st.sampled_from(list(Outcome)).map(str)),
    st.builds(Condition, st.just(Column.OUTCOME), _either(CONTAINS), st.sampled_from("sfun")),
    st.builds(
        Condition, st.just(Column.OUTCOME), _either(MATCHES), st.sampled_from(["s*", "*N*", "FAILURE"])
    ),
    st.builds(Condition, st.just(Column.TIME), _either(IS, *_ORDER), st.integers(-(10**16), 10**16).map(str)),
)
"""Single conditions."""


def _groups(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(parts, max_size=4).map(tuple)
    return st.builds(All, several) | st.builds(Any, several) | st.builds(Not, parts)


FILTERS = st.recursive(CONDITIONS, _groups, max_leaves=12)
"""Whole filters."""
