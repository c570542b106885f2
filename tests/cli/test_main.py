"""The beginning and the end of a run: which command is meant, what is told, and the exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from audit_tui import __version__
from audit_tui.cli.main import COMMANDS, commands
from audit_tui.core.event import AuditEvent
from tests.cli.running import at, make_store, run

if TYPE_CHECKING:
    from collections.abc import Callable

AUDIT_TUI = (sys.executable, "-m", "audit_tui")


def started(*args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*AUDIT_TUI, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_the_version_is_told() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"audit-tui {__version__}\n")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_names_every_command(option: str) -> None:
    result = run(option)
    assert result.exit_code == 0
    for name, source in COMMANDS.items():
        assert f"\n  {name} " in result.stdout
        # A long one goes on in the next line.
        assert source[1] in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_is_true(name: str) -> None:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(200).rstrip(".") == COMMANDS[name][1].removesuffix(
        " (the default)."
    ).rstrip(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    result = run(name, "--help")
    assert result.exit_code == 0
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts


@pytest.mark.parametrize("arguments", [[], ["missing.db"], ["--range", "today"], ["-s", "missing.db"]])
def test_what_begins_with_no_command_opens_a_store(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("There is no store at ")


def test_a_missing_log_is_not_told_to_be_a_missing_store() -> None:
    result = run("missing.json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("There is no log and no store at ")
    assert "Check the name" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["qeury"], "Did you mean audit-tui query?"),
        (["improt", "x", "--dry-run"], "Did you mean audit-tui import?"),
        (["frobnicate"], "audit-tui --help lists the commands."),
        (["frobnicate", "--help"], "audit-tui --help lists the commands."),
    ],
)
def test_a_word_that_is_no_command_and_no_file_is_told(arguments: list[str], hint: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"There is no command or file '{arguments[0]}'.\n{hint}\n"


def test_a_file_that_is_called_like_a_mistyped_command_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_store(tmp_path / "qeury")
    assert run("qeury").stderr.startswith("The screen needs a terminal")
    assert "audit-tui import" in run("zzz.db").stderr


def test_a_group_without_a_command_shows_its_help() -> None:
    result = run("config")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "\n  validate " in result.stderr
    assert "\\n" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["query", "--limit", "many"], "--limit is a whole number, 0 or more."),
        (["demo", "--seed", "x"], "--seed is a whole number."),
        (["query", "--frmat", "csv"], "There is no option --frmat. Did you mean --format?"),
        (["query", "--since-when"], "There is no option --since-when. Did you mean --since?"),
        (["query", "--nonsense"], "There is no option --nonsense."),
        (["prune", "--keep", "0", "--why", "x"], "--keep is a whole number from 1 to 36,500."),
        (["count", "--match", "some"], "--match: 'some' is not one of all, any."),
        (["export"], "OUT is missing."),
        (["import"], "PATH is missing."),
    ],
)
def test_what_the_parser_refuses_is_a_sentence(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{message}\nTry: audit-tui {arguments[0]} --help\n"


@pytest.mark.parametrize(
    "arguments",
    [["-s", "{}", "info"], ["--store", "{}", "info"], ["--store={}", "info"], ["-s", "{}", "seal", "show"]],
)
def test_the_store_may_stand_before_the_command(store: Path, arguments: list[str]) -> None:
    result = run(*(argument.format(store) for argument in arguments))
    assert result.exit_code == 0
    assert ["events", "4"] in [line.split() for line in result.stdout.splitlines()]


def test_two_stores_are_one_too_many(store: Path) -> None:
    result = run("open", str(store), "-s", str(store))
    assert result.exit_code == 2
    assert "Two stores are named" in result.stderr


def test_the_store_is_the_option_then_the_variable_then_the_settings_then_the_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path() -> str:
        return run("info").stderr.partition("\n")[0].removeprefix("There is no store at ").rstrip(".")

    assert path() == f"{tmp_path}/home/data/audit-tui/audit.db"
    settings = tmp_path / "home/config/audit-tui/config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('store = "~/settings.db"\n')
    assert path() == f"{tmp_path}/home/settings.db"
    monkeypatch.setenv("AUDIT_TUI_STORE", f"{tmp_path}/variable.db")
    assert path() == f"{tmp_path}/variable.db"
    assert run("info", "-s", f"{make_store(tmp_path / 'option.db')}").exit_code == 0


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _nothing(path: Path) -> None:
    assert not path.exists()


CANNOT_BE_READ: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (_nothing, "no store"),
    "folder": (_folder, "folder"),
    "pipe": (_pipe, "pipe"),
    "text": (lambda path: path.write_text("2026-11-22 login alice\n"), "not an audit store"),
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "random": (lambda path: path.write_bytes(bytes(range(256)) * 40), "not an audit store"),
    "gzip": (lambda path: path.write_bytes(b"\x1f\x8b" + bytes(200)), "compressed"),
}


@pytest.mark.parametrize("command", ["open", "query", "count", "info"])
@pytest.mark.parametrize("kind", CANNOT_BE_READ)
def test_what_is_no_store_is_named_with_the_way_out(tmp_path: Path, kind: str, command: str) -> None:
    prepare, words = CANNOT_BE_READ[kind]
    path = tmp_path / "what is it? 100%#1"
    prepare(path)
    before = sorted(tmp_path.rglob("*"))
    result = run(command, "-s", str(path))
    assert (result.exit_code, result.stdout) == (3, "")
    message, _, hint = result.stderr.partition("\n")
    assert str(path) in message
    assert words in message
    assert hint
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_store_without_permission_is_told(store: Path) -> None:
    store.chmod(0)
    result = run("count", "-s", str(store))
    assert (result.exit_code, result.stdout) == (3, "")
    assert str(store) in result.stderr


def test_a_hostile_name_does_not_reach_the_terminal() -> None:
    result = run("query", "-s", "/nowhere/\x1b]0;pwned\x07\u202e\udcff\nforged")
    assert result.exit_code == 3
    assert "/nowhere/\\x1b]0;pwned\\x07\\u202e\\udcff\\nforged" in result.stderr
    assert result.stderr.replace("\n", "").isprintable()
    assert run("query", "--\x1b[2J").stderr.replace("\n", "").isprintable()


def test_a_setting_that_cannot_be_used_is_told(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_TUI_ZONE", "Nowhere")
    result = run("count", "-s", str(store))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("AUDIT_TUI_ZONE: zone names no time zone")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", ["count", "query"])
def test_an_output_that_is_full_is_told_in_a_sentence(store: Path, command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*AUDIT_TUI, command, "-s", str(store), "--range", "all-time"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (3, b"Input or output: No space left on device.\n")


@pytest.fixture
def big_store(tmp_path: Path) -> Path:
    """A store whose events, as JSON, are more than a pipe takes."""
    return make_store(
        tmp_path / "big.db",
        (AuditEvent("E", at("2026-11-01 00:00") + number, description="x" * 100) for number in range(3000)),
    )


EVERYTHING = ("--range", "all-time", "--format", "jsonl")


def test_a_reader_that_goes_away_ends_the_output_quietly(big_store: Path) -> None:
    with started("query", "-s", str(big_store), *EVERYTHING) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"seq":')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_a_run_whose_reader_sleeps(big_store: Path, number: signal.Signals, code: int) -> None:
    with started("query", "-s", str(big_store), *EVERYTHING) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(number)
        assert process.stderr.read() == b""
        assert process.wait(60) == code


INTERRUPTS = {
    # What making a dataclass does; Python would end by the signal later, whatever the exit code.
    "inside exec": "exec('import os, signal\\nos.kill(os.getpid(), signal.SIGINT)\\nwhile True: pass')",
    # What SQLite calls back loses its exceptions.
    "inside SQLite": (
        "import os, signal, sqlite3\n"
        "def callback(): os.kill(os.getpid(), signal.SIGINT)\n"
        "connection = sqlite3.connect(':memory:')\n"
        "connection.create_function('callback', 0, callback)\n"
        "from audit_tui.store.file.connect import store_errors\n"
        "with store_errors(__import__('pathlib').Path('x')): connection.execute('SELECT callback()')\n"
    ),
}


@pytest.mark.parametrize("place", INTERRUPTS)
def test_an_interrupt_ends_with_its_code_wherever_it_comes(place: str) -> None:
    script = (
        "from audit_tui.cli import main\n"
        "@main.click.command()\n"
        f"def command(): exec(compile({INTERRUPTS[place]!r}, 'command', 'exec'), {{}})\n"
        "main.Commands.get_command = lambda *_: command\n"
        "main.commands.main(['count'])\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (130, b"")


SIGNAL_AT_IMPORT = """
import os, signal, sys
class Interrupting:
    def find_spec(name, path=None, target=None):
        if name == os.environ["INTERRUPTED_IMPORT"]:
            sys.meta_path.remove(Interrupting)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting)
"""


@pytest.mark.parametrize(
    "module",
    ["audit_tui.cli.main", "audit_tui.cli.session", "audit_tui.cli.commands.query", "audit_tui.store.file"],
)
def test_an_interrupt_during_the_imports_is_quiet(store: Path, tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(SIGNAL_AT_IMPORT)
    ended = subprocess.run(
        [*AUDIT_TUI, "count", "-s", str(store)],
        env=os.environ | {"PYTHONPATH": str(tmp_path), "INTERRUPTED_IMPORT": module},
        capture_output=True,
        check=False,
    )
    assert ended.returncode in (-signal.SIGINT, 130)
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_the_console_script_begins_as_the_module_does() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"audit-tui": "audit_tui.__main__:main"}


def test_nohup_is_obeyed(big_store: Path) -> None:
    command = f"trap '' HUP; exec {' '.join(AUDIT_TUI)} query -s '{big_store}' {' '.join(EVERYTHING)}"
    with subprocess.Popen(["/bin/sh", "-c", command], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        assert len(process.stdout.readlines()) == 2999
        assert process.wait(60) == 0


def test_a_locale_without_letters_loses_nothing(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s.db", [AuditEvent("Gelöscht 漢字", at("2026-11-22 12:00"))])
    for form in ("jsonl", "csv", "table"):
        ended = subprocess.run(
            [*AUDIT_TUI, "query", "-s", str(store), "--range", "all-time", "--format", form],
            env=os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
            capture_output=True,
            check=True,
        )
        assert ended.stderr == b""
        expected = "Gelöscht 漢字".encode() if form != "table" else b"Gel\\xf6scht \\u6f22\\u5b57"
        assert expected in ended.stdout
