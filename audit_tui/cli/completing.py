"""Completion of a query in a shell: names of fields, and values from the store that the command names."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.errors import AuditTuiError

if TYPE_CHECKING:
    import click

MAX_WORDS = 50


def query_words(context: click.Context, incomplete: str) -> list[str]:
    """Return the words that a query argument may become; none when the store cannot be read."""
    from audit_tui.cli.session import session_of
    from audit_tui.cli.source import reading
    from audit_tui.config import default_store_path
    from audit_tui.core.query_line.complete import completions, place_at

    place = place_at(incomplete, len(incomplete))
    # What is being completed must not be hidden by an error about it.
    with suppress(AuditTuiError):
        chosen = context.params.get("store")
        store = (
            chosen if chosen is not None and chosen != Path() else session_of(context).loaded.settings.store
        )
        with reading(store or default_store_path()) as reader:
            texts = [completion.text for completion in completions(place, reader, MAX_WORDS)]
            return [incomplete[: place.start] + text for text in texts]
    return []
