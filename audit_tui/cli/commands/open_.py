"""``audit-tui open``: the review screen, put together from a store, the settings and Textual.

Everything that can be refused is refused before the terminal is touched. Textual takes most of the time
until the first frame, so the first rows are read while it is imported.
"""

from __future__ import annotations

import gc
import hashlib
import os
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.line import is_line
from audit_tui.cli.options import LINES, events_options, source_option
from audit_tui.cli.own_acts import OwnActs
from audit_tui.cli.redacting import redact_mode, redact_option, redacted_view
from audit_tui.cli.rules import live_detections, rules_option
from audit_tui.cli.session import Session, session_of
from audit_tui.cli.source import open_source
from audit_tui.config import config_path, data_directory, state_directory
from audit_tui.core.cancel import CancelToken
from audit_tui.core.filter.filters import EVERYTHING
from audit_tui.core.investigate.link import is_link, read_link
from audit_tui.core.source import SourceUrl, source_of
from audit_tui.core.view import chipped, settled_columns
from audit_tui.errors import (
    EXIT_OK,
    EXIT_SIGHUP,
    EXIT_SIGTERM,
    EXIT_WRONG,
    AuditTuiError,
    FileError,
    QueryCancelled,
    StoreMissing,
    UsageError,
)
from audit_tui.ingest.find import STDIN, are_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo
    from types import TracebackType

    from audit_tui.cli.options import EventsChoice
    from audit_tui.cli.resuming import Places
    from audit_tui.core.arriving import Arrivals
    from audit_tui.core.evidence.sealed import SealChecker
    from audit_tui.core.export import ExportJob, ExportResult
    from audit_tui.core.investigate.case import CaseJob
    from audit_tui.core.investigate.link import Link
    from audit_tui.core.investigate.meaning import Meaning
    from audit_tui.core.investigate.pairs import Pair
    from audit_tui.core.left import Left
    from audit_tui.core.privacy.redact_mode import RedactMode
    from audit_tui.core.query import EventQuery, EventReader, ReaderFactory, StoreInfo
    from audit_tui.core.source import EventSource
    from audit_tui.core.view import View
    from audit_tui.ui.first_page import Anchor, FirstPage

NAME = "audit-tui"
MAX_NAME_CHARS = 64
FIRST_PAGE_WAIT_S = 0.2
"""The longest time that a screen which is ready waits for rows that are not."""
NO_SCREEN_HINT = "Without the screen: audit-tui query prints events, audit-tui count their number."
NO_SCREEN_HINT_LOGS = "Without the screen: audit-tui open --plain LOG prints its events."
RESUME_HINT = "audit-tui import keeps them in a store, which can be resumed."
PIPE_HINT = "a pipe or a file gets all"
NOTHING_THERE_HINT = "Check the name: a log is a file, a folder, or - for standard input."
FIRST_STEPS = """\
To see what it is like:    audit-tui demo
To bring in your logs:     audit-tui import FILE-OR-FOLDER...
To look at a log at once:  audit-tui FILE-OR-FOLDER..."""


@dataclass(frozen=True, slots=True)
class ShownAs:
    """The names on the screen of a store that is not what the user named."""

    name: str
    """Instead of the file's name."""
    notice: str = ""
    """A remark about it; empty when there is none."""
    command_words: tuple[str, ...] = ()
    """The beginning of a command that shows the same; empty for one that reads the store."""
    arrivals: Arrivals | None = None
    """The events that still come into it; None when none do."""
    names: tuple[str, ...] = ()
    """The logs; empty for a store."""
    notebook_id: str = ""
    """Instead of the store's id, which is another each time; the name of the file of marks and notes."""


def _without_lines(context: click.Context, _: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the names of stores and logs, and leave the queries among them to ``events_options``."""
    context.meta[LINES] = tuple(word for word in words if is_line(word))
    return tuple(word for word in words if not is_line(word))


@click.command("open")
@click.argument(
    "names",
    metavar="[STORE or LOG...] [QUERY]",
    nargs=-1,
    type=click.Path(allow_dash=True),
    callback=_without_lines,
    is_eager=True,
)
@source_option
@events_options
@click.option("--plain", is_flag=True, help="Print the events as a table; no screen, no terminal needed.")
@click.option(
    "--resume",
    is_flag=True,
    help="Begin where the screen was left: the filter, range, order and event of the store, and without "
    "STORE the store that was left last.",
)
@redact_option
@rules_option
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal; ctrl+o switches it on.")
@click.pass_context
def open_command(
    context: click.Context,
    names: tuple[str, ...],
    store: EventSource,
    choice: EventsChoice,
    plain: bool,
    resume: bool,
    redact: bool,
    no_mouse: bool,
    rules: tuple[str, ...],
) -> int:
    """Review a store, or log files and folders, on the screen.

    Logs, or - for standard input, are read into a temporary store, which is gone afterwards; audit-tui
    import keeps them. A link (av1:..., copied by y l) shows its view again.

    Keys: f filters, t chooses a time range, Enter shows all of an event, q quits.
    """
    flags = ({"mouse": False} if no_mouse else {}) | ({"resume": True} if resume else {})
    flags |= {"redact": True} if redact else {}
    session = replace(session_of(context), flags=flags) if flags else session_of(context)
    session = replace(session, rules=rules)
    is_store_named = context.get_parameter_source("store") is click.core.ParameterSource.COMMANDLINE
    link = read_link(names[0]) if names and is_link(names[0]) else None
    if link is not None:
        names = names[1:] or (() if is_store_named else link.names)
        is_zone_chosen = context.get_parameter_source("zone_name") is click.core.ParameterSource.COMMANDLINE
        choice = _linked(link, choice, choice.context.zone if is_zone_chosen else link.zone)
    if names and is_store_named:
        both = "A log and a store" if are_logs(names) else "Two stores"
        raise UsageError(f"{both} are named, {names[0]} and {store}.", "Leave one of them out.")
    if resume and plain:
        raise UsageError("--resume is for the screen, and --plain has none.", "Leave one of them out.")
    if names and are_logs(names):
        if resume:
            raise UsageError("Logs are read again each time: there is nothing to resume.", RESUME_HINT)
        return _open_logs(names, choice, session, link, is_plain=plain)
    path = source_of(names[0]) if names else store
    try:
        if plain:
            return _print(path, choice, session)
        if link is not None or not session.loaded.settings.resume:
            return open_screen(path, choice, session, link=link)
        return _resume(path, choice, session, is_store_named=bool(names) or is_store_named)
    except StoreMissing as error:
        raise _missing(error, names, is_store_named=is_store_named) from None
    finally:
        # After the screen, so that nobody waits for it.
        from audit_tui.cli.temporary import remove_leftovers

        remove_leftovers()


def _linked(link: Link, choice: EventsChoice, zone: tzinfo) -> EventsChoice:
    """Return the choice of a link, changed by what the command line says."""
    context = replace(choice.context, zone=zone)
    return replace(choice, view=_resumed(link.left, choice), context=context, is_range_default=False)


def _resume(path: EventSource, choice: EventsChoice, session: Session, *, is_store_named: bool) -> int:
    """Show a store as it was left, without a name the one that was left last."""
    from audit_tui.cli.resuming import Places, tell

    places = Places()
    last = None if is_store_named else places.last_store
    if last is not None:
        if isinstance(last, SourceUrl) or last.is_file():
            path = last
        else:
            tell(f"The store that was left last is gone: {last}.")
    try:
        return open_screen(path, choice, session, resume_from=places)
    finally:
        tell(places.problem)


def _open_logs(
    names: Sequence[str], choice: EventsChoice, session: Session, link: Link | None = None, *, is_plain: bool
) -> int:
    """Show logs, and say afterwards what was wrong with them and how to keep them."""
    from audit_tui.cli.keyboard import Keyboard
    from audit_tui.cli.logs import arriving, imported

    keyboard = None
    if not is_plain:
        keyboard = Keyboard.of_terminal() if STDIN in names else None
        require_screen(NO_SCREEN_HINT_LOGS, has_keyboard=keyboard is not None)
    with (imported if is_plain else arriving)(names, choice) as logs:
        if is_plain:
            code = _print(logs.store, logs.choice, session)
        else:
            if keyboard is not None:
                keyboard.take_stdin()
            # Wherever the command is pasted, and whatever the store is then.
            again = (NAME, "open", *(name if name == STDIN else str(Path(name).absolute()) for name in names))
            code = open_screen(
                logs.store,
                logs.choice,
                session,
                ShownAs(logs.name, logs.notice, again, logs.arrivals, again[2:], _id_of(names)),
                link=link,
            )
    if code in (EXIT_SIGTERM, EXIT_SIGHUP):
        # Nobody is there to read it.
        return code
    for line in logs.farewell:
        click.echo(line, err=True)
    return code or logs.exit_code


def _id_of(names: Sequence[str]) -> str:
    """Return what marks and notes on these logs are found by when they are opened again."""
    paths = "\0".join(name if name == STDIN else str(Path(name).absolute()) for name in names)
    return f"log{hashlib.sha256(paths.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}"


def _print(store: EventSource, choice: EventsChoice, session: Session) -> int:
    from audit_tui.cli.commands.query import print_events

    redact = redact_mode(is_on=session.loaded.settings.redact)
    print_events(store, choice, redact, how_to_all=PIPE_HINT)
    return EXIT_OK


def _missing(error: StoreMissing, names: Sequence[str], *, is_store_named: bool) -> StoreMissing:
    """Return the error for a store that is missing, by how it was named."""
    if names and Path(names[0]).suffix != ".db":
        path = error.message.removeprefix("There is no store at ")
        return StoreMissing(f"There is no log and no store at {path}", NOTHING_THERE_HINT)
    if names or is_store_named:
        return error
    return StoreMissing(
        f"{error.message.removesuffix('.')} yet: your events would be kept there.", FIRST_STEPS
    )


def has_screen(*, has_keyboard: bool = False) -> bool:
    """Tell whether there is a terminal to show the review screen on.

    Args:
        has_keyboard: There is a keyboard, whatever standard input is.
    """
    # Textual writes to stderr, and a stdout that goes elsewhere asks for data.
    streams = (sys.stdout, sys.stderr) if has_keyboard else (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams) and not _is_dumb()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def require_screen(hint: str = NO_SCREEN_HINT, *, has_keyboard: bool = False) -> None:
    """Refuse to go on where the screen could not be shown.

    Args:
        hint: What to use instead.
        has_keyboard: There is a keyboard, whatever standard input is.

    Raises:
        UsageError: If there is no terminal, or one that cannot move its cursor.
    """
    if has_screen(has_keyboard=has_keyboard):
        return
    if _is_dumb() and sys.stdout.isatty():
        terminal = os.environ.get("TERM", "")
        raise UsageError(f"The screen needs a better terminal than TERM={terminal}.", hint)
    raise UsageError("The screen needs a terminal: input and output must not be redirected.", hint)


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Collect no garbage before the first frame, of which there is none: that took 40 of 570 ms.

    The screen itself begins to collect when it is drawn.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_garbage_kept()
def open_screen(
    store: EventSource,
    choice: EventsChoice,
    session: Session,
    shown_as: ShownAs | None = None,
    resume_from: Places | None = None,
    *,
    link: Link | None = None,
) -> int:
    """Show the review screen until the user leaves it.

    Args:
        store: The store's path, or the URL of a shared engine.
        choice: What to show first, and the zone.
        session: The clock and the settings.
        shown_as: What the screen calls a store that is gone afterwards; None takes the file's name, and keeps
            where it was left.
        resume_from: Where to begin, unless the choice says otherwise; None begins with the choice.
        link: Has the event to begin at; the choice is its view. None begins elsewhere.

    Returns:
        The exit code.

    Raises:
        StoreError: If the store cannot be read; nothing was written to the terminal.
        UsageError: If there is no terminal for it.
    """
    from audit_tui.cli.first_range import with_events
    from audit_tui.core.investigate.notebook import Notebook
    from audit_tui.core.investigate.saved_views import FILE_NAME as VIEWS_FILE
    from audit_tui.core.investigate.saved_views import SavedViews
    from audit_tui.ui.first_page import Anchor, Opening

    settings = session.loaded.settings
    redact = redact_mode(is_on=settings.redact)
    acts = OwnActs(store, is_on=settings.record_own_acts and shown_as is None)
    open_reader = redact.readers(open_source(store, settings.deadline))
    with closing(open_reader()) as reader:
        require_screen()
        unrecorded = acts.opened()
        info = reader.info()
        left = resume_from.left_in(info.store_id) if resume_from else None
        first, elsewhere = with_events(choice, reader)
        if link is not None:
            left, view = link.left, choice.view
            if link.store_id not in ("", info.store_id):
                unrecorded = unrecorded or "another store than that of the link"
        else:
            view = chipped(first.view) if left is None else _resumed(left, choice)
        view = redacted_view(view, redact, reader)
        view = replace(view, columns=view.columns or settled_columns(settings.columns))
        notices = (shown_as.notice if shown_as else "", "" if left else elsewhere, info.notice, unrecorded)
        begin_at = None if left is None or left.event is None else Anchor(left.event)
        with _ReadAhead(reader, view.query(choice.context), begin_at) as ahead:
            # 0.3 s and more, in which the first rows are read.
            from audit_tui.ui.app import AuditApp

            first_page = ahead.result(FIRST_PAGE_WAIT_S)
    shown = shown_as or ShownAs(info.name)
    app = AuditApp(
        Opening(
            open_reader,
            shown.name,
            view,
            choice.context.zone,
            session.clock,
            settings,
            first_page,
            begin_at,
            0 if left is None else left.line,
            " · ".join(filter(None, notices)),
            state_directory(),
            partial(_export, store, redact, acts),
            None if shown_as or table_words(store) else partial(_seal_checker, store, info.store_id),
            redact,
            shown.command_words or (NAME, "query", "-s", info.path, *table_words(store)),
            names=shown.names or (info.path,),
            store_id="" if shown_as else info.store_id,
            arrivals=shown.arrivals,
            open_notebook=lambda id_: Notebook.of_store(data_directory(), shown.notebook_id or id_),
            open_saved_views=partial(SavedViews, config_path().parent / VIEWS_FILE),
            meaning_of=_meaning_of,
            detections=live_detections(session.rules, open_source(store), is_remembered=shown_as is None),
            shows_firsts=True,
            pairs=_pairs,
            write_case=partial(_write_case, store, open_reader, redact),
            open_patiently=partial(_open_patiently, store, redact) if settings.deadline else None,
        )
    )
    app.run(mouse=settings.mouse)
    if shown_as is None and not table_words(store) and app.return_code != EXIT_WRONG:
        left = app.review.left
        # By names: without --redact, or with another key, a pseudonym would find nothing.
        left = replace(left, view=left.view.with_filters(redact.real))
        _keep_place(info, left, resume_from)
    return app.return_code or 0


def _meaning_of(event: str, source: str | None) -> Meaning | None:
    """Return the meaning of an event; what that needs is read when it is asked for."""
    from audit_tui.formats.meaning import meaning_of

    return meaning_of(event, source)


def _write_case(store: EventSource, open_reader: ReaderFactory, redact: RedactMode, job: CaseJob) -> int:
    """Write a case file; what that needs is imported when it is asked for."""
    from audit_tui.cli.evidence.case_file import write_case

    return write_case(store, open_reader, redact, job)


def _pairs() -> Sequence[Pair]:
    """Return the events that begin and end something, read when they are asked for."""
    from audit_tui.formats.meaning import pairs

    return pairs()


def table_words(source: EventSource) -> tuple[str, ...]:
    """Return the options that name another program's table; empty for a source of ours."""
    if not isinstance(source, SourceUrl) or not source.table:
        return ()
    mapping = () if source.mapping is None else ("--mapping", str(source.mapping))
    return ("--table", source.table, *mapping)


def _open_patiently(store: EventSource, redact: RedactMode) -> EventReader:
    """Open a reader without a deadline, for a question that the user waits for."""
    return redact.readers(open_source(store))()


def _resumed(left: Left, choice: EventsChoice) -> View:
    """Return the view that was left, changed by what the command line says."""
    view = left.view if choice.view.filter == EVERYTHING else left.view.without_filters()
    time_range = view.time_range if choice.is_range_default else choice.view.time_range
    return replace(view, time_range=time_range).narrowed(choice.view.filter)


def _keep_place(info: StoreInfo, left: Left, resume_from: Places | None) -> None:
    """Note where the store was left; only someone who resumes need know that it cannot be noted."""
    from audit_tui.cli.resuming import Places, tell

    try:
        (resume_from or Places()).keep(info, left)
    except FileError as error:
        if resume_from is not None:
            tell(f"The next --resume will not begin here: {error.message}")


def _seal_checker(store: EventSource, store_id: str) -> SealChecker:
    """Return the checker of the seals for an open screen; that of a store remembers how far it came."""
    if isinstance(store, SourceUrl):
        from audit_tui.engines.seal_checker import SharedSealChecker

        return SharedSealChecker(store)
    from audit_tui.store.evidence.seal_status import StoreSealChecker

    # The id comes from the file, and becomes the name of another.
    is_name = store_id.isascii() and store_id.isalnum() and len(store_id) <= MAX_NAME_CHARS
    memory = state_directory() / "verified" / f"{store_id}.checkpoint" if is_name else None
    return StoreSealChecker(store, memory)


def _export(
    store: EventSource,
    redact: RedactMode,
    acts: OwnActs,
    job: ExportJob,
    on_progress: Callable[[int], None],
    cancel: CancelToken,
) -> ExportResult:
    """Write a file; what that needs is imported when it is asked for."""
    from audit_tui.cli.commands.export import exporter_of

    result = exporter_of(store, redact)(job, on_progress, cancel)
    acts.exported(job, result)
    return result


class _ReadAhead:
    """The first rows, read in a thread while the block runs.

    Args:
        reader: What to ask; nobody else may, inside the block.
        query: What the screen will show first.
        begin_at: Where the cursor will be; None is the first row.
    """

    def __init__(self, reader: EventReader, query: EventQuery, begin_at: Anchor | None = None) -> None:
        from audit_tui.ui.first_page import read_first_page

        self._cancel = CancelToken()
        self._read = partial(read_first_page, reader, query, begin_at, self._cancel)
        self._page: FirstPage | None = None
        self._error: AuditTuiError | None = None
        self._thread = threading.Thread(target=self._run, name="first page")

    def __enter__(self) -> _ReadAhead:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._cancel.cancel()
        self._thread.join()

    def result(self, wait_s: float) -> FirstPage | None:
        """The rows; None if they take longer than ``wait_s``: the screen reads them itself then.

        Raises:
            StoreError: If they cannot be read.
        """
        self._thread.join(wait_s)
        if self._error is not None:
            raise self._error
        return self._page

    def _run(self) -> None:
        try:
            self._page = self._read()
        except QueryCancelled:
            return
        except AuditTuiError as error:
            self._error = error
