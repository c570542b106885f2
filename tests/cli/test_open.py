"""``open`` before the screen: what is read ahead, and what is refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from audit_tui.cli.opening.screen import ReadAhead
from audit_tui.core.columns import Column
from audit_tui.core.command_text import Link
from audit_tui.core.filter.filters import Condition
from audit_tui.core.filter.operators import IS
from audit_tui.core.left import Left
from audit_tui.core.query import EventQuery
from audit_tui.core.time.dates import Preset
from audit_tui.core.time.zones import zone_named
from audit_tui.core.view import View
from audit_tui.errors import StoreDamaged
from tests.cli.running import EVENTS, make_store, run
from tests.ui.fake_reader import FakeReader

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.cancel import CancelToken


def test_the_first_rows_are_read_ahead() -> None:
    with ReadAhead(FakeReader(EVENTS), EventQuery()) as ahead:
        page = ahead.result(30)
    assert page is not None
    assert [row.event for row in page.blocks[0][1].rows] == ["Login", "Role created", "Heartbeat", "Login"]


def test_rows_that_take_too_long_hold_nothing_up_and_are_given_up() -> None:
    begun, ended = threading.Event(), threading.Event()

    def slow(method: str, cancel: CancelToken | None) -> None:
        if method == "page":
            assert cancel is not None
            begun.set()
            interrupted = threading.Event()
            with cancel.interrupting(interrupted.set):
                assert interrupted.wait(60)
            ended.set()
            cancel.check()

    with ReadAhead(FakeReader(EVENTS, hook=slow), EventQuery()) as ahead:
        assert begun.wait(60)
        assert ahead.result(0) is None
        assert not ended.is_set()
    assert ended.is_set()


def test_a_store_that_turns_out_damaged_is_told_before_the_screen() -> None:
    def damaged(method: str, _: CancelToken | None) -> None:
        if method == "page":
            raise StoreDamaged("It is damaged.")

    with ReadAhead(FakeReader(EVENTS, hook=damaged), EventQuery()) as ahead, pytest.raises(StoreDamaged):
        ahead.result(30)


@pytest.mark.parametrize("command", [(), ("open",)])
def test_without_a_terminal_other_commands_are_named(store: Path, command: tuple[str, ...]) -> None:
    result = run(*command, str(store))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "The screen needs a terminal: input and output must not be redirected.\n"
        "Without the screen: audit-tui query prints events, audit-tui count their number.\n"
    )


def test_a_link_prints_its_view(tmp_path: Path) -> None:
    path = str(make_store(tmp_path / "audit.db"))
    view = View(Condition(Column.EVENT, IS, "Login"), Preset.ALL_TIME)
    word = Link((path,), "", Left(view), zone_named("Europe/Berlin")).text()
    result = run("open", "--plain", word)
    assert result.exit_code == 0, result.stderr
    same = run("query", "event=Login", "-s", path, "--range", "all-time", "--tz", "Europe/Berlin")
    assert result.stdout == same.stdout
    assert "Login" in result.stdout
    other = str(make_store(tmp_path / "other.db"))
    assert run(word, "--plain", "-s", other).stdout == result.stdout
    assert "user" not in run("open", word, "user:nobody", "--plain").stdout
    assert run("open", "--plain", "av1:broken").exit_code == 2
