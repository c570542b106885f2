"""The place of a scrollbar's thumb."""

from __future__ import annotations

import pytest
from textual.geometry import Size
from textual.scrollbar import ScrollBar

from audit_tui.ui.terminal.drawing import WholeBar, thumb_cell


class Bar(ScrollBar):
    """A bar outside of any app."""

    def __init__(self, whole: int, window: int, cells: int) -> None:
        super().__init__()
        self.set_reactive(ScrollBar.window_virtual_size, whole)
        self.set_reactive(ScrollBar.window_size, window)
        self._size = Size(1, cells)


@pytest.mark.parametrize("cells", [1, 2, 5, 21, 60])
@pytest.mark.parametrize("whole", [22, 23, 40, 301, 20_001, 1_000_001, 10_000_001])
def test_the_thumb_begins_where_it_is_drawn(whole: int, cells: int) -> None:
    window = min(cells, whole)
    bar = Bar(whole, window, cells)
    end = max(1, whole - window)
    for position in {0, 1, end // 3, end // 2, end - 1, end}:
        segments = WholeBar.render_bar(cells, whole, window if window < whole else 0, position).segments
        drawn = [
            index
            for index, single in enumerate(segments)
            if single.style is not None and single.style.reverse
        ]
        assert not drawn or thumb_cell(bar, position) == drawn[0]
