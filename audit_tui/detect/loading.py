"""Rules from files, folders and zip archives, parsed once: what was parsed lies in a cache by its content."""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from audit_tui.core.new_file import private_folder
from audit_tui.core.record import Record
from audit_tui.core.text import counted
from audit_tui.detect.tree import Rule, rule_from_json, rule_to_json
from audit_tui.errors import FileError, UsageError

SUFFIXES = (".yml", ".yaml")
MAX_FILE_BYTES = 1024 * 1024
"""Of a file with rules; the largest of 3,780 public ones has 60 KB."""
MAX_FILES = 50_000
FORM = 2
"""The form of a rule in the cache; another is parsed again."""
MAX_CACHED = 20_000
"""Contents in the cache; with more it begins again."""
_TABLES = {"parsed": "mark TEXT PRIMARY KEY, rules TEXT NOT NULL"}
BUILT_IN = Path(__file__).parent / "rules"
"""The rules that come with the program."""


class Unread(Record):
    """A rule, or a file of rules, that is not run."""

    name: str
    """The file, or the title of the rule and its file; hostile until cleaned."""
    reason: str
    """Why, as the end of a sentence; may quote the file."""


class RuleSet(Record):
    """The rules that were loaded."""

    rules: tuple[Rule, ...]
    """Those that can be run; no id twice."""
    unread: tuple[Unread, ...]
    files: int


def load_rules(paths: Sequence[Path], cache: Path | None = None) -> RuleSet:
    """Read rules.

    Paths are files, folders (all ``.yml`` and ``.yaml`` inside) and zip archives of such; the cache has what
    was parsed before.

    Raises:
        UsageError: If there is no rule at all, or pySigma is missing.
        FileError: If a path cannot be read.
    """
    unread: list[Unread] = []
    rules: dict[str, tuple[Rule, str]] = {}
    files = 0
    with _opened(cache) as parsed:
        for name, content in _contents(paths, unread):
            files += 1
            if files > MAX_FILES:
                raise UsageError(
                    f"There are more than {MAX_FILES:,} files of rules.", "Name a smaller folder."
                )
            read, problems = parsed.rules_of(content)
            unread += [Unread(name, problem) for problem in problems]
            for rule in read:
                reason = rule.trouble
                first = rules.get(rule.info.id)
                if first is not None and first[0].info.version != rule.info.version:
                    reason = f"its id is that of a rule in {first[1]}"
                if reason:
                    unread.append(Unread(f"{rule.info.title} ({name})", reason))
                elif first is None:
                    rules[rule.info.id] = rule, name
    if not rules and not unread:
        raise UsageError("There are no rules.", f"Rules are files that end with {' or '.join(SUFFIXES)}.")
    return RuleSet(tuple(rule for rule, _ in rules.values()), tuple(unread), files)


def _contents(paths: Iterable[Path], unread: list[Unread]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        try:
            if path.is_dir():
                for file in _files_in(path):
                    yield from _content(file, unread)
            elif path.suffix.lower() == ".zip":
                yield from _of_archive(path, unread)
            else:
                yield from _content(path, unread)
        except (OSError, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or error
            raise FileError(
                f"The rules cannot be read: {path}: {reason}.", "Name a file or a folder."
            ) from None


def _files_in(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES):
                yield Path(place, name)


def _content(path: Path, unread: list[Unread]) -> Iterator[tuple[str, bytes]]:
    if path.exists() and not path.is_file():
        unread.append(Unread(str(path), "it is not a file"))
        return
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    yield from _small(str(path), content, unread)


def _of_archive(path: Path, unread: list[Unread]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if member.filename.lower().endswith(SUFFIXES)]
        for member in sorted(members, key=lambda member: member.filename):
            name = f"{path}:{member.filename}"
            try:
                with archive.open(member) as file:
                    # What the archive says of its size may be wrong.
                    content = file.read(MAX_FILE_BYTES + 1)
            except (RuntimeError, NotImplementedError, zipfile.BadZipFile, OSError, EOFError) as error:
                unread.append(Unread(name, f"it cannot be unpacked: {error}"))
                continue
            yield from _small(name, content, unread)


def _small(name: str, content: bytes, unread: list[Unread]) -> Iterator[tuple[str, bytes]]:
    if len(content) > MAX_FILE_BYTES:
        unread.append(Unread(name, f"it is larger than {MAX_FILE_BYTES >> 20} MiB"))
    else:
        yield name, content


class _Parsed:
    def __init__(self, connection: sqlite3.Connection | None) -> None:
        self._connection = connection

    def rules_of(self, content: bytes) -> tuple[list[Rule], list[str]]:
        mark = sha256(content).hexdigest()
        if (cached := self._cached(mark)) is not None:
            return cached
        from audit_tui.detect.sigma_rules import read_rules, require_sigma

        require_sigma()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return [], ["it is not UTF-8 text"]
        rules, problems = read_rules(text)
        if self._connection is not None:
            stored = json.dumps([[rule_to_json(rule) for rule in rules], problems])
            with suppress(sqlite3.Error):
                self._connection.execute("INSERT OR REPLACE INTO parsed VALUES (?, ?)", (mark, stored))
        return rules, problems

    def _cached(self, mark: str) -> tuple[list[Rule], list[str]] | None:
        if self._connection is None:
            return None
        try:
            row = self._connection.execute("SELECT rules FROM parsed WHERE mark = ?", (mark,)).fetchone()
            if row is None:
                return None
            rules, problems = json.loads(row[0])
            return [rule_from_json(rule) for rule in rules], [str(problem) for problem in problems]
        except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError):
            # It is only a cache.
            return None


@contextmanager
def _opened(cache: Path | None) -> Iterator[_Parsed]:
    """Open the cache for a block; where that cannot be done, everything is parsed."""
    connection = None if cache is None else open_private(cache, FORM, _TABLES)
    if connection is None:
        yield _Parsed(None)
        return
    with closing(connection):
        with suppress(sqlite3.Error):
            if connection.execute("SELECT count(*) FROM parsed").fetchone()[0] > MAX_CACHED:
                connection.execute("DELETE FROM parsed")
        yield _Parsed(connection)
        with suppress(sqlite3.Error):
            connection.commit()


def unread_words(unread: Sequence[Unread], most: int = 10) -> list[str]:
    """Return a line for each rule that is not run, the first of many."""
    lines = [f"Not run: {entry.name}: {entry.reason}." for entry in unread[:most]]
    if len(unread) > most:
        lines.append(f"... and {counted(len(unread) - most, 'more rule')} not run.")
    return lines


def open_private(path: Path, form: int, tables: dict[str, str]) -> sqlite3.Connection | None:
    """Open a file that nobody else can read, made if need be; None where that cannot be done.

    What was written in another form is forgotten.
    """
    try:
        private_folder(path.parent)
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, timeout=2)
    except (OSError, sqlite3.Error):
        return None
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] != form:
            for name in tables:
                connection.execute(f"DROP TABLE IF EXISTS {name}")
            connection.execute(f"PRAGMA user_version = {form}")
        for name, content in tables.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({content}) WITHOUT ROWID")
    except sqlite3.Error:
        connection.close()
        return None
    return connection
