"""Hits that a user does not want to see: in the user's own TOML file, never in a store.

A silence names a rule by its id, or a level, or both, and may have a query line: only hits that it wants.
"""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.filter.filters import EVERYTHING, Any, Filter
from audit_tui.core.investigate.detections import Level
from audit_tui.core.new_file import ANYTHING, new_file, private_folder, read_small
from audit_tui.core.query_line.parse import parse
from audit_tui.core.record import Record
from audit_tui.core.time.dates import TimeContext
from audit_tui.errors import AuditTuiError, FileError, UsageError

if TYPE_CHECKING:
    from audit_tui.core.investigate.detections import RuleInfo

FILE_NAME = "silences.toml"
MAX_FILE_BYTES = 1_000_000
_HEAD = """\
# Hits of Sigma rules that audit-tui leaves out and counts. rule is the id of a rule; level is informational,
# low, medium, high or critical; when is a query: only events that it wants.
"""
_CONTEXT = TimeContext(UTC, datetime(2000, 1, 1, tzinfo=UTC))


class Silence(Record):
    """A choice of hits that are left out."""

    rule: str = ""
    """The id of a rule; empty for any."""
    level: Level | None = None
    """None for any."""
    filter: Filter = EVERYTHING

    def is_about(self, info: RuleInfo) -> bool:
        """Tell whether it may leave out hits of a rule."""
        return self.rule in ("", info.id) and self.level in (None, info.level)


class Silences:
    """The silences of a user.

    Raises:
        FileError: If it cannot be read.
        UsageError: If it does not say what it should.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._silences: tuple[Silence, ...] = ()
        self.read()

    def read(self) -> None:
        """Read the file again."""
        try:
            text = read_small(self._path, MAX_FILE_BYTES)
            tables = tomllib.loads(text).get("silence", [])
        except (OSError, ValueError, RecursionError) as error:
            raise FileError(f"The silences cannot be read: {self._path}: {error}.") from error
        if not isinstance(tables, list):
            tables = [None]
        self._silences = tuple(self._silence(table, number) for number, table in enumerate(tables, 1))

    def _silence(self, table: object, number: int) -> Silence:
        place = f"Silence {number} of {self._path}"
        names = ("rule", "level", "when")
        if not isinstance(table, dict) or not table or not set(table) <= {*names, "title"}:
            raise UsageError(f"{place} must have a rule, a level or when.", '[[silence]]\nrule = "id"')
        rule, level, line = (table.get(name, "") for name in names)
        if not (isinstance(rule, str) and isinstance(line, str)) or str(level).upper() not in (
            "",
            *Level.__members__,
        ):
            raise UsageError(f"{place} has a value that it cannot have.", _HEAD.replace("# ", ""))
        try:
            expression = parse(line, _CONTEXT).filter
        except AuditTuiError as error:
            raise UsageError(f"{place}: {error.message}", error.hint) from None
        return Silence(rule, Level.named(level) if level else None, expression)

    def of(self, info: RuleInfo) -> Filter | None:
        """Return the filter of the hits of a rule that are left out; None when there are none."""
        filters = [silence.filter for silence in self._silences if silence.is_about(info)]
        if not filters:
            return None
        return EVERYTHING if EVERYTHING in filters else Any(tuple(filters))

    def add(self, info: RuleInfo, line: str) -> None:
        """Write a silence of a rule behind what is in the file, which stays as it is.

        Raises:
            FileError: If it cannot be written.
        """
        parts = [f"title = {json.dumps(info.title)}", f"rule = {json.dumps(info.id)}"]
        parts += [f"when = {json.dumps(line)}"] if line else []
        try:
            before = read_small(self._path, MAX_FILE_BYTES) or _HEAD
            private_folder(self._path.parent)
            with new_file(self._path, ANYTHING) as stream:
                stream.write("\n".join([before.rstrip("\n"), "", "[[silence]]", *parts, ""]))
        except OSError as error:
            raise FileError(f"The silence cannot be written: {self._path}: {error}.") from error
        self.read()
