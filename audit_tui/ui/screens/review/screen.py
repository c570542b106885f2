"""The review screen: the bars round the list, and what the keys and the mouse do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import bindings
from audit_tui.ui.screens.review.around import Around
from audit_tui.ui.screens.review.changing import Changing
from audit_tui.ui.screens.review.comparing import Comparing
from audit_tui.ui.screens.review.detecting import Detecting
from audit_tui.ui.screens.review.taking_out import TakingOut
from audit_tui.ui.screens.review.viewing import Viewing

if TYPE_CHECKING:
    from textual.binding import BindingType


class ReviewScreen(Detecting, Around, Comparing, Viewing, TakingOut, Changing):
    """Shows who did what and when, and does what is asked of it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.SCREEN)]
