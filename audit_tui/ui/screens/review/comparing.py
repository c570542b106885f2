"""See what is new: against another stretch of time, and what is still open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from audit_tui.core.cancel import CancelToken
from audit_tui.core.event import from_us, to_us
from audit_tui.core.investigate.compare import (
    LAST_WEEK,
    MOST_READ_EVENTS,
    PREVIOUS,
    Comparison,
    Kind,
    Shift,
    compare,
    compare_rest,
    intervals,
)
from audit_tui.core.investigate.pairs import Open, PairsResult, open_pairs, pair_filter
from audit_tui.core.text import counted
from audit_tui.core.time.dates import MomentRange, resolve
from audit_tui.core.time.zones import date_text
from audit_tui.errors import TimeError
from audit_tui.ui.screens.review.base import ReviewBase

if TYPE_CHECKING:
    from audit_tui.core.query import EventQuery
    from audit_tui.ui.screens.pick_dialog import Choice, PickDialog, Picked

_VALUE_CELLS = 40
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class Comparing(ReviewBase):
    """The keys that compare with another stretch of time, and list what is still open."""

    def action_compare(self) -> None:
        self._compare(PREVIOUS)

    def _compare(self, against: str) -> None:
        view = self.view
        try:
            now, before = intervals(view.time_range, self.context, against)
        except TimeError as error:
            self.say(f"{error.message} {error.hint}")
            return
        query = view.query(self.context)
        self._ask_once(
            lambda reader: compare(reader, query, now, before), partial(self._show_comparison, query, against)
        )

    def _show_comparison(self, query: EventQuery, against: str, comparison: Comparison) -> None:
        from audit_tui.ui.screens.pick_dialog import PickDialog

        is_week = against == LAST_WEEK
        words = "the same hours of last week" if is_week else "the range before"
        start_us = comparison.before.start_us
        span = "all before" if start_us is None else f"from {date_text(start_us, self.context.zone)}"
        title = f"{comparison.now_events:,} events against {comparison.before_events:,} in {words}, {span}"
        other = "the range before" if is_week else "last week"
        dialog: PickDialog[Shift] = PickDialog(
            title,
            _comparison_choices(comparison),
            hint=f"⏎ its events   w against {other}   Esc close",
            keys=("w",),
        )
        token = CancelToken()

        def take(picked: Picked[Shift] | None) -> None:
            token.cancel()
            self._take_shift(against, comparison, picked)

        self.app.push_screen(dialog, take)
        if comparison.left_out and comparison.can_be_read:
            self._read_rest(query, comparison, dialog, title, token)

    def _read_rest(
        self,
        query: EventQuery,
        comparison: Comparison,
        dialog: PickDialog[Shift],
        title: str,
        token: CancelToken,
    ) -> None:
        """Compare the columns that were left out while the others are looked at."""

        def show(compared: Comparison, share: float) -> None:
            if dialog.is_current:
                dialog.renew(title, _comparison_choices(compared, share))

        def report(share: float) -> None:
            self.call_later(show, comparison, share)

        self._ask_quietly(
            "compare",
            lambda reader: compare_rest(reader, query, comparison, cancel=token, report=report),
            lambda compared: show(compared, 1.0),
        )

    def _take_shift(self, against: str, comparison: Comparison, picked: Picked[Shift] | None) -> None:
        if picked is None:
            return
        if picked.key == "w":
            self._compare(PREVIOUS if against == LAST_WEEK else LAST_WEEK)
        elif picked.value is not None:
            shift = picked.value
            view = self.view
            if shift.kind is Kind.GONE:
                before = comparison.before
                start, end = (None if us is None else from_us(us) for us in (before.start_us, before.end_us))
                view = self.view_of(view.in_force, MomentRange(start, end))
            self.show_view(view.narrowed(shift.condition), keep_cursor=False)
            self.say(f"{shift.words}: {self._keymap.key_of('undo')} goes back.")

    # -- what is still open

    def action_still_open(self) -> None:
        load = self._opening.pairs
        if load is None:
            self.say("No pairs of events are known here.")
            return
        query = self.view.query(self.context)
        self._ask_once(lambda reader: open_pairs(reader, query, load()), self._show_open)

    def _show_open(self, result: PairsResult) -> None:
        from audit_tui.ui.screens.pick_dialog import PickDialog

        if not result.open:
            words = f"; {counted(result.closed, 'pair')} ended" if result.closed else ""
            self.say(f"Nothing is open in {self.view.range_words(self.context)}{words}.")
            return
        end_us = resolve(self.view.time_range, self.context).end_us
        now_us = to_us(self.context.now) if end_us is None else min(to_us(self.context.now), end_us)
        title = f"{len(result.open):,} still open, {result.closed:,} ended"
        if result.median_us is not None:
            title += f" after {told_duration(result.median_us)} (median)"
        if not result.is_whole:
            title += ", of the newest events"
        dialog: PickDialog[Open] = PickDialog(title, [_open_choice(each, now_us) for each in result.open])
        self._open(dialog, self._take_open)

    def _take_open(self, picked: Picked[Open]) -> None:
        if picked.value is not None:
            self.show_view(self.view_of(pair_filter(picked.value)), keep_cursor=False)
            self.say(f"{picked.value.thing}: {self._keymap.key_of('undo')} goes back.")


def told_duration(duration_us: int) -> str:
    """Return a length of time in its two largest units: ``3 d 4 h``."""
    rest = max(0, duration_us // 1_000_000)
    parts: list[str] = []
    for seconds, unit in _UNITS:
        number, rest = divmod(rest, seconds)
        if number or (unit == "s" and not parts):
            parts.append(f"{number:,} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def _comparison_choices(comparison: Comparison, share: float = 0.0) -> list[Choice[Shift]]:
    from audit_tui.ui.screens.pick_dialog import Choice

    choices: list[Choice[Shift]] = []
    last = None
    for shift in comparison.shifts:
        if shift.field is not last:
            last = shift.field
            choices.append(Choice("", label=shift.field.label))
        value = "-" if shift.value is None else shift.value
        choices.append(
            Choice(
                f"{value[:_VALUE_CELLS]:<{_VALUE_CELLS}}",
                shift,
                label=f"{shift.words:>6}  ",
                end=f"  {shift.now:,} now, {shift.before:,} before",
            )
        )
    if comparison.left_out:
        names = ", ".join(column.label for column in comparison.left_out)
        if comparison.can_be_read:
            words = f"reading the events, {share:.0%}"
        else:
            words = f"not compared, more than {MOST_READ_EVENTS:,} events"
        choices.append(Choice(f"{names}: {words}"))
    return choices or [Choice("Nothing differs more than by chance.")]


def _open_choice(item: Open, now_us: int) -> Choice[Open]:
    from audit_tui.ui.screens.pick_dialog import Choice

    event = item.event
    name = event.target or item.thing
    return Choice(
        f"{event.event}: {name[:_VALUE_CELLS]}",
        item,
        label=f"{told_duration(now_us - event.occurred_us):>12}  ",
        end=f"  {item.pair.words}, by {event.user or '-'}",
    )
