"""The painter against a strict terminal: the screen becomes what is wanted, whatever was there."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from audit_tui.ui.terminal.frame import (
    ONE_CELL_EACH,
    PLAIN,
    UNKNOWN,
    Line,
    Pen,
    clusters,
    is_sure_width,
    line_of,
    pen_of,
    spliced,
    style_change,
    unknown_line,
)
from audit_tui.ui.terminal.painting import (
    Frame,
    Move,
    Output,
    Piece,
    Place,
    changed_spans,
    find_move,
    painted,
)
from tests.ui.terminal.model import BROKEN, Model, seen

WIDTH, HEIGHT = 20, 6
HOME = Place(0, 0)
PENS = tuple(
    pen_of(*given_)
    for given_ in [
        ("",),
        ("1",),
        ("4;31",),
        ("7",),
        ("38;5;9;48;5;17",),
        ("1;2;38;2;1;2;3",),
        ("44",),
        ("3;38;5;253;48;5;17",),
        ("", "id=1;https://a.example"),
        ("48;5;17", "id=2;https://b.example"),
    ]
)
CHARACTERS = [*"abc    .", "漢", "字", "é", "│"]
DOUBTFUL = ["👩", "e\u0301", "क्ष", "🇩🇪"]


def lines(characters: list[str]) -> st.SearchStrategy[Line]:
    run = st.tuples(
        st.lists(st.sampled_from(characters), min_size=1, max_size=8).map("".join), st.sampled_from(PENS)
    )
    whole = partial(spliced, line_of([(" " * WIDTH, PLAIN)]))
    return st.lists(run, max_size=6).map(lambda runs: whole([(0, line_of(runs))]))


def frames(characters: list[str]) -> st.SearchStrategy[list[Line]]:
    return st.lists(lines(characters), min_size=HEIGHT, max_size=HEIGHT)


@st.composite
def histories(draw: st.DrawFn, characters: list[str]) -> list[dict[int, Line]]:
    """Changes one after the other: single lines, whole frames, blocks that move."""
    now = draw(frames(characters))
    history = [dict(enumerate(now))]
    for _ in range(draw(st.integers(1, 4))):
        match draw(st.sampled_from(["some", "all", "move", "cells"])):
            case "some":
                changes = draw(st.dictionaries(st.integers(0, HEIGHT - 1), lines(characters), max_size=3))
            case "all":
                changes = dict(enumerate(draw(frames(characters))))
            case "move":
                top, bottom = sorted(draw(st.tuples(*[st.integers(0, HEIGHT - 1)] * 2)))
                up = draw(st.integers(-HEIGHT + 1, HEIGHT - 1))
                changes = {
                    y: now[y + up] if 0 <= y + up < HEIGHT else draw(lines(characters))
                    for y in range(top, bottom + 1)
                }
            case _:
                y, x = draw(st.integers(0, HEIGHT - 1)), draw(st.integers(0, WIDTH - 1))
                changes = {y: spliced(now[y], [(x, draw(lines(characters)))])}
        history.append(changes)
        now = [changes.get(y, line) for y, line in enumerate(now)]
    return history


def play(history: list[dict[int, Line]], model: Model) -> None:
    frame = Frame(WIDTH, HEIGHT)
    target = list(frame.lines)
    for number, changes in enumerate(history):
        target = [changes.get(y, line) for y, line in enumerate(target)]
        cursor = Place(number % HEIGHT, number % 3)
        model.feed(painted(frame, changes, cursor))
        assert frame.lines == target
        assert model.cursor == cursor
        assert model.pen == frame.pen
        assert not model.pen.link
        assert_shows(model, target)
        assert painted(frame, changes, cursor) == ""


def assert_shows(model: Model, target: list[Line]) -> None:
    """The screen shows the target; where widths are in doubt, all else stands at its place."""
    for row, line in zip(model.seen(), target, strict=True):
        for x, (shown, wanted) in enumerate(zip(row, line.cells, strict=True)):
            start = x
            while not line.cells[start][0]:
                start -= 1
            is_doubtful = not is_sure_width(line.cells[start][0])
            assert (is_doubtful and model.is_odd) or shown == seen(wanted), (x, row, line)


FEW = settings(max_examples=30)
MANY = settings(max_examples=2000)


@FEW
@given(histories(CHARACTERS))
def test_the_screen_becomes_what_is_wanted(history: list[dict[int, Line]]) -> None:
    play(history, Model(WIDTH, HEIGHT))


@FEW
@given(histories([*CHARACTERS, *DOUBTFUL]))
def test_characters_of_doubtful_width_do_no_harm_beside_them(history: list[dict[int, Line]]) -> None:
    play(history, Model(WIDTH, HEIGHT))
    play(history, Model(WIDTH, HEIGHT, narrow_width))


@pytest.mark.long
@MANY
@given(histories(CHARACTERS) | histories([*CHARACTERS, *DOUBTFUL]))
def test_the_screen_becomes_what_is_wanted_at_length(history: list[dict[int, Line]]) -> None:
    play(history, Model(WIDTH, HEIGHT))
    play(history, Model(WIDTH, HEIGHT, narrow_width))


def narrow_width(character: str) -> int:
    """Return how an old terminal measures: what came late to Unicode takes one cell."""
    return cell_len(character) if is_sure_width(character) else min(1, cell_len(character))


def test_a_character_wider_than_believed_moves_nothing_else() -> None:
    def uncombined(character: str) -> int:
        return max(1, cell_len(character))

    wide = Model(8, 1, uncombined)
    wide.feed(painted(Frame(8, 1), {0: line_of([("ae\u0301 bcdef", PLAIN)])}, HOME))
    assert "".join(text for text, _ in wide.rows[0]) == "ae bcdef"


def test_no_wide_character_is_cut() -> None:
    old, new = line_of([("a漢字b", PLAIN)]), line_of([("漢漢bb", PLAIN)])
    assert changed_spans(old.cells, new.cells) == [(0, 5)]
    assert changed_spans(line_of([("漢字", PLAIN)]).cells, line_of([("漢ab", PLAIN)]).cells) == [(2, 4)]


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        (2, "x", "a x字b"),
        (1, "x", "ax 字b"),
        (2, "xy", "a xy b"),
        (0, "漢", "漢 字b"),
        (5, "漢", "a漢字 "),
        (4, "xyz", "a漢 xy"),
    ],
)
def test_half_of_a_wide_character_becomes_a_blank(column: int, text: str, expected: str) -> None:
    line = spliced(line_of([("a漢字b", PLAIN)]), [(column, line_of([(text, PLAIN)]))])
    assert "".join(text for text, _ in line.cells) == expected
    assert sum(cell_len(text) for text, _ in line.cells) == len(line.cells) == 6


def test_behind_the_last_column_nobody_knows_where_the_cursor_is() -> None:
    whole, part = Output(PLAIN, HOME), Output(PLAIN, HOME)
    whole = whole.with_pieces([Piece(Place(0, 18), "ab", 2, PLAIN, reaches_end=True)])
    part = part.with_pieces([Piece(Place(0, 17), "ab", 2, PLAIN)])
    whole.end(Place(1, 19))
    part.end(Place(1, 19))
    assert whole.text.endswith("ab\x1b[2;20H")
    assert part.text.endswith("ab\x1b[B")


def frame_of(*texts: str, width: int = 40) -> Frame:
    frame = Frame(width, len(texts))
    frame.lines = lines_of(*texts, width=width)
    frame.pen, frame.cursor = PLAIN, HOME
    return frame


def lines_of(*texts: str, width: int = 40) -> list[Line]:
    return [line_of([(text.ljust(width)[:width], PLAIN)]) for text in texts]


def test_nothing_is_sent_for_nothing_new() -> None:
    assert painted(frame_of("a", "b", "c"), dict(enumerate(lines_of("a", "b", "c"))), HOME) == ""
    assert painted(frame_of("a", "b", "c"), {}, Place(1, 1)) == "\r\n\x1b[C"


@pytest.mark.parametrize(
    ("before", "after", "output"),
    [
        ("abc", "abd", "abd\r"),
        ("abcd", "abcx", "\x1b[3Cx\r"),
        ("a d", "a x", "a x\r"),
        ("abc", "xbc", "x\r"),
        ("a--------b", "c--------d", "c\x1b[8Cd\r"),
        ("a--b", "c--d", "c--d\r"),
        ("abcdefghi", "", "\x1b[K"),
    ],
)
def test_the_output_is_short(before: str, after: str, output: str) -> None:
    assert painted(frame_of(before), {0: lines_of(after)[0]}, HOME) == output


def test_only_what_differs_of_a_style_is_sent() -> None:
    blue, red = pen_of("38;5;9;48;5;17"), pen_of("1;38;5;9;48;5;17")
    frame = frame_of("", width=4)
    line = line_of([("a", blue), (" ", pen_of("48;5;17")), ("bc", red)])
    assert painted(frame, {0: line}, HOME) == "\x1b[38;5;9;48;5;17ma \x1b[1mbc\r"


def test_styles_are_written_one_after_the_other_where_that_is_shorter() -> None:
    text, bar = pen_of("38;5;253;48;5;233"), pen_of("38;5;17;48;5;16")
    rows = [line_of([("abc", text), ("|", bar)]) for _ in range(4)]
    output = painted(frame_of(*[""] * 4, width=4), dict(enumerate(rows)), HOME)
    assert output.count("m") == 2


HEAD, FOOT = "a line above " * 3, "and one below " * 3
NAMES = [" ".join(str(number**power) for power in range(3, 8)) for number in range(4, 16)]


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        (NAMES[:8], NAMES[1:9], Move(0, 7, 1)),
        (NAMES[1:9], NAMES[:8], Move(0, 7, -1)),
        ([HEAD, *NAMES[:6], FOOT], [HEAD, *NAMES[2:8], FOOT], Move(1, 6, 2)),
        ([HEAD, *NAMES[2:8], FOOT], [HEAD, *NAMES[:6], FOOT], Move(1, 6, -2)),
        (NAMES[:8], NAMES[:8], None),
        (NAMES[:4], NAMES[8:], None),
    ],
)
def test_lines_that_moved_are_found(before: list[str], after: list[str], move: Move | None) -> None:
    frame = frame_of(*before)
    wanted = lines_of(*after)
    changed = {y: line for y, line in enumerate(wanted) if line != frame.lines[y]}
    assert find_move(frame.lines, changed) == move
    model, frame = Model(40, len(before)), Frame(40, len(before))
    model.feed(painted(frame, dict(enumerate(lines_of(*before))), HOME))
    output = painted(frame, changed, HOME)
    model.feed(output)
    assert ["".join(text for text, _ in row).rstrip() for row in model.rows] == [
        text[:40].rstrip() for text in after
    ]
    assert move is None or len(output) < 40 * abs(move.up) + 40


def test_a_pane_beside_the_list_stays_where_it_is() -> None:
    pane = ["pane", "with", "words", "of", "its", "own", "that", "stay"]
    before = lines_of(*(f"{name:32.32}{word:8}" for name, word in zip(NAMES, pane, strict=False)))
    after = lines_of(*(f"{name:32.32}{word:8}" for name, word in zip(NAMES[1:], pane, strict=False)))
    assert find_move(before, dict(enumerate(after))) == Move(0, 7, 1)


def test_unknown_cells_are_left_alone() -> None:
    line = spliced(unknown_line(5), [(1, line_of([("ab", PLAIN)]))])
    assert line.cells[0] == UNKNOWN
    assert painted(Frame(5, 1), {0: line}, HOME) == "\x1b[1;2H\x1b[mab\r"


def test_lines_outside_the_frame_are_not_drawn() -> None:
    assert painted(Frame(3, 1), {1: line_of([("abc", PLAIN)])}, HOME) == "\x1b[1H"


def test_the_terminal_of_these_tests_breaks_cut_characters() -> None:
    model = Model(4, 1)
    model.feed("\x1b[m\x1b[H漢字\x1b[2Gx")
    assert model.rows[0] == [BROKEN, ("x", Pen()), ("字", Pen()), ("", Pen())]


@pytest.mark.parametrize(
    ("old", "new", "sequence"),
    [
        ("1;31", "31", "\x1b[22m"),
        ("1;31;44", "31;45", "\x1b[22;45m"),
        ("4;7", "7", "\x1b[24m"),
        ("1;2", "2", "\x1b[0;2m"),  # 22 would end both
        ("51;31", "31", "\x1b[0;31m"),
        ("1", "", "\x1b[m"),
        ("1;38;5;195;48;5;32", "38;5;195;48;5;23", "\x1b[22;48;5;23m"),
    ],
)
def test_an_attribute_ends_without_saying_the_colours_again(old: str, new: str, sequence: str) -> None:
    assert style_change(pen_of(old), pen_of(new)) == sequence


def test_the_characters_taken_for_one_cell_are() -> None:
    single = [chr(code) for code in range(0x2800) if ONE_CELL_EACH.fullmatch(chr(code))]
    assert {"a", "é", "…", "✗", "─", "▌"} <= set(single)
    for character in single:
        assert clusters(character) == ((character, 1),)
        assert is_sure_width(character)
    assert clusters("".join(single)) == tuple((character, 1) for character in single)
