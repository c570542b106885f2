"""Importing logs from a program."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.time.zones import zone_named
from audit_tui.formats.generic import FieldMap
from audit_tui.formats.mapping_file import read_mapping
from audit_tui.ingest.encoding import checked_encoding
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import store_files
from audit_tui.ingest.pipeline import Importer, InStore, NoProgress, Tally, import_all

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from audit_tui.formats.record import Reject


def import_logs(
    paths: Iterable[str | os.PathLike[str]],
    store: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    fields: Mapping[str, str] | None = None,
    mapping: str | os.PathLike[str] | None = None,
    zone: str | None = None,
    year: int | None = None,
    encoding: str | None = None,
    on_reject: Callable[[Reject], None] = lambda _: None,
) -> Tally:
    """Read log files into a store, as ``audit-tui import`` does; what is stored already stays once.

    Args:
        paths: Files and folders.
        store: The store, made if need be.
        format: The format of all files (``--format``); None recognises each record.
        fields: Columns and the fields that fill them (``--map``).
        mapping: A mapping file, or the name of one that comes with the program (``--mapping``).
        zone: The zone of times that name none (``--tz``); None reads them as UTC.
        year: The year of times that name none (``--year``); None takes the last that is past.
        encoding: The encoding of the files (``--encoding``); None tells it by their bytes.
        on_reject: Is given each record that cannot be an event.

    Returns:
        The numbers of records read, stored, duplicate and rejected; ``rejects`` has the first 20 rejects,
        ``problems`` and ``skipped`` the files that could not be read.

    Raises:
        UsageError: If the format, a field, the mapping or the encoding does not exist.
        TimeError: If the zone does not exist.
        StoreError: If the store cannot be opened or written.
    """
    place = Path(store)
    reading = Reading(
        format_name=format,
        field_map=FieldMap(fields),
        mapping=None if mapping is None else read_mapping(Path(mapping)),
        zone=None if zone is None else zone_named(zone),
        year=year,
        encoding=None if encoding is None else checked_encoding(encoding),
    )
    reading.formats()  # raises here, not once for each file
    with ExitStack() as stack:
        importer = Importer(InStore(place, stack), reading, on_reject)
        import_all(importer, [str(path) for path in paths], store_files(place), _no_progress)
    return importer.tally


def _no_progress(_: object) -> nullcontext[NoProgress]:
    return nullcontext(NoProgress())
