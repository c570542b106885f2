"""Reading records of no known format by the usual names of their fields."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.columns import IMPORTABLE
from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.formats.addresses import source_address
from audit_tui.formats.finder import METHODS, find, is_address, may_fill, squash
from audit_tui.formats.outcomes import NOT_TOLD, VERDICTS, Ending, ending_of, kind_of_field
from audit_tui.formats.record import Fields, RecordError
from audit_tui.formats.tables import table
from audit_tui.formats.times import is_plain_utc, parse_time, plain_utc
from audit_tui.formats.values import (
    MAX_COLUMN_CHARS,
    MAX_SENTENCE_CHARS,
    NO_NAMES,
    column_text,
    content_key,
    dig,
    lookup,
    mark_denied,
    outcome_of,
    severity_of,
    word_list,
    word_set,
)
from audit_tui.formats.words.names import (
    act_sentence,
    family_in_name,
    object_in_name,
    outcome_in_name,
    thing_in_name,
)
from audit_tui.formats.words.prose import address_told, end_told, told_by

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

UNNAMED_EVENT = "Message"
"""The event of a record that has a time and a message, but does not say what kind of thing happened."""

COLUMNS = IMPORTABLE
"""The columns that ``--map`` can fill; ``date`` is another word for time."""

ALIASES: dict[str, str] = table("fields")["aliases"]
_PERSON_PATHS = tuple(
    tuple(path.split("."))
    for path in (
        "email", "email_address", "user.email", "session.user.email", "attributes.email", "alternateId",
        "userPrincipalName", "userEmail", "login", "loginName", "username", "userName",
        "user_name", "name", "user.name", "displayName",
        "display_name", "id", "uid", "user.id",
    )
)  # fmt: skip
_THING_PATHS = tuple(
    (name,)
    for name in ("name", "displayName", "display_name", "title", "descriptor", "email", "username", "id")
)
_KIND_PATHS = tuple((name,) for name in (".tag", "name", "label", "displayName"))
_SUMMARY_CHARS = 60
_MAX_PLANS = 1_000
"""Shapes of records that are remembered; a file of records that are all different must not fill memory."""


_SQUASHED: dict[str, tuple[tuple[str, ...], ...]] = {
    column: tuple(tuple(squash(step) for step in alias.split(".")) for alias in aliases.split())
    for column, aliases in ALIASES.items()
}
_TIMES = frozenset(path[0] for path in _SQUASHED["time"])
_LATE = word_list("ingest receiv export expir index process updat modif deliver end duration")
"""Parts of names of times at which something was done with the record, or ended."""
_UTC = re.compile(r"\s*[\[(]\s*(?:UTC|GMT)[^\])]*[\])]\s*\Z", re.IGNORECASE)
"""The zone in a name: ``Date (UTC)``, ``TimeGenerated [UTC]``."""
_DATES = ("date", "eventdate", "logdate", "startdate", "day", "datum", "fecha")
_CLOCKS = ("time", "eventtime", "logtime", "starttime", "timeofday", "zeit", "uhrzeit", "hora", "heure")
_AMERICAN = frozenset({"serialnum", "macb", "timezone"})
"""Columns of tables whose dates are in the American order: of ausearch and plaso."""


def squashed_time(name: str) -> tuple[str, bool]:
    """Return the squashed name of a field without its zone, and whether the name says that it is UTC."""
    plain = _UTC.sub("", name)
    return squash(plain), plain != name


def names_a_time(names: Iterable[str]) -> bool:
    """Tell whether one of several names is a usual name of a time."""
    return any(squashed_time(name)[0] in _TIMES for name in names)


class Candidate(NamedTuple):
    """A field that may fill a column."""

    field: str
    """The key of the record in which it lies."""
    inner: tuple[str, ...]
    """The squashed path inside; empty for the field itself."""
    is_utc: bool = False
    """Its name says that its times are UTC."""
    better: int = 0
    """The score from which on something else says it better: a ``type`` may be that of the record.
    0 when nothing does."""


def _inside(value: object, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - a JSON value
    for step in path:
        if not isinstance(value, dict):
            return None
        value = next((value[key] for key in value if squash(key) == step), None)
    return value


class _Plan(NamedTuple):
    """The fields that fill the columns, for records with the same keys."""

    times: tuple[Candidate, ...]
    joined: tuple[str, str, str | None, bool] | None
    """The fields of a date, of a time of day and of their zone, and whether months come first."""
    columns: tuple[tuple[str, Callable[[Any], Any], int, tuple[Candidate, ...]], ...]
    """Of the columns that may be filled: the name, what reads a value, up to how many characters a plain text
    is its own value, the most telling field first."""
    endings: tuple[tuple[str, str], ...]
    """Fields that tell how it ended: in which way, the key."""
    beside: tuple[str, ...]
    """Fields of a user beside those of an actor: whom it was done to."""
    has_more: bool
    """Some of its fields may fill columns, although they have no usual names."""


_WEAK: dict[str, dict[str, int]] = {
    "event": {"type": 75, "name": 75, "datatype": 75, "timestampdesc": 75, "eventtype": 92},
    "user": dict.fromkeys(("userid", "actorid", "userids", "createdby", "account", "accountname"), 70),
    "target": dict.fromkeys(("targetid", "resourceid", "objectid", "resource", "object"), 66),
}
"""Columns, and the fields that fill them only where nothing in the record does it better: by which score."""


_DULL_EVENTS = frozenset(
    {"audit", "event", "message", "log", "activity", "record", "notification", "api_event"}
)
"""Words under the name of an event that say of what kind the record is, and not what happened."""
_NAME_CHARS = 100
_NAME_SPACES = 6
"""More of them are a sentence, which names no event where something else does."""
_DULL = 55
"""The score from which on something else names the event."""


def _plan_of(names: tuple[str, ...], mapped: Collection[str]) -> _Plan:
    by_squashed: dict[str, str] = {}
    in_utc = set()
    for name in names:
        squashed, is_utc = squashed_time(name)
        by_squashed.setdefault(squashed, name)
        by_squashed.setdefault(squash(name), name)
        if is_utc:
            in_utc.add(name)
    candidates: dict[str, tuple[Candidate, ...]] = {}
    for column, paths in _SQUASHED.items():
        fields = []
        for path in paths:
            flat = by_squashed.get("".join(path))
            if flat is not None:
                fields.append(
                    Candidate(flat, (), flat in in_utc, _WEAK.get(column, {}).get("".join(path), 0))
                )
            elif len(path) > 1 and path[0] in by_squashed:
                fields.append(Candidate(by_squashed[path[0]], path[1:]))
        candidates[column] = tuple(fields)
    times = [*candidates.pop("time"), *_other_times(by_squashed)]
    columns = (
        (column, _READERS[column], _PLAIN_CHARS.get(column, 0), fields)
        for column, fields in candidates.items()
        if fields and column not in mapped
    )
    endings = ((kind, name) for squashed, name in by_squashed.items() if (kind := kind_of_field(squashed)))
    return _Plan(
        tuple(dict.fromkeys(times)),
        _joined(by_squashed),
        tuple(columns),
        () if "outcome" in mapped else tuple(dict.fromkeys(endings)),
        _beside(candidates["user"]),
        not _SOUGHT.isdisjoint(
            column for name in names for column in may_fill(name) if _is_open(candidates[column])
        ),
    )


def _beside(users: tuple[Candidate, ...]) -> tuple[str, ...]:
    if not users or "actor" not in users[0].field.lower():
        return ("user",)
    return tuple(user.field for user in users[1:] if squash(user.field) in ("user", "username", "useremail"))


def _is_open(candidates: tuple[Candidate, ...]) -> bool:
    """Tell whether other fields may fill a column, because none of the usual names does it well."""
    return not candidates or candidates[0].better > 0


def _other_times(by_squashed: dict[str, str]) -> Iterator[Candidate]:
    """Fields that are named like times, those of the event before those of its way here."""
    named = [
        name
        for name in by_squashed
        if name.endswith(("time", "timestamp", "date", "datetime", "timeutc")) or "occur" in name
    ]
    for name in sorted(named, key=lambda name: any(part in name for part in _LATE)):
        yield Candidate(by_squashed[name], ())


def _joined(by_squashed: dict[str, str]) -> tuple[str, str, str | None, bool] | None:
    date = next((by_squashed[name] for name in _DATES if name in by_squashed), None)
    clock = next((by_squashed[name] for name in _CLOCKS if name in by_squashed), None)
    if date is None or clock is None or date == clock:
        return None
    if "eventtime" in by_squashed and clock != by_squashed["eventtime"]:
        return None  # one time that is whole
    return (
        date,
        clock,
        by_squashed.get("timezone") or by_squashed.get("tz"),
        not _AMERICAN.isdisjoint(by_squashed),
    )


def _name_in(value: object, paths: tuple[tuple[str, ...], ...]) -> str | None:
    """The name of a person or a thing that a record says with a text, an object or a list of them."""
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        text = column_text(value)
        # An object written out in a cell, as JSON or as Python prints it, is not a name.
        return None if text is None or text.startswith(("{", "[")) or text.lower() in NO_NAMES else text
    kind = value.get("type")
    if isinstance(kind, str) and isinstance(value.get(kind), dict):
        value = {**value[kind], **value}
    for path in paths:
        inner = dig(value, path)
        if isinstance(inner, str | int) and not isinstance(inner, bool):
            text = column_text(inner)
            if text is not None:
                return text
    return None


def _plain(value: object) -> str | None:
    return None if isinstance(value, dict | list) else column_text(value)


def _plain_text(value: object) -> str | None:
    return column_text(value) if isinstance(value, str) else None


def _word(value: object) -> str | None:
    """An event's name: a text, never a number or an object."""
    return column_text(value) if isinstance(value, str) else None


def _kind(value: object) -> str | None:
    """A category: a text, or the name in an object."""
    return _name_in(value, _KIND_PATHS) if isinstance(value, dict) else _word(value)


def _sentence(value: object) -> str | None:
    # An object written out is not a sentence.
    return column_text(value, MAX_SENTENCE_CHARS) if isinstance(value, str) and value[:1] != "{" else None


def _known_outcome(value: object) -> Outcome | None:
    outcome = outcome_of(value)
    return None if outcome is Outcome.UNKNOWN else outcome


_READERS: dict[str, Callable[[Any], Any]] = {
    "event": _word,
    "category": _kind,
    "user": lambda value: _name_in(value, _PERSON_PATHS),
    "description": _sentence,
    "outcome": _known_outcome,
    "severity": severity_of,
    "source_ip": source_address,
    "target": lambda value: _name_in(value, _THING_PATHS),
    "source": _plain,
    "key": lambda value: column_text(value),
}


_PLAIN_CHARS = {
    "event": MAX_COLUMN_CHARS,
    "category": MAX_COLUMN_CHARS,
    "user": MAX_COLUMN_CHARS,
    "description": MAX_SENTENCE_CHARS,
    "target": MAX_COLUMN_CHARS,
    "source": MAX_COLUMN_CHARS,
}
"""Columns whose values mostly are plain texts: seen without calling their reader, 0.4 µs each."""


def read_column(column: str, raw: object) -> Any:  # noqa: ANN401 - a column's own type
    """Return what a value chosen by a user gives for a column, of the column's type; None when nothing.

    Raises:
        RecordError: If a time cannot be read.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    if column == "time":
        return parse_time(raw)
    if column in ("event", "category"):
        return _name_in(raw, _THING_PATHS)
    return _READERS[column](raw)


class FieldMap:
    """The columns that a user filled with ``--map COLUMN=FIELD``."""

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self.fields = dict(fields or {})

    def __bool__(self) -> bool:
        return bool(self.fields)

    def value(self, column: str, fields: Fields) -> Any:  # noqa: ANN401 - a column's own type
        """Return what a record gives for a column, of the column's type; None when it gives nothing.

        Raises:
            RecordError: If a time cannot be read.
        """
        return read_column(column, lookup(fields, self.fields[column]))

    def apply(self, event: AuditEvent, fields: Fields) -> AuditEvent:
        """The event with the columns that the user chose, where the record has them."""
        chosen = {column: self.value(column, fields) for column in self.fields}
        if "time" in chosen:
            chosen["occurred_us"] = chosen.pop("time")
        given = {name: value for name, value in chosen.items() if value is not None}
        if "key" in given:
            given["key"] = f"{event.source}:{given['key']}"
        return replace(event, **given) if given else event


_SOUGHT = frozenset({"event", "user", "source_ip", "target"})
"""Columns that are looked for in the whole of a record."""


def _has_inside(fields: Fields) -> bool:
    for value in fields.values():
        kind = type(value)
        if value[:1] == "{" if kind is str else kind is dict or kind is list:
            return True
    return False


_LONGEST_NOTHING = max(map(len, NO_NAMES))


def _is_plain(text: str, chars: int) -> bool:
    """Tell whether every reader of a text column gives this text as it is."""
    return (
        0 < len(text) <= chars
        and text.isascii()
        and text.isprintable()
        and text[0] not in " {["
        and (len(text) > _LONGEST_NOTHING or text.lower() not in NO_NAMES)
    )


def _names_first(candidates: tuple[Candidate, ...], fields: Fields) -> Iterable[Candidate]:
    """The fields that may name an event, those with whole sentences last."""
    first = fields.get(candidates[0].field)
    if not isinstance(first, str) or first.count(" ") <= _NAME_SPACES:
        return candidates
    return sorted(candidates, key=lambda each: str(fields.get(each.field)).count(" ") > _NAME_SPACES)


def _fill(plan: _Plan, metadata: Fields) -> tuple[dict[str, Any], dict[str, tuple[str, int]]]:
    """The columns that a record fills, and the fields of those that it fills poorly.

    What they give back exactly leaves the metadata.
    """
    values: dict[str, Any] = {}
    weak: dict[str, tuple[str, int]] = {}
    for column, read, plain_chars, candidates in plan.columns:
        for field, inner, _, better in (
            _names_first(candidates, metadata) if column == "event" else candidates
        ):
            # From what is left: a field tells one thing, so "type" is the category only where another
            # field names the event.
            raw = metadata.get(field)
            if raw is None:
                continue
            if not inner and type(raw) is str and _is_plain(raw, plain_chars):
                values[column] = raw
                del metadata[field]
                is_dull = column == "event" and raw.lower() in _DULL_EVENTS
                if better or is_dull:
                    weak[column] = (field, min(better, _DULL) if is_dull and better else better or _DULL)
                break
            if inner:
                raw = _inside(raw, inner)
            value = None if raw is None else read(raw)
            if value is not None:
                values[column] = value
                if better:
                    weak[column] = field, better
                if not inner and value == raw and raw is not True:
                    del metadata[field]
                break
    return values, weak


def _joined_text(joined: tuple[str, str, str | None, bool], fields: Fields) -> str | None:
    """A date and a time of day that stand in two columns; None where one of them is both."""
    date_field, clock_field, zone_field, is_american = joined
    date, clock = fields[date_field], fields[clock_field]
    if (
        not isinstance(date, str)
        or not isinstance(clock, str)
        or ":" in date
        or clock.find(":") not in (1, 2)
    ):
        return None
    zone = fields.get(zone_field) if zone_field is not None else None
    slashed = date.strip().split("/")
    if is_american and len(slashed) == 3:
        date = f"{slashed[2]}-{slashed[0]}-{slashed[1]}"
    return (
        f"{date.strip()} {clock.strip()} {zone}"
        if isinstance(zone, str) and zone
        else f"{date.strip()} {clock.strip()}"
    )


_OF_MAIL = word_set("sender recipient recipients from to mail message_id messageid headers")


def _subject(fields: Fields) -> str | None:
    """The subject of a record that names nobody else: who signed in, but for mails."""
    subject = fields.get("subject") or fields.get("sub")
    is_name = isinstance(subject, str) and 0 < len(subject) <= _NAME_CHARS and " " not in subject
    return _plain_text(subject) if is_name and _OF_MAIL.isdisjoint(map(str.lower, fields)) else None


def _may_be_time(value: object) -> bool:
    return not (value is None or isinstance(value, list) or (isinstance(value, str) and not value.strip()))


def _told_in_words(values: dict[str, Any], ending: Ending) -> Ending:
    """Return how it ended by the name of an event that is a decision; of one without a name, by its message.

    The message fills the columns that it alone tells.
    """
    event, message = values.get("event"), values.get("description")
    if message is not None and values.get("source_ip") is None:
        values["source_ip"] = address_told(message)
    if event is not None and event not in METHODS:
        if ending.outcome is not Outcome.UNKNOWN:
            return ending
        verdict = VERDICTS.get(event.lower())
        if verdict is not None:
            return Ending(verdict, verdict is Outcome.FAILURE, False)
        if message is None or ending.is_unsure:
            return ending
        outcome, is_denied = end_told(message)
        return ending if outcome is Outcome.UNKNOWN else Ending(outcome, is_denied, False)
    if message is None:
        return ending
    prose = told_by(message)
    values["user"] = values.get("user") or prose.user
    values["source_ip"] = values.get("source_ip") or prose.address
    return Ending(prose.outcome, prose.is_denied, False) if ending == NOT_TOLD else ending


class GenericMapper:
    """Maps the records of one generic format; remembers which fields a shape of record has.

    Args:
        name: The format's name, the source of records that do not name one.
        field_map: What the user said about columns; it goes before the usual names.
    """

    def __init__(self, name: str, field_map: FieldMap | None = None) -> None:
        self._name = name
        self._map = field_map or FieldMap()
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def __call__(self, fields: Fields) -> AuditEvent:
        """The event of a record.

        What fills a column exactly leaves the metadata; what was only read from (a time in another
        spelling, an outcome in the vendor's words, a name out of an object) stays there too.

        Raises:
            RecordError: If it has no time.
        """
        plan = self._plan(fields)
        metadata = fields.copy()
        occurred_us = self._time(plan, fields, metadata)
        endings = [(kind, fields[name]) for kind, name in plan.endings]
        ending = ending_of(endings) if endings else NOT_TOLD
        values, weak = _fill(plan, metadata)
        is_open = weak or not values.keys() >= _SOUGHT or ending.outcome is Outcome.UNKNOWN
        if is_open and (plan.has_more or _has_inside(fields)):
            ending = self._look_inside(fields, values, weak, metadata, ending)
        if self._map.fields:
            self._fill_mapped(values, fields, metadata)
        get = values.get
        event, user, target, description = get("event"), get("user"), get("target"), get("description")
        ending = _told_in_words(values, ending)
        event, user = event or UNNAMED_EVENT, get("user")
        outcome, is_denied = get("outcome"), ending.is_denied
        if outcome is None:
            in_name = outcome_in_name(event)
            outcome = in_name if in_name is Outcome.FAILURE else ending.outcome
            outcome = in_name if outcome is Outcome.UNKNOWN else outcome
        is_denied = is_denied and outcome is Outcome.FAILURE
        if is_denied:
            mark_denied(metadata)
        # Beside an actor, the user is whom it was done to.
        target = target or object_in_name(fields, event) or thing_in_name(fields, event)
        if target is None:
            texts = (_plain_text(metadata.get(name)) for name in plan.beside)
            target = next((text for text in texts if text is not None and text != user), None)
        if target is not None and (target.lower() in _DULL_EVENTS or target.lower() in NO_NAMES):
            target = None
        if user is None and (user := _subject(fields)) is not None and target == user:
            target = None
        key, source = get("key"), get("source", self._name)
        if (source[0].isdigit() or ":" in source) and is_address(source):
            # Confluence and Bitbucket call the address so.
            values["source_ip"] = get("source_ip") or source_address(source)
            source = self._name
        if description is None:
            description = act_sentence(
                user, event, target, outcome, is_denied=is_denied, is_unsure=ending.is_unsure
            )
        return AuditEvent(
            event=event,
            occurred_us=occurred_us,
            key=content_key(self._name, fields) if key is None else f"{self._name}:{key}",
            category=get("category") or family_in_name(event),
            user=user,
            description=description,
            outcome=outcome,
            severity=get("severity"),
            source_ip=get("source_ip"),
            target=target,
            source=source,
            metadata=metadata,
        )

    def _look_inside(
        self,
        fields: Fields,
        values: dict[str, Any],
        weak: dict[str, tuple[str, int]],
        metadata: Fields,
        ending: Ending,
    ) -> Ending:
        """Fill the columns that are still empty from anywhere in a record, and tell how it ended."""
        findings = find(fields)
        for column, value in findings.values.items():
            field, better = weak.get(column, ("", 0))
            is_better = 0 < better <= findings.scores[column]
            if column in self._map.fields or not (values.get(column) is None or is_better):
                continue
            if column == "target" and value in (values.get("event"), values.get("user")):
                continue
            if is_better:
                metadata[field] = fields[field]
            values[column] = source_address(value) if column == "source_ip" else column_text(value)
        summary = values.get("description")
        is_name = summary is not None and len(summary) <= _SUMMARY_CHARS and summary == fields.get("summary")
        if values.get("event") is None and is_name:
            values["event"], values["description"] = summary, None
        return ending if ending.outcome is not Outcome.UNKNOWN else ending_of(findings.endings)

    def _plan(self, fields: Fields) -> _Plan:
        names = tuple(fields)
        plan = self._plans.get(names)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            plan = self._plans[names] = _plan_of(names, self._map.fields)
        return plan

    def _time(self, plan: _Plan, fields: Fields, metadata: Fields) -> int:
        if "time" in self._map.fields:
            mapped: int | None = self._map.value("time", fields)
            if mapped is None:
                raise RecordError(f"it has no time in {self._map.fields['time']}")
            return mapped
        if plan.joined is not None and (text := _joined_text(plan.joined, fields)) is not None:
            return parse_time(text)
        problem: RecordError | None = None
        for candidate in plan.times:
            if not candidate.inner and (plain_us := plain_utc(fields[candidate.field])) is not None:
                del metadata[candidate.field]
                return plain_us
            value = _inside(fields[candidate.field], candidate.inner)
            if _may_be_time(value):
                try:
                    return self._time_of(candidate, value, metadata)
                except RecordError as error:
                    problem = problem or (None if isinstance(value, dict) else error)
        for _, value in find(fields).times:
            try:
                return parse_time(value)
            except RecordError:
                continue
        raise problem or RecordError("it has no time (name the field with --map time=FIELD)")

    @staticmethod
    def _time_of(candidate: Candidate, value: object, metadata: Fields) -> int:
        occurred_us = parse_time(value, UTC if candidate.is_utc else None)
        if not candidate.inner and is_plain_utc(value):
            del metadata[candidate.field]
        return occurred_us

    def _fill_mapped(self, values: dict[str, Any], fields: Fields, metadata: Fields) -> None:
        for column, field in self._map.fields.items():
            value = None if column == "time" else self._map.value(column, fields)
            if value is not None:
                values[column] = value
                if metadata.get(field) == value and metadata[field] is not True:
                    del metadata[field]
