"""The formats that are known, in the order in which a record is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.errors import UsageError
from audit_tui.formats.cloudtrail import CLOUDTRAIL
from audit_tui.formats.generic import FieldMap, GenericMapper
from audit_tui.formats.own import OWN
from audit_tui.formats.record import Format, Shape

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

_SPECIFIC = (OWN, CLOUDTRAIL)
"""The most telling first; one line each."""
_GENERIC = {Shape.JSON: ("jsonl", "JSON by usual names"), Shape.CSV: ("csv", "CSV by usual names")}


def format_names() -> list[str]:
    """What ``--format`` takes."""
    return [log_format.name for log_format in _SPECIFIC] + [name for name, _ in _GENERIC.values()]


class Formats:
    """Tells of which format a record is, for the files of one import.

    Args:
        name: The only format to use, as ``--format`` says it; None looks at the records.
        field_map: Columns that the user filled. A file whose format is not named is then read as generic.

    Raises:
        UsageError: If there is no format of that name.
    """

    def __init__(self, name: str | None = None, field_map: FieldMap | None = None) -> None:
        self._generic = {
            shape: Format(
                generic, title, frozenset({shape}), lambda _: True, GenericMapper(generic, field_map)
            )
            for shape, (generic, title) in _GENERIC.items()
        }
        self._specific = () if field_map and name is None else _SPECIFIC
        self.only: Format | None = None
        if name is not None:
            known = {one.name: one for one in (*_SPECIFIC, *self._generic.values())}
            if name not in known:
                raise UsageError(f"There is no format {name!r}.", f"Formats are {', '.join(known)}.")
            self.only = known[name]

    def of(self, fields: Fields, shape: Shape, likely: Format | None = None) -> Format:
        """The format of a record.

        Args:
            fields: The record.
            shape: Of its file.
            likely: The format of the record before, which is tried first.
        """
        if self.only is not None:
            return self.only
        generic = self._generic[shape]
        if likely is not None and likely is not generic and likely.detect(fields):
            return likely
        for one in self._specific:
            if shape in one.shapes and one.detect(fields):
                return one
        return generic
