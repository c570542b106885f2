"""The output of commands for hostile stores, logs, settings and names: words, nothing a terminal obeys."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from audit_tui.core.event import AuditEvent
from tests.cli.running import at, make_store, run
from tests.payloads import PAYLOADS, UNSAFE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALL = ("--range", "all-time")
NAME = "a\x1b]0;pwned\x07\u202eb[/x].db"


def assert_safe(text: str) -> None:
    for line in text.split("\n"):
        assert not UNSAFE.search(line), repr(line)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose every text and whose own name are hostile."""
    return make_store(
        tmp_path_factory.mktemp("hostile") / NAME,
        (
            AuditEvent(
                event=text,
                occurred_us=at("2026-11-20 09:00") + number,
                category=text,
                user=text,
                description=text,
                source_ip=text,
                target=text,
                source=text,
                metadata={text: [text]},
            )
            for number, text in enumerate(PAYLOADS)
        ),
    )


@pytest.mark.parametrize(
    "command",
    [
        ("query", *ALL),
        ("query", *ALL, "--format", "md"),
        ("query", *ALL, "--format", "jsonl"),
        ("query", *ALL, "--filter", "user=\x1b[31mred"),
        ("query", *ALL, "--filter", "\x1b]0;x\x07=1"),
        ("query", "--since", "\x1b[2J"),
        ("query", *ALL, "--tz", "\x9b31m"),
        ("count", *ALL),
        ("facets", "user", *ALL),
        ("facets", "event", *ALL),
        ("histogram", *ALL, "--buckets", "5"),
        ("info",),
        ("doctor",),
        ("verify",),
        ("verify", "--json"),
        ("verify", "--key", "\x1b[31mkey"),
        ("verify", "--anchor", "\x1b[31manchor"),
        ("seal", "show"),
        ("export", "\x1b]0;none\x07/x.csv"),
        ("import", "\x1b[31mnone.json"),
    ],
    ids=lambda command: " ".join(command[:3]).encode("ascii", "backslashreplace").decode(),
)
def test_no_command_prints_what_a_terminal_obeys(store: Path, command: tuple[str, ...]) -> None:
    result = run(*command, "-s", str(store))
    assert result.exit_code in (0, 1, 2, 3)
    assert_safe(result.output)


def test_no_word_of_an_import_does(tmp_path: Path) -> None:
    folder = tmp_path / "logs\x1b[31m"
    folder.mkdir()
    log = folder / "a\x1b]0;x\x07\u202e.jsonl"
    lines = [
        f'{{"time": "{text}", "event": "{text}"}}'
        for text in PAYLOADS
        if text.isprintable() or "\x1b" in text
    ]
    log.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    (folder / "no\x1b[2Jlog").write_bytes(b"\x00\x1b]0;x\x07")
    for more in (("--dry-run",), (), ("--json",)):
        result = run("import", "-s", str(tmp_path / NAME), *more, str(folder))
        assert result.exit_code in (0, 1, 3)
        assert_safe(result.output)


CONFIGS: dict[str, Callable[[Path], object]] = {
    "escapes": lambda path: path.write_text(
        'zone = "\\u001b]0;x\\u0007"\ntheme = "\\u202e"\n"\\u001b[31m" = 1\n'
    ),
    "not TOML": lambda path: path.write_bytes(b"\x1b[31m = = \xe2\x80\xae"),
    "not UTF-8": lambda path: path.write_bytes(b'zone = "\xff\xfe"'),
    "zeros": lambda path: path.write_bytes(bytes(5000)),
    "nested": lambda path: path.write_text("a = " + "[" * 5000),
    "huge": lambda path: path.write_bytes(b"#" * 1_000_001),
    "odd types": lambda path: path.write_text(
        "zone = 1\ncolumns = {}\nkeys = 3\nmouse = [1]\ndeadline = nan\n"
    ),
    "odd keys": lambda path: path.write_text('[keys]\nfilter = "\\u001b"\nquit = [[]]\n"\\u0007" = "x"\n'),
    "dates": lambda path: path.write_text("zone = 2026-11-01\ndate-format = 07:00:00\ndeadline = 1e999\n"),
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a circle": lambda path: path.symlink_to(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("command", [("config", "validate"), ("doctor",)])
def test_settings_of_any_kind_are_used_or_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, command: tuple[str, ...]
) -> None:
    path = tmp_path / "config.toml"
    CONFIGS[kind](path)
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(path))
    result = run(*command)
    assert result.exit_code in (1, 2, 3)
    assert_safe(result.output)
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "value",
    ["/dev/null", "/dev/zero", ".", "/", "x" * 5000, "a\x1b[31m", "~nobody-there/x", "sqlite:", ":memory:"],
)
def test_a_store_of_any_name_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIT_TUI_STORE", value)
    for command in (("info",), ("doctor",)):
        result = run(*command)
        assert result.exit_code in (1, 2, 3)
        assert_safe(result.output)
    assert [path for path in tmp_path.iterdir() if path.name != "home"] == []


# -- stores that somebody made by hand


def loosened(path: Path, *statements: str) -> None:
    """Change a store past its own rules, and give it its shape back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        made = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL"
        tables = dict(connection.execute(made))
        names = ("events", "user_names", "store_info")
        for name in names:
            sql = tables[name].replace("STRICT, WITHOUT", "WITHOUT").replace(") STRICT", ")")
            connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, name))
        connection.execute("PRAGMA schema_version = 1000")
        connection.commit()
        for statement in statements:
            connection.execute(statement)
        for name in names:
            connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (tables[name], name))
        connection.execute("PRAGMA schema_version = 1001")
        connection.commit()


SEGMENT = "INSERT INTO index_segments"
STORES = {
    "times out of range": ("UPDATE events SET occurred_us = 9223372036854775807 WHERE seq = 1",
                           "UPDATE events SET occurred_us = -9223372036854775808 WHERE seq = 2"),
    "times that are texts": ("UPDATE events SET occurred_us = 'now'",),
    "numbers out of order": ("UPDATE events SET seq = -5 WHERE seq = 1",
                             "UPDATE events SET seq = 9223372036854775807 WHERE seq = 2"),
    "bytes for texts": ("UPDATE events SET description = x'ff00fe', key = x'00' || seq, metadata = x'ff'",),
    "deep metadata": (f"UPDATE events SET metadata = '{'[' * 20000}'",),
    "original that is not zlib": ("UPDATE events SET original = x'789c00'",),
    "a name without end": ("UPDATE user_names SET name = printf('%.*c', 100000, 'x') WHERE id = 1",),
    "a huge cell": ("UPDATE events SET description = zeroblob(1000000) WHERE seq = 1",),
    "names that are numbers": ("UPDATE user_names SET name = id, folded = 1e999, events = -1",),
    "notes that are odd": ("UPDATE store_info SET value = zeroblob(100)",),
    "no names": ("DELETE FROM user_names", "DELETE FROM event_names"),
    "segments that are odd": (f"{SEGMENT} VALUES (1, 1, 1, 120, 120, 0, 119, 1, zeroblob(32))",),
    "segments without end": (f"{SEGMENT} VALUES (1, 1, 1, (1 << 62), (1 << 62), 0, 119, 0, zeroblob(32))",),
    "text parts that are odd": ("UPDATE text_stretch_parts SET data = zeroblob(3)",),
    "seals that are odd": ("UPDATE seal_block SET leaves = x'00'",
                           "UPDATE seal_head SET note = 'x', root = x'00'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", STORES)
def test_a_store_of_any_content_is_read_or_refused_in_words(tmp_path: Path, kind: str) -> None:
    path = make_store(
        tmp_path / "audit.db", (AuditEvent(f"e{n % 3}", n, user=f"u{n % 4}") for n in range(120))
    )
    try:
        loosened(path, *STORES[kind])
    except sqlite3.Error as error:
        pytest.fail(f"cannot be made: {error}")
    before = path.read_bytes()
    for command in (
        ("count", *ALL, "--filter", "user=u1"),
        ("query", *ALL, "--format", "jsonl", "--limit", "0"),
        ("query", *ALL, "--filter", "event!=e1"),
        ("facets", "user", *ALL),
        ("histogram", *ALL, "--buckets", "5"),
        ("info",),
        ("doctor",),
        ("verify",),
        ("export", str(tmp_path / "out.csv"), *ALL),
    ):
        result = run(*command, "-s", str(path))
        assert result.exit_code in (0, 1, 2, 3)
        assert_safe(result.output)
    assert path.read_bytes() == before
    names = {path.name for path in tmp_path.iterdir()} - {"home", "out.csv"}
    assert names <= {"audit.db", "audit.db-wal", "audit.db-shm"}
