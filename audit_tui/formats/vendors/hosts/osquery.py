"""osquery: a row was added to the answer of a query, or removed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.formats.words.english import shown

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_DID = {"added": "added a row to", "removed": "removed a row from", "snapshot": "took a snapshot of"}


def refine(telling: Telling) -> None:
    """Tell on which host which query has another answer."""
    host = telling.text("hostIdentifier") or "a host"
    action = telling.text("action") or ""
    did = _DID.get(action, "answered")
    about = f" ({shown(telling.target)})" if telling.target and telling.target != host else ""
    telling.sentence = f"osquery on {shown(host)} {did} {shown(telling.event)}{about}"
