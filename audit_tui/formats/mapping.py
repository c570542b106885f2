"""Formats that a TOML file describes: which fields fill the columns, how their values are read and told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.formats.generic import read_column
from audit_tui.formats.loose import Loose, named_values
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.times import NAIVE, checked_us, named_zone, parse_time
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, first_text
from audit_tui.formats.words.english import with_reason
from audit_tui.formats.words.names import act_sentence, name_told, outcome_in_name
from audit_tui.formats.words.patterns import Pattern, narrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from audit_tui.formats.record import Fields

_MOST_DIGITS = 30
_SHOWN_ITEMS = 5
_WAREHOUSE_TIME = "p_event_time"
UNITS_US = {"s": Decimal(1_000_000), "ms": Decimal(1_000), "us": Decimal(1), "ns": Decimal("0.001")}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of an act, as a word or a number of a vendor says it."""

    outcome: Outcome
    is_denied: bool = False


UNKNOWN = Verdict(Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Mapping:
    """The contents of a mapping file, a user's or a vendor's; ``mapping_file`` reads and checks it."""

    name: str
    """The source of the events."""
    title: str
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each column: paths, the first that gives a value fills it."""
    constants: dict[str, str] = field(default_factory=dict)
    """Columns that are the same in every event, where no field fills them."""
    templates: dict[str, Pattern] = field(default_factory=dict)
    """Columns that are put together, where no field fills them."""
    time_unit: str | None = None
    """The unit in which numbers count since 1970; None tells by their digits."""
    time_format: str | None = None
    """The spelling of times (strptime); None for every usual spelling."""
    zone: tzinfo | None = None
    """Of times that name none; None leaves it to the import."""
    outcomes: dict[str, Verdict] = field(default_factory=dict)
    """The meanings of values of the outcome, in lower case; empty for the usual words."""
    outcome_ranges: tuple[tuple[int, int, Verdict], ...] = ()
    """The meanings of numbers, both ends included."""
    severities: dict[str, int] = field(default_factory=dict)
    """The meanings of values of the severity, in lower case; empty for the usual words."""
    inside: str = ""
    """The object in which paths are looked for before the record itself; empty for none."""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The names in sentences beside the columns, each with its paths."""
    lists: tuple[str, ...] = ()
    """Paths of lists of names and values, kept as maps, too."""
    sentences: dict[str, str] = field(default_factory=dict)
    """Of events: patterns that begin with the verb as it stands after "to"."""
    nobody: frozenset[str] = frozenset()
    """Users, in lower case, that stand for nobody."""
    prefixes: tuple[str, ...] = ()
    """The beginnings of categories that say nothing."""
    tables: dict[str, Any] = field(default_factory=dict)
    """The tables that a vendor's own code looks up."""

    def format(self) -> Format:
        """Return the format that it describes, for all records that it is given."""
        shapes = frozenset({Shape.JSON, Shape.CSV})
        return Format(self.name, self.title, shapes, lambda _: True, Mapper(self))

    def verdict(self, raw: object) -> Verdict:
        """Return what a value of the outcome means; unknown where no table has it."""
        if not self.outcomes and not self.outcome_ranges:
            outcome = read_column("outcome", raw)
            return UNKNOWN if outcome is None else Verdict(outcome)
        if isinstance(raw, list):
            return next((verdict for verdict in map(self.verdict, raw) if verdict is not UNKNOWN), UNKNOWN)
        word = _word(raw)
        verdict = self.outcomes.get(word) or self.outcomes.get(f"{word.partition('_')[0]}_*")
        verdict = verdict or self.outcomes.get("*")
        if verdict is not None:
            return verdict
        if word.isdecimal() and len(word) < 19:
            number = int(word)
            for low, high, verdict in self.outcome_ranges:
                if low <= number <= high:
                    return verdict
        return UNKNOWN

    def time_us(self, raw: object) -> int:
        """Return a time in microseconds since 1970. Raises RecordError where it is none."""
        if self.time_format is not None:
            return checked_us(raw, to_us(self._spelled(str(raw).strip(), self.time_format)))
        if self.time_unit is not None and (number := _number(raw)) is not None:
            return checked_us(raw, int(number * UNITS_US[self.time_unit]))
        return parse_time(raw, self.zone)

    def _spelled(self, text: str, spelling: str) -> datetime:
        """A time in the spelling that the file says; strptime reads a name of a zone, and forgets it."""
        zone_name = None
        start, rest = text, spelling
        if spelling.endswith("%Z"):
            start, _, zone_name = text.rpartition(" ")
            rest = spelling.removesuffix("%Z").rstrip()
        try:
            moment = datetime.strptime(start, rest)  # noqa: DTZ007 - the zone comes next
            if zone_name is not None:
                moment = moment.replace(tzinfo=named_zone(zone_name))
        except (ValueError, OverflowError, IndexError):
            raise RecordError(f"the time is not spelled {spelling}: {text[:40]!r}") from None
        return NAIVE.moment(moment, self.zone)


class Telling:
    """A record on its way to an event: what its mapping reads, and a vendor's own code may change."""

    def __init__(self, mapping: Mapping, fields: Fields) -> None:
        self.mapping = mapping
        self.record = Loose(fields)
        self.inside = (self.record.inner(mapping.inside) if mapping.inside else None) or self.record
        self.values: dict[str, Any] = {}
        """Columns that were read, but those below."""
        self._sources: list[tuple[str, str, str]] = []
        """Columns that hold exactly what stands at a path."""
        self.result: str = ""
        """The word or number of the outcome, in lower case."""
        self.verdict = UNKNOWN
        self.reason: str | None = None
        """Why it failed."""
        self.names: dict[str, str | None] = {}
        """The names in sentences whose values code found."""
        self.maps: Fields = {}
        """Lists of names and values, as maps."""
        self.who: str | None = None
        """The actor, as the sentence calls them; None for the user."""
        self.pattern: str | None = None
        """The pattern of the sentence, where code chose it."""
        self.sentence: str | None = None
        """The description, where code wrote it."""

    @property
    def event(self) -> str:
        """The name of the event."""
        event: str = self.values["event"]
        return event

    @property
    def user(self) -> str | None:
        """The actor."""
        user: str | None = self.values.get("user")
        return user

    @property
    def target(self) -> str | None:
        """The thing acted upon."""
        target: str | None = self.values.get("target")
        return target

    @property
    def outcome(self) -> Outcome:
        """The end of the act."""
        return self.verdict.outcome

    def at(self, path: str) -> Any:  # noqa: ANN401 - a JSON value has no narrower type
        """Return the value at a path inside, else of the record itself."""
        value = self.inside.at(path)
        return self.record.at(path) if value is None and self.inside is not self.record else value

    def text(self, *paths: str) -> str | None:
        """Return the first of several paths that gives a text or a number; None when none does."""
        for path in paths:
            text = first_text(self.at(path))
            if text is not None:
                return text
        return None

    def get(self, name: str) -> str | None:
        """Return what a place of a sentence says; None when nothing."""
        if name in self.names:
            return self.names[name]
        if name == "address":
            address: str | None = self.values.get("source_ip")
            return None if address == self.user else address
        if name in self.values:
            return column_text(self.values[name])
        if name in self.mapping.names:
            return self.text(*self.mapping.names[name])
        value = next((texts[name] for texts in self.maps.values() if name in texts), None)
        value = self.at(name) if value is None else value
        if isinstance(value, list):
            return ", ".join(str(item) for item in value[:_SHOWN_ITEMS]) or None
        return first_text(value)

    def read(self) -> None:
        """Fill the columns from the record. Raises RecordError where it has no time."""
        mapping = self.mapping
        for name in mapping.lists:
            self.maps[name.rpartition(".")[2]] = named_values(self.at(name))
        for column, paths in mapping.columns.items():
            if column != "time":
                self._fill(column, paths)
        for column, constant in mapping.constants.items():
            self.values.setdefault(column, read_column(column, constant))
        self.values["time"] = self._time(mapping.columns.get("time", ()))
        for column, template in mapping.templates.items():
            if self.values.get(column) is None:
                text = column_text(template.filled(self.get), MAX_SENTENCE_CHARS)
                if text is not None:
                    self.values[column] = text if column == "key" else read_column(column, text)
        usual = self.values.pop("outcome", None) or Outcome.UNKNOWN
        if self.outcome is Outcome.UNKNOWN:
            in_name = outcome_in_name(self.values.get("event") or "")
            self.verdict = Verdict(usual if in_name is Outcome.UNKNOWN else in_name)

    def _fill(self, column: str, paths: tuple[str, ...]) -> None:
        for path in paths:
            raw = self.at(path)
            if raw is None or (isinstance(raw, str) and not raw.strip()):
                continue
            value: Any
            if column == "outcome":
                if not self.result or self.verdict is UNKNOWN:
                    self.result, self.verdict = self.result or _word(raw), self.mapping.verdict(raw)
                continue
            if column == "severity" and self.mapping.severities:
                value = self.mapping.severities.get(_word(raw))
            elif column == "reason":
                self.reason = first_text(raw)
                return
            else:
                value = read_column(column, raw)
                if column == "user" and value is not None and value.lower() in self.mapping.nobody:
                    continue
                if value == raw and raw is not True and column != "severity":
                    self._sources.append((column, path, value))
            if value is not None:
                self.values[column] = value
                return

    def _time(self, paths: tuple[str, ...]) -> int:
        problem: RecordError | None = None
        for path in (*paths, _WAREHOUSE_TIME):
            raw = self.at(path)
            if raw is None or raw == "":
                continue
            try:
                is_warehouse = path is _WAREHOUSE_TIME
                occurred_us = parse_time(raw, UTC) if is_warehouse else self.mapping.time_us(raw)
            except RecordError as error:
                problem = problem or error
                continue
            self.record.taken_time(path)
            return occurred_us
        raise problem or RecordError(f"it has no time in {' or '.join(paths[:2])}")

    def told(self) -> AuditEvent:
        """Return the event."""
        get = self.values.get
        name = self.mapping.name
        key = get("key")
        for column, path, value in self._sources:
            if get(column) == value:
                self.record.taken(path, value)
        return AuditEvent(
            event=self.event,
            occurred_us=self.values["time"],
            key=self.record.content_key(name) if key is None else f"{name}:{key}",
            category=_unrepeated(get("category"), self.event, self.mapping.prefixes),
            user=self.user,
            description=get("description") or column_text(self._sentence(), MAX_SENTENCE_CHARS),
            outcome=self.outcome,
            severity=get("severity"),
            source_ip=get("source_ip"),
            target=column_text(self.target),
            source=get("source", name),
            metadata=self.record.rest(is_denied=self.verdict.is_denied, by_name=self.maps),
        )

    def narrated(self, pattern: str) -> str:
        """Return a pattern told of who did it, as it ended."""
        who, is_denied = self.who or self.user, self.verdict.is_denied
        return narrate(who, pattern, self, self.outcome, is_denied=is_denied)

    def _sentence(self) -> str | None:
        if self.sentence is not None:
            return self.sentence
        sentences, event = self.mapping.sentences, self.event
        if not sentences and self.pattern is None:
            return act_sentence(self.user, event, self.target, self.outcome)
        pattern = self.pattern or sentences.get(event) or sentences.get(event.lower()) or sentences.get("*")
        who, is_denied = self.who or self.user, self.verdict.is_denied
        sentence = (
            name_told(who, event, self.target, self.outcome, is_denied=is_denied)
            if pattern is None
            else self.narrated(pattern)
        )
        return with_reason(sentence, self.reason if self.outcome is Outcome.FAILURE else None)


class Mapper:
    """Maps records as a mapping says.

    Args:
        mapping: The mapping.
        refine: A vendor's own code, which changes what was read before it is told.
    """

    def __init__(self, mapping: Mapping, refine: Callable[[Telling], None] | None = None) -> None:
        self._mapping = mapping
        self._refine = refine

    def __call__(self, fields: Fields) -> AuditEvent:
        """Return the event of a record. Raises RecordError where it has no time."""
        telling = Telling(self._mapping, fields)
        telling.read()
        if telling.values.get("event") is None:
            telling.values["event"] = self._mapping.name
        if self._refine is not None:
            self._refine(telling)
        return telling.told()


def _unrepeated(category: str | None, event: str, prefixes: tuple[str, ...]) -> str | None:
    """A category without what says nothing; one that says no more than the name of the event is none."""
    if category is None or category.casefold() == event.casefold():
        return None
    return next((category.removeprefix(text) for text in prefixes if category.startswith(text)), category)


def _number(raw: object) -> Decimal | None:
    """Return a number, or a text that is one; None for anything else, and what no clock counts to."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        number = Decimal(raw if isinstance(raw, int) else str(raw).strip())
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and number.adjusted() < _MOST_DIGITS else None


def _word(raw: object) -> str:
    text = "true" if raw is True else "false" if raw is False else str(raw)
    return text.strip().lower()
