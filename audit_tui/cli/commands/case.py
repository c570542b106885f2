"""``audit-tui case``: the marked events of a store, with notes, in one file for people."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.evidence.case_file import form_of, write_case
from audit_tui.cli.options import events_options, query_argument, source_option
from audit_tui.cli.progress import tell
from audit_tui.cli.redacting import mode_of, redact_option
from audit_tui.cli.source import open_source
from audit_tui.config import data_directory
from audit_tui.core.command_text import Link
from audit_tui.core.investigate.notebook import CaseJob, Notebook, Search
from audit_tui.core.left import Left
from audit_tui.core.query_line.text import line_of
from audit_tui.core.text import clean_visible, counted
from audit_tui.errors import FileError
from audit_tui.output.case import FORMS

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.source import EventSource


@click.command("case")
@click.argument("out", type=click.Path(path_type=Path))
@query_argument
@source_option
@events_options
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS, case_sensitive=False),
    help="How to write it; else the ending of OUT tells.",
)
@click.option("--title", default="Case", show_default=True, help="The heading.")
@redact_option
@click.pass_context
def case_command(
    context: click.Context,
    out: Path,
    store: EventSource,
    choice: EventsChoice,
    form: str | None,
    title: str,
    redact: bool,
) -> None:
    """Write the marked events of a store, with their notes, to the file OUT: HTML or Markdown.

    Marks and notes are those that were made on the screen (m, a). The page needs nothing else: no script,
    nothing from outside. QUERY and the options of events are written down with a link. audit-tui verify
    --case FILE makes the file again from the store and compares.
    """
    form_of(out, form)
    redact_names = mode_of(context, redact=redact)
    open_reader = redact_names.readers(open_source(store))
    with closing(open_source(store)()) as reader:
        info = reader.info()
        notebook = Notebook.of_store(data_directory(), info.store_id)
        if notebook is not None and notebook.problem:
            raise FileError(notebook.problem)
        entries = [] if notebook is None else list(notebook)
        marks = tuple(
            (entry.seq, entry.note)
            for entry in entries
            if (event := reader.event(entry.seq)) is not None and event.key == entry.key
        )
    view = choice.view
    searches: tuple[Search, ...] = ()
    if line := line_of(view.in_force):
        link = Link((info.path,), info.store_id, Left(view), choice.context.zone).text()
        searches = (Search("The query", line, "" if redact_names.is_on else link),)
    job = CaseJob(out, title, choice.context, marks, searches)
    written = write_case(store, open_reader, redact_names, job, form)
    tell(f"Wrote {counted(written, 'event')} to {clean_visible(str(out))}.")
