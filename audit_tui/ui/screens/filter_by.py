"""The *Filter by* dialog: rows, and the query line that says the same."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widgets import Static

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import EVERYTHING, All, conditions_in, everywhere
from audit_tui.core.flat_filter import (
    Draft,
    FlatFilter,
    Match,
    contradiction,
    contradiction_words,
    flat,
    flat_filter,
)
from audit_tui.core.query import EventQuery
from audit_tui.core.query_line.parse import Query
from audit_tui.core.query_line.text import line_of
from audit_tui.core.text import clean
from audit_tui.core.time.dates import TimeContext
from audit_tui.errors import AuditTuiError
from audit_tui.ui.keymap import hidden
from audit_tui.ui.lane import Lane
from audit_tui.ui.screens.dialog import Dialog
from audit_tui.ui.widgets.fields.button import Button
from audit_tui.ui.widgets.fields.candidates import CandidateSource
from audit_tui.ui.widgets.fields.condition_rows import ConditionRow, ConditionRows
from audit_tui.ui.widgets.fields.dropdown import Alternative, Dropdown, PickLine
from audit_tui.ui.widgets.fields.popup_list import PopupList
from audit_tui.ui.widgets.fields.query_row import QueryInput, QueryRow
from audit_tui.ui.widgets.fields.row_checks import MatchCount, ValueCheck
from audit_tui.ui.widgets.fields.value_input import ValueInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.geometry import Size
    from textual.widget import Widget

    from audit_tui.core.filter.filters import Filter
    from audit_tui.core.query import ReaderFactory

MIN_ROWS = 4
"""This many lines are kept free for rows where there is room, so that adding some moves nothing."""
TALL_LINES = 18
WIDE_CELLS = 66
HINTS: dict[type[Widget], str] = {
    ValueInput: "type for suggestions   ↓ list   ⏎ apply   ^D remove row   Esc cancel",
    Dropdown: "⏎ list   ← → change   Tab next   ^D remove row   Esc cancel",
    PickLine: "← → change   ⏎ apply   Tab next   Esc cancel",
    Button: "⏎ press   Tab next   Esc cancel",
    QueryInput: "⏎ apply   Tab complete   ↓ next   Esc cancel",
}
_MATCHES = tuple(Match)
_MEANINGS = ("all of these hold", "at least one holds")
LIST_HINT = "↑ ↓ choose   ⏎ take, ⏎ again to apply   ^D remove row   Esc close list"
TEXT_WORDS = "This query says more than rows can show: it stays text."


class FilterDialog(Dialog[FlatFilter | Query]):
    """Edits a filter; gives back the one to apply, or None when it was cancelled.

    The query line and the rows say the same, whichever is edited, as long as rows can; else the line is what
    counts, and a ``Query`` comes back.

    One instance is kept (``App.install_screen``) and opened again and again: call ``begin`` before each
    ``push_screen``. Its rows stay mounted, so that it opens quickly.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = hidden("up=step(-1) down=step(1) delete,ctrl+d=remove_row")

    def __init__(self, open_reader: ReaderFactory) -> None:
        super().__init__()
        self._open_reader = open_reader
        self._popup = PopupList()
        values = self._values = Lane(open_reader)
        self._source = CandidateSource(values)
        counts = self._counts = Lane(open_reader)
        self._tab = PickLine([Alternative(each.label, each.label) for each in Match], meanings=_MEANINGS)
        self._count = MatchCount(counts)
        self._line = QueryRow(self._popup, self._source)
        self._text: Query | None = None
        self._rows = ConditionRows(self._popup, self._source)
        self._check = ValueCheck(values)
        self._hint = Static(HINTS[ValueInput], id="hint", markup=False)
        self._query = EventQuery()
        self._errors: dict[type, AuditTuiError] = {}
        """Errors that stand, by who told them: that events can be counted takes back no error of values."""
        self._names_read = False
        self._is_fresh = True
        self._fitted: Size | None = None
        self._styled_for = ""
        self.begin(FlatFilter(), EventQuery())

    def begin(
        self,
        current: FlatFilter | Filter,
        query: EventQuery,
        range_words: str = "",
        context: TimeContext | None = None,
    ) -> None:
        """Start over; to be called before the dialog is pushed.

        Args:
            current: The filter to edit.
            query: The query in force: its range, and what else narrows it, is what events are counted in.
            range_words: The range in words; empty for the whole store.
            context: The zone and the moment of times in the query line; None is UTC now.
        """
        self._query = query
        self._source.begin(query.interval, range_words)
        self._errors.clear()
        expression = current.expression() if isinstance(current, FlatFilter) else current
        rows = current if isinstance(current, FlatFilter) else _rows_of(Query(expression))
        self._line.begin(line_of(expression), context or TimeContext(UTC, datetime.now(UTC)))
        self._show_rows(rows, Query(expression))
        self._check.begin()
        self._is_fresh = True

    def _show_rows(self, rows: FlatFilter | None, query: Query, *, is_typed: bool = False) -> None:
        self._text = query if rows is None else None
        self.set_class(rows is None, "-text")
        shown = rows or FlatFilter()
        self._tab.index = _MATCHES.index(shown.match)
        drafts = [Draft.of(condition) for condition in shown.conditions]
        if not is_typed or drafts != [draft for draft in self._rows.drafts if not draft.is_untouched]:
            self._rows.show(drafts, keeps_list=is_typed)

    def renew(self) -> None:
        self._values.renew()
        self._counts.renew()
        self._names_read = False

    def on_unmount(self) -> None:
        self._values.close()
        self._counts.close()

    @property
    def edited(self) -> FlatFilter:
        return flat_filter(_MATCHES[self._tab.index], self._rows.drafts)

    def compose(self) -> ComposeResult:
        self._styled_for = self.app.theme
        self._fit(self.app.size)  # before the first layout, so that nothing moves once it is shown
        with self.box("Filter by"):
            yield self._line
            with Horizontal(id="head"):
                yield self._tab
                yield self._count
            yield self._rows
            yield Static(TEXT_WORDS, id="as-text", markup=False)
            with Horizontal(id="more"):
                yield Button("+ Add Filter", id="add", action="add")
                yield Button("Edit as text", id="edit-text", action="edit_text")
            yield self._check
            with Horizontal(id="foot"):
                yield Button("Clear All", id="clear", action="clear")
                yield Static(id="gap")
                yield Button("Cancel", id="cancel", action="cancel")
                yield Button("Apply", id="apply", classes="-primary")
            yield self._hint
        yield self._popup

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        # What is mounted is styled; Textual would do it again each time, 40 ms for eight rows.
        event.refresh_styles = self._styled_for != self.app.theme
        self._styled_for = self.app.theme
        if self._is_fresh:
            self._is_fresh = False
            self._rows.scroll_home(animate=False)
            value = self._rows.rows[0].value
            if self._text is not None:
                self.set_focus(self._line.input)
            else:
                self.set_focus(value)
                value.select_all()  # it may have the focus from the last time, and tells nothing then
            self._count.begin(self._edited_query())
            self._look()
            if not self._names_read:
                self._names_read = True
                self.run_worker(self._read_names, thread=True, group="names", exclusive=True)

    def _read_names(self) -> None:
        """In a thread: ask which fields the metadata have; without an answer, none are offered."""
        try:
            with closing(self._open_reader()) as reader:
                names: Mapping[str, int] = reader.metadata_names()
        except AuditTuiError:
            # It is an offer only: whoever needs the store next says what is wrong with it.
            names = {}
        self.call_later(self._take_names, names)

    def _take_names(self, names: Mapping[str, int]) -> None:
        self._rows.offer_names(names)
        self._line.input.metadata_names = names

    def on_screen_suspend(self) -> None:
        self._popup.close()
        self._count.stop()
        self._values.cancel()

    def on_resize(self, event: events.Resize) -> None:
        if event.size != self._fitted:
            self._fit(event.size)
            self._popup.close()
            self._show_hint()

    def _fit(self, size: Size) -> None:
        self._fitted = size
        is_short = size.height < TALL_LINES
        self.set_class(is_short, "-short")
        self.set_class(size.width < WIDE_CELLS, "-narrow")
        rest = 7 if is_short else 9
        most = max(size.height - rest, 1)
        self._rows.styles.max_height = most
        self._rows.styles.min_height = 1 if is_short else min(MIN_ROWS, most)

    def on_descendant_focus(self) -> None:
        self._look()

    def on_click(self, event: events.Click) -> None:
        """Close the list when something else is clicked; fields with lists see to their own clicks."""
        owner = self._popup.owner
        if owner is not None and not owner.region.contains(event.screen_x, event.screen_y):
            self._popup.close()

    # What the fields tell

    @on(QueryRow.Edited)
    def _take_line(self) -> None:
        self._errors.clear()
        if self._line.error is not None:
            self._count.refuse("not understood")
            self._show_hint()
            return
        query = self._line.query_meant
        self._show_rows(_rows_of(query), query, is_typed=True)
        self._count.count(self._edited_query())
        self._look()

    @on(ConditionRow.Edited)
    @on(PickLine.Changed)
    def _recount(self) -> None:
        self._text = None
        self._line.show(line_of(self.edited.expression()))
        self._errors.clear()
        if any(draft.problem() is not None for draft in self._rows.drafts):
            self._count.refuse("a value cannot match")
        else:
            self._count.count(self._edited_query())
        self._look()

    @on(ValueInput.ListToggled)
    @on(ValueCheck.Checked)
    def _look(self) -> None:
        rows = self._rows.rows
        drafts = [row.draft for row in rows]
        focused = self._rows.focused_row()
        first = [] if focused is None else [focused.draft]
        is_typing = any(row.value.is_asking for row in rows)
        self._check.look([*first, *drafts], may_ask=self.is_current and not is_typing)
        never = contradiction(self.edited) if self._text is None else None
        self._check.warn("" if never is None else contradiction_words(never))
        for row, draft in zip(rows, drafts, strict=True):
            row.value.is_unknown = self._check.is_unknown(draft)
        self._show_hint()

    def _edited_query(self) -> EventQuery:
        expression = everywhere(self.edited.expression() if self._text is None else self._text.filter)
        others = self._query.filter
        both = expression if others == EVERYTHING else All((others, expression))
        return replace(self._query, filter=both)

    @on(ValueInput.Failed)
    @on(MatchCount.Failed)
    def _show_error(self, event: ValueInput.Failed | MatchCount.Failed) -> None:
        before = self._errors.pop(type(event), None)
        if event.error is not None:
            self._errors[type(event)] = event.error
        if event.error is not before:
            self._show_hint()

    @on(ValueInput.Meant)
    def _take_meant(self, event: ValueInput.Meant) -> None:
        others = line_of(self.edited.expression())
        joint = " or " if others and self.edited.match is Match.ANY else " "
        self._line.take(f"{others}{joint}{self._line.query_of(event.text)}".strip())
        self._take_line()
        if self._line.error is not None or self._text is not None:
            self._line.input.focus()

    @on(Button.Pressed, ".remove")
    def _remove(self, event: Button.Pressed) -> None:
        row = event.button.parent
        if isinstance(row, ConditionRow):
            self._rows.remove_row(row)
            self._recount()

    def action_add(self) -> None:
        self._rows.add()

    @on(QueryInput.Entered)
    def _enter_line(self) -> None:
        if not self._line.mend():
            self._apply()

    def action_edit_text(self) -> None:
        self._line.input.focus()

    @on(ValueInput.Entered)
    @on(PickLine.Entered)
    @on(Button.Pressed, "#apply")
    def _apply(self) -> None:
        if self._line.error is not None:
            self._line.input.focus()
            return
        if self._text is not None:
            self.leave(self._text)
            return
        problem = next(((row, error) for row in self._rows.rows if (error := row.draft.problem())), None)
        if problem is not None:
            row, self._errors[type(self)] = problem
            row.value.focus()
            self._show_hint()
        elif not self._rows.mark_incomplete():
            self.leave(self.edited)

    def action_clear(self) -> None:
        self.leave(FlatFilter())

    def action_step(self, step: int) -> None:
        rows = self._rows.rows
        row = self._rows.focused_row()
        if row is None:
            if self.focused is self._line.input:
                self._tab.focus()
            elif step < 0 and self.focused is self._tab:
                self._line.input.focus()
            elif step > 0 and self.focused is self._tab:
                rows[0].value.focus()
            elif step < 0 and self.focused is self.query_one("#add"):
                rows[-1].value.focus()
            return
        index = rows.index(row) + step
        if 0 <= index < len(rows):
            rows[index].field_like(self.focused).focus()
        else:
            self.query_one("#add" if step > 0 else PickLine).focus()

    def action_remove_row(self) -> None:
        row = self._rows.focused_row()
        if row is not None:
            self._rows.remove_row(row)
            self._recount()

    def _show_hint(self) -> None:
        self._hint.set_class(bool(self._errors), "-error")
        if self._line.error is not None:
            mistake = self._line.error
            words = clean(f"{mistake.message} {mistake.hint}") + ("   ⏎ mends it" if mistake.mended else "")
            self._hint.add_class("-error")
            self._hint.update(f"✗ {words}", layout=False)
            return
        if self._errors:
            error = next(reversed(self._errors.values()))
            words = clean(f"{error.message} {error.hint}")
            self._hint.update(f"✗ {words}", layout=False)
            return
        if self.has_class("-short") and self._check.words:
            hint = self._check.words
        elif isinstance(self.focused, ValueInput) and self._popup.is_open_for(self.focused):
            hint = LIST_HINT
        else:
            hint = HINTS.get(type(self.focused) if self.focused is not None else Button, "")
        if hint != self._hint.content:
            self._hint.update(hint, layout=False)


def _rows_of(query: Query) -> FlatFilter | None:
    """Return the rows that say what a query does; None where it says more, or when."""
    has_times = any(condition.field is Column.TIME for condition in conditions_in(query.filter))
    return None if has_times or query.time_range is not None else flat(query.filter)
