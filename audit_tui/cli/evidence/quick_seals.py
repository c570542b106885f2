"""A quick word about the seals of what is taken out."""

from __future__ import annotations

from audit_tui.core.source import EventSource, SourceUrl, local_path
from audit_tui.core.text import counted
from audit_tui.errors import StoreError


def seal_words(store: EventSource) -> str:
    """Return the result of a quick check of the seals, in words; it takes under a second."""
    from audit_tui.store.evidence.verifying import Mode, Request, Result, verify

    if isinstance(store, SourceUrl):
        return "not checked; audit-tui verify does"
    try:
        report = verify(local_path(store), Request(Mode.QUICK))
    except StoreError:
        return "not sealed"
    if report.result is Result.FAILED:
        return "BROKEN; audit-tui verify says where"
    return (
        f"the seals of {counted(report.size, 'event')} fit each other, not anchored; the events were not"
        " compared with them (audit-tui verify does)"
    )
