"""Formats that other packages add, kept from doing harm when they are broken."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.errors import AuditTuiError, FileError
from audit_tui.formats.record import Format, Lines, RecordError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from importlib.metadata import EntryPoint

    from audit_tui.core.event import AuditEvent
    from audit_tui.formats.record import Fields, LogText, Record, Reject

GROUP = "audit_tui.formats"
"""The entry-point group; the entry's name is the format's, its object a ``Format``."""
_SHOWN_CHARS = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)


class Plugins(NamedTuple):
    """The formats that were loaded."""

    formats: tuple[Format, ...]
    problems: tuple[str, ...]
    """The faults of the others, a sentence each; quotes foreign text, so clean it."""


def load_plugins(taken: Collection[str]) -> Plugins:
    """The formats of other packages.

    Args:
        taken: Names that are not theirs to use.
    """
    from importlib.metadata import entry_points

    formats: dict[str, Format] = {}
    problems = []
    for entry in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            loaded = _loaded(entry, {*taken, *formats})
        except ValueError as error:
            problems.append(f"The format {entry.name} of {_package(entry)} is left out: {error}.")
        else:
            formats[loaded.name] = loaded
    return Plugins(tuple(formats.values()), tuple(problems))


def _package(entry: EntryPoint) -> str:
    return entry.value if entry.dist is None else entry.dist.name


def _loaded(entry: EntryPoint, taken: Collection[str]) -> Format:
    """The format of an entry. Raises ValueError with what is wrong."""
    try:
        loaded = entry.load()
    except (Exception, SystemExit) as error:
        # What foreign code raises at import is anything.
        message = " ".join(str(error).split())[:_SHOWN_CHARS]
        raise ValueError(f"{type(error).__name__}: {message}") from error
    if not isinstance(loaded, Format):
        raise ValueError(f"{entry.value} is not a Format")
    if loaded.name != entry.name or _NAME.fullmatch(loaded.name) is None:
        raise ValueError(f"it calls itself {loaded.name!r}")
    if loaded.name in taken:
        raise ValueError("there is a format of that name")
    return _guarded(loaded)


def _guarded(log_format: Format) -> Format:
    """The same format, whose mistakes cost a record and not the import."""

    def detect(fields: Fields) -> bool:
        try:
            return bool(log_format.detect(fields))
        except (Exception, SystemExit):  # noqa: BLE001 - foreign code: a record that it stumbles over is not its own
            return False

    def map_(fields: Fields) -> AuditEvent:
        try:
            return log_format.map(fields)
        except RecordError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: the other records must not be lost
            raise _stumbled(log_format, error) from None

    def split(fields: Fields) -> Sequence[Fields]:
        if log_format.split is None:
            return [fields]
        try:
            return log_format.split(fields)
        except RecordError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            raise _stumbled(log_format, error) from None

    return replace(
        log_format,
        detect=detect,
        map=map_,
        split=None if log_format.split is None else split,
        lines=None if log_format.lines is None else _guarded_lines(log_format, log_format.lines),
    )


def _guarded_lines(log_format: Format, lines: Lines) -> Lines:
    def begins(head: str) -> bool:
        try:
            return bool(lines.begins(head))
        except (Exception, SystemExit):  # noqa: BLE001 - as above
            return False

    def records(text: LogText) -> Iterator[Record | Reject]:
        try:
            yield from lines.records(text)
        except AuditTuiError:
            raise
        except (Exception, SystemExit) as error:
            raise FileError(
                f"{text.name} cannot be read on: {_stumbled(log_format, error).reason}."
            ) from error

    return Lines(begins, records)


def _stumbled(log_format: Format, error: BaseException) -> RecordError:
    return RecordError(f"the format {log_format.name} fails: {type(error).__name__}")
