"""Take events out: copies, files, case files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from audit_tui.config import user_path
from audit_tui.core.command_text import Link
from audit_tui.core.event_text import cell_text
from audit_tui.core.evidence.sealed import SealState
from audit_tui.core.investigate.notebook import CaseJob, Search
from audit_tui.core.left import Left
from audit_tui.core.query import AtRow, RowCount
from audit_tui.core.query_line.text import line_of
from audit_tui.core.text import clean_visible, counted
from audit_tui.core.view import sort_words
from audit_tui.ui.screens.review.marking import MAX_AT_ONCE, Marking, seqs_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.view import View
    from audit_tui.ui.screens.export_dialog import Rows
    from audit_tui.ui.terminal.clipboard import CopyResult

COPY_TITLE_CELLS = 9
MAX_SEARCHES = 20


class TakingOut(Marking):
    """The keys that copy and export."""

    def action_copy(self) -> None:
        from audit_tui.ui.screens.copy_source import WITHOUT_ROWS, CopyForm, CopySource
        from audit_tui.ui.screens.menu import Menu, MenuItem

        table, settings = self.table, self._opening.settings
        source = CopySource(
            self.event_list.shown,
            table.taken_rows,
            table.column,
            self.fields,
            self._opening.command_words,
            settings.mask_secrets,
            self._opening.names,
            self._opening.store_id,
            self.left.event,
        )
        row = table.highlighted
        cell = "" if row is None else cell_text(source.masked(row), table.column, source.shown.context)
        forms = [form for form in CopyForm if source.rows or form in WITHOUT_ROWS]
        items = [
            MenuItem(form.value[0], f"{form.value[1]:<{COPY_TITLE_CELLS}}", source.offer(form, cell))
            for form in forms
        ]
        title = f"Copy {counted(len(source.rows), 'event')}" if len(source.rows) > 1 else "Copy"

        def take(place: int) -> None:
            form = forms[place]
            self._ask_once(
                lambda reader: self.clipboard.copy(source.text(form, reader)),
                partial(self._take_copied, source.what(form)),
            )

        self._open(Menu(title, items, act="copy"), take)

    def _take_copied(self, what: str, result: CopyResult) -> None:
        self.table.end_selection()
        self.tell_copied(what, result)

    def action_export(self) -> None:
        if self._opening.exporter is None:
            self.say("What is shown here cannot be exported.")
            return
        rows = self.table.taken_rows if self.table.is_selecting else range(0)
        if len(rows) > MAX_AT_ONCE:
            self.say(f"{counted(len(rows), 'row')} are too many to choose; the most is {MAX_AT_ONCE:,}.")
            return
        if not rows:
            self._ask_export(())
            return
        query = self.event_list.shown.query
        self._ask_once(
            lambda reader: [row.seq for row in reader.page(query, AtRow(rows.start), len(rows)).rows],
            self._ask_export,
        )

    def _ask_export(self, selected: Sequence[int]) -> None:
        from audit_tui.ui.screens.export_dialog import ExportDialog, Exported, working_folder

        if self._opening.exporter is None:
            return
        others = [self._rows("selected", selected), self._rows("marked", self.marked_seqs)]
        exported = Exported(
            self.event_list.shown,
            self.event_list.count,
            self.fields,
            tuple(rows for rows in others if rows.count.value),
            begins_with_others=bool(selected),
        )
        self.app.push_screen(ExportDialog(self._opening.exporter, exported, working_folder()))

    def _rows(self, words: str, seqs: Sequence[int]) -> Rows:
        from audit_tui.ui.screens.export_dialog import Rows

        query = self.view_of(seqs_filter(seqs)).query(self.context)
        query = replace(query, sort=self.event_list.shown.query.sort)
        sentence = f"The {counted(len(seqs), f'{words} event')}, {sort_words(query.sort)}."
        return Rows(f"{len(seqs):,} {words}", query, RowCount(len(seqs), exact=True), sentence)

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
        self._open(dialog, partial(self._write_case, marks))

    def _write_case(self, marks: tuple[tuple[int, str], ...], name: str) -> None:
        from audit_tui.ui.screens.export_dialog import working_folder

        write = self._opening.write_case
        if write is None or not name.strip():
            return
        try:
            path = working_folder() / user_path(name.strip())
        except RuntimeError:
            self.say("There is no such home directory.")
            return
        job = CaseJob(path, path.stem, self.context, marks, tuple(self._searches()), self._verdict)
        where = clean_visible(str(path))
        self._ask_once(
            lambda _: write(job), lambda written: self.say(f"Wrote {counted(written, 'event')} to {where}.")
        )

    @property
    def _verdict(self) -> str:
        status = None if self.seals is None else self.seals.status
        if status is None or status.state not in (SealState.HOLDS, SealState.BROKEN, SealState.OLDER):
            return ""
        return status.words

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
