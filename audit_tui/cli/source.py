"""The source of events that a command reads: a store by its path, or a shared engine by its URL."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit_tui.core.source import SourceUrl, local_path, source_of
from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from audit_tui.core.query import EventReader, ReaderFactory
    from audit_tui.core.source import EventSource


_INSTEAD = {
    "watch": "The screen (audit-tui URL) shows rows as they are shipped; or watch each store on its host.",
    "export": "Make the proofs on the host whose store it is; without --proof, export reads engines.",
    "seal": "Sign and keep checkpoints on the host whose store it is: ship sends its signatures along.",
    "redact": "Redact in the store itself; the owner of the engine's tables takes the event out there.",
    "prune": "Prune the store itself; the owner of the engine's tables takes the events out there.",
    "backup": "Copy an engine with its own tools. Each host has its store, too.",
    "reindex": "An engine keeps its indexes itself.",
    "doctor": "audit-tui verify -s URL checks an engine.",
    "import": "Import into the store of this machine, and send that with audit-tui ship.",
    "record": "Record in the store of this machine, and send that with audit-tui ship.",
    "case": "Write the case of a store on this machine; export reads engines.",
}
"""The ways for those who give a command a URL that needs a store."""


class SourceName(click.Path):
    """The type of an option that names a source; gives a ``Path`` or a ``SourceUrl``."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - as click has it
        """Return the source."""
        return value if isinstance(value, SourceUrl) else source_of(str(value))


class StoreName(SourceName):
    """The type of an option that names a store on this machine; gives a ``Path``."""

    name = "store"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401 - as click has it
        """Return the path; a URL is a UsageError."""
        return store_path(super().convert(value, param, ctx), ctx)


def store_path(source: EventSource, context: click.Context | None) -> Path:
    """Return the path of a source that must be a store on this machine.

    Raises:
        UsageError: If it is a URL; with what to do instead of this command.
    """
    try:
        return local_path(source)
    except UsageError as error:
        names = []
        while context is not None:
            names.append(context.info_name or "")
            context = context.parent
        hints = (_INSTEAD[name] for name in names if name in _INSTEAD)
        raise UsageError(error.message, next(hints, error.hint)) from None


def open_source(source: EventSource, deadline_s: float | None = None) -> ReaderFactory:
    """Check a source, and return a function that opens readers of it, one for each thread.

    No answer takes longer than the deadline; None is for ever.

    Raises:
        UsageError: If the driver of the engine is not installed.
        StoreError: One of its kinds, if it cannot be read.
    """
    # Imported when something is read: the settings and the help of a command need no store.
    if isinstance(source, SourceUrl):
        from audit_tui.engines.opening import open_shared, open_table

        if source.table:
            from audit_tui.formats.mapping_file import read_mapping

            mapping = None if source.mapping is None else read_mapping(source.mapping)
            return open_table(source, source.table, mapping, deadline_s)
        return open_shared(source, deadline_s)
    from audit_tui.store.read.reader import open_store

    return open_store(source, deadline_s)


def reading(source: EventSource) -> AbstractContextManager[EventReader]:
    """Open one reader of a source for a block.

    Raises:
        UsageError: If the driver of the engine is not installed.
        StoreError: One of its kinds, if it cannot be read.
    """
    return closing(open_source(source)())
