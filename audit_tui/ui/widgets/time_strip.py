"""The strip of time over the list: when events were and failures, and where the cursor stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil, sqrt
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from audit_tui.core.query import Interval
from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import bindings
from audit_tui.ui.lane import Lane
from audit_tui.ui.time_buckets import TimeBuckets, read_buckets
from audit_tui.ui.widgets.bars import Bar
from audit_tui.ui.widgets.list.row_strips import MARKED_MARK
from audit_tui.ui.widgets.painter import ROLES, Piece, Role, fit, paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType

    from audit_tui.core.investigate.detections import Level
    from audit_tui.core.query import ReaderFactory
    from audit_tui.ui.history import ShownView

LINES = 3
BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
MARGIN_CELLS = 1
AGAIN_S = 2.0
"""The same result is counted again after so long at the earliest, while it grows."""
_HINTS = ("⏎ only these  Space from here  e failures ", "⏎ only these  Space from here ", "⏎ only these ", "")


class TimeStrip(Widget, can_focus=True):
    """Shows the result in buckets of time, and lets a stretch of them be chosen."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Where.STRIP)]
    COMPONENT_CLASSES: ClassVar[set[str]] = ROLES | {"time-strip--here", "time-strip--chosen"}

    @dataclass
    class Chosen(Message):
        """A stretch of time was chosen."""

        bounds: Interval

    def __init__(self, open_reader: ReaderFactory) -> None:
        super().__init__(id="strip")
        self._lane = Lane(open_reader)
        self._wanted: ShownView | None = None
        self._shown: ShownView | None = None
        self._buckets = TimeBuckets(Interval())
        self._error = ""
        self._marks: Sequence[tuple[int, Level]] = ()
        self._marked_us: Sequence[int] = ()
        self._signs: dict[int, str] = {}
        """The sign of each bucket that has one: of a mark, else of the weightiest level of its hits."""
        self._occurred_us: int | None = None
        self._here: int | None = None
        self._head = 0
        """The bucket that the keys of the strip move."""
        self._anchor: int | None = None
        self._is_dragging = False
        self._is_resting = False

    def on_unmount(self) -> None:
        self._lane.close()

    # -- what is shown

    def count(self, shown: ShownView, *, is_reopened: bool = False) -> None:
        """Show a result when it is counted; nothing is asked while the strip is hidden."""
        if is_reopened:
            self._lane.renew()
        grows = self._wanted is not None and (shown.view, shown.context.zone) == (
            self._wanted.view,
            self._wanted.context.zone,
        )
        self._wanted = shown
        if not self.display or not self._most:
            return
        if not grows:
            self._ask()
        elif not self._is_resting:
            self._is_resting = True
            self._ask()
            self.set_timer(AGAIN_S, partial(self._ask_again, shown))

    def _ask_again(self, counted: ShownView) -> None:
        self._is_resting = False
        if self._wanted is not counted:
            self._ask()

    def _ask(self) -> None:
        # The rows are drawn first: counting takes their time otherwise.
        self._lane.cancel()
        self.call_after_refresh(self._start, self._wanted)

    def _start(self, wanted: ShownView | None) -> None:
        if wanted is not None and wanted is self._wanted:
            most = self._most
            self._lane.put(
                self,
                "strip",
                lambda reader, cancel: read_buckets(reader, wanted.query, most, wanted.context, cancel),
                partial(self._take_counts, wanted),
                lambda error: self._take_counts(wanted, TimeBuckets(Interval()), error.message),
            )

    def _take_counts(self, shown: ShownView, buckets: TimeBuckets, error: str = "") -> None:
        if shown is not self._wanted and shown.view != getattr(self._wanted, "view", None):
            return
        is_other = self._shown is None or self._shown.view != shown.view
        self._shown, self._buckets, self._error = shown, buckets, error
        self._find_signs()
        self._head = min(self._head, max(0, len(self._buckets.events) - 1))
        self._here = None
        self.follow(self._occurred_us)
        if is_other:
            self._head, self._anchor = self._here or 0, None
        self.refresh()

    def mark(self, hits: Sequence[tuple[int, Level]], marked_us: Sequence[int] = ()) -> None:
        self._marks, self._marked_us = hits, marked_us
        self._find_signs()
        self.refresh()

    def _find_signs(self) -> None:
        levels: dict[int, Level] = {}
        for occurred_us, level in self._marks:
            bucket = self._buckets.bucket_of(occurred_us)
            if bucket is not None and (bucket not in levels or levels[bucket].value < level.value):
                levels[bucket] = level
        self._signs = {bucket: level.letter for bucket, level in levels.items()}
        marked = map(self._buckets.bucket_of, self._marked_us)
        self._signs |= {bucket: MARKED_MARK for bucket in marked if bucket is not None}

    def follow(self, occurred_us: int | None) -> None:
        """Mark the bucket of the event under the cursor; None leaves the mark where it is."""
        if occurred_us is None:
            return
        self._occurred_us = occurred_us
        here = self._buckets.bucket_of(occurred_us)
        if here != self._here:
            self._here = here
            self.refresh()

    @property
    def _most(self) -> int:
        return max(0, self.size.width - 2 * MARGIN_CELLS)

    def _start_of(self, bucket: int) -> int:
        """Return the cell that a bucket begins in: together they fill the width, some a cell wider."""
        return bucket * self._most // max(1, len(self._buckets.events))

    def on_resize(self) -> None:
        if self._wanted is not None and self.display:
            self._ask()

    # -- drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._buckets.events:
            return paint(self, [Piece(fit(f" {self._error}" if y == LINES - 1 else "", width))], width)
        if y == LINES - 1:
            return paint(self, self._words(width), width)
        counts = self._buckets.events if y == 0 else self._buckets.failures
        most, gap = max(counts, default=0), GAP if y == 0 else " "
        # As high as the square root: beside a burst a single act can be seen.
        bars = [BARS[ceil(len(BARS) * sqrt(each / most)) - 1] if each else gap for each in counts]
        role = Role.VALUE if y == 0 else Role.FAILURE
        low, high = self._choice or (-1, -1)
        pieces: list[tuple[str, str]] = [(" " * MARGIN_CELLS, Role.QUIET.value)]
        for bucket, bar in enumerate(bars):
            look = Role.QUIET.value if bar == GAP else role.value
            if low <= bucket <= high:
                look = "time-strip--chosen"
            elif bucket == self._here and y == 0:  # each line more is 30 bytes of a cursor key
                look = "time-strip--here"
            text = bar * (self._start_of(bucket + 1) - self._start_of(bucket))
            if y and bucket in self._signs:
                text = self._signs[bucket] + text[1:]
            if pieces[-1][1] == look:
                text = pieces.pop()[0] + text
            pieces.append((text, look))
        segments = [Segment(text, self.get_component_rich_style(look)) for text, look in pieces]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _words(self, width: int) -> list[Piece]:
        shown, buckets = self._shown, self._buckets
        choice = self._choice
        if shown is None or (choice is None and self._here is None) or not any(buckets.events):
            return [Piece(fit("", width))]
        low, high = choice or (self._here or 0, self._here or 0)
        words = buckets.words(low, high, shown.context)
        whole = f"{buckets.time_words(0, len(buckets.events) - 1, shown.context)} "
        hints = _HINTS if choice is not None else (whole, "")
        hint = next(each for each in hints if cell_len(words) + 4 <= width - cell_len(each) or not each)
        room = width - cell_len(hint)
        role = Role.LABEL if choice is None else Role.VALUE
        return [Piece(fit(f" {words}", room), role), Piece(hint, Role.QUIET)]

    # -- choosing

    @property
    def _choice(self) -> tuple[int, int] | None:
        if not self.has_focus or not self._buckets.events:
            return None
        anchor = self._head if self._anchor is None else self._anchor
        return min(anchor, self._head), max(anchor, self._head)

    def on_focus(self) -> None:
        if self._here is not None and not self._is_dragging:
            self._head, self._anchor = self._here, None
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _move(self, bucket: int) -> None:
        self._head = min(max(bucket, 0), max(0, len(self._buckets.events) - 1))
        self.refresh()

    def action_strip(self, by: int) -> None:
        self._move(self._head + by)

    def action_strip_first(self) -> None:
        self._move(0)

    def action_strip_last(self) -> None:
        self._move(len(self._buckets.events) - 1)

    def action_strip_anchor(self) -> None:
        self._anchor = self._head if self._anchor is None else None
        self.refresh()

    def action_strip_choose(self) -> None:
        if (choice := self._choice) is not None:
            self._anchor = None
            self.post_message(self.Chosen(self._buckets.bounds(*choice)))

    def action_strip_failures(self) -> None:
        self.post_message(Bar.Pressed("narrow-to-failures"))

    def action_leave_strip(self) -> None:
        if self._anchor is None:
            self.post_message(Bar.Pressed("go-to-list"))
        else:
            self._anchor = None
            self.refresh()

    def _bucket_at(self, x: int) -> int:
        last = max(0, len(self._buckets.events) - 1)
        cell = x - MARGIN_CELLS
        return min(max(((cell + 1) * (last + 1) - 1) // max(1, self._most), 0), last)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        bucket, choice = self._bucket_at(event.x), self._choice
        if choice is not None and choice[0] <= bucket <= choice[1] and not self._is_dragging:
            self.action_strip_choose()
            return
        self._is_dragging = True
        self.capture_mouse()
        self.focus()
        self._head = self._anchor = bucket
        self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._is_dragging:
            self._move(self._bucket_at(event.x))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if not self._is_dragging:
            return
        event.stop()
        self._is_dragging = False
        self.release_mouse()
        if self._anchor == self._head:
            self._anchor = None
            self.refresh()
        else:
            self.action_strip_choose()
