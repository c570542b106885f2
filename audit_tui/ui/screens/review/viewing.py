"""Saved views: shown by a digit or from their list, saved, starred and removed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.filter.filters import EVERYTHING, Condition
from audit_tui.core.filter.operators import MORE
from audit_tui.core.investigate.compare import new_values
from audit_tui.core.investigate.saved_views import (
    MAX_NAME_CHARS,
    STARS,
    SavedView,
    SavedViews,
    only_new,
    saved,
)
from audit_tui.core.query_line.text import line_of
from audit_tui.core.time.dates import Preset
from audit_tui.core.view import View, chipped
from audit_tui.errors import AuditTuiError
from audit_tui.ui.screens.review.marking import Marking

if TYPE_CHECKING:
    from audit_tui.ui.screens.pick_dialog import Choice, Picked

SINCE = "Since you left"
MAX_PAST = 12
MAX_NEW = 200
_NAME_CELLS = 28
_HINT = "⏎ 1-9 show   s save this view   0 free its digit   x remove   Esc close"


class Viewing(Marking):
    """The keys for saved views."""

    def action_saved_views(self) -> None:
        from audit_tui.ui.screens.pick_dialog import Choice, PickDialog

        views = self._saved_views()
        if views is None:
            return
        if views.problem:
            self.say(views.problem)
        seen = self._opening.seen_before
        choices: list[Choice[SavedView]] = []
        if seen is not None and (seq := seen()) is not None:
            since = saved(SINCE, View(Condition(Column.SEQ, MORE, str(seq)), Preset.ALL_TIME), self.context)
            choices.append(Choice(f"{SINCE:<{_NAME_CELLS}}  ", since, "   ", "all that came into the store"))
        choices += [
            Choice(f"{view.name:<{_NAME_CELLS}}  ", view, f"{view.star or ' '}  ", view.words)
            for view in views
        ]
        past = [self._past_choice(view) for view in self._past_views()]
        if past:
            choices += [Choice("", label="Shown before"), *past]
        keys = ("s", "x", "0", *map(str, STARS))
        dialog: PickDialog[SavedView] = PickDialog("Saved views", choices, hint=_HINT, keys=keys)
        self._open(dialog, partial(self._take_picked, views))

    def _past_views(self) -> list[View]:
        """Return the views that narrowed, of this run and of earlier ones, the last first, each once."""
        redact = self._opening.redact
        past = () if self._notebook is None else self._notebook.views
        views = dict.fromkeys((*reversed(self._history.views), *past))
        narrowing = [
            view for view in views if view.in_force != EVERYTHING and view != self._by_name(self.view)
        ]
        # By names, which are not shown.
        return [] if redact is not None and redact.is_on else narrowing[:MAX_PAST]

    def _past_choice(self, view: View) -> Choice[SavedView]:
        from audit_tui.ui.screens.pick_dialog import Choice

        line = line_of(view.in_force)
        name = "".join(filter(str.isprintable, line))[:MAX_NAME_CHARS].strip() or "Shown before"
        words = view.range_words(self.context)
        return Choice(f"   {line}", saved(name, view, self.context), end=f"  {words}")

    def on_unmount(self) -> None:
        if self._notebook is not None and not self._notebook.problem:
            # Nobody is there any more to be told.
            with suppress(AuditTuiError):
                self._notebook.remember(reversed(self._history.views))

    def action_starred(self, digit: int) -> None:
        views = self._saved_views()
        if views is None:
            return
        view = views.starred(digit)
        if view is None:
            self.say(f"No saved view has the star {digit}: {self._keymap.key_of('saved-views')} gives stars.")
        else:
            self._show_saved(view)

    def _saved_views(self) -> SavedViews | None:
        if self._opening.open_saved_views is None:
            self.say("There are no saved views here.")
            return None
        return self._opening.open_saved_views()

    def _take_picked(self, views: SavedViews, picked: Picked[SavedView]) -> None:
        view = picked.value
        try:
            match picked.key:
                case "enter" if view is not None:
                    self._show_saved(view)
                case "s":
                    self._ask_name(views)
                case "x" if view is not None:
                    removed = views.remove(view.name)
                    self.say(f"Removed {view.name}." if removed else "The views that ship stay.")
                case "0" if view is not None and view.star is not None:
                    views.save(replace(view, star=None))
                    self.say(f"{view.star} does not show {view.name} any more.")
                case key if key.isdigit() and (starred := views.starred(int(key))) is not None:
                    # The list shows the digit before its view: a reader takes it for the key of that view.
                    self._show_saved(starred)
                case key if key in map(str, STARS) and view is not None:
                    views.save(replace(view, star=int(key)))
                    self.say(f"{key} shows {view.name}.")
        except AuditTuiError as error:
            self.show_error(error)

    def _ask_name(self, views: SavedViews) -> None:
        from audit_tui.ui.screens.ask_line import AskLine

        dialog = AskLine("Save this view", placeholder="Name", hint=f"It is written to {views.path}.")
        self._open(dialog, partial(self._save, views))

    def _save(self, views: SavedViews, name: str) -> None:
        try:
            views.save(saved(name, self._by_name(self.view), self.context))
        except AuditTuiError as error:
            self.show_error(error)
        else:
            self.say(f"Saved as {name.strip()}: {self._keymap.key_of('saved-views')} shows it.")

    def _show_saved(self, saved_view: SavedView) -> None:
        try:
            view = saved_view.view(self.context, self.view)
        except AuditTuiError as error:
            self.show_error(error)
            return
        new = saved_view.new
        if new is None:
            self._show_named(saved_view.name, view)
            return
        query = view.query(self.context)
        self._ask_once(
            lambda reader: new_values(reader, query, new, MAX_NEW),
            partial(self._show_new, saved_view.name, new, view),
        )

    def _show_new(self, name: str, column: Column, view: View, values: list[str]) -> None:
        if values:
            self._show_named(name, chipped(view).narrowed(only_new(column, values)))
        else:
            self.say(f"{name}: there is none in {view.range_words(self.context)}.")

    def _show_named(self, name: str, view: View) -> None:
        self.show_view(view if view.chips else chipped(view), keep_cursor=False)
        self.say(f"{name}: {self._keymap.key_of('undo')} goes back.")
