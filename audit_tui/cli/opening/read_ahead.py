"""The first rows, read while Textual is imported."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from audit_tui.core.cancel import CancelToken
from audit_tui.errors import AuditTuiError, QueryCancelled
from audit_tui.ui.first_page import read_first_page

if TYPE_CHECKING:
    from types import TracebackType

    from audit_tui.core.query import EventQuery, EventReader
    from audit_tui.ui.first_page import Anchor, FirstPage


class ReadAhead:
    """The first rows, read in a thread while the block runs.

    Args:
        reader: What to ask; nobody else may, inside the block.
        query: What the screen will show first.
        begin_at: Where the cursor will be; None is the first row.
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
