"""Write the marked events, with notes and queries, to a case file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.config import user_path
from audit_tui.core.command_text import Link
from audit_tui.core.evidence.sealed import SealState
from audit_tui.core.investigate.notebook import CaseJob, Search
from audit_tui.core.left import Left
from audit_tui.core.query_line.text import line_of
from audit_tui.core.text import clean_visible, counted
from audit_tui.ui.screens.review.marking import Marking

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.view import View

MAX_SEARCHES = 20


class CaseFiles(Marking):
    """The key that writes a case file."""

    def action_case(self) -> None:
        from audit_tui.ui.screens.ask_line import AskLine

        if self._opening.write_case is None:
            self.say("What is shown here cannot be written to a case file.")
            return
        entries = sorted(self._entries.values(), key=lambda entry: (entry.occurred_us, entry.seq))
        if not entries:
            self.say(f"Nothing is marked: {self._keymap.key_of('mark')} marks an event.")
            return
        marks = tuple((entry.seq, entry.note) for entry in entries)
        dialog = AskLine(
            f"Case file of {counted(len(marks), 'marked event')}",
            f"case-{self.context.today}.html",
            hint="HTML or Markdown (.md), readable by you alone; audit-tui verify --case checks it later.",
        )
        self.app.push_screen(dialog, lambda name: self._write_case(name, marks))

    def _write_case(self, name: str | None, marks: tuple[tuple[int, str], ...]) -> None:
        from audit_tui.ui.screens.export_dialog import working_folder

        write = self._opening.write_case
        if write is None or not name or not name.strip():
            return
        try:
            path = working_folder() / user_path(name.strip())
        except RuntimeError:
            self.say("There is no such home directory.")
            return
        job = CaseJob(path, path.stem, self.context, marks, tuple(self._searches()), self._verdict)
        self._ask_once(lambda _: write(job), lambda written: self._told_written(path, written))

    @property
    def _verdict(self) -> str:
        status = None if self.seals is None else self.seals.status
        if status is None or status.state not in (SealState.HOLDS, SealState.BROKEN, SealState.OLDER):
            return ""
        return status.words

    def _told_written(self, path: Path, written: int) -> None:
        self.say(f"Wrote {counted(written, 'event')} to {clean_visible(str(path))}.")

    def _searches(self) -> list[Search]:
        shown = self.event_list.shown
        # The views before have names in them.
        views = [shown.view] if shown.is_redacted else [*self._history.views, shown.view]
        lines: dict[str, View] = {}
        for view in reversed(views):
            lines.setdefault(line_of(view.in_force), view)
        return [
            Search(
                "Shown last" if view is shown.view else "Shown before",
                line,
                Link(self._opening.names, self._opening.store_id, Left(view), self.context.zone).text(),
            )
            for line, view in list(lines.items())[:MAX_SEARCHES]
            if line
        ]
