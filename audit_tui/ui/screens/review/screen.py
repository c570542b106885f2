"""The review screen: the bars round the list, and what the keys and the mouse do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import bindings
from audit_tui.ui.screens.review.around import Around
from audit_tui.ui.screens.review.case_files import CaseFiles
from audit_tui.ui.screens.review.changing import Changing
from audit_tui.ui.screens.review.choosing import Choosing
from audit_tui.ui.screens.review.comparing import Comparing
from audit_tui.ui.screens.review.detecting import Detecting
from audit_tui.ui.screens.review.explaining import Explaining
from audit_tui.ui.screens.review.first_seen import Badges
from audit_tui.ui.screens.review.looking import Looking
from audit_tui.ui.screens.review.ordering import Ordering
from audit_tui.ui.screens.review.strip_keys import StripKeys
from audit_tui.ui.screens.review.taking_out import TakingOut
from audit_tui.ui.screens.review.viewing import Viewing

if TYPE_CHECKING:
    from textual.binding import BindingType


class ReviewScreen(
    Choosing,
    Detecting,
    Around,
    StripKeys,
    Explaining,
    Badges,
    Comparing,
    Changing,
    Looking,
    Viewing,
    CaseFiles,
    TakingOut,
    Ordering,
):
    """Shows who did what and when, and does what is asked of it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.SCREEN)]
