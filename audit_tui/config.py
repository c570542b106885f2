"""The settings: defaults, then a TOML file, then the environment; a flag of a command wins over all.

Each setting is one row of ``SETTINGS``: its name in the file, its environment variable, how its value is
read. What they make together is a frozen ``Settings``, with the origin of each beside it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from audit_tui.core.columns import LIST_COLUMNS
from audit_tui.core.event_fields import FIELDS_HINT, ListField, list_field
from audit_tui.core.filter.filters import MetaField
from audit_tui.core.record import Record
from audit_tui.core.source import EventSource, SourceUrl, is_url, source_of
from audit_tui.core.text import closest, counted
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import ListedColumn
from audit_tui.errors import ConfigError, FileError, FilterError, TimeError, UsageError

APP_NAME = "audit-tui"
MOST_COLUMN_CELLS = 200
CONFIG_VARIABLE = "AUDIT_TUI_CONFIG"
STORE_VARIABLE = "AUDIT_TUI_STORE"
MAX_CONFIG_BYTES = 1_000_000
"""A larger file is not a configuration: AUDIT_TUI_CONFIG names the wrong thing."""
MAX_DEADLINE_S = 86_400
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEYS_TABLE = "keys"
SECRET_ACTIONS = ("keep", "mask", "redact", "hash")
"""The values of ``core.secrets.SecretAction``, which is not needed to read settings."""


class Settings(Record):
    """The choices of a user, or the defaults."""

    store: EventSource | None = None
    """The store to use when none is named; None is audit.db in the data directory."""
    zone: str | None = None
    """The zone of days and times by its name, as Europe/Berlin; None is the machine's."""
    first_weekday: int = 0
    """The first day of the week: 0 is Monday, 6 Sunday."""
    theme: str | None = None
    """The screen's theme by its name; None is the program's choice."""
    keymap: str = "default"
    """The set of keys to start from, by its name."""
    keys: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """The user's own keys, by the id of what they do; an empty tuple takes all keys away."""
    columns: tuple[ListField, ...] = LIST_COLUMNS
    """The columns of the list, in order; never empty, none twice."""
    column_widths: Mapping[ListField, int] = MappingProxyType({})
    """The cells of columns that have a width of the user's; the list chooses the others."""
    date_format: str = "%Y-%m-%d %H:%M:%S"
    """The form of a full time, for strftime."""
    mouse: bool = True
    """True when the screen listens to the mouse."""
    resume: bool = False
    """True when the screen begins where it was left."""
    mask_secrets: bool = True
    """True when passwords, keys and tokens are masked in the list and in what is copied."""
    record_own_acts: bool = False
    """True when openings and exports of a store are recorded in it."""
    secrets: str = "keep"
    """The treatment of passwords, keys and tokens at import: the value of a ``core.secrets.SecretAction``."""
    redact: bool = False
    """True when names and addresses are replaced by pseudonyms, on the screen and in files."""
    deadline: float | None = 10.0
    """The seconds that the screen waits for an answer; None is for ever."""

    @property
    def listed_columns(self) -> tuple[ListedColumn, ...]:
        """The columns as a view must name them; none where the list knows all of them itself."""
        if not self.column_widths and not any(isinstance(field, MetaField) for field in self.columns):
            return ()
        return tuple(ListedColumn(field, self.column_widths.get(field)) for field in self.columns)


class Source(StrEnum):
    """The sources of a setting; a later one wins."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


class Origin(Record):
    """The source that a setting was taken from."""

    source: Source
    where: str = ""
    """The file with its line, or the environment variable; empty for a default."""

    def __str__(self) -> str:
        return self.where or self.source.value


class Loaded(Record):
    """The settings in force, and where each came from."""

    settings: Settings
    origins: Mapping[str, Origin]
    """By the setting's name; the user's own keys as ``keys.ID``."""

    def origin(self, name: str) -> Origin:
        """Return the origin of the setting of this name."""
        return self.origins.get(name, Origin(Source.DEFAULT))


class _Unusable(Exception):
    """A value that its setting cannot take: why, and what would do."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


class Setting(Record):
    """One setting, declared once."""

    name: str
    """In the file."""
    read: Callable[[object], object]
    """Makes the setting of a TOML value or of the variable's text."""
    about: str
    """Its purpose in a few words."""

    @property
    def attribute(self) -> str:
        """Its name in Settings."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"AUDIT_TUI_{self.attribute.upper()}"


def _source(value: object) -> EventSource:
    text = _text(value)
    if not is_url(text):
        return user_path(text)
    try:
        source = source_of(text)
    except UsageError as error:
        raise _Unusable("names a URL that no engine here answers", error.hint) from None
    if isinstance(source, SourceUrl) and source.has_password:
        raise _Unusable(
            "names a URL with its password",
            "Take the password out: a .pgpass file or PGPASSWORD has it safer.",
        )
    return source


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Unusable(f"must be text in quotes, not {value!r}")
    if not value.strip():
        raise _Unusable("is empty")
    if not value.isprintable():
        raise _Unusable("holds a character that cannot be printed")
    return value


def _zone(value: object) -> str:
    name = _text(value)
    try:
        zone_named(name)
    except TimeError as error:
        raise _Unusable(f"names no time zone: {name}", error.hint) from None
    return name


def _weekday(value: object) -> int:
    return WEEKDAYS.index(_choice(value, WEEKDAYS, "a day of the week in English"))


def _choice(value: object, names: Sequence[str], words: str) -> str:
    name = _text(value).lower()
    if name not in names:
        raise _Unusable(f"must be {words}, not {name!r}", _meant(name, names))
    return name


def _columns(value: object) -> tuple[ListField, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not names:
        raise _Unusable('must be a list of columns, as ["time", "event", "user"]')
    columns = tuple(_column(_text(name).strip()) for name in names)
    if len(set(columns)) < len(columns):
        raise _Unusable("names a column twice")
    return columns


def _column(name: str) -> ListField:
    try:
        field = list_field(name)
    except FilterError:
        field = None
    if field is None:
        raise _Unusable(f"names an unknown column {name!r}", FIELDS_HINT)
    return field


def _column_widths(value: object) -> Mapping[ListField, int]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list):
        raise _Unusable('must be a list of widths, as ["user=30", "time=19"]')
    widths: dict[ListField, int] = {}
    for text in names:
        name, _, cells = _text(text).strip().rpartition("=")
        if not cells.isascii() or not cells.isdecimal() or not 1 <= int(cells[:9]) <= MOST_COLUMN_CELLS:
            raise _Unusable(f"must be NAME=CELLS, 1 to {MOST_COLUMN_CELLS}, not {text!r}")
        widths[_column(name)] = int(cells)
    return MappingProxyType(widths)


def _date_format(value: object) -> str:
    text = _text(value)
    try:
        sample = datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC).strftime(text)
    # ValueError: some platforms refuse what they do not know.
    except ValueError:
        sample = text
    if sample in ("", text):
        raise _Unusable(f"must be a strftime format, as %Y-%m-%d %H:%M:%S, not {text!r}")
    return text


def _keys(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list):
        raise _Unusable('must be a key, or a list of keys, as ["f", "ctrl+f"]')
    return tuple(_text(name) for name in names)


def _seconds(value: object) -> float | None:
    """A time in seconds; None for 0, which means no limit."""
    try:
        seconds = -1.0 if isinstance(value, bool) else float(str(value))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_DEADLINE_S:
        raise _Unusable(f"must be seconds, 0 to {MAX_DEADLINE_S:,}, not {value!r}", "0 sets no limit.")
    return seconds or None


def _secret_action(value: object) -> str:
    return _choice(value, SECRET_ACTIONS, f"one of {', '.join(SECRET_ACTIONS)}")


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    switch = {"true": True, "1": True, "yes": True, "on": True}
    switch |= {"false": False, "0": False, "no": False, "off": False}
    if not isinstance(value, str) or value.lower() not in switch:
        raise _Unusable(f"must be true or false, not {value!r}")
    return switch[value.lower()]


SETTINGS = (
    Setting("store", _source, "the store to use when none is named"),
    Setting("zone", _zone, "the zone of days and times"),
    Setting("first-weekday", _weekday, "the first day of the week"),
    Setting("theme", _text, "the theme of the screen"),
    Setting("keymap", _text, "the set of keys to start from"),
    Setting("columns", _columns, "the columns of the list, in order"),
    Setting("column-widths", _column_widths, "those of a fixed width"),
    Setting("date-format", _date_format, "how a time is written"),
    Setting("mouse", _switch, "whether the screen listens to the mouse"),
    Setting("resume", _switch, "whether the screen begins where it was left"),
    Setting("mask-secrets", _switch, "whether secrets are masked in the list and in copies"),
    Setting("record-own-acts", _switch, "whether openings and exports are recorded in the store"),
    Setting("secrets", _secret_action, "what an import does with passwords, keys and tokens"),
    Setting("redact", _switch, "whether names are replaced by pseudonyms"),
    Setting("deadline", _seconds, "how many seconds an answer may take"),
)
"""Every setting but the table ``[keys]``, whose names are the ids of commands."""


def user_path(text: str) -> Path:
    """A path as a user writes it, with ``~`` for a home; one that nobody has stays as it is."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def data_directory() -> Path:
    """The platform's directory for this program's data; need not exist."""
    return _directory("data", "~/.local/share")


def cache_directory() -> Path:
    """The platform's directory for what this program can make again; need not exist."""
    return _directory("cache", "~/.cache")


def state_directory() -> Path:
    """The platform's directory for what this program notes of its runs; need not exist."""
    return _directory("state", "~/.local/state")


def _directory(kind: str, usual: str) -> Path:
    """Return the platform's directory of a kind for this program.

    Args:
        kind: As the variable of the XDG base directories names it.
        usual: Where it lies on Linux unless that variable is set.
    """
    if not sys.platform.startswith("linux"):
        import platformdirs

        chosen: Path = getattr(platformdirs, f"user_{kind}_path")(APP_NAME, appauthor=False)
        return chosen
    # As platformdirs does it, which is imported in 20 ms.
    chosen_text = os.environ.get(f"XDG_{kind.upper()}_HOME", "")
    return user_path(chosen_text if chosen_text.startswith("/") else usual) / APP_NAME


def keys_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the keys that sign stores, beside the settings; it need not exist."""
    return config_path(environment).parent / "keys"


def default_store_path() -> Path:
    """The store that is used when none is named; need not exist."""
    return data_directory() / "audit.db"


def config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The file that the settings are read from; need not exist."""
    if chosen := environment.get(CONFIG_VARIABLE):
        return user_path(chosen)
    return _directory("config", "~/.config") / "config.toml"


def load(environment: Mapping[str, str] = os.environ) -> Loaded:
    """Read the settings.

    Raises:
        ConfigError: If one cannot be used: the first of them, with its place.
        FileError: If there is a file and it cannot be read.
    """
    loaded, problems = examine(environment)
    if not problems:
        return loaded
    first = problems[0]
    if len(problems) == 1:
        raise first
    more = f"{counted(len(problems) - 1, 'more problem')}: audit-tui config validate shows all."
    raise ConfigError(first.message, f"{first.hint}\n{more}".strip())


def examine(environment: Mapping[str, str] = os.environ) -> tuple[Loaded, tuple[ConfigError, ...]]:
    """Read the settings as far as they can be used, and say what is wrong with the rest.

    Raises:
        FileError: If there is a file and it cannot be read.
    """
    reading = _Reading()
    reading.take_file(config_path(environment), is_named=bool(environment.get(CONFIG_VARIABLE)))
    for setting in SETTINGS:
        if value := environment.get(setting.variable):
            reading.take(setting, value, Origin(Source.ENVIRONMENT, setting.variable))
    settings = replace(Settings(), **reading.values)
    return Loaded(settings, reading.origins), tuple(reading.problems)


def keep_columns(columns: Sequence[ListedColumn], environment: Mapping[str, str] = os.environ) -> Path:
    """Write the list's columns and widths into the file of the settings; all else in it stays as it is.

    Returns:
        The file.

    Raises:
        ConfigError: If the file has them in a form that this cannot replace.
        FileError: If it cannot be read or written.
    """
    import tomllib

    path = Path(os.path.realpath(config_path(environment)))
    text = _file_text(path, is_named=False)
    wanted = {
        "columns": [column.field.value for column in columns],
        "column-widths": [f"{each.field.value}={each.width}" for each in columns if each.width is not None],
    }
    new, lines = text, []
    for name, values in wanted.items():
        lines.append(f"{name} = [{', '.join(json.dumps(value, ensure_ascii=False) for value in values)}]")
        line = re.compile(rf"^{name}[ \t]*=.*$", re.MULTILINE)
        new = line.sub(lambda _: lines[-1], new, count=1) if line.search(new) else f"{lines[-1]}\n{new}"
    try:
        before, after = tomllib.loads(text), tomllib.loads(new)
    except (tomllib.TOMLDecodeError, RecursionError):
        before, after = {}, {}
    if after != before | wanted:
        raise ConfigError(f"{path}: the columns could not be written.", f"Write there: {'; '.join(lines)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.write_text(new, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise FileError(f"{path} could not be written: {error.strerror}.") from error
    return path


class _Reading:
    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, Origin] = {}
        self.problems: list[ConfigError] = []

    def take(self, setting: Setting, value: object, origin: Origin) -> None:
        try:
            self.values[setting.attribute] = setting.read(value)
        except _Unusable as error:
            self.problems.append(ConfigError(f"{origin}: {setting.name} {error}.", error.hint))
        else:
            self.origins[setting.name] = origin

    def take_file(self, path: Path, *, is_named: bool) -> None:
        text = _file_text(path, is_named=is_named)
        if not text:
            return
        # Here, because most runs have no file, and it takes 5 ms.
        import tomllib

        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.problems.append(_syntax_problem(path, text, str(error)))
            return
        except RecursionError:
            self.problems.append(ConfigError(f"{path}: not TOML: it is nested too deeply."))
            return
        by_name = {setting.name: setting for setting in SETTINGS}
        for name, value in table.items():
            origin = Origin(Source.FILE, f"{path}, line {line_of(text, '', name)}")
            if name == KEYS_TABLE:
                self._take_keys(path, text, value, origin)
            elif name in by_name:
                self.take(by_name[name], value, origin)
            else:
                hint = _meant(name, (*by_name, KEYS_TABLE)) or f"Settings are {', '.join(by_name)}."
                self.problems.append(ConfigError(f"{origin}: there is no setting {name!r}.", hint))

    def _take_keys(self, path: Path, text: str, table: object, origin: Origin) -> None:
        if not isinstance(table, dict):
            self.problems.append(
                ConfigError(f"{origin}: keys must be a table.", 'Write [keys], then filter = "f" and so on.')
            )
            return
        keys: dict[str, tuple[str, ...]] = {}
        for name, value in table.items():
            origin = Origin(Source.FILE, f"{path}, line {line_of(text, KEYS_TABLE, name)}")
            try:
                keys[name] = _keys(value)
            except _Unusable as error:
                self.problems.append(ConfigError(f"{origin}: keys.{name} {error}.", error.hint))
            else:
                self.origins[f"{KEYS_TABLE}.{name}"] = origin
        self.values[KEYS_TABLE] = keys


def _file_text(path: Path, *, is_named: bool) -> str:
    """The file's text; empty when there is none and nobody named it."""
    try:
        if path.exists() and not path.is_file():
            raise FileError(f"The settings cannot be read: {path} is not a file.", _elsewhere(is_named))
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        if is_named:
            hint = _elsewhere(is_named)
            raise FileError(f"The settings cannot be read: no file at {path}.", hint) from None
        return ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"The settings cannot be read: {path}: {reason}.", _elsewhere(is_named)) from None
    if len(content) > MAX_CONFIG_BYTES:
        raise FileError(f"The settings cannot be read: {path} is too large.", _elsewhere(is_named))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8 text.", _elsewhere(is_named)) from None


def _elsewhere(is_named: bool) -> str:
    return f"{CONFIG_VARIABLE} names it." if is_named else f"{CONFIG_VARIABLE} can name another."


def _syntax_problem(path: Path, text: str, message: str) -> ConfigError:
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = (place and place[1]) or str(text.count("\n") + 1)
    reason = message[: place.start()] if place else message
    return ConfigError(f"{path}, line {line}: not TOML: {reason}.", "Values that are text stand in quotes.")


def line_of(text: str, table: str, name: str) -> int:
    """The 1-based line where a key of a table stands; the table's own, or 1, if it is written otherwise."""
    key = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*[=.]""")
    header = re.compile(rf"""\s*\[\s*["']?{re.escape(name)}["']?\s*[.\]]""")
    current, header_line = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if opened := re.match(r"""\s*\[\s*["']?([^\]"']*?)["']?\s*\]""", line):
            current = opened[1]
            header_line = number if current == table else header_line
        if (current == table and key.match(line)) or (not table and header.match(line)):
            return number
    return header_line


def _meant(name: str, names: Iterable[str]) -> str:
    close = closest(name.replace("_", "-"), names)
    return f"Did you mean {close}?" if close else ""
