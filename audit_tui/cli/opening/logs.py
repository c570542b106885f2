"""Logs that are opened directly: read into a temporary store, and what is to be told of them."""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.cli.opening.temporary import temporary_store
from audit_tui.cli.options import with_events
from audit_tui.cli.progress import ProgressLine
from audit_tui.cli.source import reading
from audit_tui.core.command_text import shell_line
from audit_tui.core.text import clean_visible, counted
from audit_tui.core.time.dates import Preset
from audit_tui.errors import EXIT_OK, EXIT_WRONG, AuditTuiError, FileError, StoreFull, UsageError
from audit_tui.ingest.background import BackgroundImport
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import STDIN, is_stream
from audit_tui.ingest.open import NotALog
from audit_tui.ingest.pipeline import (
    Importer,
    InStore,
    Progress,
    Tally,
    import_all,
    title_of,
    unknown_format,
)

if TYPE_CHECKING:
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.arriving import Arrival
    from audit_tui.ingest.find import LogFile

WAIT_S = 0.5
"""The time between words while no event has come."""
ALL_WAIT_S = 0.2
"""Whoever has the first events gets so long to read the rest before the screen begins without it."""
KEEP_WORDS = "temporary: audit-tui import keeps it"
SHOWN_DETAILS = 5
"""The most rejects and unread files that are named after the screen; import names more, and keeps all."""


class Logs(NamedTuple):
    """Logs in a temporary store, ready to be shown."""

    names: Sequence[str]
    store: Path
    choice: EventsChoice
    """The events to show first: all of them where nobody asked and the usual range has none."""
    name: str
    """Their name on the screen."""
    notice: str
    """The words of the screen on them, in a few words."""
    tally: Callable[[], Tally]
    """Tells what became of everything that was read so far."""
    arrivals: _Arriving | None = None
    """The rest, which is still read; None when all is."""

    @property
    def farewell(self) -> list[str]:
        """The lines to print when they have been shown, line by line, clean."""
        lines = [clean_visible(line) for line in _farewell(self.names, self.tally())]
        arrival = None if self.arrivals is None else self.arrivals.arrival
        if arrival is not None and (arrival.is_stopped or not arrival.is_done):
            lines.insert(0, f"{counted(arrival.events, 'event')} were read; the rest was not.")
        return lines

    @property
    def exit_code(self) -> int:
        """The exit code of the run when it showed them."""
        return EXIT_WRONG if self.tally().exit_code else EXIT_OK


@contextmanager
def imported(names: Sequence[str], choice: EventsChoice) -> Iterator[Logs]:
    """Read logs into a store that is gone afterwards.

    Raises:
        FileError: If there is no event in any of them.
        StoreError: If no temporary store can be made, or not a big enough one.
    """
    with temporary_store() as store:
        yield _all_read(names, choice, store, _import(names, store))


def _all_read(names: Sequence[str], choice: EventsChoice, store: Path, tally: Tally) -> Logs:
    if not tally.stored:
        raise _nothing_read(names, tally)
    with reading(store) as reader:
        shown, elsewhere = with_events(choice, reader)
    title = f"{_title(names)} ({counted(tally.stored, 'event')})"
    return Logs(names, store, shown, title, _notice(tally, elsewhere), lambda: tally)


@contextmanager
def arriving(names: Sequence[str], choice: EventsChoice) -> Iterator[Logs]:
    """Read logs into a store that is gone afterwards, by a process of its own; begin with the first events.

    Raises:
        FileError: If there is no event in any of them.
        StoreError: If no temporary store can be made, or not a big enough one.
    """
    with temporary_store() as store, BackgroundImport(names, store) as background:
        with ProgressLine() as line:
            # 0.4 s, in which the first events are read, and of most logs all.
            import audit_tui.ui.app  # noqa: F401

            while not background.wait(lambda told: told.arrival.events > 0, WAIT_S):
                line.say(f"reading {title_of(names)}: no event yet")
        # Of a pipe nobody knows whether there is more.
        background.wait(lambda told: told.arrival.about is None, ALL_WAIT_S)
        tally, arrival, error = background.told
        if error is not None and not tally.stored:
            raise _too_full(names, error)
        if arrival.is_done:
            yield _all_read(names, choice, store, tally)
            return
        view = replace(choice.view, time_range=Preset.ALL_TIME) if choice.is_range_default else choice.view
        arrivals = _Arriving(names, background, choice, store)
        shown = replace(choice, view=view)
        yield Logs(names, store, shown, _title(names), KEEP_WORDS, lambda: background.told.tally, arrivals)


class _Arriving:
    """The logs that are still read, for the screen; at their end it says what ``_all_read`` says."""

    def __init__(
        self, names: Sequence[str], background: BackgroundImport, choice: EventsChoice, store: Path
    ) -> None:
        self._names = names
        self._background = background
        self._choice = choice
        self._store = store
        self._ending: threading.Thread | None = None
        self._end: Arrival | None = None
        self.stop = background.stop

    @property
    def arrival(self) -> Arrival:
        """The progress of the reading, without the words of its end."""
        return self._background.told.arrival

    def look(self) -> Arrival:
        """Return how far the reading is; it is done once the words of its end are there, too."""
        tally, arrival, error = self._background.told
        if error is not None:
            return replace(arrival, problem=str(_too_full(self._names, error)).replace("\n", " "))
        if not arrival.is_done:
            return arrival
        if self._ending is None:
            # They need an answer of the store, and whoever looks does not wait.
            self._ending = threading.Thread(target=self._read_end, args=(tally, arrival), daemon=True)
            self._ending.start()
        return self._end or replace(arrival, is_done=False)

    def _read_end(self, tally: Tally, arrival: Arrival) -> None:
        try:
            logs = _all_read(self._names, self._choice, self._store, tally)
        except AuditTuiError as error:
            self._end = replace(arrival, problem=error.message)
        else:
            self._end = replace(arrival, remark=logs.notice, title=logs.name)


def _import(names: Sequence[str], store: Path) -> Tally:
    try:
        with ProgressLine() as line, ExitStack() as stack:
            importer = Importer(InStore(store, stack), Reading(), lambda _: None)
            import_all(importer, names, (), partial(_Shown, line, importer))
            line.say(f"{counted(importer.tally.stored, 'event')}: indexes")
    except StoreFull as error:
        raise _too_full(names, error) from error
    return importer.tally


def _too_full(names: Sequence[str], error: AuditTuiError) -> AuditTuiError:
    if not isinstance(error, StoreFull):
        return error
    room = f"Set TMPDIR to a folder with more room, or import them: {import_command(names)}"
    return StoreFull(error.message, room)


class _Shown(Progress):
    def __init__(self, line: ProgressLine, importer: Importer, logs: Sequence[LogFile]) -> None:
        super().__init__(logs)
        self._line = line
        self._importer = importer

    def at(self, position_bytes: int) -> None:
        super().at(position_bytes)
        if self.log is None or not self._line.is_due:
            return
        share = f", {min(self.done_bytes * 100 // self.total_bytes, 100)}%" if self.total_bytes else ""
        name = Path(self.log.name).name
        self._line.say(f"{counted(self._importer.taken, 'event')}{share}, reading {name}")


def _title(names: Sequence[str]) -> str:
    first = names[0]
    if first == STDIN:
        title = "standard input"
    else:
        # "." and "logs/.." are folders with a name, too.
        title = Path(first if is_stream(first) else os.path.realpath(first)).name
        if Path(first).is_dir():
            title += "/"
    return title if len(names) == 1 else f"{title} and {len(names) - 1:,} more"


def _notice(tally: Tally, elsewhere: str) -> str:
    says = []
    if tally.rejected:
        says.append(f"{tally.rejected:,} of {tally.read:,} records rejected")
    if unread := len(tally.problems) + len(tally.skipped):
        says.append(f"{counted(unread, 'file')} not read")
    if elsewhere:
        says.append(elsewhere)
    says.append(KEEP_WORDS)
    return " · ".join(says)


def _farewell(names: Sequence[str], tally: Tally) -> Iterator[str]:
    if tally.rejected:
        yield f"{counted(tally.rejected, 'record')} of {tally.read:,} could not be read as an event:"
        yield from _details(tally)
        yield f"To keep them: {import_command(names, '--rejects', 'rejects.jsonl')}"
    elif tally.problems or tally.skipped:
        yield from _details(tally)
    yield from tally.notes
    yield f"Keep it with: {import_command(names)}"
    if any(is_stream(name) for name in names):
        yield "What came through a pipe must come again."


def _details(tally: Tally) -> Iterator[str]:
    rejects = [f"{reject.place}: {reject.reason}" for reject in tally.rejects]
    files = [problem.message for problem in (*tally.problems, *tally.skipped)]
    for many, of_all in ((rejects, tally.rejected), (files, len(files))):
        yield from (f"  {detail}" for detail in many[:SHOWN_DETAILS])
        if of_all > SHOWN_DETAILS:
            yield f"  ... and {of_all - SHOWN_DETAILS:,} more"


def _nothing_read(names: Sequence[str], tally: Tally) -> FileError:
    title = title_of(names)
    hint = [*_details(tally), *unknown_format()]
    if tally.rejected:
        message = f"None of {counted(tally.rejected, 'record')} in {title} could be read as an event."
    elif len(tally.problems) == 1 and not tally.skipped:
        problem = tally.problems[0]
        message = problem.message
        hint = [*unknown_format()] if isinstance(problem, NotALog) else [problem.hint]
    elif tally.problems or tally.skipped:
        message = f"Nothing in {title} could be read as events."
    else:
        message = f"There is no event in {title}."
        is_folder = any(Path(name).is_dir() for name in names)
        hint = (
            ["A folder is searched for files that are not hidden, with the folders in it."]
            if is_folder
            else []
        )
    return FileError(message, "\n".join(clean_visible(line) for line in hint if line))


def import_command(names: Sequence[str], *options: str) -> str:
    """The command that imports these, as it can be typed into a shell."""
    return shell_line(["audit-tui", "import", *options]) + "".join(f" {_typed(name)}" for name in names)


def _typed(name: str) -> str:
    """A path as one would type it: quoted where a shell wants it, ``~`` for the home directory."""
    if name == STDIN:
        return name
    home = os.path.expanduser("~").rstrip("/")  # noqa: PTH111 - Path.home raises where there is none
    tilde, rest = "", f"./{name}" if name.startswith(("-", "~")) else name
    if name == home:
        return "~"
    if name.startswith(f"{home}/"):
        tilde, rest = "~/", name[len(home) :].lstrip("/")
    try:
        return tilde + (shell_line([rest]) if rest else "")
    except UsageError:
        # Bytes that are not text: nothing that is typed is the same.
        return tilde + shlex.quote(rest)
