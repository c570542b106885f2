"""The source of events that a command reads: today a store by its path."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit_tui.core.privacy.source_name import is_url, without_password
from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from audit_tui.core.query import EventReader, ReaderFactory


class StoreName(click.Path):
    """The type of an option that names a store; gives a ``Path``."""

    name = "store"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ANN401 - as click has it
        """Return the path; a URL is a UsageError."""
        return store_path(value)


def store_path(name: str | Path) -> Path:
    """Return a store's name as a path.

    Raises:
        UsageError: If it is a URL.
    """
    if is_url(str(name)):
        raise UsageError(
            f"URLs are not supported yet: {without_password(str(name))}.", "Name a store by its path."
        )
    return Path(name)


def open_source(name: Path, deadline_s: float | None = None) -> ReaderFactory:
    """Check a source, and return a function that opens readers of it, one for each thread.

    Args:
        name: The store's path.
        deadline_s: The longest time that an answer may take; None is for ever.

    Raises:
        UsageError: If it is a URL.
        StoreError: One of its kinds, if it cannot be read.
    """
    # Imported when something is read: the settings and the help of a command need no store.
    from audit_tui.store.read.reader import open_store

    return open_store(store_path(name), deadline_s)


def reading(name: Path) -> AbstractContextManager[EventReader]:
    """Open one reader of a source for a block.

    Raises:
        UsageError: If it is a URL.
        StoreError: One of its kinds, if it cannot be read.
    """
    return closing(open_source(name)())
