"""AWS VPC flow logs, whose fields are as somebody chose them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.formats.line_records import named_records
from audit_tui.formats.values import word_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_tui.formats.mapping import Telling
    from audit_tui.formats.record import LogText, Record, Reject

_USUAL = word_list(
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    " log-status"
)


def records(text: LogText) -> Iterator[Record | Reject]:
    """Return the flows of a log."""
    return named_records(text, _names_in, "a VPC flow log", _USUAL)


def _names_in(line: str) -> list[str] | None:
    return line.split() if " srcaddr " in line else None


def refine(telling: Telling) -> None:
    """Name a flow that was not recorded."""
    telling.values.setdefault("event", telling.text("log-status") or "flow")
