"""``audit-tui reindex``: rebuild what a store derives from its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import store_option
from audit_tui.cli.progress import ProgressLine
from audit_tui.cli.source import reading
from audit_tui.core.text import counted

if TYPE_CHECKING:
    from pathlib import Path


@click.command("reindex")
@store_option
@click.option(
    "--text-index/--no-text-index",
    "has_text_index",
    default=None,
    help="Whether to have the index of texts, which makes searches quick; as it is unless said.",
)
def reindex_command(store: Path, has_text_index: bool | None) -> None:
    """Rebuild the indexes of a store.

    These are the index of values and times, and the text index. The events stay as they are. Until it is
    done, answers are slower, not others.
    """
    from audit_tui.store.write.writer import StoreWriter

    # A writer would make a store where there is none.
    with reading(store) as reader:
        events = reader.info().events
    with ProgressLine() as line, StoreWriter(store) as writer:
        writer.reindex(
            lambda part: line.say(f"building {part} over {counted(events, 'event')}"),
            has_text_index=has_text_index,
        )
    click.echo(f"Rebuilt the indexes over {counted(events, 'event')}.", err=True)
