"""``audit-tui open``: the review screen, put together from a store, the settings and Textual.

Everything that can be refused is refused before the terminal is touched. Textual takes most of the time
until the first frame, so the first rows are read while it is imported.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import closing
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.options import events_options, store_option
from audit_tui.cli.session import Session, session_of
from audit_tui.config import state_directory
from audit_tui.core.cancel import CancelToken
from audit_tui.errors import AuditTuiError, QueryCancelled, StoreMissing, UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.query import EventQuery, EventReader
    from audit_tui.ui.first_page import FirstPage

FIRST_PAGE_WAIT_S = 0.2
"""How long the screen may be held up, when it is ready, by rows that are not."""
NO_SCREEN_HINT = "Without the screen: audit-tui query prints events, audit-tui count their number."


@click.command("open")
@click.argument("path", metavar="[STORE]", required=False, type=click.Path(path_type=Path))
@store_option
@events_options
@click.pass_context
def open_command(context: click.Context, path: Path | None, store: Path, choice: EventsChoice) -> int:
    """Review a store on the screen.

    Keys: f filters, t chooses a time range, Enter shows all of an event, q quits.
    """
    if path is not None:
        if context.get_parameter_source("store") is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"Two stores are named, {path} and {store}.", "Leave one of them out.")
        store = path
    try:
        return open_screen(store, choice, session_of(context))
    except StoreMissing as error:
        raise StoreMissing(error.message, _meant_command(context, path) or error.hint) from None


def _meant_command(context: click.Context, path: Path | None) -> str:
    """A command that was probably meant by what is no store; empty if none was."""
    group = context.find_root().command
    if path is None or not isinstance(group, click.Group):
        return ""
    close = get_close_matches(str(path), group.list_commands(context), n=1)
    return f"Did you mean audit-tui {close[0]}?" if close else ""


def has_screen() -> bool:
    """Whether there is a terminal to show the review screen on."""
    # Textual writes to stderr, and a stdout that goes elsewhere asks for data.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams) and not _is_dumb()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def require_screen() -> None:
    """Refuse to go on where the screen could not be shown.

    Raises:
        UsageError: If there is no terminal, or one that cannot move its cursor.
    """
    if has_screen():
        return
    if _is_dumb() and sys.stdout.isatty():
        terminal = os.environ.get("TERM", "")
        raise UsageError(f"The screen needs a better terminal than TERM={terminal}.", NO_SCREEN_HINT)
    raise UsageError("The screen needs a terminal: input and output must not be redirected.", NO_SCREEN_HINT)


def open_screen(store: Path, choice: EventsChoice, session: Session) -> int:
    """Show the review screen until the user leaves it.

    Args:
        store: The store's path.
        choice: What to show first, and the zone.
        session: The clock and the settings.

    Returns:
        The exit code.

    Raises:
        StoreError: If the store cannot be read; nothing was written to the terminal.
        UsageError: If there is no terminal for it.
    """
    from audit_tui.store.reader import open_store

    open_reader = open_store(store)
    with closing(open_reader()) as reader:
        require_screen()
        info = reader.info()
        with _ReadAhead(reader, choice.query()) as ahead:
            # 0.3 s and more, in which the first rows are read.
            from audit_tui.ui.app import AuditApp
            from audit_tui.ui.first_page import Opening

            first_page = ahead.result(FIRST_PAGE_WAIT_S)
    opening = Opening(
        open_reader,
        info.name,
        choice.view,
        choice.context.zone,
        session.clock,
        session.loaded.settings,
        first_page,
        info.notice,
        state_directory(),
    )
    app = AuditApp(opening)
    app.run(mouse=session.loaded.settings.mouse)
    return app.return_code or 0


class _ReadAhead:
    """The first rows, read in a thread while the block runs.

    Args:
        reader: What to ask; nobody else may, inside the block.
        query: What the screen will show first.
    """

    def __init__(self, reader: EventReader, query: EventQuery) -> None:
        from audit_tui.ui.first_page import read_first_page

        self._cancel = CancelToken()
        self._read = partial(read_first_page, reader, query, cancel=self._cancel)
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
