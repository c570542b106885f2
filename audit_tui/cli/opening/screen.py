"""The review screen, put together from a source of events, the settings and Textual.

Everything that can be refused is refused before the terminal is touched. Textual takes most of the time
until the first frame, so the first rows are read while it is imported. What a key needs is imported when it
is pressed.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from audit_tui.cli.opening.terminal import require_screen
from audit_tui.cli.own_acts import OwnActs
from audit_tui.cli.progress import tell
from audit_tui.cli.redacting import redact_mode, redacted_view
from audit_tui.cli.rules import live_detections
from audit_tui.cli.source import open_source
from audit_tui.config import config_path, data_directory, state_directory
from audit_tui.core.cancel import CancelToken
from audit_tui.core.record import Record
from audit_tui.core.source import SourceUrl
from audit_tui.core.view import chipped
from audit_tui.errors import EXIT_WRONG, AuditTuiError, FileError, QueryCancelled
from audit_tui.ui.first_page import read_first_page

if TYPE_CHECKING:
    from audit_tui.cli.opening.resuming import Places
    from audit_tui.cli.options import EventsChoice
    from audit_tui.cli.session import Session
    from audit_tui.core.arriving import Arrivals
    from audit_tui.core.command_text import Link
    from audit_tui.core.evidence.sealed import SealChecker
    from audit_tui.core.export import ExportJob, ExportResult
    from audit_tui.core.investigate.meaning import Meaning
    from audit_tui.core.investigate.notebook import CaseJob, Notebook
    from audit_tui.core.investigate.pairs import Pair
    from audit_tui.core.investigate.saved_views import SavedViews
    from audit_tui.core.left import Left
    from audit_tui.core.query import EventQuery, EventReader, ReaderFactory, StoreInfo
    from audit_tui.core.source import EventSource
    from audit_tui.core.view import View
    from audit_tui.ui.first_page import Anchor, FirstPage, Opening


NAME = "audit-tui"
MAX_NAME_CHARS = 64
FIRST_PAGE_WAIT_S = 0.2
"""The longest time that a screen which is ready waits for rows that are not."""


class ShownAs(Record):
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


class Start(Record):
    """The beginning of a review, of a source that could be opened."""

    info: StoreInfo
    view: View
    left: Left | None
    """The place where the screen was left; None begins at the first row."""
    notice: str
    """Words about the source; empty when there are none."""

    @property
    def begin_at(self) -> Anchor | None:
        """The place of the cursor; None is the first row."""
        from audit_tui.ui.first_page import Anchor

        return None if self.left is None or self.left.event is None else Anchor(self.left.event)


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Collect no garbage before the first frame: there is none, and looking for it took 40 of 570 ms.

    The screen itself begins to collect when it is drawn.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class ReviewScreen:
    """The review screen over one source, until the user leaves it.

    A store that is gone afterwards is ``shown_as`` something; of any other is kept where it was left.
    """

    def __init__(
        self, source: EventSource, choice: EventsChoice, session: Session, shown_as: ShownAs | None = None
    ) -> None:
        self._source = source
        self._choice = choice
        self._session = session
        self._settings = session.loaded.settings
        self._shown_as = shown_as
        self._redact = redact_mode(is_on=self._settings.redact)
        self._acts = OwnActs(source, is_on=self._settings.record_own_acts and shown_as is None)

    @cached_property
    def _table_words(self) -> tuple[str, ...]:
        """The options that name another program's table; empty for a source of ours."""
        source = self._source
        if not isinstance(source, SourceUrl) or not source.table:
            return ()
        mapping = () if source.mapping is None else ("--mapping", str(source.mapping))
        return ("--table", source.table, *mapping)

    @_garbage_kept()
    def show(self, places: Places | None = None, link: Link | None = None) -> int:
        """Show it, and return the exit code.

        The places tell where to begin, unless the choice says otherwise; a link has the event to begin at.

        Raises:
            StoreError: If the source cannot be read; nothing was written to the terminal.
            UsageError: If there is no terminal for it.
        """
        from audit_tui.cli.opening.terminal import share_one_heap

        share_one_heap()
        open_reader = self._redact.readers(open_source(self._source, self._settings.deadline))
        with closing(open_reader()) as reader:
            require_screen()
            start = self._start(reader, places, link)
            with ReadAhead(reader, start.view.query(self._choice.context), start.begin_at) as ahead:
                # 0.3 s and more, in which the first rows are read.
                from audit_tui.ui.app import AuditApp

                first_page = ahead.result(FIRST_PAGE_WAIT_S)
        app = AuditApp(self._opening(start, open_reader, first_page))
        app.run(mouse=self._settings.mouse)
        if self._shown_as is None and not self._table_words and app.return_code != EXIT_WRONG:
            seen = _newest_seq(open_reader) if self._is_local else None
            self._keep_place(start.info, app.review.left, places, seen)
        return app.return_code or 0

    @property
    def _is_local(self) -> bool:
        """Tell whether it is one store: of several hosts no number parts new events from old ones."""
        return not isinstance(self._source, SourceUrl)

    def _start(self, reader: EventReader, places: Places | None, link: Link | None) -> Start:
        from audit_tui.cli.options import with_events

        unrecorded = self._acts.opened()
        info = reader.info()
        left = places.left_in(info.store_id) if places else None
        first, elsewhere = with_events(self._choice, reader)
        if link is not None:
            left, view = link.left, self._choice.view
            if link.store_id not in ("", info.store_id):
                unrecorded = unrecorded or "another store than that of the link"
        else:
            view = chipped(first.view) if left is None else self._choice.changing(left.view)
        view = redacted_view(view, self._redact, reader)
        view = replace(
            view,
            columns=view.columns or self._settings.listed_columns,
        )
        remark = self._shown_as.notice if self._shown_as else ""
        notices = (remark, "" if left else elsewhere, info.notice, unrecorded)
        return Start(info, view, left, " · ".join(filter(None, notices)))

    def _opening(self, start: Start, open_reader: ReaderFactory, first_page: FirstPage | None) -> Opening:
        from audit_tui.ui.first_page import Opening

        info, is_store = start.info, self._shown_as is None
        shown = self._shown_as or ShownAs(info.name)
        is_sealed = is_store and not self._table_words
        return Opening(
            open_reader,
            shown.name,
            start.view,
            self._choice.context.zone,
            self._session.clock,
            self._settings,
            first_page,
            start.begin_at,
            0 if start.left is None else start.left.line,
            start.notice,
            state_directory(),
            self._export,
            partial(self._seal_checker, info.store_id) if is_sealed else None,
            self._redact,
            shown.command_words or (NAME, "query", "-s", info.path, *self._table_words),
            names=shown.names or (info.path,),
            store_id=info.store_id if is_store else "",
            arrivals=shown.arrivals,
            open_notebook=partial(_notebook, shown.notebook_id),
            open_saved_views=_saved_views,
            seen_before=partial(_seen_before, info.store_id) if is_sealed and self._is_local else None,
            meaning_of=_meaning_of,
            detections=live_detections(self._session.rules, self._source, is_remembered=is_store),
            shows_firsts=True,
            pairs=_pairs,
            write_case=partial(self._write_case, open_reader),
            open_patiently=self._open_patiently if self._settings.deadline else None,
        )

    def _seal_checker(self, store_id: str) -> SealChecker:
        """Return the checker of the seals; that of a store remembers how far it came."""
        if isinstance(self._source, SourceUrl):
            from audit_tui.engines.seal_checker import SharedSealChecker

            return SharedSealChecker(self._source)
        from audit_tui.store.evidence.seal_status import StoreSealChecker

        # The id comes from the file, and becomes the name of another.
        is_name = store_id.isascii() and store_id.isalnum() and len(store_id) <= MAX_NAME_CHARS
        memory = state_directory() / "verified" / f"{store_id}.checkpoint" if is_name else None
        return StoreSealChecker(self._source, memory)

    def _open_patiently(self) -> EventReader:
        return self._redact.readers(open_source(self._source))()

    def _export(
        self, job: ExportJob, on_progress: Callable[[int], None], cancel: CancelToken
    ) -> ExportResult:
        from audit_tui.cli.evidence.case_file import exporter_of

        result = exporter_of(self._source, self._redact)(job, on_progress, cancel)
        self._acts.exported(job, result)
        return result

    def _write_case(self, open_reader: ReaderFactory, job: CaseJob) -> int:
        from audit_tui.cli.evidence.case_file import write_case

        return write_case(self._source, open_reader, self._redact, job)

    def _keep_place(self, info: StoreInfo, left: Left, places: Places | None, seen: int | None) -> None:
        """Note where the store was left; only someone who resumes need know that it cannot be noted."""
        from audit_tui.cli.opening.resuming import Places

        # By names: without --redact, or with another key, a pseudonym would find nothing.
        left = replace(left, view=left.view.with_filters(self._redact.real))
        try:
            (places or Places()).keep(info, left, seen)
        except FileError as error:
            if places is not None:
                tell(f"The next --resume will not begin here: {error.message}")


def _newest_seq(open_reader: ReaderFactory) -> int | None:
    with suppress(AuditTuiError), closing(open_reader()) as reader:
        return reader.newest_seq()
    return None


def _seen_before(store_id: str) -> int | None:
    from audit_tui.cli.opening.resuming import Places

    return Places().seen_in(store_id)


def _notebook(id_of_logs: str, id_of_store: str) -> Notebook | None:
    from audit_tui.core.investigate.notebook import Notebook

    return Notebook.of_store(data_directory(), id_of_logs or id_of_store)


def _saved_views() -> SavedViews:
    from audit_tui.core.investigate.saved_views import FILE_NAME, SavedViews

    return SavedViews(config_path().parent / FILE_NAME)


def _meaning_of(event: str, source: str | None) -> Meaning | None:
    from audit_tui.formats.meaning import meaning_of

    return meaning_of(event, source)


def _pairs() -> Sequence[Pair]:
    from audit_tui.formats.meaning import pairs

    return pairs()


class ReadAhead:
    """The first rows, read in a thread while the block runs.

    Nobody else may ask the reader, inside the block.
    """

    def __init__(self, reader: EventReader, query: EventQuery, begin_at: Anchor | None = None) -> None:
        self._cancel = CancelToken()
        self._read = partial(read_first_page, reader, query, begin_at, self._cancel)
        self._page: FirstPage | None = None
        self._error: AuditTuiError | None = None
        self._thread = threading.Thread(target=self._run, name="first page")

    def __enter__(self) -> ReadAhead:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
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
