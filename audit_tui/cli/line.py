"""The query line of a command: read, with its lists from files, and its errors shown below the line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.filter.filters import EVERYTHING, All
from audit_tui.core.query_line.grammar import meaning_table
from audit_tui.core.source import is_url, without_password
from audit_tui.errors import FileError, FilterError, UsageError

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query_line.parse import Query
    from audit_tui.core.time.dates import TimeContext

QUERY_HELP = f"""\b
A QUERY, of one word or more:
{meaning_table("  ")}
\b
user=@FILE takes one value from each line of a file. -x as an argument is an option to
a shell: write not user:x, or -q. The grammar is in the manual."""
MAX_LIST_VALUES = 100_000
_MAX_LIST_BYTES = 16 * 1024 * 1024


def read_line(line: str, context: TimeContext) -> Query:
    """Read a query line of the command line.

    Raises:
        FilterError: If it cannot be read; its hint shows the place.
        FileError: If the file of a list cannot be read.
    """
    # Imported where it is wanted: 4 ms of the start of every command.
    from audit_tui.core.query_line.parse import parse
    from audit_tui.core.query_line.scan import QueryError

    try:
        return parse(line, context, read_list=read_list)
    except QueryError as error:
        hint = f"  {error.pointed(line)}".replace("\n", "\n  ") + f"\n{error.hint}"
        raise FilterError(
            error.message, f"{hint}\nPerhaps: {error.mended}" if error.mended else hint
        ) from None


def refuse_path(words: Sequence[str]) -> None:
    """Refuse a query that is the name of something else: of a file, or a URL; UsageError if it is one."""
    if url := next((word for word in words if is_url(word) and "//" in word), None):
        shown = without_password(url)
        hint = f"A store is named with -s: -s {shown}. To search for the text: '\"{shown}\"'"
        raise UsageError(f"A URL is not a query: {shown}.", hint)
    if len(words) != 1:
        return
    word = words[0]
    as_text = f"To search for the text: '\"{word}\"'"
    try:
        is_path = ("." in word or "/" in word) and os.path.lexists(word)
    except ValueError:
        is_path = False
    if is_path:
        raise UsageError(f"{word} is a file, not a query.", f"A store is named with -s: -s {word}. {as_text}")


def is_line(word: str) -> bool:
    """Tell whether an argument that could be a path is a query: it names a field and is not a path."""
    from audit_tui.core.filter.filters import META
    from audit_tui.core.query_line.parse import BOUNDS, FIELDS, TERM

    head = TERM.match(word.lstrip("-!("))
    if head is None or os.path.lexists(word.replace("\0", "")):
        return False
    name = head[1].lower()
    return name in FIELDS or name in BOUNDS or name.startswith(META)


def joined(filters: Sequence[Filter]) -> Filter:
    """Return the filter that all of these make together."""
    parts: list[Filter] = []
    for part in filters:
        if part != EVERYTHING:
            parts += part.parts if isinstance(part, All) else (part,)
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def read_list(name: str) -> tuple[str, ...]:
    """Return the values of a file, one a line; empty lines are none.

    Raises:
        FileError: If it cannot be read, or has too many.
    """
    path = Path(name).expanduser()
    try:
        if not path.is_file():
            raise FileError(f"There is no file {path} with a list of values.", "It has one value a line.")
        if path.stat().st_size > _MAX_LIST_BYTES:
            raise FileError(f"The list {path} is larger than {_MAX_LIST_BYTES >> 20} MiB.", "Split it.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise FileError(f"The list {path} cannot be read: {error}.") from error
    values = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(values) > MAX_LIST_VALUES:
        message = f"The list {path} has {len(values):,} values; {MAX_LIST_VALUES:,} are the most."
        raise FileError(message, "Split it.")
    return values
