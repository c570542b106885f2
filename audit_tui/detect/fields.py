"""The places where the fields that rules name lie in stored events, by source: ``fields.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.filter.filters import FILTER_COLUMNS, FilterField, MetaField
from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.detect.rule import LogSource

ANY_SOURCE = "any"
_META = "meta"
_COLUMNS = {column.value: column for column in FILTER_COLUMNS}


class Place(Record):
    """A field of an event that holds what a rule names."""

    field: FilterField
    suffix: str = ""
    """The end that the record's own text has besides."""


class SourceTable(Record):
    """The places of the fields of one source of events."""

    source: str
    """The ``source`` of the events; ``any`` for all."""
    names: dict[str, tuple[str, ...]]
    has_lower_names: bool = False
    """Warehouses wrote the outermost names in small letters."""
    records: tuple[str, ...] = ()
    """An event holds several records by type, most often these; empty where it is one record."""

    def places(self, field: str) -> tuple[Place, ...]:
        """Return where a field may lie; never empty."""
        places: list[Place] = []
        for name in self.names.get(field, (_META,)):
            column, _, suffix = name.partition(" + ")
            if column == _META or column.startswith("meta."):
                path = field if column == _META else column.removeprefix("meta.")
                places.append(Place(MetaField(path)))
                first, dot, rest = path.partition(".")
                if self.has_lower_names and first != first.lower():
                    places.append(Place(MetaField(first.lower() + dot + rest)))
            else:
                places.append(Place(_COLUMNS[column], suffix))
        return tuple(dict.fromkeys(places))


@cache
def _tables() -> dict[str, SourceTable]:
    """Return the tables by log source."""
    tables: dict[str, SourceTable] = {}
    for source, table in tomllib.loads(Path(__file__).with_name("fields.toml").read_text("utf-8")).items():
        names = {**table.get("aliases", {}), **table.get("fields", {})}
        made = SourceTable(
            source,
            {name: tuple(places) for name, places in names.items()},
            table.get("has_lower_names", False),
            tuple(table.get("records", ())),
        )
        for logsource in table["logsources"]:
            tables[logsource] = made
    return tables


def table_of(logsource: LogSource) -> SourceTable | None:
    """Return what is known of a log source; None when its events are not among those that are imported."""
    tables = _tables()
    if logsource.service:
        return tables.get(f"{logsource.product}/{logsource.service}")
    if logsource.category:
        return tables.get(f"{logsource.product}/{logsource.category}")
    return tables.get(logsource.product)
