"""Keycloak: an event whose name does not end in ERROR, and that has none, went well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.words.english import plain_reason

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling


def refine(telling: Telling) -> None:
    """Tell how it ended."""
    has_failed = telling.event.endswith("_ERROR") or telling.reason is not None
    telling.verdict = Verdict(Outcome.FAILURE if has_failed else Outcome.SUCCESS)
    telling.reason = None if telling.reason is None else plain_reason(telling.reason.replace("_", " "))
