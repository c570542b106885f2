"""Every test of the screen waits for the app itself, not for a moment in which the machine is idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import textual.app
import textual.pilot
from textual.css.stylesheet import Stylesheet

from audit_tui.ui.terminal import key_order
from tests.ui.waiting import PATIENCE_S, wait_for_rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.css.model import RuleSet

textual.app.wait_for_idle = wait_for_rest  # type: ignore[attr-defined]
textual.pilot.wait_for_idle = wait_for_rest  # type: ignore[attr-defined]

# On a busy machine a dialog may take longer to open than a person waits with the next key.
key_order.PATIENCE_S = PATIENCE_S

_parse: Callable[..., list[RuleSet]] = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def _parse_once(sheet: Stylesheet, *source: object, **more: object) -> list[RuleSet]:
    """Parse a style sheet once for all apps of this process: it took a sixth of the start of each."""
    key = (*source, *more.items(), *sheet._variables.items())
    if key not in _parsed:
        _parsed[key] = _parse(sheet, *source, **more)
    return _parsed[key]


Stylesheet._parse_rules = _parse_once  # type: ignore[assignment,method-assign]
