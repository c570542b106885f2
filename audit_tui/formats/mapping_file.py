"""Reading a mapping file; what is wrong with one is said with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn

from audit_tui.core.event import MAX_SEVERITY, Outcome
from audit_tui.core.time.zones import zone_named
from audit_tui.errors import FileError, TimeError, UsageError
from audit_tui.formats.generic import COLUMNS, read_column
from audit_tui.formats.mapping import UNITS_US, Mapping, Verdict
from audit_tui.formats.record import RecordError
from audit_tui.formats.words.patterns import Pattern, PatternError

MAX_FILE_BYTES = 1024 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*", re.ASCII)
_RANGE = re.compile(r"(\d{1,9})\s*-\s*(\d{1,9})", re.ASCII)
_TABLES = ("columns", "constants", "templates", "time", "outcome", "severity", "names", "sentences", "tables")
_SHIPPED = ("detect", "rank", "last", "shapes", "split", "begins", "line", "prefixes")
_OTHERS = ("name", "title", "inside", "lists", "nobody", *_SHIPPED)
"""Keys of a file that are not tables; those of _SHIPPED are for formats that come with the program."""
_READ = (*COLUMNS, "reason")
_DENIED = "denied"
_MOST = 1_000
"""Numbers of a severity that a range may name."""
VENDORS = Path(__file__).parent / "vendors"
"""Rooms of files, ``vendors/ROOM/NAME.toml``."""
_HINT = "The manual shows a mapping file: man audit-tui, MAPPING FILES."


def shipped_mappings() -> dict[str, Path]:
    """Return the mapping files that come with the program and need no code, by their names."""
    paths = (path for path in sorted(VENDORS.glob("*/*.toml")) if not path.with_suffix(".py").exists())
    return {path.stem: path for path in paths}


def read_mapping(path: Path) -> Mapping:
    """The format that a mapping file describes.

    Args:
        path: The file, or the name of one that comes with the program.

    Raises:
        FileError: If it cannot be read.
        UsageError: If something in it is wrong; names the line.
    """
    import tomllib

    if len(path.parts) == 1 and not path.exists():
        path = shipped_mappings().get(path.name, path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise FileError(
            f"The mapping {path} cannot be read: {getattr(error, 'strerror', None) or error}.",
            f"Those that come with the program: {', '.join(shipped_mappings())}.",
        ) from None
    if len(data) > MAX_FILE_BYTES:
        raise FileError(f"The mapping {path} is too large.")
    text = data.decode("utf-8-sig", "replace")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)\Z", message)
        line = (place and place[1]) or str(text.count("\n") + 1)
        reason = message[: place.start()] if place else message
        raise UsageError(f"{path}, line {line}: not TOML: {reason}.", _HINT) from None
    except RecursionError:
        raise UsageError(f"{path}: it is nested too deeply.", _HINT) from None
    return checked(path, text, values)


def checked(path: Path, text: str, values: dict[str, Any]) -> Mapping:
    """Return the mapping that TOML values describe; see ``read_mapping``."""
    return _Checked(path, text, values).mapping()


class _Checked:
    """The values of a file, each taken once it is known to be right."""

    def __init__(self, path: Path, text: str, values: dict[str, Any]) -> None:
        self._path = path
        self._text = text
        self._values = values

    def mapping(self) -> Mapping:
        for name, value in self._values.items():
            if name not in (*_TABLES, *_OTHERS):
                self._fail("", name, f"{name!r} means nothing here", _meant(name, _TABLES))
            if (name in _TABLES) != isinstance(value, dict) and name != "lists":
                self._fail("", name, f"{name} {'is a table' if name in _TABLES else 'is a text'}")
        name = self._text_of("", "name", self._values.get("name", self._path.stem.lower()))
        if _NAME.fullmatch(name) is None:
            self._fail("", "name", f"{name!r} is not a name: lower case letters, digits, - and _")
        columns = self._all_paths("columns")
        if "time" not in columns:
            self._fail("columns", "time", 'it names no field for the time, as time = "created_at"')
        outcomes, ranges = self._outcomes()
        unit, spelling, zone = self._time()
        try:
            zone_info = None if zone is None else zone_named(zone)
        except TimeError as error:
            self._fail("time", "zone", error.message.rstrip("."), error.hint)
        return Mapping(
            name=name,
            title=self._text_of("", "title", self._values.get("title", name)),
            columns=columns,
            constants=self._constants(),
            templates=self._templates(),
            time_unit=unit,
            time_format=spelling,
            zone=zone_info,
            outcomes=outcomes,
            outcome_ranges=ranges,
            severities=self._severities(),
            inside=self._values.get("inside", ""),
            names=self._all_paths("names"),
            lists=tuple(self._values.get("lists", ())),
            sentences=self._sentences(),
            prefixes=tuple(self._values.get("prefixes", ())),
            nobody=frozenset(map(str.lower, self._values.get("nobody", ()))),
            tables=self._values.get("tables", {}),
        )

    def _table(self, name: str) -> dict[str, Any]:
        """A table whose keys are columns, or one with keys of its own."""
        table: dict[str, Any] = self._values.get(name, {})
        allowed: tuple[str, ...] = _READ
        if name == "time":
            allowed = ("unit", "format", "zone")
        elif name == "outcome":
            allowed = (*Outcome, _DENIED)
        elif name in ("severity", "names", "sentences"):
            return table
        for key in table:
            if key not in allowed:
                self._fail(
                    name,
                    key,
                    f"{name} has no {key!r}",
                    _meant(key, allowed) or f"It has {', '.join(allowed)}.",
                )
        return table

    def _all_paths(self, table: str) -> dict[str, tuple[str, ...]]:
        return {name: self._paths(table, name, value) for name, value in self._table(table).items()}

    def _paths(self, table: str, name: str, value: object) -> tuple[str, ...]:
        paths = [part.strip() for part in self._text_of(table, name, value).split("|")]
        if not all(paths):
            self._fail(table, name, f"{name} has an empty field between |")
        return tuple(paths)

    def _sentences(self) -> dict[str, str]:
        """The patterns of events; a comma in the key names several events."""
        sentences: dict[str, str] = {}
        for events, pattern in self._table("sentences").items():
            self._pattern("sentences", events, pattern)
            sentences |= dict.fromkeys((event.strip() for event in events.split(",")), pattern)
        return sentences

    def _pattern(self, table: str, key: str, value: object) -> Pattern:
        try:
            return Pattern(self._text_of(table, key, value))
        except PatternError as error:
            self._fail(table, key, f"{key}: {error}")

    def _constants(self) -> dict[str, str]:
        constants = {}
        for column, value in self._table("constants").items():
            text = str(value) if type(value) is int else self._text_of("constants", column, value)
            try:
                is_known = column != "time" and read_column(column, text) is not None
            except RecordError:
                is_known = False
            if not is_known:
                self._fail("constants", column, f"{text!r} cannot be the {column} of an event")
            constants[column] = text
        return constants

    def _templates(self) -> dict[str, Pattern]:
        templates = {}
        for column, value in self._table("templates").items():
            templates[column] = self._pattern("templates", column, value)
            if column == "time":
                self._fail("templates", column, "a time cannot be put together")
        return templates

    def _time(self) -> tuple[str | None, str | None, str | None]:
        table = self._table("time")
        unit, spelling = table.get("unit"), table.get("format")
        if unit is not None and (not isinstance(unit, str) or unit not in UNITS_US):
            self._fail("time", "unit", f"{unit!r} is not a unit", f"Units are {', '.join(UNITS_US)}.")
        if spelling is not None:
            if unit is not None:
                self._fail("time", "format", "a unit is for numbers, a format for texts: only one of them")
            if "%" not in self._text_of("time", "format", spelling):
                self._fail("time", "format", f"{spelling!r} has no %", "Write it as %d/%m/%Y %H:%M:%S.")
            if "%Z" in spelling.removesuffix(" %Z"):
                self._fail("time", "format", "%Z, the name of a zone, can only come last, after a space")
        zone = self._text_of("time", "zone", table["zone"]) if "zone" in table else None
        return unit, spelling, zone

    def _outcomes(self) -> tuple[dict[str, Verdict], tuple[tuple[int, int, Verdict], ...]]:
        words: dict[str, Verdict] = {}
        ranges: list[tuple[int, int, Verdict]] = []
        for name, values in self._table("outcome").items():
            if not isinstance(values, list):
                self._fail("outcome", name, f"{name} is a list of values, as [200, 201] or ['ok']")
            verdict = Verdict(Outcome.FAILURE, True) if name == _DENIED else Verdict(Outcome(name))
            for value in values:
                word = ("true" if value else "false") if isinstance(value, bool) else str(value)
                if isinstance(value, dict | list):
                    self._fail("outcome", name, f"{word} is neither a text nor a number")
                if match := _RANGE.fullmatch(word.strip()):
                    ranges.append((int(match[1]), int(match[2]), verdict))
                else:
                    words[word.strip().lower()] = verdict
        return words, tuple(ranges)

    def _severities(self) -> dict[str, int]:
        severities: dict[str, int] = {}
        for word, value in self._table("severity").items():
            if type(value) is not int or not 0 <= value <= MAX_SEVERITY:
                self._fail("severity", word, f"{word} is a number from 0 to {MAX_SEVERITY}")
            numbers = _RANGE.fullmatch(word.strip())
            words = (
                range(int(numbers[1]), min(int(numbers[2]), _MOST) + 1) if numbers is not None else (word,)
            )
            severities |= {str(each).strip().lower(): value for each in words}
        return severities

    def _text_of(self, table: str, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            self._fail(table, key, f"{key} is a text")
        return value

    def _fail(self, table: str, key: str, what: str, hint: str = "") -> NoReturn:
        from audit_tui.config import line_of

        line = line_of(self._text, table, key)
        raise UsageError(f"{self._path}, line {line}: {what}.", hint or _HINT)


def _meant(name: str, allowed: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), allowed, n=1)
    return f"Did you mean {close[0]}?" if close else ""
