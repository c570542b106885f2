"""Rows of events as cells of text: which columns, how wide, how a date reads. No Textual here."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from rich.cells import cell_len

from audit_tui.core.columns import LIST_COLUMNS, NAME_COLUMNS, Column
from audit_tui.core.event import number_text
from audit_tui.core.event_fields import ListField, row_text
from audit_tui.core.privacy.secrets import mask_secrets
from audit_tui.core.query import NEWEST_FIRST, Sort
from audit_tui.core.text import clean
from audit_tui.core.time.zones import date_text, local_time
from audit_tui.ui.widgets.list.column_layout import (
    FULL_DATE_CELLS,
    GAP_CELLS,
    GUTTER_CELLS,
    SHORT_DATE_CELLS,
    ColumnBox,
    Wanted,
    lay_out,
)
from audit_tui.ui.widgets.painter import fit, fit_at_most, fit_middle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from audit_tui.core.event import EventRow
    from audit_tui.core.view import ListedColumn

MISSING_VALUE = "-"
MEASURED_CHARS = 200
"""No column is wider; a cell of 100 MB is cut before it is measured."""
SCANNED_CHARS = 2_000
"""So much of a description is searched for secrets: more than any list is wide."""
_CUT_INSIDE = (Column.EVENT, Column.USER)
"""The columns in which both ends of a long value matter: ``it-support@acme-help.example``."""
_NOTHING: frozenset[ListField] = frozenset()
DEFAULT_DATE_FORMAT = "%Y-%m-%d %H:%M:%S"


class RowText:
    """Lays the columns out for a width and a result, and gives the cells of a row.

    Args:
        columns: The columns to show, in order.
        date_format: For strftime; the default one is shortened where there is little room, and does not
            say a day again that stands in the row above.
        masks_secrets: Whether passwords, keys and tokens in descriptions are masked.
    """

    def __init__(
        self,
        columns: Sequence[ListField] = LIST_COLUMNS,
        date_format: str = DEFAULT_DATE_FORMAT,
        *,
        masks_secrets: bool = False,
    ) -> None:
        self._zone: tzinfo = UTC
        self._masks_secrets = masks_secrets
        self.boxes: tuple[ColumnBox, ...] = ()
        self._settled = tuple(columns)
        self._columns = self._settled
        self._fixed: dict[ListField, int] = {}
        self._date_format = date_format
        self._sort = NEWEST_FIRST
        self._this_year = ""
        self._date_cells = (SHORT_DATE_CELLS, FULL_DATE_CELLS)
        self._wanted: dict[ListField, Wanted] = {}
        self._in_sight: Sequence[ListField] = ()

    @property
    def is_measured(self) -> bool:
        return bool(self._wanted)

    def choose(self, columns: Sequence[ListedColumn]) -> None:
        self._columns = tuple(column.field for column in columns) or self._settled
        self._fixed = {column.field: column.width for column in columns if column.width is not None}

    def begin(self, sort: Sort, zone: tzinfo, this_year: int, *, other_years: bool) -> None:
        self._sort = sort
        self._zone = zone
        self._this_year = f"{this_year:04d}"
        self._wanted = {}
        if self._date_format == DEFAULT_DATE_FORMAT:
            # A date without its year is wrong there, and one without its seconds is not evidence.
            self._date_cells = (FULL_DATE_CELLS if other_years else SHORT_DATE_CELLS, FULL_DATE_CELLS)

    def measure(self, rows: Sequence[EventRow]) -> None:
        if not rows:
            return
        for column in self._columns:
            if column is Column.TIME and self._date_format == DEFAULT_DATE_FORMAT:
                continue
            texts = (self._shown(row, column, self._columns)[:MEASURED_CHARS] for row in rows)
            cells = sorted(cell_len(clean(text)) for text in texts)
            if column is Column.TIME:
                self._date_cells = (cells[-1], cells[-1])
            else:
                self._wanted[column] = Wanted(cells[(len(cells) * 9 - 1) // 10], cells[-1])

    def lay_out(self, width: int) -> None:
        self.boxes = lay_out(width, self._wanted, self._columns, self._date_cells, self._fixed)
        self._in_sight = [box.column for box in self.boxes]

    def cells(self, row: EventRow, repeats: frozenset[ListField]) -> list[str]:
        return [
            (fit_middle if box.column in _CUT_INSIDE else fit)(
                self._text(row, box, Column.TIME in repeats), box.width
            )
            for box in self.boxes
        ]

    @property
    def row_cells(self) -> int:
        """Return how wide a row is with its mark in front and the gaps behind its columns."""
        return GUTTER_CELLS + sum(box.width + GAP_CELLS for box in self.boxes)

    def span(self, first_us: int, last_us: int) -> str:
        """Return when a run of rows was: ``12:04-12:07``, or its days."""
        start, end = sorted((first_us, last_us))
        begin, finish = local_time(start, self._zone), local_time(end, self._zone)
        if begin.date() != finish.date():
            return f"{begin:%m-%d}-{finish:%m-%d}"
        times = f"{begin:%H:%M}", f"{finish:%H:%M}"
        return times[0] if times[0] == times[1] else "-".join(times)

    def headings(self) -> list[str]:
        return [self._heading(box) for box in self.boxes]

    def _heading(self, box: ColumnBox) -> str:
        label = clean(box.column.label[:MEASURED_CHARS])
        if box.column != self._sort.column:
            return fit(label, box.width)
        mark = "▼" if self._sort.descending else "▲"
        gap = " " if cell_len(label) + 2 <= box.width else ""
        return fit(fit_at_most(label, max(0, box.width - 1)) + gap + mark, box.width)

    def repeats(self, row: EventRow, above: EventRow | None) -> frozenset[ListField]:
        """Return the columns in which a row says what the row above says; of the date, the day."""
        if above is None:
            return _NOTHING
        same: list[ListField] = [column for column in NAME_COLUMNS if row.text(column) == above.text(column)]
        if self._sort.column is Column.TIME and self._date_format == DEFAULT_DATE_FORMAT:
            same += [Column.TIME] if self._date(row)[:10] == self._date(above)[:10] else []
        return frozenset(same)

    def _text(self, row: EventRow, box: ColumnBox, repeats_day: bool) -> str:
        text = self._shown(row, box.column, self._in_sight)
        if box.column is not Column.TIME or self._date_format != DEFAULT_DATE_FORMAT:
            return text
        is_full = box.width >= FULL_DATE_CELLS
        if repeats_day:
            return " " * (11 if is_full else 6) + text[11:]
        return text if is_full or text[:4] != self._this_year else text[5:]

    def _shown(self, row: EventRow, column: ListField, columns: Sequence[ListField]) -> str:
        text = self._value(row, column)
        if column is not Column.DESCRIPTION or Column.USER not in columns:
            return text
        # In the order of descriptions they stand as they are ordered.
        return text if self._sort.column is column else without_user(text, row.user)

    def _value(self, row: EventRow, column: ListField) -> str:
        if column is Column.TIME:
            return self._date(row)
        if column is Column.SEQ:
            return number_text(row.seq)
        value = row_text(row, column)
        if value is None:
            return MISSING_VALUE
        return mask_secrets(value[:SCANNED_CHARS]) if self._masks_secrets else value

    def _date(self, row: EventRow) -> str:
        if self._date_format == DEFAULT_DATE_FORMAT:
            return date_text(row.occurred_us, self._zone)
        return local_time(row.occurred_us, self._zone).strftime(self._date_format)


def without_user(description: str, user: str | None) -> str:
    """A description without the user it begins with: beside their column 14 cells have better to say."""
    rest = description.removeprefix(f"{user} ") if user else description
    return rest or description
