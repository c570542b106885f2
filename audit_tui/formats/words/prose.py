"""Facts in lines that programs write for people: who, from where and how it ended."""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import Any, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.tables import table
from audit_tui.formats.values import http_verdict_of, severity_of, word_set

_WORDS: dict[str, Any] = table("prose")
_NOBODY = word_set(_WORDS["nobody"])
_NO_NAMES = _NOBODY | word_set(_WORDS["things"])
_MOST_CHARS = 4_000
"""Longer texts are read so far: what tells who and how stands at the beginning."""
_BEFORE_CHARS = 50
_REQUEST = re.compile(r"\"[^\"]*\bHTTP/\d[^\"]*\"|\b\w+://[^\s|]+|(?<=\s)/[^\s|]+")
"""A request: its words are not those of the program."""
_QUOTED = re.compile(
    r"(?<![^\s=(:@\[,|])(?:\"(?:[^\"\\]|\\.)*(?<![\s(\[=,])\"(?![\w\"])|'[^']*'(?!\w))|<[^<>]*>"
)
"""A text that the program only passes on: a request, an agent, a name."""
_ADDRESS_ALONE = re.compile(r"\W*(?:IPV[46]/\w+/|[\w.\\-]+@)?[\da-fA-F:., ]+\W*(?:port \d+\W*|/\d+\W*)?\Z")
_PASSED = re.compile(r"(?::\d+)?\s*(?:,|\(IP=)\s*\Z")
"""Stands before the address of a proxy, or of the server itself, behind that of a client."""
_OF_STRANGERS = re.compile(
    r"(?i)(?:(?:user|login|account|name|agent|referrer|referer|request)[^\w@]{0,3}|\bhost: ?)\Z"
)
_AT_ADDRESS = re.compile(r"(?<=.)@\[?(?:(?:\d{1,3}\.){3}\d{1,3}|[\da-fA-F]*:[\da-fA-F:]+)\]?\Z")
_PORT = re.compile(r"[:.#/ ](\d{1,5})\b")
_SERVICES = 1_024
"""Ports below it are those of services."""
_SIDE_BY_SIDE = re.compile(r"(?:[:.#/ ]\d{1,5}|\[\d+\])?(?:\s*(?:[-=]?>|\s-\s)\s*|[ ,|])\Z")


class Prose(NamedTuple):
    """The facts of a line."""

    user: str | None
    address: str | None
    outcome: Outcome
    is_denied: bool
    target: str | None
    severity: int | None


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_WORDS[name])


@cache
def _paths() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, _WORDS["paths"]))


@cache
def _users() -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    """The patterns of users, and the words that are none there."""
    named = [(re.compile(pattern), _NOBODY) for pattern in _WORDS["named"]]
    return (*named, *((re.compile(pattern), _NO_NAMES) for pattern in _WORDS["users"]))


def told_by(text: str) -> Prose:
    """Return what a text for people tells; what it does not say plainly is None."""
    text = text[:_MOST_CHARS]
    path = next((match["path"] for pattern in _paths() if (match := pattern.search(text)) is not None), None)
    outcome, is_denied = _ending(text)
    level = _pattern("level").search(text[:200])
    return Prose(
        _user(_REQUEST.sub(_blank, text)),
        _address(_QUOTED.sub(_passed_on, text)),
        outcome,
        is_denied,
        path,
        None if level is None else severity_of(level[1]),
    )


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _passed_on(match: re.Match[str]) -> str:
    """A text in quotes without its words, which anybody may have written; an address alone stays.

    It does not where it is a name: whoever logs in as 192.0.2.1 does not come from there.
    """
    before = match.string[max(0, match.start() - _BEFORE_CHARS) : match.start()]
    if _ADDRESS_ALONE.match(match[0]) is not None and _OF_STRANGERS.search(before) is None:
        return match[0]
    return _blank(match)


def address_told(text: str) -> str | None:
    """Return the address that a text plainly says to be that of who did it; None when it says none."""
    if text.count(".") < 3 and text.count(":") < 2:
        return None  # most texts: 0.2 µs in the place of 5
    match = _pattern("told_address").search(_QUOTED.sub(_passed_on, text[:_MOST_CHARS]))
    return None if match is None else source_address(match["address"])


def end_told(text: str) -> tuple[Outcome, bool]:
    """Return how somebody's coming in ended, where a message plainly says it, and whether it was denied."""
    if "ailed" not in text and "ailure" not in text and "uccess" not in text and "enied" not in text:
        return Outcome.UNKNOWN, False  # most texts: 0.2 µs in the place of 2
    match = _pattern("entry").search(text[:_MOST_CHARS])
    if match is None:
        return Outcome.UNKNOWN, False
    bad = match["bad"] or match["first"]
    return (Outcome.FAILURE, bad.lower() == "denied") if bad else (Outcome.SUCCESS, False)


def _user(text: str) -> str | None:
    for pattern, no_names in _users():
        for match in pattern.finditer(text):
            name = _AT_ADDRESS.sub("", match["user"].strip().rstrip("."))
            if name and name.lower() not in no_names and not name.isspace() and "=" not in name:
                return name
    return None


def _address(text: str) -> str | None:
    """The address of who did it: the one that words say is it, or the only one.

    Where words say it of two, somebody wrote one of them into a name or a path.
    """
    named: set[str] = set()
    plain: dict[str, str] = {}
    end = 0
    for match in _pattern("address").finditer(text):
        raw = match["v4"] or match["v6"]
        try:
            if ipaddress.ip_address(raw).is_unspecified:
                continue
        except ValueError:
            continue
        before = text[max(0, match.start() - _BEFORE_CHARS) : match.start()]
        is_proxy, end = _PASSED.match(text[end : match.start()]) is not None, match.end()
        if is_proxy and named:
            continue
        if _pattern("served").search(before) is not None:
            continue
        if _is_source(before):
            named.add(raw)
            continue
        plain.setdefault(raw, text[match.end() : match.end() + _BEFORE_CHARS])
    if named:
        return source_address(named.pop()) if len(named) == 1 else None
    addresses = list(plain)
    afters = list(plain.values())
    if len(addresses) == 1:
        return source_address(addresses[0])
    if len(addresses) < 2 or (len(addresses) > 2 and _PORT.match(afters[0]) is None):
        return None
    return source_address(_asking(addresses, afters))


def _is_source(before: str) -> bool:
    """Tell whether the words before an address say that somebody came from it."""
    is_named = before.endswith("[") and _pattern("in_brackets").search(before) is not None
    return is_named or _pattern("source").search(before) is not None


def _asking(addresses: list[str], afters: list[str]) -> str | None:
    """The address that a packet or a connection came from, of two that stand side by side."""
    gap, other, _ = afters[0].partition(addresses[1])
    if not other or _SIDE_BY_SIDE.match(gap) is None:
        return None
    ports = _PORT.match(gap), _PORT.match(afters[1])
    is_reply = "," in gap and ports[0] is not None and ports[1] is not None
    if is_reply and ports[0] and ports[1]:
        is_reply = int(ports[0][1]) < _SERVICES <= int(ports[1][1])
    return addresses[is_reply]


def _ending(text: str) -> tuple[Outcome, bool]:
    status = _pattern("http").search(text)
    if status is not None and (verdict := http_verdict_of(status["status"])) is not None:
        return verdict
    words = _pattern("no_failure").sub("", _REQUEST.sub("", text))
    if _pattern("failure").search(words) is not None:
        return Outcome.FAILURE, _pattern("denied").search(words) is not None
    return (Outcome.UNKNOWN if _pattern("success").search(words) is None else Outcome.SUCCESS), False
