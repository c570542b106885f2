"""Archives member by member, what comes behind compressed data, encodings, and times without a zone."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

import audit_tui
from audit_tui.core.query import EventQuery
from audit_tui.errors import UsageError
from audit_tui.ingest import archive
from audit_tui.ingest import open as opened
from audit_tui.ingest.encoding import checked_encoding
from audit_tui.store.read.reader import StoreReader
from tests.formats.logs import read, write

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.core.event import AuditEvent
    from audit_tui.ingest.pipeline import Tally


def line(number: int) -> bytes:
    record = {"time": f"2026-11-01T14:00:{number:02}Z", "event": "Login", "user": f"user{number}"}
    return json.dumps(record).encode() + b"\n"


def imported(
    folder: Path, name: str, data: bytes, zone: str | None = None, encoding: str | None = None
) -> tuple[Tally, list[AuditEvent]]:
    (folder / name).write_bytes(data)
    tally = audit_tui.import_logs([folder / name], folder / "a.db", zone=zone, encoding=encoding)
    if not tally.stored:
        return tally, []
    with StoreReader(folder / "a.db") as reader:
        return tally, sorted(reader.events(EventQuery()), key=lambda event: event.seq or 0)


def tar_of(members: dict[str, bytes], mode: str = "w") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as made:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return data.getvalue()


def zip_of(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return data.getvalue()


MEMBERS = {
    "logs/a.jsonl": line(1) + line(2),
    "logs/b.json.gz": gzip.compress(line(3), mtime=0),
    "logs/.hidden": b"x",
    "logs/readme.txt": b"These are logs.\n",
    "logs/picture.png": b"\x89PNG\r\n\x1a\n",
    "logs/c.csv": b"Time,Event,User\n2026-11-01T14:00:04Z,Login,user4\n",
}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("logs.tar", tar_of(MEMBERS)),
        ("logs.tgz", tar_of(MEMBERS, "w:gz")),
        ("logs.tar.bz2", bz2.compress(tar_of(MEMBERS))),
        ("logs.tar.xz", lzma.compress(tar_of(MEMBERS))),
        ("logs.zip", zip_of(MEMBERS)),
    ],
    ids=["tar", "tgz", "bz2", "xz", "zip"],
)
def test_the_files_of_an_archive_are_read_one_after_another(tmp_path: Path, name: str, data: bytes) -> None:
    tally, events = imported(tmp_path, name, data)
    assert [event.user for event in events] == ["user1", "user2", "user3", "user4"]
    assert (tally.files, tally.problems) == (3, [])
    assert [problem.message.partition(f"{name}/logs/")[2].split()[0] for problem in tally.skipped] == [
        "readme.txt",
        "picture.png",
    ]
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir() if path.is_file()} == {"a.db", name}


def test_what_is_broken_in_an_archive_hides_no_other_file_of_it(tmp_path: Path) -> None:
    members = {
        "a.gz": gzip.compress(line(1) * 50, mtime=0)[:-9],
        "b.jsonl": line(2),
        "c.tar": tar_of(MEMBERS),
    }
    tally, events = imported(tmp_path, "logs.tar", tar_of(members))
    assert events[-1].user == "user2"
    assert "a.gz ends too soon" in tally.problems[0].message
    assert "is an archive in an archive" in tally.skipped[0].message


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.zip", zip_of(MEMBERS)[:-30], "cannot be read as an archive"),
        ("a.tar", tar_of({"a.jsonl": line(1) * 40})[:700], "cannot be read as an archive: unexpected end"),
    ],
    ids=["zip", "tar"],
)
def test_a_damaged_archive_is_told(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    tally, _ = imported(tmp_path, name, data)
    assert message in tally.problems[0].message


@pytest.mark.parametrize("pack", [tar_of, zip_of], ids=["tar", "zip"])
def test_an_archive_of_too_many_files_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: type
) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    tally, _ = imported(tmp_path, "many", pack({f"{number}.jsonl": line(number) for number in range(4)}))
    assert "more than 2 files" in tally.problems[0].message


def test_a_bomb_in_an_archive_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "FREE_BYTES", 100_000)
    monkeypatch.setattr(opened, "MAX_RATIO", 10)
    members = {"a.jsonl": line(1), "b.jsonl": line(2) * 50_000, "c.jsonl": line(3)}
    tally, events = imported(tmp_path, "bomb.zip", zip_of(members))
    assert [problem.message.partition(" unpacks to more than ")[2] for problem in tally.problems] == [
        "10 times its size: it was made to fill a disk."
    ]
    assert "user3" not in {event.user for event in events}


@pytest.mark.parametrize("size", [1, 2_000])
def test_bytes_behind_compressed_data_are_told_and_harmless(tmp_path: Path, size: int) -> None:
    data = gzip.compress(line(1) * size + line(2), mtime=0) + b"garbage"
    tally, events = imported(tmp_path, "a.jsonl.gz", data)
    assert events[-1].user == "user2"
    assert (tally.problems, tally.exit_code) == ([], 0)
    assert [note.partition("a.jsonl.gz ")[2] for note in tally.notes] == [
        "has bytes behind its compressed data, which were ignored."
    ]


TABLE = "Time,User,Event\n2026-11-01T14:00:01Z,Jürgen,Anmeldung für José\n"


@pytest.mark.parametrize(
    ("data", "encoding", "notes"),
    [
        (TABLE.encode(), None, 0),
        (TABLE.encode("cp1252"), None, 1),
        (TABLE.encode("cp1252"), "latin-1", 0),
        (TABLE.encode("utf-16"), None, 0),
        (TABLE.encode("utf-16-le"), "UTF-16LE", 0),
        (TABLE.encode("cp850"), "cp850", 0),
    ],
)
def test_a_table_is_read_in_its_encoding(
    tmp_path: Path, data: bytes, encoding: str | None, notes: int
) -> None:
    tally, (event,) = imported(tmp_path, "a.csv", data, encoding=encoding)
    assert (event.user, event.event) == ("Jürgen", "Anmeldung für José")
    assert len(tally.notes) == notes
    assert all("not UTF-8" in note for note in tally.notes)


def test_bytes_that_are_no_words_stay_what_they_are(tmp_path: Path) -> None:
    data = b"Time,User,Event\n2026-11-01T14:00:01Z,\xff\xfe\x81,x\n"
    tally, _ = imported(tmp_path, "a.csv", data)
    ((event,), _) = read(write(tmp_path, data, "a.csv"))
    assert event.user == r"\xff\xfe\x81"
    assert event.original == b"2026-11-01T14:00:01Z,\xff\xfe\x81,x"
    assert tally.notes == []


def test_letters_of_windows_are_given_back_as_the_bytes_that_they_were(tmp_path: Path) -> None:
    data = b'{"x": 1}'  # JSON is UTF-8: what is not is kept as bytes
    assert imported(tmp_path, "a.json", data)[0].notes == []
    ((event,), _) = read(write(tmp_path, line(1).replace(b"user1", b"J\xfcrgen"), "b.jsonl"))
    assert event.user == r"J\xfcrgen"
    assert event.original == line(1).replace(b"user1", b"J\xfcrgen").rstrip()


@pytest.mark.parametrize("name", ["no-such", "base64", "rot13", ""])
def test_an_encoding_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="There is no encoding"):
        checked_encoding(name)


def test_times_without_a_zone_are_read_in_the_one_that_is_named_else_told(tmp_path: Path) -> None:
    data = line(1).replace(b"Z", b"") + line(2).replace(b"Z", b"+01:00")
    tally, (first, second) = imported(tmp_path, "a.jsonl", data)
    assert (first.to_json()["time"], second.to_json()["time"]) == (
        "2026-11-01T14:00:01.000000Z",
        "2026-11-01T13:00:02.000000Z",
    )
    assert tally.notes == ["1 time that names no zone was read as UTC (--tz ZONE reads them in another)."]
    (tmp_path / "a.db").unlink()
    tally, (first, _) = imported(tmp_path, "a.jsonl", data, zone="America/New_York")
    assert first.to_json()["time"] == "2026-11-01T19:00:01.000000Z"
    assert tally.notes == []
