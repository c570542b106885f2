"""A store for one run: nobody else's, gone afterwards, and nothing else is ever removed."""

from __future__ import annotations

import stat
import tempfile
from typing import TYPE_CHECKING

import pytest

from audit_tui.cli.opening import temporary
from audit_tui.cli.opening.temporary import PREFIX, STORE_NAME, claimed, remove_leftovers, temporary_store
from audit_tui.errors import StoreError
from tests.cli.running import make_store

if TYPE_CHECKING:
    from pathlib import Path

LEFTOVER = f"{PREFIX}abcd12_9"


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which others use too."""
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def leave(place: Path, mode: int = 0o700) -> Path:
    place.mkdir()
    place.chmod(mode)
    for suffix in ("", "-wal", "-shm"):
        (place / f"{STORE_NAME}{suffix}").write_bytes(b"left")
    return place


def test_it_is_open_to_nobody_else_and_gone_afterwards(shared: Path) -> None:
    with temporary_store() as path:
        make_store(path)
        assert path.parent.parent == shared
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_it_is_gone_after_an_error(shared: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), temporary_store() as path:
        make_store(path)
        raise error
    assert list(shared.iterdir()) == []


def test_an_interrupt_does_not_keep_it_from_being_removed(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = temporary._remove
    calls: list[Path] = []

    def interrupted_once(folder: Path, descriptor: int) -> None:
        calls.append(folder)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(folder, descriptor)

    monkeypatch.setattr(temporary, "_remove", interrupted_once)
    with pytest.raises(KeyboardInterrupt), temporary_store() as path:
        make_store(path)
    assert list(shared.iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(shared: Path) -> None:
    leave(shared / LEFTOVER)
    with temporary_store() as path:
        assert list(shared.iterdir()) == [path.parent]


def test_a_run_under_way_is_not_disturbed(shared: Path) -> None:
    with temporary_store() as path:
        make_store(path)
        remove_leftovers()
        assert path.exists()
        with temporary_store() as other:
            assert other.parent != path.parent
        assert path.exists()
    assert list(shared.iterdir()) == []


def test_a_folder_that_is_taken_for_a_leftover_while_it_is_made_is_made_again(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(prefix: str) -> str:
        made.append(tempfile.mkdtemp(prefix=prefix))
        if len(made) == 1:
            remove_leftovers()
        return made[-1]

    monkeypatch.setattr(temporary, "mkdtemp", make)
    with temporary_store() as path:
        assert str(path.parent) == made[1]
    assert list(shared.iterdir()) == []


def test_a_link_is_not_followed(shared: Path, tmp_path: Path) -> None:
    target = leave(tmp_path / "precious")
    (shared / LEFTOVER).symlink_to(target)
    remove_leftovers()
    assert len(list(target.iterdir())) == 3
    assert (shared / LEFTOVER).is_symlink()


def test_a_link_in_a_leftover_is_not_followed(shared: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.db"
    precious.write_bytes(b"precious")
    leftover = leave(shared / LEFTOVER)
    (leftover / STORE_NAME).unlink()
    (leftover / STORE_NAME).symlink_to(precious)
    remove_leftovers()
    assert precious.read_bytes() == b"precious"
    assert not leftover.exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_is_open_to_others_is_none_of_ours(shared: Path, mode: int) -> None:
    folder = leave(shared / LEFTOVER, mode)
    remove_leftovers()
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("name", ["audit-tui-log-notes", "audit-tui-log-", "x" + LEFTOVER, LEFTOVER + ".old"])
def test_a_folder_of_another_name_is_left_alone(shared: Path, name: str) -> None:
    folder = leave(shared / name)
    remove_leftovers()
    assert len(list(folder.iterdir())) == 3


def test_another_users_folder_is_left_alone(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = leave(shared / LEFTOVER)
    monkeypatch.setattr("os.geteuid", lambda: folder.stat().st_uid + 1)
    remove_leftovers()
    assert len(list(folder.iterdir())) == 3


def test_what_is_no_store_in_a_leftover_is_kept(shared: Path) -> None:
    folder = leave(shared / LEFTOVER)
    (folder / "notes.txt").write_text("mine")
    remove_leftovers()
    assert [file.name for file in folder.iterdir()] == ["notes.txt"]


def test_a_claimed_folder_cannot_be_claimed_again(shared: Path) -> None:
    with claimed(shared), pytest.raises(BlockingIOError), claimed(shared):
        pass
    with claimed(shared):
        pass


def test_no_temporary_folder_is_told(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(shared / "nowhere"))
    with pytest.raises(StoreError, match="No temporary folder") as raised, temporary_store():
        pass
    assert "TMPDIR" in raised.value.hint


def test_folders_that_go_at_once_are_told(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "mkdtemp", lambda prefix: str(shared / f"{prefix}gone"))
    with pytest.raises(StoreError, match="go as soon as"), temporary_store():
        pass
