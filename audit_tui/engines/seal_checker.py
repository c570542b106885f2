"""The check of the seals behind a screen on a shared engine: every store, batch by batch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from audit_tui.core.event import packed_seq
from audit_tui.core.evidence.sealed import MAX_WRONG_RUNS, SealState, SealStatus, WrongEvents
from audit_tui.engines.opening import connected
from audit_tui.engines.verifying import SharedCheck, SharedStore, StoreReport, stores_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.source import SourceUrl

LOOK_S = 5.0
"""The time between two looks for what was shipped since."""


class SharedSealChecker:
    """Implements ``core.evidence.sealed.SealChecker``, with a connection of its own.

    Args:
        url: The engine.

    Raises:
        StoreError: If it cannot be read.
    """

    def __init__(self, url: SourceUrl) -> None:
        self._pool, self._dialect = connected(url)
        self._checks: dict[int, SharedCheck] = {}
        self._reports: dict[int, StoreReport] = {}
        self._look_at_s = 0.0
        self._began_s = time.time()

    def run(self, report: Callable[[SealStatus], None], cancel: CancelToken | None = None) -> SealStatus:
        """Check what was shipped since, and report after each batch."""
        stores = stores_of(self._pool, self._dialect)
        for store in stores:
            before = self._reports.get(store.number)
            if before is not None and before.store.size == store.size:
                continue
            check = self._checks.setdefault(store.number, SharedCheck(self._pool, self._dialect, store))
            check.grow(store)
            self._reports[store.number] = check.run(
                lambda _: report(self._status(stores, SealState.CHECKING)), cancel
            )
        state = SealState.HOLDS if all(each.holds for each in self._reports.values()) else SealState.BROKEN
        status = self._status(stores, state if self._reports else SealState.UNSEALED)
        report(status)
        return status

    def is_due(self) -> bool:
        """Tell whether more was shipped; looks every few seconds."""
        if time.monotonic() < self._look_at_s:
            return False
        self._look_at_s = time.monotonic() + LOOK_S
        sizes = {store.number: store.size for store in stores_of(self._pool, self._dialect)}
        return sizes != {number: report.store.size for number, report in self._reports.items()}

    def begin_again(self) -> None:
        """Forget what was checked."""
        self._checks.clear()
        self._reports.clear()

    def close(self) -> None:
        """Let the connection go."""
        self._pool.close()

    def _status(self, stores: list[SharedStore], state: SealState) -> SealStatus:
        reports = self._reports.values()
        wrong = [
            WrongEvents(
                run.wrong,
                packed_seq(report.store.number, run.first_seq),
                packed_seq(report.store.number, run.last_seq),
            )
            for report in reports
            for run in report.wrong
        ]
        problems = [f"{report.store.name}: {problem}" for report in reports for problem in report.problems]
        if wrong:
            # Numbers alone do not say which store they belong to.
            names = sorted({report.store.name for report in reports if report.wrong})
            problems.insert(0, f"events of {', '.join(names)} are not what was sealed")
        checked = sum(check.done for check in self._checks.values())
        return SealStatus(
            state,
            verified_seq=checked,
            sealed_seq=sum(store.size for store in stores),
            wrong=tuple(wrong[:MAX_WRONG_RUNS]),
            message="; ".join(problems[:3]),
            pruned_events=sum(report.pruned for report in reports),
            redacted_events=sum(report.redacted for report in reports),
            read_at_s=self._began_s,
            is_shared=True,
        )
