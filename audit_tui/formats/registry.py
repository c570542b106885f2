"""The formats that are known, in the order in which a record is tried."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.errors import UsageError
from audit_tui.formats.generic import FieldMap, GenericMapper
from audit_tui.formats.plugins import Plugins, load_plugins
from audit_tui.formats.record import Format, Shape
from audit_tui.formats.vendor import vendor_format, vendor_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audit_tui.formats.record import Fields


class Entry(NamedTuple):
    """The place of a format that is code; its module is imported when a file is read, not before."""

    rank: int
    """Formats of lower ranks are tried first: the most telling, in the order of FORMATS.md."""
    name: str
    place: str
    """``module:OBJECT``."""


CODE = (
    Entry(0, "events", "audit_tui.formats.own:OWN"),
    Entry(10, "cloudtrail", "audit_tui.formats.vendors.cloud.cloudtrail:CLOUDTRAIL"),
    Entry(11, "gcp", "audit_tui.formats.vendors.cloud.gcp:GCP"),
    Entry(14, "kubernetes", "audit_tui.formats.vendors.cloud.kubernetes:KUBERNETES"),
    Entry(16, "vault", "audit_tui.formats.vendors.identity.vault:VAULT"),
    Entry(17, "journald", "audit_tui.formats.vendors.hosts.journald:JOURNALD"),
    Entry(60, "w3c", "audit_tui.formats.vendors.schemas.logfmt:W3C"),
    Entry(99, "logfmt", "audit_tui.formats.vendors.schemas.logfmt:LOGFMT"),
    Entry(18, "auditd", "audit_tui.formats.vendors.hosts.auditd:AUDITD"),
)
"""Formats that need more than data; the others are files in ``vendors``."""
_GENERIC = {Shape.JSON: ("jsonl", "JSON by usual names"), Shape.CSV: ("csv", "CSV by usual names")}
_MAX_KEY_SETS = 1_000
"""Sets of keys whose likely formats are remembered; records that are all different must not fill memory."""


@cache
def known_formats() -> tuple[Format, ...]:
    """All formats but the generic ones, in the order in which they are tried: other packages' last."""
    formats = [vendor_format(name) for name in vendor_names()]
    for entry in CODE:
        module, _, name = entry.place.partition(":")
        log_format = getattr(import_module(module), name)
        if not isinstance(log_format, Format) or log_format.name != entry.name:
            raise TypeError(f"{entry.place} is not the format {entry.name}")
        formats.append((entry.rank, log_format))
    formats.sort(key=lambda ranked: (ranked[0], ranked[1].name))
    return (*(log_format for _, log_format in formats), *_plugins().formats)


@cache
def _plugins() -> Plugins:
    return load_plugins(built_in_names())


def has_plugins() -> bool:
    """Tell whether other packages add formats."""
    return bool(_plugins().formats)


def plugin_problems() -> tuple[str, ...]:
    """The faults of formats that other packages add, a sentence each; hostile until cleaned."""
    return _plugins().problems


def built_in_names() -> list[str]:
    """The names of our own formats that ``--format`` takes, for a person: by name, the generic ones last."""
    names = sorted([*vendor_names(), *(entry.name for entry in CODE)])
    return [*names, *(name for name, _ in _GENERIC.values())]


def format_names() -> list[str]:
    """The names that ``--format`` takes; looks for what other packages add."""
    return built_in_names() + [log_format.name for log_format in _plugins().formats]


class Formats:
    """Tells the format of a record, for the files of one import.

    Args:
        name: The only format to use, as ``--format`` says it; None looks at the records.
        field_map: Columns that the user filled. A file whose format is not named is then read as generic.
        only: The only format to use, which need not be known.

    Raises:
        UsageError: If there is no format of that name.
    """

    def __init__(
        self, name: str | None = None, field_map: FieldMap | None = None, only: Format | None = None
    ) -> None:
        self._generic = {
            shape: Format(
                generic, title, frozenset({shape}), lambda _: True, GenericMapper(generic, field_map)
            )
            for shape, (generic, title) in _GENERIC.items()
        }
        self._specific = () if field_map and name is None else known_formats()
        self._likely_json: dict[tuple[str, ...], tuple[tuple[Format, Callable[[Fields], bool]], ...]] = {}
        self._likely_csv: dict[tuple[str, ...], tuple[tuple[Format, Callable[[Fields], bool]], ...]] = {}
        self.only = only
        if name is not None:
            formats_by_name = {
                log_format.name: log_format for log_format in (*known_formats(), *self._generic.values())
            }
            if name not in formats_by_name:
                raise UsageError(
                    f"There is no format {name!r}.", f"Formats are {', '.join(formats_by_name)}."
                )
            self.only = formats_by_name[name]

    def generic(self, shape: Shape) -> Format:
        """The format of records that no other knows."""
        return self._generic[Shape.CSV if shape is Shape.CSV else Shape.JSON]

    def recognised(self, fields: Fields, shape: Shape) -> Format | None:
        """The format that knows a record; None when only a generic one can read it.

        Args:
            fields: The record.
            shape: Of its file; JSON for what lay as JSON in a cell or a text.
        """
        likely_by_keys = self._likely_csv if shape is Shape.CSV else self._likely_json
        names = tuple(fields)
        likely = likely_by_keys.get(names)
        if likely is None:
            if len(likely_by_keys) >= _MAX_KEY_SETS:
                likely_by_keys.clear()
            likely = likely_by_keys[names] = tuple(self._likely(names, shape))
        for log_format, holds in likely:
            if holds(fields):
                return log_format
        return None

    def _likely(
        self, names: tuple[str, ...], shape: Shape
    ) -> Iterator[tuple[Format, Callable[[Fields], bool]]]:
        """The formats that records with these keys may have, and what tells it of one."""
        for log_format in self._specific:
            if shape not in log_format.shapes or (log_format.marks and log_format.marks.isdisjoint(names)):
                continue
            holds = log_format.detect if log_format.check_of is None else log_format.check_of(names)
            if holds is not None:
                yield log_format, holds

    def of_lines(self, head: str) -> Format | None:
        """The format of a file that is neither JSON nor CSV, told by its beginning; None when unknown."""
        candidates: Sequence[Format] = self._specific if self.only is None else (self.only,)
        for candidate in candidates:
            if candidate.lines is not None and (candidate is self.only or candidate.lines.begins(head)):
                return candidate
        return None
