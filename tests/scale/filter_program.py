"""The app over a store, in which ? applies the next of the seeded filters as the dialog's Apply does.

python -m tests.scale.filter_program STORE TIMES NUMBER

Writes to TIMES, line after line, the milliseconds from the key to the frame with the first rows, and the
filter: NUMBER seeded ones, then the nasty ones.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.cli.main import main
from audit_tui.store.read.reader import open_store
from audit_tui.ui import app as app_module
from audit_tui.ui.app import AuditApp
from audit_tui.ui.screens.review.screen import ReviewScreen
from audit_tui.ui.widgets.list import event_list
from audit_tui.ui.widgets.list.range_table import RangeTable
from tests.scale.filters import CONTEXT, Asked, nasty, seeded, values_of

if TYPE_CHECKING:
    from audit_tui.core.time.dates import TimeContext
    from audit_tui.core.window import RowWindow


class Course:
    """The filters that are left, and how long the current one takes."""

    def __init__(self, asked: list[tuple[str, Asked]], times: Path) -> None:
        self._left = iter(asked)
        self._times = times
        self._current: Asked | None = None
        self._kind = ""
        self._begin = 0.0
        self._has_rows = False

    def next(self) -> Asked:
        """Begin the next filter."""
        self._kind, self._current = next(self._left)
        self._has_rows = False
        self._begin = time.perf_counter()
        return self._current

    def rows_shown(self) -> None:
        """The next frame has the rows."""
        self._has_rows = True

    def frame_sent(self) -> None:
        """A frame was written to the terminal."""
        if self._current is not None and self._has_rows:
            taken_ms = (time.perf_counter() - self._begin) * 1e3
            with self._times.open("a", encoding="utf-8") as file:
                file.write(f"{taken_ms:.2f} {self._kind} {self._current}\n")
            self._current = None


def run(store: str, times: Path, number: int) -> None:
    """Run the app with the course in place of the help."""
    with closing(open_store(store)()) as reader:
        values = values_of(reader)
        course = Course(
            [
                *(("seeded", asked) for asked in seeded(values, number)),
                *(("nasty", asked) for asked in nasty(values)),
            ],
            times,
        )

    class TimedTable(RangeTable):
        def show(self, window: RowWindow, cursor_row: int = 0, top_row: int = 0) -> None:
            super().show(window, cursor_row, top_row)
            course.rows_shown()

    class TimedReview(ReviewScreen):
        @property
        def context(self) -> TimeContext:
            return CONTEXT

        def action_help(self) -> None:
            self.show_view(course.next().view)

    class TimedApp(AuditApp):
        def post_display_hook(self) -> None:
            course.frame_sent()

    # The command builds the app; only these three differ in it.
    setattr(event_list, "RangeTable", TimedTable)  # noqa: B010 - mypy takes a class for a constant
    setattr(app_module, "ReviewScreen", TimedReview)  # noqa: B010
    setattr(app_module, "AuditApp", TimedApp)  # noqa: B010
    sys.argv = ["audit-tui", "open", store, "--range", "all-time"]
    main()


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
