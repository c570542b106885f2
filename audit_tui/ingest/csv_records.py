"""Records out of CSV: quoted line breaks, any usual delimiter, huge cells, and quotes left open."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.formats.record import MAX_RECORD_CHARS, Record, Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit_tui.ingest.open import OpenLog

DELIMITERS = ",;\t|"
PREAMBLE_LINES = 12
"""This many lines are looked at for the names of the columns."""
MAX_ROW_LINES = 10_000
"""A row of more lines has a quote that was left open."""
_OPEN_QUOTE = "a quote is not closed"


def split_row(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line; None when it is not one whole row."""
    try:
        rows = list(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if rows else []


class Header(NamedTuple):
    """The place where a table begins."""

    delimiter: str
    names: list[str]
    skipped_lines: int
    """Lines before that of the names: a title, ``sep=;`` of Excel, ``#TYPE`` of PowerShell."""


def header_of(head: str, is_known: Callable[[list[str]], bool]) -> Header | None:
    """Return the beginning of a CSV file: its delimiter and the names of its columns.

    Args:
        head: The beginning of the file. The names stand in its first line that is not blank, or behind a few
            lines that are not rows, as programs put them there.
        is_known: Whether column names tell what is in them.

    Returns:
        None when no delimiter gives names that are known.
    """
    lines = head.split("\n")[:PREAMBLE_LINES]
    widest = 0
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        headers = []
        for delimiter in DELIMITERS:
            names = split_row(line.removeprefix("\ufeff"), delimiter)
            if names is not None and len(names) > widest and is_known([name.strip() for name in names]):
                headers.append(Header(delimiter, names, number))
        if headers:
            best = max(headers, key=lambda header: len(header.names))
            return best._replace(names=_distinct([*best.names, *_UNNAMED.get(tuple(best.names), ())]))
        widest = (
            max(widest, *(line.count(delimiter) + 1 for delimiter in DELIMITERS), 1)
            if not _is_setting(line)
            else widest
        )
    return None


_EVENT_VIEWER = {
    ("Date and Time", "Source", "Event ID", "Task Category"): ("Keywords", "Level"),
    ("Datum und Uhrzeit", "Quelle", "Ereignis-ID", "Aufgabenkategorie"): ("Schlüsselwörter", "Ebene"),
    ("Date et heure", "Source", "ID de l'événement", "Catégorie de la tâche"): ("Mots clés", "Niveau"),
    ("Fecha y hora", "Origen", "Id. del evento", "Categoría de la tarea"): ("Palabras clave", "Nivel"),
}
_UNNAMED: dict[tuple[str, ...], tuple[str, ...]] = {
    (first, *names): ("Message",) for names, firsts in _EVENT_VIEWER.items() for first in firsts
}
"""Headers of the Event Viewer of Windows, which leave out the name of the last column."""


def _is_setting(line: str) -> bool:
    return line.lower().startswith(("sep=", '"sep=', "#"))


def _distinct(names: list[str]) -> list[str]:
    # A dict: of 50,000 columns a list would compare a billion names.
    distinct: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        name = name.strip().removeprefix("\ufeff") or f"column {number}"
        while name in distinct:
            name = f"{name} (column {number})"
        distinct[name] = None
    return list(distinct)


class _Lines:
    """Lines that can be given back, so that an open quote costs its own line only."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: list[str] = []
        self.row: list[str] = []
        """The lines handed out since the row began."""
        self.row_chars = 0
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.row) >= MAX_ROW_LINES or self.row_chars > MAX_RECORD_CHARS:
            raise StopIteration
        line = self._again.pop() if self._again else next(self._lines)
        self.read += 1
        self.row.append(line)
        self.row_chars += len(line)
        return line

    def begin_row(self) -> None:
        self.row.clear()
        self.row_chars = 0

    def keep_first_line(self) -> str:
        """Give back all lines of the row but the first, and return that."""
        first, *others = self.row
        self._again.extend(reversed(others))
        self.read -= len(others)
        return first


def csv_records(text: OpenLog, header: Header) -> Iterator[Record | Reject]:
    """The rows of a CSV log as fields by column name, and what could not be read.

    Args:
        text: The log, from its beginning.
        header: Its beginning, as ``header_of`` gave it.

    Raises:
        FileError: If the file cannot be read on.
    """
    csv.field_size_limit(2 * MAX_RECORD_CHARS)
    lines = _Lines(text.lines(tells_idle=False))
    for _ in range(header.skipped_lines):
        next(lines)
    delimiter, names = header.delimiter, header.names
    has_header = False
    while True:
        lines.begin_row()
        row, reason = _next_row(lines, delimiter)
        line = lines.read - len(lines.row) + 1
        if not lines.row:
            return
        if row is not None and not row:
            continue
        if row is not None and not has_header:
            has_header = True
            if len(row) > len(names):
                # The beginning of the file, in which it was looked for, ended in the middle of it.
                names = _distinct(row)
            continue
        if row is not None and len(row) != len(names):
            reason = _miscounted(row, names)
        if not reason and row is not None:
            whole = "".join(lines.row)
            yield Record(
                dict(zip(names, row, strict=True)), line, None, whole.rstrip("\r\n"), not _is_utf8(whole)
            )
        else:
            first = lines.keep_first_line() if len(lines.row) > 1 else lines.row[0]
            yield Reject(text.name, line, None, reason, first.rstrip("\r\n"))


def _next_row(lines: _Lines, delimiter: str) -> tuple[list[str] | None, str]:
    """The next row, or why there is none; neither at the end."""
    try:
        # A reader of its own for each row: after an error the old one is in the middle of a cell.
        return next(csv.reader(lines, delimiter=delimiter, strict=True)), ""
    except StopIteration:
        return None, _OPEN_QUOTE
    except csv.Error as error:
        message = str(error)
        if "unexpected end of data" in message:
            return None, _OPEN_QUOTE
        if "new-line character" in message:
            return None, "a carriage return stands outside quotes"
        return None, f"it is not CSV: {message}"


def _miscounted(row: list[str], names: list[str]) -> str:
    columns = "1 column" if len(row) == 1 else f"{len(row):,} columns"
    return f"it has {columns}, the header {len(names):,}"


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
