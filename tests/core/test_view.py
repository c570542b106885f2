"""The view and its chips: what narrows, what is off, what is lifted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.core.columns import Column
from audit_tui.core.command_text import event_options
from audit_tui.core.filter.filters import EVERYTHING, All, Any, Condition, MetaField
from audit_tui.core.filter.operators import CONTAINS, IS, IS_NOT
from audit_tui.core.left import Left
from audit_tui.core.time.dates import TimeContext
from audit_tui.core.view import Chip, View, chipped

ALICE = Condition(Column.USER, IS, "alice")
NO_LOGIN = Condition(Column.EVENT, IS_NOT, "Login")
ADMIN = Condition(MetaField("request.role"), IS, "admin")
EITHER = Any((ALICE, Condition(Column.DESCRIPTION, CONTAINS, "failed")))
PARTS = (ALICE, NO_LOGIN, ADMIN, EITHER)


def in_force_parts(view: View) -> tuple[object, ...]:
    expression = view.in_force
    return expression.parts if isinstance(expression, All) else (expression,)


def test_chips_narrow_beside_the_dialog_filter_and_count() -> None:
    view = View(EITHER).narrowed(NO_LOGIN).narrowed(ADMIN)
    assert view.filter == EITHER
    assert view.chips == (Chip(NO_LOGIN), Chip(ADMIN))
    assert view.in_force == All((EITHER, NO_LOGIN, ADMIN))
    assert view.filter_count == 4
    assert view.query(TimeContext(UTC, datetime(2026, 11, 22, tzinfo=UTC))).filter == view.in_force


def test_narrowing_twice_changes_nothing_and_switches_an_off_chip_on() -> None:
    view = View(ALICE).narrowed(NO_LOGIN)
    assert view.narrowed(NO_LOGIN) == view
    assert view.narrowed(ALICE) == view
    assert view.with_chip_switched(0).in_force == ALICE
    assert view.with_chip_switched(0).narrowed(NO_LOGIN) == view


def test_several_conditions_become_chips_of_their_own() -> None:
    assert View().narrowed(All((ALICE, EITHER))).chips == (Chip(ALICE), Chip(EITHER))
    assert chipped(View(All((ALICE, EITHER)))) == View(chips=(Chip(ALICE), Chip(EITHER)))
    assert chipped(View()) == View()


def test_lifting_takes_all_off_and_gives_all_back() -> None:
    view = View(ALICE, chips=(Chip(NO_LOGIN), Chip(ADMIN, is_on=False)), is_lifted=True)
    assert view.in_force == EVERYTHING
    assert view.filter_count == 0
    # What is chosen while the filters are lifted holds alone; the others wait as chips.
    off = tuple(Chip(each, is_on=False) for each in (ALICE, NO_LOGIN, ADMIN))
    assert view.narrowed(EITHER) == View(chips=(*off, Chip(EITHER)))
    assert view.with_chip_switched(0) == View(chips=(off[0], Chip(NO_LOGIN), off[2]))


def test_chips_are_dropped_one_by_one_and_all_at_once() -> None:
    view = View(ALICE).narrowed(NO_LOGIN).narrowed(ADMIN)
    assert view.without_chip(-1).chips == (Chip(NO_LOGIN),)
    assert view.without_chip(0).chips == (Chip(ADMIN),)
    assert view.without_filters() == View()


def test_what_is_printed_is_what_is_in_force() -> None:
    context = TimeContext(UTC, datetime(2026, 11, 22, tzinfo=UTC))
    view = View(ALICE).narrowed(NO_LOGIN).narrowed(ADMIN).with_chip_switched(1)
    assert event_options(view, context)[:2] == ["-q", "user=alice event!=Login"]
    assert event_options(View(ALICE, is_lifted=True), context)[0] == "--range"


def test_filters_of_a_view_are_changed_everywhere() -> None:
    view = View(ALICE).narrowed(NO_LOGIN)
    assert view.with_filters(lambda _: ADMIN) == View(ADMIN, chips=(Chip(ADMIN),))


chips = st.builds(Chip, st.sampled_from(PARTS), st.booleans())


@given(st.sampled_from((EVERYTHING, *PARTS)), st.lists(chips, max_size=4).map(tuple), st.booleans())
def test_a_view_left_comes_back_with_its_chips(
    filter_: Condition | Any, chips: tuple[Chip, ...], is_lifted: bool
) -> None:
    view = View(filter_, chips=chips, is_lifted=is_lifted)
    assert Left.from_plain(Left(view).to_plain()).view == view
    if not is_lifted:
        expected = {filter_} - {EVERYTHING} | {chip.filter for chip in chips if chip.is_on}
        assert set(in_force_parts(view)) == (expected or {EVERYTHING} - {view.in_force})


@pytest.mark.parametrize("rows", ["x", [1], [[["user", "is", "a"], 1]], [[["user", "is"], True]]])
def test_chips_that_are_none_are_refused(rows: object) -> None:
    plain = Left(View(chips=(Chip(ALICE),))).to_plain()
    with pytest.raises(ValueError):
        Left.from_plain({**plain, "chips": rows})
