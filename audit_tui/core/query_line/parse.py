"""Read a query line by recursive descent: ``user:alice -category:Login (event:"Role*" or ip:10.0.0.0/8)``.

By hand, because the characters that a value may have depend on its place, and every error points at one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NoReturn

from audit_tui.core.columns import Column, Kind
from audit_tui.core.event import MAX_US, MIN_US
from audit_tui.core.filter.filters import (
    ANY_TEXT,
    EVERYTHING,
    FILTER_COLUMNS,
    META,
    SEVERITY_WORDS,
    All,
    Any,
    AnyText,
    Condition,
    ImpossibleValue,
    MetaField,
    condition_of,
    require_possible,
)
from audit_tui.core.filter.operators import (
    AT_LEAST,
    AT_MOST,
    CONTAINS,
    IS,
    IS_NOT,
    LESS,
    MATCHES,
    MORE,
    OPERATORS,
    TEXT_OPERATORS,
    Operand,
)
from audit_tui.core.query_line.scan import WORD_BEGINS, QueryError, Scanner, Value, unescaped
from audit_tui.core.query_line.text import HAS_SYMBOL, PLAIN_NAME, field_text, joined, negation, quoted
from audit_tui.core.record import Record
from audit_tui.core.text import closest
from audit_tui.core.time.words import interval_of, range_from_bounds, read_time
from audit_tui.errors import FilterError, UsageError

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import Filter, FilterField
    from audit_tui.core.filter.operators import Operator
    from audit_tui.core.query import Interval
    from audit_tui.core.time.dates import TimeContext, TimeRange


_MAX_DIGITS = 18
"""All whole numbers with this many digits fit into 64 bits."""


def is_ordered(field: FilterField) -> bool:
    """Tell whether a field can be compared with ``<`` and ``>``."""
    return isinstance(field, MetaField) or field_kind(field) in (Kind.NUMBER, Kind.TIME)


def field_kind(field: FilterField) -> Kind:
    """Return the kind of a field's values."""
    return field.kind if isinstance(field, Column) else Kind.TEXT


def filter_of(field: FilterField, operator: Operator, text: str, context: TimeContext) -> Filter:
    """Return the filter for a value as it is typed.

    Raises:
        FilterError: If the field has no such values.
        TimeError: If it is a time that cannot be read.
    """
    kind = field_kind(field)
    if not isinstance(field, Column) or kind not in (Kind.NUMBER, Kind.TIME):
        require_possible(field, operator, text)
        return condition_of(field, operator, text)
    if operator.base in TEXT_OPERATORS and operator.base not in (IS, MATCHES):
        raise FilterError(f"{field.label} is not a text.", "Use =, <, <=, > or >=.")
    if operator.base is MATCHES:
        if text == "*":
            return condition_of(field, operator, text)
        operator = IS_NOT if operator.is_negated else IS
    if kind is Kind.TIME:
        return _in_span(operator, interval_of(read_time(text, context), context))
    number = number_text(field, text)
    require_possible(field, operator, number)
    return Condition(field, operator, number)


def number_text(field: Column, text: str) -> str:
    """Return a whole number as it stands in an event; a severity also by its word.

    Raises:
        FilterError: If it is not one.
    """
    number = SEVERITY_WORDS.get(text.lower(), text) if field is Column.SEVERITY else text
    digits = number.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
        words = f", or one of {', '.join(SEVERITY_WORDS)}" if field is Column.SEVERITY else ""
        raise FilterError(f"{text!r} is not a number.", f"{field.label} takes a whole number{words}.")
    return str(int(number))


def _in_span(operator: Operator, span: Interval) -> Filter:
    """Return the filter that compares the time with a span; a moment is a span of 1 µs."""
    start_us = MIN_US if span.start_us is None else span.start_us
    end_us = MAX_US if span.end_us is None else span.end_us
    start, end = str(start_us), str(end_us)
    base = operator.base
    if base is IS and end_us - start_us > 1:
        inside: Filter = All((Condition(Column.TIME, AT_LEAST, start), Condition(Column.TIME, LESS, end)))
    else:
        edge = {
            IS: (IS, start),
            LESS: (LESS, start),
            AT_MOST: (LESS, end),
            MORE: (AT_LEAST, end),
            AT_LEAST: (AT_LEAST, start),
        }[base]
        inside = Condition(Column.TIME, *edge)
    return negation(inside) if operator.is_negated else inside


MAX_DEPTH = 50
MAX_LINE_CHARS = 100_000
BOUNDS = ("since", "until")
FIELDS: dict[str, Column | AnyText] = {
    **{field.value: field for field in (*FILTER_COLUMNS, ANY_TEXT)},
    "ip": Column.SOURCE_IP,
    "date": Column.TIME,
    "host": Column.SOURCE,
}
"""The fields by their names in a line."""
_MEANT = {
    "address": "source_ip",
    "source ip": "source_ip",
    "name": "event",
    "action": "event",
    "from": "since",
    "to": "until",
    "message": "description",
    "result": "outcome",
}
"""Names of other languages for the fields."""
# The first operator of a symbol: "=" is IS, which becomes a network where the value is one.
_OPERATORS = {operator.symbol: operator for operator in reversed(OPERATORS)}
SYMBOLS = sorted(_OPERATORS, key=len, reverse=True)
_PART = rf'(?:{PLAIN_NAME}|"(?:[^"\\]|\\.)*")'
_PARTS = re.compile(_PART, re.DOTALL)
TERM = re.compile(rf"({_PART}(?:\.{_PART})*)({'|'.join(map(re.escape, SYMBOLS))})", re.DOTALL)
"""A name and the sign behind it."""


class Query(Record):
    """The wish that a line expresses."""

    filter: Filter = EVERYTHING
    time_range: TimeRange | None = None
    """The range of ``since:`` and ``until:``; None when the line has neither."""


def parse(
    line: str,
    context: TimeContext,
    metadata_names: Collection[str] = (),
    read_list: Callable[[str], Sequence[str]] | None = None,
) -> Query:
    """Read a query line.

    ``read_list`` reads the file of ``user:@FILE``; None allows no files.

    Raises:
        QueryError: If it cannot be read; points at the place.
    """
    if len(line) > MAX_LINE_CHARS:
        raise QueryError(f"The query is longer than {MAX_LINE_CHARS:,} characters.", "Shorten it.", 0, 1)
    return _Parser(Scanner(line), context, metadata_names, read_list).query()


class _Parser:
    def __init__(
        self,
        scanner: Scanner,
        context: TimeContext,
        metadata_names: Collection[str],
        read_list: Callable[[str], Sequence[str]] | None,
    ) -> None:
        self._scan = scanner
        self._context = context
        self._metadata_names = metadata_names
        self._read_list = read_list
        self._depth = 0
        self._bounds: dict[str, Value] = {}

    def query(self) -> Query:
        if not self._scan.skip():
            return Query()
        expression = self._any()
        if self._scan.skip():
            self._fail_unopened()
        return Query(expression or EVERYTHING, self._time_range())

    def _any(self) -> Filter | None:
        """Read terms between "or"; None for nothing but bounds of time."""
        bounds = len(self._bounds)
        parts = [self._all()]
        while (word := self._scan.word()) == "or":
            self._take_word(word)
            parts.append(self._all())
        if len(parts) == 1:
            return parts[0]
        self._refuse_bounds(bounds, "or")
        return joined(Any, [part for part in parts if part is not None])

    def _all(self) -> Filter | None:
        parts: list[Filter] = []
        while True:
            part = self._unary()
            if part is not None:
                parts.append(part)
            following = self._scan.skip()
            word = self._scan.word() if following in WORD_BEGINS else ""
            if word == "and":
                self._take_word(word)
            elif word == "or" or following in _ENDS:
                return joined(All, parts) if parts else None

    def _unary(self) -> Filter | None:
        scan = self._scan
        first = scan.skip()
        if first not in _OTHER_TERMS:
            return self._term()
        word, start = scan.word(), scan.at
        if word == "not":
            self._take_word(word)
            return self._negated(start)
        if word:
            hint = _WORD_HINT.format(word)
            scan.fail(f'Something must stand before "{word}".', hint, start, len(word), mend=quoted(word))
        if first == "(":
            return self._group()
        if first == ")":
            self._fail_unopened()
        if first in ("-", "!") and scan.line[start + 1 : start + 2].strip(") \t\r\n"):
            scan.at += 1
            return self._negated(start)
        return self._term()

    def _negated(self, start: int) -> Filter | None:
        self._enter(start)
        bounds = len(self._bounds)
        is_group = self._scan.skip() == "("
        part = self._unary()
        self._depth -= 1
        self._refuse_bounds(bounds, "not")
        if part is None:
            return None
        if isinstance(part, Any) and not is_group:
            # -user:(a, b) is user!:(a, b), which the dialog can show.
            return joined(All, [negation(inner) for inner in part.parts])
        return negation(part)

    def _group(self) -> Filter | None:
        scan, start = self._scan, self._scan.at
        self._enter(start)
        scan.at += 1
        if scan.skip() == ")":
            length = scan.at + 1 - start
            scan.fail("Nothing stands in the parentheses.", "Leave them out.", start, length, mend="")
        part = self._any() if scan.next else None
        if not scan.skip():
            scan.fail("This parenthesis is never closed.", 'Add ")".', start, mended=f"{scan.line})")
        scan.at += 1
        scan.end_term()
        self._depth -= 1
        return part

    def _term(self) -> Filter | None:
        scan, start = self._scan, self._scan.at
        head = TERM.match(scan.line, start)
        if head is None:
            return self._free_text()
        name, symbol = head.groups()
        operator = _OPERATORS[symbol]
        scan.at = head.end()
        field: FilterField | None = FIELDS.get(name)
        if field is None:
            if name.lower() in BOUNDS:
                self._bound(name.lower(), symbol, start)
                return None
            field = self._field(name, symbol, start)
        if operator.operand is Operand.NUMBER and not is_ordered(field):
            hint = "severity, time, seq and meta.NAME can."
            scan.fail(
                f"{field.value} cannot be compared with {symbol}.", hint, start + len(name), len(symbol)
            )
        following = scan.next
        if following == "(":
            return self._list(field, operator)
        if not following or following.isspace() or following == ")":
            if operator.base is IS:
                return Condition(field, operator, None)
            hint = f'"{name}=" means: has none. "{name}:*" means: has one.'
            length = len(name) + len(symbol)
            scan.fail(f'A value must follow "{symbol}".', hint, start, length, mend=f"{name}:*")
        value = scan.value(symbol)
        if value.text[:1] == "@" and not value.is_quoted and operator.base in (IS, MATCHES):
            return self._list_of_file(field, operator, value)
        return self._condition(field, operator, value)

    def _condition(self, field: FilterField, operator: Operator, value: Value) -> Filter:
        try:
            return filter_of(field, operator, value.text, self._context)
        except UsageError as error:
            meant = error.meant if isinstance(error, ImpossibleValue) else ""
            length = self._scan.at - value.start
            self._scan.fail(error.message, error.hint, value.start, length, mend=meant or None)

    def _list(self, field: FilterField, operator: Operator) -> Filter:
        scan, start = self._scan, self._scan.at
        if operator.is_order:
            scan.fail(f"A list cannot stand after {operator.symbol}.", "Name one value.", start)
        scan.at += 1
        members: list[Filter] = []
        while (character := scan.skip()) != ")":
            if not character:
                scan.fail("This list is never closed.", 'Add ")".', start, mended=f"{scan.line})")
            word = scan.word()
            if character == ",":
                scan.at += 1
            elif word == "or":
                scan.at += len(word)
            elif word:
                hint = 'Separate them by a comma or "or".'
                scan.fail("One value cannot be several at once.", hint, scan.at, len(word), mend=",")
            else:
                members.append(self._condition(field, operator, scan.value(is_in_list=True)))
        scan.at += 1
        if not members:
            hint = f'"{field_text(field)}=" alone means: has none.'
            scan.fail("The list is empty.", hint, start, scan.at - start)
        scan.end_term()
        return joined(All if operator.is_negated else Any, members)

    def _list_of_file(self, field: FilterField, operator: Operator, value: Value) -> Filter:
        length = len(value.text)
        if self._read_list is None:
            hint = f"Write the values in parentheses, or the text in quotes: {quoted(value.text)}"
            self._scan.fail("A list from a file is for the command line.", hint, value.start, length)
        texts = self._read_list(value.text[1:])
        if not texts:
            self._scan.fail(
                f"The list {value.text} is empty.", "It has one value a line.", value.start, length
            )
        members = [self._condition(field, operator, value._replace(text=text)) for text in texts]
        return joined(All if operator.is_negated else Any, members)

    def _free_text(self) -> Filter:
        value = self._scan.value()
        if not value.is_quoted and HAS_SYMBOL.search(value.text):
            hint, length = _quote_hint(value.text), self._scan.at - value.start
            message = "No column stands before the sign."
            self._scan.fail(message, hint, value.start, length, mend=quoted(value.text))
        return Condition(ANY_TEXT, CONTAINS, value.text)

    def _field(self, name: str, symbol: str, start: int) -> FilterField:
        field = FIELDS.get(name.lower())
        if field is not None:
            return field
        if name[: len(META)].lower() != META:
            self._fail_unknown(name, symbol, start)
        path = name[len(META) :]
        if '"' in path:
            parts = (part if part[0] != '"' else unescaped(part[1:-1]) for part in _PARTS.findall(path))
            path = ".".join(parts)
        if not path:
            hint = "Write it as meta.region:eu-west-1."
            self._scan.fail("A field of the metadata needs a name.", hint, start, len(name))
        return MetaField(path)

    def _fail_unknown(self, name: str, symbol: str, start: int) -> NoReturn:
        scan = self._scan
        close = closest(name, [*FIELDS, *BOUNDS, *_MEANT], cutoff=0.7)
        meant = _MEANT.get(close, close)
        hints = [f"Did you mean {meant}?"] if meant else []
        if name in self._metadata_names:
            in_metadata = field_text(MetaField(name))
            hints.append(f"The metadata has it: {in_metadata}")
            meant = in_metadata
        message = f"There is no column {name!r}."
        if not hints and symbol in (":", "=") and '"' not in name:
            whole = scan.rest(start)
            mended = scan.mended(start, len(whole), quoted(whole))
            scan.fail(message, _quote_hint(whole), start, len(name), mended=mended)
        hint = " ".join(hints) or f"For a field of the metadata write meta.{name}."
        scan.fail(message, hint, start, len(name), mend=meant or None)

    def _bound(self, name: str, symbol: str, start: int) -> None:
        scan = self._scan
        if symbol not in (":", "="):
            hint = f"Write it as {name}:24h."
            scan.fail(f"{name} takes a time.", hint, start + len(name), len(symbol), mend=":")
        value = scan.value(symbol)
        if name in self._bounds:
            length = scan.at - start
            scan.fail(f"{name} stands in the query twice.", "Leave one out.", start, length, mend="")
        self._bounds[name] = value
        try:
            read_time(value.text, self._context)
        except UsageError as error:
            scan.fail(error.message, error.hint, value.start, scan.at - value.start)

    def _time_range(self) -> TimeRange | None:
        if not self._bounds:
            return None
        since, until = (self._bounds.get(name) for name in BOUNDS)
        try:
            return range_from_bounds(since and since.text, until and until.text, self._context)
        except UsageError as error:
            value = until or since or Value("", 0, False)
            self._scan.fail(error.message, error.hint, value.start, max(1, len(value.text)))

    def _refuse_bounds(self, before: int, word: str) -> None:
        for name, value in list(self._bounds.items())[before:]:
            hint = f'Write it outside of what "{word}" joins, or use time>=.'
            message = f'{name} is for the whole query and cannot stand under "{word}".'
            start = value.start - len(name) - 1
            self._scan.fail(message, hint, start, len(name) + 1 + len(value.text))

    def _take_word(self, word: str) -> None:
        """Move over a word, behind which something must follow."""
        scan, start = self._scan, self._scan.at
        scan.at += len(word)
        if scan.skip() in ("", ")") or scan.word() in ("and", "or"):
            hint = _WORD_HINT.format(word)
            scan.fail(f'Something must follow "{word}".', hint, start, len(word), mend=quoted(word))

    def _enter(self, start: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = f"The query is nested more than {MAX_DEPTH} deep."
            self._scan.fail(message, "Write it more simply.", start)

    def _fail_unopened(self) -> NoReturn:
        self._scan.fail("This parenthesis closes nothing.", "Leave it out.", self._scan.at, mend="")


_ENDS = ("", ")")
_OTHER_TERMS = frozenset(("", "(", ")", "-", "!", *WORD_BEGINS))
"""The characters that a term with a sign begins with as well as something else does."""
_WORD_HINT = 'To search for the word, put it in quotes: "{0}".'


def _quote_hint(text: str) -> str:
    return f"To search for the text itself, quote it: {quoted(text)}"
