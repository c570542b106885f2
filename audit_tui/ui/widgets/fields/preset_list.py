"""The presets of the time-range dialog as a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from audit_tui.core.time.dates import Preset

if TYPE_CHECKING:
    from textual.binding import BindingType

PRESETS = tuple(Preset)


class PresetList(OptionList):
    """The ranges with a name, the chosen one marked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("right", "leave", "Next part", show=False)]

    @dataclass
    class PresetPicked(Message):
        """A preset was picked."""

        preset: Preset
        with_enter: bool
        """Enter was pressed, which on the same preset again means more than a click."""

    def __init__(self, chosen: Preset | None) -> None:
        self._chosen = chosen
        self._is_click = False
        super().__init__(*(Option(self._prompt(preset), id=preset.slug) for preset in Preset), compact=True)
        self.highlighted = 0 if chosen is None else PRESETS.index(chosen)

    def mark(self, chosen: Preset | None) -> None:
        before, self._chosen = self._chosen, chosen
        for preset in {before, chosen} - {None}:
            if preset is not None and before is not chosen:
                self.replace_option_prompt(preset.slug, self._prompt(preset))
        if chosen is not None:
            self.highlighted = PRESETS.index(chosen)

    def on_click(self) -> None:
        """Note that the OptionList's own handler, which comes next, picks by mouse."""
        self._is_click = True

    def on_key(self) -> None:
        """Note that a key picks next."""
        self._is_click = False

    def action_select(self) -> None:
        if self.highlighted is not None:
            picked = self.PresetPicked(PRESETS[self.highlighted], with_enter=not self._is_click)
            self.post_message(picked)

    def action_leave(self) -> None:
        self.screen.focus_next()

    def _prompt(self, preset: Preset) -> Content:
        if preset is self._chosen:
            return Content(f"• {preset.label}").stylize("bold")
        return Content(f"  {preset.label}")
