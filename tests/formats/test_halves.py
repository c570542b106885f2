"""The request and the response of a call are one event, wherever the two stand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from audit_tui.core.event import Outcome
from audit_tui.core.query import EventQuery
from audit_tui.ingest import batches, follow, halves
from audit_tui.ingest.events import Reading
from audit_tui.ingest.find import LogFile
from audit_tui.ingest.import_logs import import_logs
from audit_tui.ingest.pipeline import PROCESS_BYTES, Importer
from audit_tui.store.read.reader import StoreReader
from audit_tui.store.write.writer import StoreWriter
from tests.formats.logs import read, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_tui.core.event import AuditEvent
    from audit_tui.store.tables.rows import Draft


def half(number: int, kind: str, **fields: Any) -> str:  # noqa: ANN401 - any JSON
    second = number + (0.5 if kind == "response" else 0)
    request = {
        "id": f"r{number}",
        "operation": "read",
        "path": f"secret/data/{number}",
        "mount_point": "secret/",
    }
    record = {"time": f"2026-11-01T10:00:{second:04.1f}Z", "type": kind, "request": request}
    return json.dumps({**record, "auth": {"display_name": "al"}, **fields}) + "\n"


def log(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("".join(lines))
    return path


def counts(store: Path, *paths: Path) -> tuple[int, int, int]:
    tally = import_logs(paths, store)
    assert not tally.rejected
    return tally.read, tally.stored, tally.duplicates


def stored(store: Path) -> list[AuditEvent]:
    with StoreReader(store) as reader:
        return sorted(reader.events(EventQuery()), key=lambda event: event.seq or 0)


def test_a_call_is_one_event_with_the_end_of_its_response(tmp_path: Path) -> None:
    lines = [half(1, "request"), half(2, "request"), half(2, "response", error="no"), half(1, "response")]
    path = log(tmp_path, "a.jsonl", *lines)
    assert counts(tmp_path / "s.db", path) == (2, 2, 0)
    first, second = stored(tmp_path / "s.db")
    assert (first.key, first.outcome) == ("vault:r2:response", Outcome.FAILURE)
    assert (second.key, second.outcome) == ("vault:r1:response", Outcome.SUCCESS)
    assert second.metadata["asked"] == {"time": "2026-11-01T10:00:01.0Z"}
    assert counts(tmp_path / "s.db", path) == (2, 0, 2)


def test_what_only_the_request_says_is_kept(tmp_path: Path) -> None:
    lines = [half(1, "request", auth={"display_name": "bo"}, extra=[1]), half(1, "response")]
    counts(tmp_path / "s.db", log(tmp_path, "a.jsonl", *lines))
    (event,) = stored(tmp_path / "s.db")
    asked = {"time": "2026-11-01T10:00:01.0Z", "auth": {"display_name": "bo"}, "extra": [1]}
    assert (event.user, event.metadata["asked"]) == ("al", asked)


def test_texts_that_say_more_than_the_columns_are_both_kept(tmp_path: Path) -> None:
    asked = half(1, "request").replace('"auth"', '"auth": 1, "auth"')
    counts(tmp_path / "s.db", log(tmp_path, "a.jsonl", asked, half(1, "response")))
    with StoreWriter(tmp_path / "s.db", durable=False) as writer:
        event = writer.find("vault:r1:response")
    assert event is not None
    assert event.original == (asked + half(1, "response")).strip().encode()


def test_a_request_without_its_response_was_attempted(tmp_path: Path) -> None:
    counts(tmp_path / "s.db", log(tmp_path, "a.jsonl", half(1, "request")))
    (event,) = stored(tmp_path / "s.db")
    assert (event.key, event.outcome) == ("vault:r1:request", Outcome.UNKNOWN)
    assert event.description == "al asked to read secret/data/1"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_halves_may_stand_in_two_files_in_any_order(tmp_path: Path, order: Sequence[int]) -> None:
    lines = half(1, "request"), half(1, "response")
    files = [log(tmp_path, f"{place}.jsonl", lines[place]) for place in range(2)]
    read_records, stored_events, _ = counts(tmp_path / "s.db", *(files[place] for place in order))
    assert stored_events == 1
    assert read_records == (1 if order == (0, 1) else 2)
    assert stored(tmp_path / "s.db")[0].key == "vault:r1:response"
    # Nothing new, however the same comes again: each half by itself, or both together.
    for again in ([files[0]], [files[1]], files, files[::-1]):
        assert counts(tmp_path / "s.db", *again)[1] == 0


def test_a_response_that_comes_in_a_later_import_is_not_lost(tmp_path: Path) -> None:
    first, second = log(tmp_path, "1", half(1, "request")), log(tmp_path, "2", half(1, "response"))
    assert counts(tmp_path / "s.db", first)[1] == 1
    assert counts(tmp_path / "s.db", second)[1] == 1
    assert counts(tmp_path / "s.db", first, second)[1] == 0
    assert {event.outcome for event in stored(tmp_path / "s.db")} == {Outcome.UNKNOWN, Outcome.SUCCESS}


def test_calls_that_two_devices_logged_are_stored_once(tmp_path: Path) -> None:
    twice = [half(1, "request")] * 2 + [half(1, "response")] * 2
    assert counts(tmp_path / "s.db", log(tmp_path, "a.jsonl", *twice)) == (3, 1, 2)


def test_calls_under_way_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "MAX_WAITING", 2)
    lines = [half(number, "request") for number in range(4)]
    lines += [half(number, "response") for number in range(4)]
    assert counts(tmp_path / "s.db", log(tmp_path, "a.jsonl", *lines)) == (
        6,
        4,
        2,
    )  # what was given away is told again


def test_the_process_that_reads_joins_too(tmp_path: Path) -> None:
    padding = "x" * (PROCESS_BYTES // 2)
    lines = [half(1, "request", pad=padding), half(1, "response", pad=padding), half(2, "request")]
    assert counts(tmp_path / "s.db", log(tmp_path, "a.jsonl", *lines)) == (2, 2, 0)


def test_an_import_from_before_calls_were_joined_stays_as_it_is(tmp_path: Path) -> None:
    lines = half(1, "request"), half(1, "response")
    events, _ = read(write(tmp_path, "".join(lines)))
    assert [event.key for event in events] == ["vault:r1:request", "vault:r1:response"]
    with StoreWriter(tmp_path / "s.db", durable=False) as writer:
        writer.append(events)
    assert counts(tmp_path / "s.db", tmp_path / "a.log") == (1, 0, 1)


class Watched:
    """A sink that does the next step each time it is given events, and ends the run after the last."""

    def __init__(self, *steps: str) -> None:
        self.keys: list[list[str]] = []
        self._steps = list(steps)

    def append(self, drafts: Sequence[Draft]) -> tuple[int, int]:
        self.keys.append([draft.key for draft in drafts])
        return len(drafts), 0

    def told(self, path: Path) -> None:
        if not self._steps:
            raise KeyboardInterrupt
        with path.open("a") as file:
            file.write(self._steps.pop(0))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "IDLE_S", 0.02)
    monkeypatch.setattr(follow, "POLL_S", 0.001)


def followed(path: Path, *steps: str) -> list[list[str]]:
    sink = Watched(*steps)
    importer = Importer(sink, Reading(), lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        importer.follow(LogFile(str(path), path, path.stat().st_size), lambda _: sink.told(path))
    return sink.keys


@pytest.mark.usefixtures("hurried")
def test_a_followed_call_waits_for_its_response(tmp_path: Path) -> None:
    path = log(tmp_path, "a.jsonl", half(1, "request"))
    assert followed(path, half(2, "request"), half(1, "response"), "") == [
        ["vault:r1:response"],
        ["vault:r2:request"],  # given away when the run ended
    ]


@pytest.mark.usefixtures("hurried")
def test_a_followed_call_is_shown_as_attempted_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LIVE_WAIT_S", 0.0)
    path = log(tmp_path, "a.jsonl", half(1, "request"))
    assert followed(path, "", half(1, "response"), "") == [["vault:r1:request"], ["vault:r1:response"]]
