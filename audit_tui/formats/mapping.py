"""Formats that a TOML file describes: which fields fill the columns, and how their values are read."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import AuditEvent, Outcome, to_us
from audit_tui.formats.decoding import inner_json
from audit_tui.formats.generic import read_column
from audit_tui.formats.record import Format, RecordError, Shape
from audit_tui.formats.times import checked_us, is_plain_utc, parse_time
from audit_tui.formats.values import MAX_SENTENCE_CHARS, column_text, content_key
from audit_tui.formats.words.sentences import act_sentence
from audit_tui.formats.words.templates import Template

if TYPE_CHECKING:
    from datetime import tzinfo

    from audit_tui.formats.record import Fields

_MOST_DIGITS = 30
UNITS_US = {"s": Decimal(1_000_000), "ms": Decimal(1_000), "us": Decimal(1), "ns": Decimal("0.001")}


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a mapping file says; ``mapping_file.read_mapping`` checks it."""

    name: str
    """The source of the events."""
    title: str
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each column: fields, the first that has a value fills it."""
    constants: dict[str, str] = field(default_factory=dict)
    """Columns that are the same in every event, where no field fills them."""
    templates: dict[str, str] = field(default_factory=dict)
    """Columns that are put together, where no field fills them."""
    time_unit: str | None = None
    """What numbers count since 1970; None tells by their digits."""
    time_format: str | None = None
    """How times are spelled (strptime); None for every usual spelling."""
    zone: tzinfo = UTC
    """Of times that name none."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """What values of the outcome mean, in lower case; empty for the usual words."""
    outcome_ranges: tuple[tuple[int, int, Outcome], ...] = ()
    """What numbers mean, both ends included."""
    severities: dict[str, int] = field(default_factory=dict)
    """What values of the severity mean, in lower case; empty for the usual words."""

    def format(self) -> Format:
        """The format that it describes."""
        shapes = frozenset({Shape.JSON, Shape.CSV})
        return Format(self.name, self.title, shapes, lambda _: True, _Mapper(self))


class _Mapper:
    """Maps records as a mapping file says."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._paths = {
            column: [(path, path.split(".")) for path in paths] for column, paths in mapping.columns.items()
        }
        self._templates = {column: Template(text) for column, text in mapping.templates.items()}

    def __call__(self, fields: Fields) -> AuditEvent:
        metadata = fields.copy()
        found: dict[str, Any] = {}
        for column in self._paths:
            path, raw = self._raw(column, fields)
            value = self._value(column, raw)
            if value is None:
                continue
            found[column] = value
            is_given_back = is_plain_utc(raw) if column == "time" else value == raw and raw is not True
            if is_given_back and path in metadata and not self._has_table(column):
                del metadata[path]
        for column, text in self._mapping.constants.items():
            found.setdefault(column, read_column(column, text))
        self._tell(found, fields)
        if found.get("time") is None:
            raise RecordError(f"it has no time in {' or '.join(self._mapping.columns['time'])}")
        if found.get("event") is None:
            raise RecordError(
                "nothing in it says what happened: no event, and no constant or template for it"
            )
        key = found.get("key")
        name = self._mapping.name
        outcome = found.get("outcome", Outcome.UNKNOWN)
        user, target = found.get("user"), found.get("target")
        return AuditEvent(
            event=found["event"],
            occurred_us=found["time"],
            key=content_key(name, fields) if key is None else f"{name}:{key}",
            category=found.get("category"),
            user=user,
            description=found.get("description") or act_sentence(user, found["event"], target, outcome),
            outcome=outcome,
            severity=found.get("severity"),
            source_ip=found.get("source_ip"),
            target=target,
            source=found.get("source", name),
            metadata=metadata,
        )

    def _has_table(self, column: str) -> bool:
        mapping = self._mapping
        return (column == "outcome" and bool(mapping.outcomes or mapping.outcome_ranges)) or (
            column == "severity" and bool(mapping.severities)
        )

    def _raw(self, column: str, fields: Fields) -> tuple[str, Any]:
        """The first field of a column that has a value, and that."""
        for path, steps in self._paths[column]:
            raw = fields[path] if path in fields else _dug(fields, steps)
            if raw is not None and not (isinstance(raw, str) and not raw.strip()):
                return path, raw
        return "", None

    def _value(self, column: str, raw: object) -> Any:  # noqa: ANN401 - a column's own type
        if raw is None:
            return None
        mapping = self._mapping
        if column == "time":
            return self._time(raw)
        if column == "outcome" and self._has_table(column):
            return self._outcome(raw)
        if column == "severity" and mapping.severities:
            return mapping.severities.get(_word(raw))
        return read_column(column, raw)

    def _outcome(self, raw: object) -> Outcome:
        word = _word(raw)
        found = self._mapping.outcomes.get(word)
        if found is not None:
            return found
        if word.isdecimal() and len(word) < 19:
            number = int(word)
            for low, high, outcome in self._mapping.outcome_ranges:
                if low <= number <= high:
                    return outcome
        return Outcome.UNKNOWN

    def _time(self, raw: object) -> int:
        mapping = self._mapping
        if mapping.time_format is not None:
            text = str(raw).strip()
            try:
                moment = datetime.strptime(text, mapping.time_format)  # noqa: DTZ007 - the zone comes next
                return checked_us(
                    raw, to_us(moment if moment.tzinfo else moment.replace(tzinfo=mapping.zone))
                )
            except (ValueError, OverflowError):
                raise RecordError(f"the time is not spelled {mapping.time_format}: {text[:40]!r}") from None
        if mapping.time_unit is not None and (number := _number(raw)) is not None:
            return checked_us(raw, int(number * UNITS_US[mapping.time_unit]))
        if mapping.zone is not UTC and isinstance(raw, str):
            with suppress(ValueError, OverflowError):
                moment = datetime.fromisoformat(raw.strip())
                if moment.tzinfo is None:
                    return checked_us(raw, to_us(moment.replace(tzinfo=mapping.zone)))
        return parse_time(raw)

    def _tell(self, found: dict[str, Any], fields: Fields) -> None:
        """Fill what templates put together; one may use what was filled before it."""

        def value_of(name: str) -> str | None:
            if name in found and name != "time":
                return column_text(found[name])
            return column_text(fields[name] if name in fields else _dug(fields, name.split(".")))

        for column, template in self._templates.items():
            if found.get(column) is None:
                text = column_text(template.filled(value_of), MAX_SENTENCE_CHARS)
                if text is not None:
                    found[column] = text if column == "key" else read_column(column, text)


def _number(raw: object) -> Decimal | None:
    """A number, or a text that is one; None for anything else, and what no clock counts to."""
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


def _dug(fields: Fields, steps: list[str]) -> Any:  # noqa: ANN401 - a JSON value
    """The value at a path, through JSON that lies in texts too (a cell of a table)."""
    value: Any = fields
    for step in steps:
        if isinstance(value, str):
            inner = inner_json(value)
            value = None if inner is None else inner[0]
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step[:9]) < len(value):
            value = value[int(step[:9])]
        else:
            return None
    return value
