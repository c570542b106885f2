"""The pages for people: short, true to the commands, and without a path that leads nowhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from audit_tui.cli.main import COMMANDS, commands
from audit_tui.ui.commands import COMMANDS as SCREEN_COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md"))]
README_WORDS = 750
"""As many as a person reads in three minutes."""
ARCHITECTURE_WORDS = 2_600
"""And in ten."""
ROOMS = ("cli", "core", "demo", "formats", "ingest", "output", "store", "ui")
SCREEN_KEYS = {"↓": "down", "←": "left", "→": "right", "Enter": "enter", "Esc": "escape"}


def code(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def blocks(text: str = README) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def options() -> Iterator[str]:
    context = click.Context(commands)
    waiting = [commands.get_command(context, name) for name in COMMANDS]
    while waiting:
        command = waiting.pop()
        assert command is not None
        waiting += command.commands.values() if isinstance(command, click.Group) else ()
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield from parameter.opts


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


def test_it_is_read_in_three_minutes() -> None:
    assert len(README.split()) <= README_WORDS


def test_the_architecture_is_read_in_ten_minutes() -> None:
    page = (ROOT / ".github" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL).split()) <= ARCHITECTURE_WORDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_and_options_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    words = " ".join([*code(text), *blocks(text)])
    assert set(re.findall(r"audit-tui ([a-z]+)\b(?!://)", words)) <= {*COMMANDS}
    ours = "\n".join(line for line in words.splitlines() if "pytest" not in line)
    named = set(re.findall(r"audit-tui [^`\n]*?(--[a-z][a-z-]*)", ours))
    assert named <= {*options(), "--help", "--version"}


def test_the_keys_of_the_first_five_minutes_exist() -> None:
    section = README.partition("## The first five minutes")[2].partition("| | |")[0]
    existing = {key for command in SCREEN_COMMANDS for key in command.keys}
    existing |= {"question_mark"} if "?" in existing else set()
    assert [key for key in code(section) if SCREEN_KEYS.get(key, key) not in existing] == []


def test_the_examples_can_be_read_by_the_commands() -> None:
    lines = [line for block in blocks() for line in block.splitlines() if line.startswith("audit-tui query")]
    assert lines
    for line in lines:
        script = f'set -- {line.removeprefix("audit-tui ")}; {sys.executable} -m audit_tui "$@"'
        ended = subprocess.run(
            ["/bin/sh", "-c", script + " -s /nowhere/x.db"], capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stderr.splitlines()[0]) == (3, "There is no store at /nowhere/x.db.")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_exists(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_the_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:audit_tui|tests|screenshots|\.ci|\.github)/[\w./-]*)`", text)
    rooms = re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w./]*)`", text)
    tests = {name for name in rooms if "/test_" in name}
    named += [f"tests/{name}" if name in tests else f"audit_tui/{name}" for name in rooms]
    named += [f"tests/{name}" for name in re.findall(r"`((?:faults|pty|readers)/test_\w+\.py)`", text)]
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []
