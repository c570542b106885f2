"""``config``: what is set, where that was said, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_tui.ui.commands import COMMANDS
from tests.cli.running import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "my config.toml"
    monkeypatch.setenv("AUDIT_TUI_CONFIG", str(path))
    return path


def test_the_path_is_told_whether_there_is_a_file_or_not(config_file: Path, tmp_path: Path) -> None:
    assert run("config", "path").stdout == f"{config_file}\n"
    assert list(tmp_path.iterdir()) == []


def test_every_setting_is_shown_with_its_origin(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text('zone = "Europe/Berlin"\nfirst-weekday = "sunday"\n[keys]\nfilter = ["F", "f2"]\n')
    monkeypatch.setenv("AUDIT_TUI_MOUSE", "off")
    result = run("config", "show")
    shown = [tuple(line.split(None, 1)) for line in result.stdout.splitlines()]
    rest = {name: " ".join(words.split()) for name, words in shown}
    assert result.exit_code == 0
    assert rest["zone"] == f"Europe/Berlin {config_file}, line 1"
    assert rest["first-weekday"] == f"Sunday {config_file}, line 2"
    assert rest["keys.filter"] == f"F, f2 {config_file}, line 4"
    assert rest["mouse"] == "off AUDIT_TUI_MOUSE"
    assert [rest[name].split()[0] for name in ("mask-secrets", "redact", "record-own-acts")] == [
        "on",
        "off",
        "off",
    ]
    assert rest["theme"].endswith(" default")


def test_the_machines_zone_is_named() -> None:
    assert "UTC (the machine's)" in run("config", "show").stdout


def test_settings_that_can_be_used_are_valid(config_file: Path) -> None:
    config_file.write_text('mouse = true\n[keys]\nfilter = "f2"\n')
    result = run("config", "validate")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{config_file}: no problems\n", "")


def test_no_file_is_valid(tmp_path: Path) -> None:
    result = run("config", "validate")
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path}/home/config/audit-tui/config.toml: no such file, no problems\n"


def test_every_problem_is_told_with_its_line(config_file: Path) -> None:
    config_file.write_text(
        'zone = "Europe/Berln"\nkeymap = "emacs"\n[keys]\nfilter = "t"\nnosuch = "x"\nquit = 3\n'
    )
    result = run("config", "validate")
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line for line in result.stderr.splitlines() if line.startswith(str(config_file))] == [
        f"{config_file}, line 1: zone names no time zone: Europe/Berln.",
        f'{config_file}, line 6: keys.quit must be a key, or a list of keys, as ["f", "ctrl+f"].',
        f"{config_file}, line 2: There is no keymap 'emacs'.",
        f"{config_file}, line 5: There is no command 'nosuch' to give keys to.",
        f"{config_file}, line 4: t is the key of both filter and time-range.",
    ]


@pytest.mark.parametrize("theme", ["dark", "light", "terminal", "nord"])
def test_a_theme_of_ours_or_of_textual_is_valid(config_file: Path, theme: str) -> None:
    config_file.write_text(f'theme = "{theme}"\n')
    assert run("config", "validate").exit_code == 0


def test_an_unknown_theme_is_told_with_its_line(config_file: Path) -> None:
    config_file.write_text('mouse = true\ntheme = "drak"\n')
    result = run("config", "validate")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[0] == f"{config_file}, line 2: There is no theme 'drak'."


def test_the_keys_are_listed_as_they_are_set(config_file: Path) -> None:
    config_file.write_text('[keys]\nfilter = ["F", "f2"]\nquit = []\n')
    result = run("config", "keys")
    assert result.exit_code == 0
    lines = {line.split()[0]: line.split() for line in result.stdout.splitlines()}
    assert all(command.id in lines for command in COMMANDS)
    assert lines["filter"][1:3] == ["F", "F2"]
    assert lines["quit"][1:3] == ["(no", "key)"]


def test_a_hostile_file_does_not_reach_the_terminal(config_file: Path) -> None:
    config_file.write_text('"\\u001b[2J\\u202e" = 1\n[keys]\n"\\u009b" = "x"\nfilter = "\\u001b]0;x"\n')
    for command in ("show", "validate", "keys"):
        result = run("config", command)
        assert result.exit_code == 2
        assert (result.stdout + result.stderr).replace("\n", "").isprintable()
