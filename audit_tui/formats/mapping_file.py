"""Reading a mapping file; what is wrong with one is said with its line."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from audit_tui.core.event import MAX_SEVERITY, Outcome
from audit_tui.core.time.zones import zone_named
from audit_tui.errors import FileError, TimeError, UsageError
from audit_tui.formats import mappings
from audit_tui.formats.generic import COLUMNS, read_column
from audit_tui.formats.mapping import UNITS_US, Mapping
from audit_tui.formats.record import RecordError
from audit_tui.formats.words.templates import Template, TemplateError

MAX_FILE_BYTES = 1024 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*", re.ASCII)
_RANGE = re.compile(r"(\d{1,9})\s*-\s*(\d{1,9})", re.ASCII)
_TABLES = ("columns", "constants", "templates", "time", "outcome", "severity")
_HINT = "The README shows a mapping file."


def shipped_mappings() -> dict[str, Path]:
    """The mapping files that come with the program, by their names."""
    folder = Path(mappings.__file__).parent
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read_mapping(path: Path) -> Mapping:
    """What a mapping file describes.

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
        said = str(error)
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)\Z", said)
        line = (place and place[1]) or str(text.count("\n") + 1)
        reason = said[: place.start()] if place else said
        raise UsageError(f"{path}, line {line}: not TOML: {reason}.", _HINT) from None
    except RecursionError:
        raise UsageError(f"{path}: it is nested too deeply.", _HINT) from None
    return _Checked(path, text, values).mapping()


class _Checked:
    """The values of a file, each taken once it is known to be right."""

    def __init__(self, path: Path, text: str, values: dict[str, Any]) -> None:
        self._path = path
        self._text = text
        self._values = values

    def mapping(self) -> Mapping:
        for name, value in self._values.items():
            if name not in (*_TABLES, "name", "title"):
                self._fail("", name, f"{name!r} means nothing here", _meant(name, _TABLES))
            if (name in _TABLES) != isinstance(value, dict):
                self._fail("", name, f"{name} {'is a table' if name in _TABLES else 'is a text'}")
        name = self._text_of("", "name", self._values.get("name", self._path.stem.lower()))
        if _NAME.fullmatch(name) is None:
            self._fail("", "name", f"{name!r} is no name: lower case letters, digits, - and _")
        columns = {column: self._paths(column, value) for column, value in self._table("columns").items()}
        if "time" not in columns:
            self._fail("columns", "time", 'it names no field for the time, as time = "created_at"')
        outcomes, ranges = self._outcomes()
        unit, spelling, zone = self._time()
        try:
            zone_info = zone_named(zone)
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
        )

    def _table(self, name: str) -> dict[str, Any]:
        """A table whose keys are columns, or one with keys of its own."""
        table: dict[str, Any] = self._values.get(name, {})
        known: tuple[str, ...] = COLUMNS
        if name == "time":
            known = ("unit", "format", "zone")
        elif name == "outcome":
            known = tuple(Outcome)
        elif name == "severity":
            return table
        for key in table:
            if key not in known:
                self._fail(
                    name, key, f"{name} has no {key!r}", _meant(key, known) or f"It has {', '.join(known)}."
                )
        return table

    def _paths(self, column: str, value: object) -> tuple[str, ...]:
        paths = [part.strip() for part in self._text_of("columns", column, value).split("|")]
        if not all(paths):
            self._fail("columns", column, f"{column} has an empty field between |")
        return tuple(paths)

    def _constants(self) -> dict[str, str]:
        constants = {}
        for column, value in self._table("constants").items():
            text = str(value) if type(value) is int else self._text_of("constants", column, value)
            try:
                is_known = column != "time" and read_column(column, text) is not None
            except RecordError:
                is_known = False
            if not is_known:
                self._fail("constants", column, f"{text!r} is no {column} that every event could have")
            constants[column] = text
        return constants

    def _templates(self) -> dict[str, str]:
        templates = {}
        for column, value in self._table("templates").items():
            text = self._text_of("templates", column, value)
            try:
                Template(text)
            except TemplateError as error:
                self._fail("templates", column, f"{column}: {error}")
            if column == "time":
                self._fail("templates", column, "a time cannot be put together")
            templates[column] = text
        return templates

    def _time(self) -> tuple[str | None, str | None, str]:
        table = self._table("time")
        unit, spelling = table.get("unit"), table.get("format")
        if unit is not None and (not isinstance(unit, str) or unit not in UNITS_US):
            self._fail("time", "unit", f"{unit!r} is no unit", f"Units are {', '.join(UNITS_US)}.")
        if spelling is not None:
            if unit is not None:
                self._fail("time", "format", "a unit is for numbers, a format for texts: only one of them")
            if "%" not in self._text_of("time", "format", spelling):
                self._fail("time", "format", f"{spelling!r} has no %", "Write it as %d/%m/%Y %H:%M:%S.")
        zone = self._text_of("time", "zone", table.get("zone", "UTC"))
        return unit, spelling, zone

    def _outcomes(self) -> tuple[dict[str, Outcome], tuple[tuple[int, int, Outcome], ...]]:
        words: dict[str, Outcome] = {}
        ranges: list[tuple[int, int, Outcome]] = []
        for name, values in self._table("outcome").items():
            if not isinstance(values, list):
                self._fail("outcome", name, f"{name} is a list of values, as [200, 201] or ['ok']")
            for value in values:
                word = ("true" if value else "false") if isinstance(value, bool) else str(value)
                if isinstance(value, dict | list):
                    self._fail("outcome", name, f"{word} is neither a text nor a number")
                if match := _RANGE.fullmatch(word.strip()):
                    ranges.append((int(match[1]), int(match[2]), Outcome(name)))
                else:
                    words[word.strip().lower()] = Outcome(name)
        return words, tuple(ranges)

    def _severities(self) -> dict[str, int]:
        severities = {}
        for word, value in self._table("severity").items():
            if type(value) is not int or not 0 <= value <= MAX_SEVERITY:
                self._fail("severity", word, f"{word} is a number from 0 to {MAX_SEVERITY}")
            severities[word.strip().lower()] = value
        return severities

    def _text_of(self, table: str, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            self._fail(table, key, f"{key} is a text")
        return value

    def _fail(self, table: str, key: str, what: str, hint: str = "") -> NoReturn:
        line = _line_of(self._text, table, key)
        raise UsageError(f"{self._path}, line {line}: {what}.", hint or _HINT)


def _line_of(text: str, table: str, key: str) -> int:
    """The line of a key in a table; the table's own, or the first, if it is written otherwise."""
    key_line = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
    header = re.compile(rf"""\s*\[\s*["']?{re.escape(key)}["']?\s*[.\]]""")
    current, found = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if opened := re.match(r"""\s*\[\s*["']?([^\]"']*?)["']?\s*\]""", line):
            current = opened[1]
            found = number if current == table else found
        if (current == table and key_line.match(line)) or (not table and header.match(line)):
            return number
    return found


def _meant(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name.lower(), known, n=1)
    return f"Did you mean {close[0]}?" if close else ""
