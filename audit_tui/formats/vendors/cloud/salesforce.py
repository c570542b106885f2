"""Salesforce: a login whose status is a name of an error failed; a key of a login is of several events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling


def refine(telling: Telling) -> None:
    """Tell errors of logins, and give each event its own key."""
    if telling.outcome is Outcome.UNKNOWN and telling.result.startswith("login_"):
        telling.verdict = Verdict(Outcome.FAILURE)
    key = telling.values.get("key")
    if key is not None:
        telling.values["key"] = f"{key}:{telling.event}:{telling.values['time']}"
