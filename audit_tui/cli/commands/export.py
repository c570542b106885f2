"""``audit-tui export`` and ``case``: all events that match, and those that are marked, in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.commands.query import range_notes, tell_none
from audit_tui.cli.completing import columns as complete_columns
from audit_tui.cli.evidence.case_file import exporter_of, form_of, write_case
from audit_tui.cli.options import events_options, parse_columns, query_argument, source_option
from audit_tui.cli.own_acts import OwnActs
from audit_tui.cli.progress import ProgressLine, on_terminal, tell
from audit_tui.cli.redacting import mode_of, redact_mode, redact_option
from audit_tui.cli.session import session_of
from audit_tui.cli.source import open_source, reading, store_path
from audit_tui.config import data_directory
from audit_tui.core.cancel import CancelToken
from audit_tui.core.command_text import Link
from audit_tui.core.export import FILE_FORMATS, ExportJob, Format, Writing, format_of
from audit_tui.core.investigate.notebook import CaseJob, Notebook, Search
from audit_tui.core.left import Left
from audit_tui.core.query_line.text import line_of
from audit_tui.core.text import clean_visible, counted
from audit_tui.errors import FileError, UsageError
from audit_tui.output.case import FORMS

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.export import ExportResult
    from audit_tui.core.query import EventQuery
    from audit_tui.core.source import EventSource


@click.command("export")
@click.argument("out", type=click.Path(path_type=Path))
@query_argument
@source_option
@events_options
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in FILE_FORMATS], case_sensitive=False),
    help="How to write them; else the ending of OUT tells.",
)
@click.option(
    "--columns",
    metavar="COLUMNS",
    shell_complete=complete_columns,
    help="all, visible (those of the list on the screen), or their names as event,user,time. Else all; in "
    "Markdown the visible ones.",
)
@redact_option
@click.option(
    "--raw-csv", "is_raw", is_flag=True, help="CSV as it is: a spreadsheet may run what looks like a formula."
)
@click.option(
    "--proof",
    "with_proof",
    is_flag=True,
    help="Write OUT.proof.jsonl too: what proves each event to others, without the store (verify --proof).",
)
@click.pass_context
def export_command(
    context: click.Context,
    out: Path,
    store: EventSource,
    choice: EventsChoice,
    form: str | None,
    columns: str | None,
    redact: bool,
    is_raw: bool,
    with_proof: bool,
) -> None:
    """Write all events that match to the file OUT, newest first.

    The file is written whole or not at all, and only you can read it (mode 0600). An older export is
    replaced, any other file is not, and a link is not followed. Importing what was exported with all columns
    stores nothing new. CSV holds control characters as they are: read it with less, not with cat.
    """
    settings = session_of(context).loaded.settings
    is_redacted = redact or settings.redact
    columns_written = parse_columns(columns, settings.columns)
    writing = Writing(_format(out, form), choice.context, columns_written, is_raw)
    if is_redacted and with_proof:
        raise UsageError(
            "A proof is of events as they are, not of pseudonyms.", "Leave out --proof or --redact."
        )
    if is_raw and writing.format is not Format.CSV:
        raise UsageError("--raw-csv is for CSV.", "Leave it out, or end OUT in .csv.")
    query = choice.query()
    exporter = exporter_of(store, redact_mode(is_on=is_redacted))
    is_replaced = os.path.lexists(out)
    with ExitStack() as stack:
        if with_proof:
            from audit_tui.cli.evidence.proof import require_named_zone
            from audit_tui.store.evidence.proving import Prover

            require_named_zone(writing)
            path = store_path(store, context)
            prover = stack.enter_context(Prover(path))
            query = replace(query, upto_seq=prover.size)
        with _progress(store, query) as on_progress:
            job = ExportJob(out, query, writing)
            result = exporter(job, on_progress, CancelToken())
        if with_proof:
            from audit_tui.cli.evidence.proof import write_proofs

            written = replace(writing, seal_words=result.seal_words)
            try:
                write_proofs(prover, path, out, query, written, result.events)
            except FileError as error:
                raise FileError(error.message, f"{out} is written whole, but without its proofs.") from None
    _tell(result, store, choice, is_replaced=is_replaced)
    unrecorded = OwnActs(store, is_on=settings.record_own_acts).exported(job, result)
    if unrecorded:
        tell(unrecorded)


def _tell(result: ExportResult, store: EventSource, choice: EventsChoice, *, is_replaced: bool) -> None:
    """Tell what was written where, in which range if nobody chose it, and what was replaced."""
    with reading(store) as reader:
        of_range, how_to_more = range_notes(choice, result.events, reader)
        choice = replace(choice, is_of_nothing=reader.info().last_us is None)
    message = f"Exported {counted(result.events, 'event')}{of_range} to {clean_visible(str(result.path))}"
    replacing = ", replacing what was there" if is_replaced else ""
    tell(f"{message}{replacing}{how_to_more}.")
    tell(f"Seals: {result.seal_words}.")
    if not result.events:
        tell_none(choice)


def _format(out: Path, form: str | None) -> Format:
    if str(out) == "-":
        raise UsageError(
            "export writes a file, not standard output.", "audit-tui query --format csv prints events."
        )
    chosen = format_of(out.name) if form is None else Format(form.lower())
    if chosen is None:
        endings = ", ".join(f".{ending.value}" for ending in FILE_FORMATS)
        raise UsageError(
            f"The name {out} does not say in which format to write.",
            f"End it in one of {endings}, or add --format.",
        )
    return chosen


@contextmanager
def _progress(store: EventSource, query: EventQuery) -> Iterator[Callable[[int], None]]:
    if not on_terminal():
        yield lambda _: None
        return
    with reading(store) as reader:
        total = reader.count(query)
    with ProgressLine() as line:
        yield line.shows(lambda events: f"Exporting: {events:,} of {counted(total, 'event')}")


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
