from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.event import EventRow, Outcome
from audit_tui.core.query import NEWEST_FIRST, After, AtRow, Before, Page, PageKey, RowCount
from audit_tui.core.window import PAGE_ROWS, PageRequest, RowWindow


def result(size: int) -> list[EventRow]:
    row = EventRow(0, 0, "Login", None, None, None, Outcome.UNKNOWN, None, None, None, None)
    return [row._replace(seq=size - i, occurred_us=size - i) for i in range(size)]


def answer(rows: list[EventRow], request: PageRequest) -> Page:
    def place_of(key: PageKey) -> int:
        index = rows[0].seq - key.seq
        assert PageKey.of(rows[index], NEWEST_FIRST) == key
        return index

    match request.place:
        case AtRow(index=index):
            start, stop = index, index + request.limit_rows
        case After(key=key):
            start = place_of(key) + 1
            stop = start + request.limit_rows
        case Before(key=key):
            stop = place_of(key)
            start = max(0, stop - request.limit_rows)
            return Page(tuple(rows[start:stop]), is_end=start == 0)
    return Page(tuple(rows[start:stop]), is_end=stop >= len(rows))


def fill(window: RowWindow, rows: list[EventRow], first: int, last: int) -> int:
    steps = 0
    while (request := window.request(first, last)) is not None:
        window.add(request, answer(rows, request))
        steps += 1
        assert steps < 50, "the window asks for ever"
    return steps


@given(
    size=st.integers(0, 3000),
    jumps=st.lists(st.tuples(st.integers(0, 3200), st.integers(1, 60)), max_size=12),
    max_rows=st.sampled_from([PAGE_ROWS * 2, PAGE_ROWS * 32]),
    counted=st.booleans(),
)
def test_shows_the_right_row_everywhere(
    size: int, jumps: list[tuple[int, int]], max_rows: int, counted: bool
) -> None:
    rows = result(size)
    window = RowWindow(NEWEST_FIRST, max_rows)
    fill(window, rows, 0, 20)
    if counted:
        window.set_count(size)
    for jump, height in jumps:
        first = min(jump, max(0, window.count.value - 1))
        fill(window, rows, first, first + height)
        for index in range(first, min(first + height, size - 1) + 1):
            assert window.row(index) == rows[index]
    assert window.row(size) is None
    assert window.count.value <= size
    if window.count.exact:
        assert window.count.value == size


def test_counts_at_least_until_the_end_is_seen() -> None:
    rows = result(PAGE_ROWS + 10)
    window = RowWindow(NEWEST_FIRST)
    fill(window, rows, 0, 20)
    assert window.count == RowCount(PAGE_ROWS, exact=False)
    fill(window, rows, PAGE_ROWS, PAGE_ROWS + 5)
    assert window.count == RowCount(PAGE_ROWS + 10, exact=True)


def test_reads_by_key_next_to_what_is_there() -> None:
    rows = result(10_000)
    window = RowWindow(NEWEST_FIRST)
    fill(window, rows, 0, 20)
    window.set_count(10_000)
    middle = window.request(5000, 5020)
    assert middle is not None
    assert isinstance(middle.place, AtRow)
    fill(window, rows, 5000, 5020)
    below = window.request(PAGE_ROWS, PAGE_ROWS + 20)
    assert below is not None
    assert isinstance(below.place, After)
    above = window.request(4930, 4940)
    assert above is not None
    assert isinstance(above.place, Before)


def test_lets_the_farthest_rows_go() -> None:
    rows = result(20_000)
    window = RowWindow(NEWEST_FIRST, max_rows=PAGE_ROWS * 4)
    for first in range(0, 19_000, 200):
        fill(window, rows, first, first + 40)
    rows_held = sum(window.row(index) is not None for index in range(20_000))
    assert rows_held <= PAGE_ROWS * 4


def test_keeps_what_is_asked_for_though_it_is_more_than_the_most_rows() -> None:
    # Three blocks under one request, the middle one short: letting one go asked for it again, for ever.
    rows = result(769)
    window = RowWindow(NEWEST_FIRST, max_rows=PAGE_ROWS * 2)
    fill(window, rows, 0, 20)
    for first, height in ((196, 60), (452, 60), (708, 60), (65, 1), (0, 1), (322, 1), (198, 60)):
        fill(window, rows, first, first + height)
        assert [window.row(index) for index in (first, first + height)] == [
            rows[first],
            rows[first + height],
        ]


def test_an_empty_result_is_counted() -> None:
    window = RowWindow(NEWEST_FIRST)
    assert fill(window, [], 0, 20) == 1
    assert window.count == RowCount(0, exact=True)


def test_an_empty_page_past_the_end_tells_no_number() -> None:
    window = RowWindow(NEWEST_FIRST)
    fill(window, result(PAGE_ROWS + 10), 0, 20)
    window.add(PageRequest(AtRow(5_000), 5_000, PAGE_ROWS), Page((), is_end=True))
    assert not window.count.exact


def test_there_are_at_least_so_many_until_they_are_counted() -> None:
    window = RowWindow(NEWEST_FIRST)
    window.set_least(500)
    window.set_least(400)
    assert window.count == RowCount(500, exact=False)
    window.set_count(450)
    window.set_least(600)
    assert window.count == RowCount(450, exact=True)
