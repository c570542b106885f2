"""Understand events: what one means, what it changed, how some differ; seals, the raw JSON, the keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.investigate.changes import changes_in, compared, differences
from audit_tui.core.investigate.meaning import related_view
from audit_tui.core.query import After, EventQuery, PageKey
from audit_tui.core.recording import catalogue
from audit_tui.core.text import counted
from audit_tui.core.time.zones import date_text
from audit_tui.ui.commands import Where
from audit_tui.ui.screens.review.marking import Marking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.core.event import AuditEvent
    from audit_tui.core.query import EventReader

COMPARED = range(2, 5)


class Explaining(Marking):
    """The keys that explain an event, show what it changed, and compare the marked ones."""

    # -- its meaning

    def action_explain(self) -> None:
        self._with_event(self._explain)

    def _explain(self, event: AuditEvent) -> None:
        from audit_tui.ui.screens.explain import ExplainDialog, explanation_lines

        meaning = (
            None if self._opening.meaning_of is None else self._opening.meaning_of(event.event, event.source)
        )
        entry = catalogue().find(event.event)
        missing = () if entry is None else entry.missing(event.metadata)
        lines = partial(explanation_lines, event, meaning, missing)
        dialog = ExplainDialog(event.event, lines)

        def show_related(_: bool) -> None:
            self.show_view(related_view(event, meaning))
            self.say(f"Related to {event.event}: {self._keymap.key_of('undo')} goes back.")

        self._open(dialog, show_related)

    # -- what it changed

    def action_changes(self) -> None:
        row = self.table.highlighted
        if row is not None:
            self._ask_once(partial(_with_previous, row.seq), self._show_changes)

    def _show_changes(self, events: tuple[AuditEvent | None, AuditEvent | None]) -> None:
        from audit_tui.ui.screens.explain import change_lines
        from audit_tui.ui.screens.text_dialog import TextDialog

        event, previous = events
        if event is None:
            return
        since = ""
        if previous is not None:
            when = date_text(previous.occurred_us, self.context.zone)
            since = f"{previous.event} by {previous.user or '-'}, {when} (event {previous.number_words})"
        against = [] if previous is None else differences(previous, event)
        lines = partial(change_lines, event.target or "", changes_in(event), since, against)
        self.app.push_screen(TextDialog(f"What changed: {event.event}", lines))

    # -- how events differ

    def compare_marked(self) -> bool:
        """Show how the marked events differ; False where there are not 2 to 4 of them."""
        seqs = self.marked_seqs
        if len(seqs) not in COMPARED:
            return False
        self._ask_once(partial(_read, seqs), self._show_compared)
        return True

    def _show_compared(self, events: list[AuditEvent]) -> None:
        from audit_tui.ui.screens.explain import comparison_lines
        from audit_tui.ui.screens.text_dialog import TextDialog

        zone = self.context.zone
        # The date above the time: four events leave 14 cells to each.
        heads = [
            (event.number_words, event.event, *date_text(event.occurred_us, zone).split(" ", 1))
            for event in events
        ]
        lines = partial(comparison_lines, heads, compared(events))
        self.app.push_screen(
            TextDialog(f"{counted(len(events), 'marked event')}: in what they differ", lines)
        )

    def action_seal(self) -> None:
        from audit_tui.ui.screens.seal_dialog import seal_dialog

        if self.seals is None:
            self.say("The seals are not checked here.")
        else:
            self._seal_dialog = seal_dialog(self.seals.status)
            self.app.push_screen(self._seal_dialog)

    def action_raw_json(self) -> None:
        if self.pane is not None and self.pane.event is not None:
            self._show_raw_json(self.pane.event)
        else:
            self._with_event(self._show_raw_json)

    def _show_raw_json(self, event: AuditEvent) -> None:
        from audit_tui.ui.screens.raw_json import raw_json_dialog

        self.app.push_screen(raw_json_dialog(event))

    def action_help(self) -> None:
        from audit_tui.ui.screens.text_dialog import help_dialog

        here = Where.PANE if self.pane is not None and self.pane.has_focus else Where.TABLE
        if self.facets is not None and self.facets.has_focus:
            here = Where.FACETS
        self.app.push_screen(help_dialog(here, self._keymap))


# -- in a thread


def _with_previous(seq: int, reader: EventReader) -> tuple[AuditEvent | None, AuditEvent | None]:
    event = reader.event(seq)
    if event is None or event.target is None:
        return event, None
    query = EventQuery(Condition(Column.TARGET, IS, event.target))
    page = reader.page(query, After(PageKey(None, event.occurred_us, seq)), 1)
    return event, reader.event(page.rows[0].seq) if page.rows else None


def _read(seqs: Sequence[int], reader: EventReader) -> list[AuditEvent]:
    return [event for event in map(reader.event, seqs) if event is not None]
