"""Reading Textual's updates: the same screen as Textual's own output, and a way back when that cannot be."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Offset, Region
from textual.strip import Strip

from audit_tui.ui.terminal import frame_diff
from audit_tui.ui.terminal.frame import PLAIN
from audit_tui.ui.terminal.frame_diff import FrameDiff, why_not
from audit_tui.ui.terminal.terminal_app import why_no_diff
from tests.ui.terminal.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Chops: TypeAlias = Sequence[Mapping[int, Strip | None]]
    Spans: TypeAlias = list[tuple[int, int, int]]
    Ends: TypeAlias = list[list[int]]

WIDTH, HEIGHT = 12, 4
HOME = Offset(0, 0)
CUTS = (0, 3, 5, WIDTH)
STYLES = [
    None,
    *map(Style.parse, ["bold red", "on blue", "underline", "white on blue link https://a.example"]),
]


def strips(width: int) -> st.SearchStrategy[Strip]:
    text = st.text("ab ", min_size=width, max_size=width)
    segment = st.tuples(text, st.sampled_from(STYLES)).map(lambda pair: Segment(*pair))
    halves = st.tuples(segment, segment).map(
        lambda two: Strip([Segment(two[0].text[:1], two[0].style), Segment(two[1].text[1:], two[1].style)])
    )
    return segment.map(lambda piece_: Strip([piece_])) | halves


rows = st.tuples(*(strips(end - start) for start, end in pairwise(CUTS)))
screens = st.lists(rows, min_size=HEIGHT, max_size=HEIGHT)
span = st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH)).filter(
    lambda given_: given_[1] < given_[2]
)


def full(screen: Sequence[Sequence[Strip]]) -> LayoutUpdate:
    return LayoutUpdate(list(screen), Region(0, 0, WIDTH, HEIGHT))


def partial(screen: Sequence[Sequence[Strip]], spans: list[tuple[int, int, int]]) -> ChopsUpdate:
    chops = [dict(zip(CUTS, row, strict=False)) for row in screen]
    return ChopsUpdate(chops, spans, [list(CUTS[1:])] * HEIGHT)


def console() -> Console:
    return Console(file=io.StringIO(), color_system="256", force_terminal=True)


class Stock(Model):
    """A terminal that takes what Textual itself sends: a reset after each style, line feeds before moves."""

    def __init__(self) -> None:
        super().__init__(WIDTH, HEIGHT)
        self.pen = PLAIN

    def draw(self, output: str) -> None:
        self.feed(output.replace("\x1b[0m", "\x1b[m").replace("\n", ""))

    def _style(self, parameters: str) -> None:
        super()._style(f"0;{parameters}" if parameters else "")


@settings(max_examples=40)
@given(screens, st.lists(st.tuples(screens, st.lists(span, min_size=1, max_size=4)), max_size=4))
def test_the_screen_is_the_one_that_textual_draws(
    first: list[tuple[Strip, ...]],
    updates: list[tuple[list[tuple[Strip, ...]], list[tuple[int, int, int]]]],
) -> None:
    ours, theirs, diff = Model(WIDTH, HEIGHT), Stock(), FrameDiff()
    for update in [full(first), *(partial(screen, sorted(spans)) for screen, spans in updates)]:
        output = diff.output_for(update, ColorSystem.EIGHT_BIT, HOME)
        assert output is not None
        ours.feed(output)
        theirs.draw(update.render_segments(console()))
        assert without_link_ids(ours) == without_link_ids(theirs)


def without_link_ids(model: Model) -> list[list[tuple[str, tuple[object, ...]]]]:
    return [
        [(text, (set(pen.attributes), *pen[1:3], pen.link.partition(";")[2])) for text, pen in row]
        for row in model.seen()
    ]


def blank(height: int = HEIGHT, width: int = WIDTH) -> LayoutUpdate:
    return LayoutUpdate([[Strip([Segment("x" * width)])]] * height, Region(0, 0, width, height))


def test_a_partial_update_needs_a_known_frame_of_its_size() -> None:
    diff = FrameDiff()
    change = partial([[Strip([Segment("abc")])] * 3] * HEIGHT, [(0, 0, 3)])
    assert diff.output_for(change, ColorSystem.STANDARD, HOME) is None
    assert diff.output_for(blank(HEIGHT + 1), ColorSystem.STANDARD, HOME)
    assert diff.output_for(change, ColorSystem.STANDARD, HOME) is None
    assert diff.output_for(blank(HEIGHT, WIDTH + 1), ColorSystem.STANDARD, HOME)
    assert diff.output_for(change, ColorSystem.STANDARD, HOME) is None
    assert diff.output_for(blank(), ColorSystem.STANDARD, HOME)
    assert diff.output_for(change, ColorSystem.STANDARD, HOME)


def test_all_is_sent_again_after_forgetting() -> None:
    diff = FrameDiff()
    first = diff.output_for(blank(), ColorSystem.STANDARD, HOME)
    assert diff.output_for(blank(), ColorSystem.STANDARD, HOME) == ""
    diff.forget()
    assert diff.output_for(blank(), ColorSystem.STANDARD, HOME) == first


def test_other_updates_are_left_to_textual() -> None:
    assert FrameDiff().output_for("text", ColorSystem.STANDARD, HOME) is None
    assert FrameDiff().output_for(None, ColorSystem.STANDARD, HOME) is None


def test_a_link_with_control_characters_is_no_link() -> None:
    style = Style(link="https://a.example\x1b]52;c;YQ==\x07")
    update = LayoutUpdate([[Strip([Segment("abcd", style)])]], Region(0, 0, 4, 1))
    assert FrameDiff().output_for(update, ColorSystem.STANDARD, HOME) == "\x1b[1H\x1b[mabcd\r"


def test_this_textual_is_as_expected() -> None:
    assert why_no_diff() == ""


class Renamed(LayoutUpdate):
    def __init__(self, strips: list[Iterable[Strip]], region: Region) -> None:
        self.lines, self.region = strips, region


class Other(ChopsUpdate):
    def __init__(self, chops: Chops, spans: Spans, ends: Ends) -> None:
        super().__init__(chops, spans, [[end + 1 for end in line] for line in ends])


class More(LayoutUpdate):
    def __init__(self, strips: list[Iterable[Strip]], region: Region, clear: bool) -> None:
        super().__init__(strips, region)


class Shifted(ChopsUpdate):
    def __init__(self, chops: Chops, spans: Spans, ends: Ends) -> None:
        super().__init__([{x - 1: strip for x, strip in chop.items()} for chop in chops], spans, ends)


@pytest.mark.parametrize(
    ("full_class", "partial_class", "words"),
    [
        (None, ChopsUpdate, "no LayoutUpdate or ChopsUpdate"),
        (LayoutUpdate, None, "no LayoutUpdate or ChopsUpdate"),
        (More, ChopsUpdate, "updates are made in another way"),
        (Renamed, ChopsUpdate, "a full update has other parts"),
        (LayoutUpdate, Other, "a partial update has other parts"),
        (LayoutUpdate, Shifted, "updates mean something else"),
    ],
)
def test_another_textual_is_found_out(
    full_class: type[Any] | None, partial_class: type[Any] | None, words: str
) -> None:
    assert why_not(full_class, partial_class) == words


@pytest.mark.parametrize(("value", "wanted"), [("1", False), ("yes", False), ("0", True), ("", True)])
def test_the_switch(monkeypatch: pytest.MonkeyPatch, value: str, wanted: bool) -> None:
    monkeypatch.setenv(frame_diff.OFF_SWITCH, value)
    assert frame_diff.is_wanted() is wanted
    assert (why_no_diff() == "") is wanted
