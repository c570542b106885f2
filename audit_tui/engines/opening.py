"""Opening a shared engine by its URL. The driver is imported here, and only when a URL is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from audit_tui.core.query import ReaderFactory
    from audit_tui.core.source import SourceUrl


def open_shared(url: SourceUrl, deadline_s: float | None = None) -> ReaderFactory:
    """Connect to an engine, and return a function that opens readers of it.

    Args:
        url: The engine.
        deadline_s: The longest time that an answer may take; None is for ever.

    Raises:
        UsageError: If the driver is not installed.
        StoreError: One of its kinds, if it cannot be read.
    """
    raise UsageError(f"This version cannot read {url} yet.", "Name a store by its path.")
