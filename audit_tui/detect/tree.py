"""A rule: its logs, its condition as a tree of tests, and the meaning of that for one record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from audit_tui.core.event import from_us
from audit_tui.core.filter.operators import AT_LEAST, AT_MOST, IN_NETWORK, LESS, MORE
from audit_tui.core.investigate.detections import Level, RuleInfo
from audit_tui.core.record import Record

if TYPE_CHECKING:
    Lookup: TypeAlias = Callable[[str], Sequence[str]]
    """Returns the texts of a field; of an empty name, all texts of the record."""
    RecordTest: TypeAlias = Callable[[Lookup], bool]


class Kind(StrEnum):
    """The sorts of tests."""

    PATTERN = "pattern"
    """The whole text in any case; ``*`` is any text, ``?`` any character, a backslash makes them plain."""
    CASED = "cased"
    """A pattern in exactly this case."""
    NULL = "null"
    """No value."""
    NETWORK = "network"
    REGEX = "regex"
    """A regular expression of RE2 anywhere in the text, with its flags in front."""
    LESS = "less"
    AT_MOST = "at_most"
    MORE = "more"
    AT_LEAST = "at_least"
    FIELD = "field"
    """The value of the field that is named."""
    FIELD_START = "field_start"
    """A text that begins with it."""
    FIELD_END = "field_end"
    """A text that ends with it."""
    FIELD_PART = "field_part"
    """A text that contains it."""
    HOUR = "hour"
    """A time in this hour of the day in UTC."""


ORDERS = {Kind.LESS: LESS, Kind.AT_MOST: AT_MOST, Kind.MORE: MORE, Kind.AT_LEAST: AT_LEAST}
ANY, SINGLE = "*", "?"
KEYWORD = ""
"""The field of a test that looks at all texts of a record."""


class FieldTest(NamedTuple):
    """One comparison of a field, as a rule names it, with a value."""

    field: str
    kind: Kind
    value: str = ""


class Group(Record):
    """Tests joined by "all", "any", or "not", which has one part."""

    word: str
    parts: tuple[Tree, ...]


Tree: TypeAlias = FieldTest | Group


def tests_in(tree: Tree) -> Iterator[FieldTest]:
    """Yield the tests of a tree."""
    if isinstance(tree, FieldTest):
        yield tree
    else:
        for part in tree.parts:
            yield from tests_in(part)


def to_json(tree: Tree) -> Any:  # noqa: ANN401 - JSON
    """Return the tree as JSON values."""
    if isinstance(tree, FieldTest):
        return [tree.field, tree.kind.value, tree.value]
    return {tree.word: [to_json(part) for part in tree.parts]}


def from_json(value: Any) -> Tree:  # noqa: ANN401 - JSON
    """Return the tree that JSON values tell."""
    if isinstance(value, list):
        field, kind, text = value
        return FieldTest(field, Kind(kind), text)
    ((word, parts),) = value.items()
    return Group(word, tuple(map(from_json, parts)))


def pieces(pattern: str) -> list[str]:
    """Return the pieces of a pattern: ``*``, ``?``, and the texts between them with their escapes."""
    parts: list[str] = []
    literal = ""
    place = 0
    while place < len(pattern):
        sign = pattern[place]
        if sign in (ANY, SINGLE):
            if literal:
                parts.append(literal)
                literal = ""
            parts.append(sign)
        else:
            if sign == "\\":
                place += 1
                sign = "\\" + pattern[place]
            literal += sign
        place += 1
    return [*parts, literal] if literal else parts


def plain(piece: str) -> str:
    """Return a literal piece without its escapes."""
    text, place = "", 0
    while place < len(piece):
        place += piece[place] == "\\"
        text += piece[place]
        place += 1
    return text


def escaped(text: str) -> str:
    """Return the pattern of exactly this text."""
    return text.replace("\\", "\\\\").replace(ANY, "\\*").replace(SINGLE, "\\?")


def record_test(tree: Tree) -> RecordTest:
    """Return the function that tells whether a record matches."""
    if isinstance(tree, FieldTest):
        return _test(tree)
    tests = [record_test(part) for part in tree.parts]
    if tree.word == "not":
        return lambda lookup: not tests[0](lookup)
    if tree.word == "all":
        return lambda lookup: all(test(lookup) for test in tests)
    return lambda lookup: any(test(lookup) for test in tests)


def _test(test: FieldTest) -> RecordTest:
    field, kind, value = test
    if kind is Kind.NULL:
        return lambda lookup: not lookup(field)
    if kind in _REFERENCES:
        compare = _REFERENCES[kind]
        return lambda lookup: any(
            compare(text.casefold(), other.casefold()) for text in lookup(field) for other in lookup(value)
        )
    passes = text_test(test)
    return lambda lookup: any(map(passes, lookup(field)))


_REFERENCES: dict[Kind, Callable[[str, str], bool]] = {
    Kind.FIELD: str.__eq__,
    Kind.FIELD_START: str.startswith,
    Kind.FIELD_END: str.endswith,
    Kind.FIELD_PART: str.__contains__,
}


def text_test(test: FieldTest) -> Callable[[str], bool]:
    """Return the test of one text, for a test that looks at no other field."""
    if test.kind is Kind.NETWORK:
        return IN_NETWORK.meaning(test.value)
    if test.kind in ORDERS:
        return ORDERS[test.kind].meaning(test.value)
    if test.kind is Kind.REGEX:
        return _search(test.value)
    if test.kind is Kind.HOUR:
        return lambda text: _hour_of(text) == int(test.value)
    ends = ("", "") if test.field == KEYWORD else ("^", "$")
    # Linear whatever the pattern is, which Python's own expressions are not.
    flags = "(?s)" if test.kind is Kind.CASED else "(?is)"
    return _search(f"{flags}{ends[0]}(?:{''.join(map(_expression, pieces(test.value)))}){ends[1]}")


def literal_in(expression: str) -> str:
    """Return the longest text that every match of a regular expression holds, in some case; maybe empty.

    It reads only what is plain: groups, classes and alternatives end a text, and what may be left out is in
    none.
    """
    texts, depth, place = [""], 0, 0
    while place < len(expression):
        sign = expression[place]
        literal, width = _literal_at(expression, place)
        if literal is None or (sign == "|" and not depth):
            return ""
        depth += (sign == "(") - (sign == ")")
        place += width
        after = expression[place : place + 1]
        if depth or not literal or after in ("*", "?", "{"):
            texts.append("")
            continue
        texts[-1] += literal
        if after == "+":
            texts.append("")
    return max(texts, key=len)


def _literal_at(expression: str, place: int) -> tuple[str | None, int]:
    """Return the character that a sign stands for, empty for more than one, and the width of the sign.

    None where what follows may have another meaning: flags, and escapes of numbers.
    """
    sign = expression[place]
    if sign == "\\":
        escaped_sign = expression[place + 1 : place + 2]
        if not escaped_sign.isalnum():
            return escaped_sign, 2
        return "" if escaped_sign in "dDwWsSbBAz" else None, 2
    if sign == "[":
        return "", _class_width(expression[place:])
    if sign == "{" and (repeats := re.match(r"\{\d*,?\d*\}", expression[place:])):
        return "", repeats.end()
    if expression.startswith("(?", place):
        return None, 1
    return "" if sign in "().^$|*+?{}" else sign, 1


def _class_width(text: str) -> int:
    """Return how many characters the class at the beginning of an expression takes."""
    place = 2 if text[1:2] == "^" else 1
    place += text[place : place + 1] == "]"
    while place < len(text) and text[place] != "]":
        if text.startswith("[:", place):
            place = max(text.find(":]", place) + 1, place)
        place += 2 if text[place : place + 1] == "\\" else 1
    return place + 1


def _hour_of(text: str) -> int | None:
    """Return the hour in UTC of a time, in microseconds or as ISO 8601; None when it is none."""
    try:
        moment = from_us(int(text)) if text.lstrip("-").isdigit() else datetime.fromisoformat(text)
        return moment.astimezone(UTC).hour
    except (ValueError, OverflowError):
        return None


def _expression(piece: str) -> str:
    if piece in (ANY, SINGLE):
        return ".*" if piece == ANY else "."
    import re2

    return str(re2.escape(plain(piece)))


def _search(expression: str) -> Callable[[str], bool]:
    compiled = compile_regex(expression)

    def passes(text: str) -> bool:
        # RE2 takes no lone surrogates.
        return compiled.search(text.encode("utf-8", "backslashreplace").decode()) is not None

    return passes


@lru_cache(maxsize=4096)
def compile_regex(expression: str) -> Any:  # noqa: ANN401 - a library without types
    """Compile an expression with RE2, whose time grows with the text alone.

    Raises:
        ValueError: If it cannot be compiled, or would be too large.
    """
    import re2

    options = re2.Options()
    options.max_mem = 1 << 20
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        raise ValueError(str(error)) from None


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
    """Return the rule that JSON values tell; KeyError, TypeError, ValueError if they tell none."""
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
