"""A result in the order of a column of few values: how many rows each has, then the rows that are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.event_fields import row_text
from audit_tui.core.query import After, AtRow, Before, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audit_tui.core.event import EventRow
    from audit_tui.core.query import PageKey, Place, Sort
    from audit_tui.engines.dialect import Args

    RowsOf: TypeAlias = Callable[[Sequence[str | None], Callable[[Args], str], str, int, int], list[EventRow]]
    """Reads for some names, with further conditions and an order, a few rows of each from an offset on."""

NAMES_AT_ONCE = 60
"""The names whose rows one statement reads."""
NEWEST, OLDEST = "occurred_us DESC, id DESC", "occurred_us, id"


class NameOrder:
    """Answers about one result that is sorted by a column of names.

    Args:
        sort: The order.
        totals: The number of its events for each name.
        rows_of: Reads them.
        count_newer: Counts those that have the name of a key and are newer than it.
    """

    def __init__(
        self,
        sort: Sort,
        totals: Mapping[str | None, int],
        rows_of: RowsOf,
        count_newer: Callable[[PageKey], int],
    ) -> None:
        self._sort = sort
        self._rows_of = rows_of
        self._count_newer = count_newer
        names = [name for name, events in totals.items() if events > 0]
        self._names = sorted(names, key=sort.rank, reverse=sort.descending)
        self._totals = totals

    def page(self, place: Place, limit_rows: int) -> Page:
        """Return a block of rows."""
        match place:
            case AtRow(index=index):
                return self._page_at(max(index, 0), limit_rows)
            case After(key=key):
                rows = self._next(key, limit_rows + 1, is_back=False)
            case Before(key=key):
                rows = self._next(key, limit_rows + 1, is_back=True)
        is_end = len(rows) <= limit_rows
        rows = rows[:limit_rows]
        return Page(tuple(reversed(rows) if isinstance(place, Before) else rows), is_end)

    def locate(self, key: PageKey) -> int:
        """Return how many rows come before a key."""
        before = sum(self._totals[name] for name in self._names if self._is_before(name, key.value))
        if key.value not in self._totals:
            return before
        return before + self._count_newer(key)

    def _page_at(self, index: int, limit_rows: int) -> Page:
        at = 0
        for place, name in enumerate(self._names):
            if at + self._totals[name] > index:
                rows = self._ordered(
                    self._rows_of((name,), _any, NEWEST, limit_rows + 1, index - at), is_back=False
                )
                rows += self._more(self._names[place + 1 :], limit_rows + 1 - len(rows), is_back=False)
                return Page(tuple(rows[:limit_rows]), len(rows) <= limit_rows)
            at += self._totals[name]
        return Page((), is_end=True)

    def _next(self, key: PageKey, limit: int, *, is_back: bool) -> list[EventRow]:
        rows: list[EventRow] = []
        if key.value in self._totals:
            sign, order = (">", OLDEST) if is_back else ("<", NEWEST)
            rows = self._ordered(
                self._rows_of((key.value,), lambda args: _beyond(args, key, sign), order, limit, 0),
                is_back=is_back,
            )
        if is_back:
            names = [name for name in reversed(self._names) if self._is_before(name, key.value)]
        else:
            names = [name for name in self._names if self._is_before(key.value, name)]
        return rows + self._more(names, limit - len(rows), is_back=is_back)

    def _more(self, names: Sequence[str | None], limit: int, *, is_back: bool) -> list[EventRow]:
        """Return the first rows of names, in the order in which they are given."""
        rows: list[EventRow] = []
        at = 0
        while len(rows) < limit and at < len(names):
            some: list[str | None] = []
            wanted = limit - len(rows)
            while at < len(names) and len(some) < NAMES_AT_ONCE and wanted > 0:
                some.append(names[at])
                wanted -= self._totals[names[at]]
                at += 1
            batch = self._rows_of(some, _any, OLDEST if is_back else NEWEST, limit - len(rows), 0)
            rows += self._ordered(batch, is_back=is_back)
        return rows[:limit]

    def _ordered(self, rows: list[EventRow], *, is_back: bool) -> list[EventRow]:
        """Return rows in the order of the result, or backwards."""
        rows.sort(key=lambda row: (row.occurred_us, row.seq), reverse=not is_back)
        rows.sort(
            key=lambda row: self._sort.rank(row_text(row, self._sort.column)),
            reverse=self._sort.descending is not is_back,
        )
        return rows

    def _is_before(self, name: str | None, other: str | None) -> bool:
        left, right = self._sort.rank(name), self._sort.rank(other)
        return left > right if self._sort.descending else left < right


def _any(_: Args) -> str:
    return "1 = 1"


def _beyond(args: Args, key: PageKey, sign: str) -> str:
    return f"(e.occurred_us, e.id) {sign} ({args(key.occurred_us)}, {args(key.seq)})"
