"""The README names every command, option, setting and key that there is, and no other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from audit_tui.cli.main import COMMANDS, commands
from audit_tui.config import CONFIG_VARIABLE, SETTINGS
from audit_tui.core.time.dates import Preset
from audit_tui.store.evidence.signing import KEY_VARIABLE
from audit_tui.ui.commands import COMMANDS as SCREEN_COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMPLETE_VARIABLE = "_AUDIT_TUI_COMPLETE"
"""Click's own."""
KEY_NAMES = {
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "escape": "Esc",
}


def section(heading: str) -> str:
    match = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert match, heading
    return match[1]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def all_commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(commands)
    for name in COMMANDS:
        command = commands.get_command(context, name)
        assert command is not None
        yield from with_inner(name, command)


def with_inner(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for inner, inner_command in command.commands.items():
            yield from with_inner(f"{name} {inner}", inner_command)


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_there_are_exactly_two_commands_to_set_it_up() -> None:
    set_up = [line for block in blocks() for line in block.splitlines() if "pip install" in line]
    assert set_up == [
        "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/audit-tui demo",
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest",
    ]


def test_the_check_of_a_change_runs_the_second_of_them() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    match = re.search(r"grep (-m 1 -E '[^']+') README\.md", script)
    assert match
    taken = subprocess.run(
        ["/bin/sh", "-c", f"grep {match[1]} README.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert taken in "\n".join(blocks())
    assert taken.endswith("-m pytest")


@pytest.mark.parametrize("name", [name for name, _ in all_commands()])
def test_every_command_is_named(name: str) -> None:
    assert f"`audit-tui {name}" in README or f"`{name}`" in README


def test_every_command_that_is_named_exists() -> None:
    named = re.findall(r"audit-tui ([a-z]+)", " ".join([*code(README), *blocks()]))
    assert set(named) <= set(COMMANDS)


def test_every_option_is_named_and_every_named_option_exists() -> None:
    existing = {"--help", "--version"}
    for _, command in all_commands():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                existing.update(name for name in parameter.opts if name.startswith("--"))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README))
    assert (existing - named, named - existing) == (set(), set())


def test_the_ranges_are_those_that_exist() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| `--range PRESET`"))
    assert set(code(row)) - {"--range PRESET"} == {preset.slug for preset in Preset}


def test_every_setting_is_named_and_every_named_variable_exists() -> None:
    rows = [re.findall(r"`([^`]+)`", line)[:2] for line in section("Settings").splitlines() if "| `" in line]
    assert sorted(rows) == sorted([setting.name, setting.variable] for setting in SETTINGS)
    variables = {CONFIG_VARIABLE, COMPLETE_VARIABLE, KEY_VARIABLE}
    variables.update(setting.variable for setting in SETTINGS)
    assert set(re.findall(r"\b_?AUDIT_TUI_[A-Z_]+", README)) <= variables


def _key_name(key: str) -> str:
    if key in KEY_NAMES:
        return KEY_NAMES[key]
    return "+".join(
        part if len(part) == 1 and "+" not in key else part.capitalize() for part in key.split("+")
    )


def test_every_key_is_named_and_every_named_key_exists() -> None:
    existing = {_key_name(key) for command in SCREEN_COMMANDS for key in command.keys}
    named = set(code(section("Keys"))) - {":5000", "fg"}
    assert (existing - named, named - existing) == (set(), set())


def test_the_examples_can_be_read_by_the_commands() -> None:
    for block in blocks():
        for line in block.splitlines():
            if line.startswith("audit-tui query"):
                script = f'set -- {line.removeprefix("audit-tui ")}; {sys.executable} -m audit_tui "$@"'
                ended = subprocess.run(
                    ["/bin/sh", "-c", script + " -s /nowhere/x.db"],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert (ended.returncode, ended.stderr.splitlines()[0]) == (
                    3,
                    "There is no store at /nowhere/x.db.",
                )


def test_the_pictures_are_there() -> None:
    for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file(), path


def test_the_tests_that_it_names_are_there() -> None:
    named = re.findall(r"\b((?:cli|core|faults|formats|pty|store|ui)/(?:test|check)_\w+\.py)", README)
    assert named
    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []
