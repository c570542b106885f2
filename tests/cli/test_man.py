"""The man page and the shell completion: all that the commands take, and as their programs read it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from audit_tui.cli import man
from audit_tui.cli.main import commands
from audit_tui.cli.man import page
from audit_tui.config import SETTINGS
from audit_tui.core.query_line.grammar import MEANING
from audit_tui.core.time.dates import Preset
from audit_tui.ui.commands import COMMANDS as SCREEN_COMMANDS
from tests.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_PRESETS = {preset.slug for preset in Preset if preset.slug.startswith("last-")}


def all_commands(
    command: click.Command = commands, name: str = "audit-tui"
) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for inner in command.list_commands(context):
            subcommand = command.get_command(context, inner)
            assert subcommand is not None
            yield from all_commands(subcommand, f"{name} {inner}")


def test_the_page_that_is_installed_is_that_of_these_commands() -> None:
    installed = Path(man.__file__).with_name("audit-tui.1").read_text(encoding="ascii")
    assert installed == page(), "python -m audit_tui.cli.man > audit_tui/cli/audit-tui.1"


@pytest.fixture(scope="module")
def words() -> str:
    """The page without its roff."""
    return page().replace("\\-", "-").replace("\\e", "\\").replace("\\(dq", '"').replace("\\&", "")


@pytest.mark.parametrize(("name", "command"), all_commands())
def test_every_command_and_option_is_on_the_page(words: str, name: str, command: click.Command) -> None:
    heading = f"\n.SS {name} [OPTIONS]" if name != "audit-tui" else "\n.SH OPTIONS\n"
    assert words.count(heading) == 1
    section = re.split(r"\n\.S[SH] ", words.partition(heading)[2])[0]
    for option in command.params:
        if isinstance(option, click.Option):
            assert all(re.search(rf"(?<![\w-]){re.escape(each)}\b", section) for each in option.opts)
            assert (option.help or "") in section


def test_every_key_and_setting_is_on_the_page(words: str) -> None:
    for command in SCREEN_COMMANDS:
        assert f"\n.B {' '.join(command.keys)}  ({command.id})\n{command.help}\n" in words
    for setting in SETTINGS:
        assert f"\n.B {setting.variable} ({setting.name})\n" in words


def test_the_page_is_ascii_and_no_line_of_help_is_taken_for_a_request() -> None:
    assert page().isascii()
    requests = {line.split()[0] for line in page().splitlines() if line.startswith((".", "'"))}
    assert requests <= {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".nf", ".fi"}


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff")
def test_groff_finds_nothing_wrong(tmp_path: Path) -> None:
    file = tmp_path / "audit-tui.1"
    file.write_text(page())
    ended = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", str(file)], capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    assert "audit-tui" in ended.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("audit-tui q", {"query"}),
        ("audit-tui config v", {"validate"}),
        ("audit-tui --res", {"--resume"}),
        ("audit-tui query --ra", {"--range"}),
        ("audit-tui query --range last-", LAST_PRESETS),
        ("audit-tui --range la", LAST_PRESETS),
        ("audit-tui count --filter us", {"user=", "user\\!="}),
        ("audit-tui export --match a", {"all", "any"}),
        ("audit-tui nosuch.d", set()),
    ],
)
def test_bash_completes(line: str, expected: set[str], tmp_path: Path) -> None:
    program = tmp_path / "audit-tui"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -m audit_tui\n")
    program.chmod(0o755)
    script = """
    eval "$(_AUDIT_TUI_COMPLETE=bash_source audit-tui)"
    compopt() { :; }
    COMP_LINE=$LINE; COMP_POINT=${#LINE}
    _audit_tui_completion audit-tui "${LINE##* }"
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    ended = subprocess.run(
        ["bash", "-c", script],
        env=os.environ | {"PATH": f"{tmp_path}:/usr/bin:/bin", "LINE": line},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""
    assert set(ended.stdout.split()) == expected


def test_the_query_language_is_told_alike_everywhere(words: str) -> None:
    help_ = run("query", "--help").stdout
    for example, meaning in MEANING:
        assert f".B {example}\n{meaning}" in words
        assert example in help_
        assert meaning in help_
