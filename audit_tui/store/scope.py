"""Which events a question is about, in one snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.record import Record
from audit_tui.store import plan
from audit_tui.store.read import sql

if TYPE_CHECKING:
    from audit_tui.store.predicate import Predicate
    from audit_tui.store.read.session import Session


class Scope(Record):
    """Which events, in one snapshot."""

    session: Session
    predicate: Predicate
    span: sql.Span
    upto_seq: int | None
    """Only events appended up to this one; None when that is all of them."""

    @property
    def is_whole_store(self) -> bool:
        """Whether the numbers that the store keeps of its names hold here."""
        return self.span.is_everything and self.upto_seq is None

    def drivers(self) -> plan.Drivers | None:
        """The cheapest index ranges that hold every match."""
        return plan.drivers(self.predicate, self.session.events)

    def scan(self, branch: plan.Branch) -> sql.Scan:
        """One index range of it."""
        return sql.Scan(branch, self.span, self.upto_seq)
