"""``audit-tui demo``: what it makes, keeps, makes again, and leaves alone."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import audit_tui.demo
from audit_tui.cli import progress
from audit_tui.cli.commands import demo as demo_module
from audit_tui.cli.main import commands
from audit_tui.cli.opening import screen, terminal
from audit_tui.cli.session import Session
from audit_tui.core.event import AuditEvent
from audit_tui.core.query import EventQuery
from audit_tui.core.time.dates import DEFAULT_RANGE, Preset
from audit_tui.demo import DemoValues, demo_events
from audit_tui.errors import UsageError
from audit_tui.store.read.reader import StoreReader, read_note
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from audit_tui.cli.options import EventsChoice

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SMALL = ("--events", "600", "--days", "40", "--users", "8")


def run(*args: str, now: datetime = NOW) -> Result:
    return CliRunner().invoke(commands, ["demo", *args], obj=Session(clock=lambda: now))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "here" / "trial.db"


@pytest.fixture
def place(path: Path) -> tuple[str, ...]:
    return ("--no-open", "--store", str(path))


def store_id(path: Path) -> str:
    with StoreReader(path) as reader:
        return reader.info().store_id


def names_beside(path: Path) -> set[str]:
    """Return the names in the folder; a reader may leave its empty files beside a store."""
    return {each.name for each in path.parent.iterdir() if not each.name.endswith(("-shm", "-wal"))}


class TestMaking:
    def test_the_events_are_those_of_the_values(self, path: Path, place: tuple[str, ...]) -> None:
        result = run(*SMALL, *place)
        assert result.exit_code == 0, result.output
        assert result.stdout == ""
        assert "600 events from 2026-10-14 to 2026-11-23" in result.stderr
        expected = list(demo_events(DemoValues(NOW, 600, 40, 8)))
        with StoreReader(path) as reader:
            assert reader.count(EventQuery()) == 600
            for seq in (1, 300, 600):
                stored = reader.event(seq)
                assert stored is not None
                assert (stored.key, stored.description, stored.metadata) == (
                    expected[seq - 1].key,
                    expected[seq - 1].description,
                    json.loads(json.dumps(expected[seq - 1].metadata)),
                )

    def test_the_store_is_one_private_file(self, path: Path, place: tuple[str, ...]) -> None:
        assert run(*SMALL, *place).exit_code == 0
        assert [each.name for each in path.parent.iterdir()] == ["trial.db"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_the_usual_place_is_not_the_default_store(self, tmp_path: Path) -> None:
        assert run(*SMALL, "--no-open").exit_code == 0
        data = tmp_path / "home" / "data" / "audit-tui"
        assert names_beside(data / "demo.db") == {"demo.db"}

    def test_an_empty_one_can_be_made(self, path: Path, place: tuple[str, ...]) -> None:
        assert run("--events", "0", *place).exit_code == 0
        with StoreReader(path) as reader:
            assert reader.newest_seq() == 0

    def test_until_a_day_includes_it(self, path: Path, place: tuple[str, ...]) -> None:
        result = run(*SMALL, "--until", "2026-03-31", *place)
        assert "to 2026-03-31" in result.stderr
        noted = read_note(path, demo_module.NOTE)
        assert noted is not None
        assert json.loads(noted)["until"] == "2026-04-01T00:00:00.000000Z"

    def test_no_progress_without_a_terminal(self, place: tuple[str, ...]) -> None:
        assert "\r" not in run(*SMALL, *place).stderr

    def test_progress_on_a_terminal_is_one_line_that_goes(
        self, place: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(progress, "on_terminal", lambda: True)
        shown = run(*SMALL, *place).stderr
        assert "\rMaking trial.db: 600 of 600 events, 100%" in shown
        assert shown.count("\n") == 1
        last_line = shown.rstrip("\n").rsplit("\r", 1)[-1]
        assert last_line.startswith("Made ")


class TestMakingAgain:
    def test_the_same_values_keep_it(self, path: Path, place: tuple[str, ...]) -> None:
        run(*SMALL, *place)
        before = store_id(path)
        result = run(*SMALL, *place, now=NOW + timedelta(hours=6))
        assert result.exit_code == 0
        assert "same values" in result.stderr
        assert store_id(path) == before

    @pytest.mark.parametrize(
        "changes",
        [("--seed", "2"), ("--users", "9"), ("--events", "601"), ("--days", "41"), ("--until", "2026-11-20")],
    )
    def test_other_values_make_it_again(
        self, path: Path, place: tuple[str, ...], changes: tuple[str, ...]
    ) -> None:
        run(*SMALL, *place)
        before = store_id(path)
        assert run(*SMALL, *changes, *place).exit_code == 0
        assert store_id(path) != before
        assert names_beside(path) == {"trial.db"}

    def test_another_day_makes_it_again(self, path: Path, place: tuple[str, ...]) -> None:
        run(*SMALL, *place)
        before = store_id(path)
        run(*SMALL, *place, now=NOW + timedelta(days=1))
        assert store_id(path) != before

    def test_another_day_keeps_one_with_its_own_end(self, path: Path, place: tuple[str, ...]) -> None:
        run(*SMALL, "--until", "2026-11-20", *place)
        before = store_id(path)
        run(*SMALL, "--until", "2026-11-20", *place, now=NOW + timedelta(days=1))
        assert store_id(path) == before

    def test_its_mode_is_kept(self, path: Path, place: tuple[str, ...]) -> None:
        run(*SMALL, *place)
        path.chmod(0o640)
        run(*SMALL, "--seed", "2", *place)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640

    def test_a_reader_keeps_what_it_sees_and_the_next_sees_the_new_one(
        self, path: Path, place: tuple[str, ...]
    ) -> None:
        run(*SMALL, *place)
        with StoreReader(path) as reader:
            assert reader.newest_seq() == 600
            assert run(*SMALL, "--events", "700", *place).exit_code == 0
            assert reader.newest_seq() in (600, 700)
        with StoreReader(path) as reader:
            assert reader.newest_seq() == 700
            assert reader.count(EventQuery()) == 700

    def test_a_link_stays_a_link(self, path: Path, place: tuple[str, ...], tmp_path: Path) -> None:
        run(*SMALL, *place)
        link = tmp_path / "link.db"
        link.symlink_to(path)
        assert run(*SMALL, "--events", "700", "--no-open", "--store", str(link)).exit_code == 0
        assert link.is_symlink()
        with StoreReader(path) as reader:
            assert reader.newest_seq() == 700

    def test_a_link_to_nothing_is_refused(self, path: Path, tmp_path: Path) -> None:
        link = tmp_path / "link.db"
        link.symlink_to(path)
        assert run(*SMALL, "--no-open", "--store", str(link)).exit_code == 3
        assert not path.exists()


class TestNothingIsLost:
    def store_something(self, path: Path) -> None:
        with StoreWriter(path) as writer:
            writer.append([AuditEvent("Login", 1)])

    def test_another_store_is_left_alone(self, path: Path, place: tuple[str, ...]) -> None:
        self.store_something(path)
        result = run(*SMALL, *place)
        assert result.exit_code == 2
        assert "holds 1 event and is not a demo store" in result.stderr
        with StoreReader(path) as reader:
            assert reader.newest_seq() == 1

    def test_a_demo_store_with_other_events_is_left_alone(self, path: Path, place: tuple[str, ...]) -> None:
        run(*SMALL, *place)
        self.store_something(path)
        result = run(*SMALL, "--seed", "2", *place)
        assert result.exit_code == 2
        assert "not of the demo" in result.stderr
        assert run(*SMALL, *place).exit_code == 0

    def test_a_demo_store_with_a_strange_note_is_left_alone(self, path: Path, place: tuple[str, ...]) -> None:
        with StoreWriter(path) as writer:
            writer.note(demo_module.NOTE, "[]")
        assert run(*SMALL, *place).exit_code == 2

    def test_the_default_store_is_never_used(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        usual = tmp_path / "mine.db"
        monkeypatch.setenv("AUDIT_TUI_STORE", str(usual))
        result = run(*SMALL, "--no-open", "--store", str(usual))
        assert result.exit_code == 2
        assert "is the default store" in result.stderr
        assert not usual.exists()

    @pytest.mark.parametrize("content", [b"", b"not a store at all", bytes(range(256)) * 2])
    def test_another_file_is_left_alone(self, path: Path, place: tuple[str, ...], content: bytes) -> None:
        path.parent.mkdir()
        path.write_bytes(content)
        assert run(*SMALL, *place).exit_code == 3
        assert path.read_bytes() == content
        assert names_beside(path) == {"trial.db"}

    def test_a_folder_is_left_alone(self, path: Path, place: tuple[str, ...]) -> None:
        path.mkdir(parents=True)
        assert run(*SMALL, *place).exit_code == 3

    @pytest.mark.parametrize(("ending", "code"), [(KeyboardInterrupt, 130), (UsageError("broken"), 2)])
    def test_a_run_that_ends_early_leaves_what_was_there(
        self,
        path: Path,
        place: tuple[str, ...],
        monkeypatch: pytest.MonkeyPatch,
        ending: BaseException | type[BaseException],
        code: int,
    ) -> None:
        def ended(values: DemoValues) -> Iterator[AuditEvent]:
            yield AuditEvent("Login", 1)
            raise ending

        monkeypatch.setattr(audit_tui.demo, "demo_events", ended)
        assert run(*SMALL, *place).exit_code == code
        assert list(path.parent.iterdir()) == []

    def test_what_a_killed_run_left_is_cleared_away(self, path: Path, place: tuple[str, ...]) -> None:
        left_over = path.parent / ".trial.db-abandoned"
        left_over.mkdir(parents=True)
        (left_over / "trial.db").write_bytes(b"half")
        assert run(*SMALL, *place).exit_code == 0
        assert names_beside(path) == {"trial.db"}

    def test_a_run_under_way_is_not_disturbed(self, path: Path, place: tuple[str, ...]) -> None:
        with demo_module.workshop(_made_folder(path)) as folder:
            assert run(*SMALL, *place).exit_code == 0
            assert folder.is_dir()


def _made_folder(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    "args",
    [("--users", "4"), ("--days", "0"), ("--events", "-1"), ("--until", "soon"), ("--days", "900000")],
)
def test_impossible_values_are_wrong_usage(path: Path, place: tuple[str, ...], args: tuple[str, ...]) -> None:
    assert run(*args, *place).exit_code == 2
    assert not path.exists()


class TestOpening:
    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, EventsChoice]]:
        calls: list[tuple[Path, EventsChoice]] = []

        class Shown:
            def __init__(self, source: Path, choice: EventsChoice, session: Session) -> None:
                calls.append((source, choice))

            def show(self) -> int:
                return 0

        monkeypatch.setattr(terminal, "require_screen", lambda: None)
        monkeypatch.setattr(screen, "ReviewScreen", Shown)
        return calls

    def test_the_screen_opens_on_the_last_30_days(
        self, path: Path, opened: list[tuple[Path, EventsChoice]]
    ) -> None:
        assert run(*SMALL, "--store", str(path)).exit_code == 0
        assert [(store, choice.view.time_range) for store, choice in opened] == [(path, DEFAULT_RANGE)]

    def test_an_old_demo_opens_on_all_of_it(
        self, path: Path, opened: list[tuple[Path, EventsChoice]]
    ) -> None:
        assert run(*SMALL, "--until", "2020-02-29", "--store", str(path)).exit_code == 0
        assert [choice.view.time_range for _, choice in opened] == [Preset.ALL_TIME]

    def test_without_a_terminal_nothing_is_made(self, path: Path) -> None:
        result = run(*SMALL, "--store", str(path))
        assert result.exit_code == 2
        assert "--no-open" in result.stderr
        assert not path.exists()
