"""``audit-tui config``: what is set, where it was set, and whether it can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from audit_tui.cli.progress import tell
from audit_tui.cli.session import session_of
from audit_tui.config import KEYS_TABLE, SETTINGS, WEEKDAYS, config_path, default_store_path, examine
from audit_tui.core.text import clean_visible
from audit_tui.core.time.zones import zone_label, zone_named
from audit_tui.errors import ConfigError
from audit_tui.ui.commands import COMMANDS as SCREEN_COMMANDS
from audit_tui.ui.commands import Where
from audit_tui.ui.keymap import DEFAULT, Keymap, key_name
from audit_tui.ui.themes import theme_named

if TYPE_CHECKING:
    from audit_tui.config import Loaded


@click.group("config")
def config_command() -> None:
    """Show and check the settings.

    They come from a TOML file in the platform's configuration directory (AUDIT_TUI_CONFIG names another),
    then from the environment (AUDIT_TUI_STORE, AUDIT_TUI_ZONE, ...), then from the options of a command.
    """


@config_command.command("path")
def path_command() -> None:
    """Print where the settings file is, or would be."""
    click.echo(clean_visible(str(config_path())))


@config_command.command("show")
@click.pass_context
def show_command(context: click.Context) -> None:
    """Print every setting, its value, and where it comes from."""
    session = session_of(context)
    loaded = session.loaded
    machine_zone = f"{zone_label(zone_named(None), session.clock())} (the machine's)"
    rows = [
        (setting.name, _shown(loaded, setting.attribute, machine_zone), str(loaded.origin(setting.name)))
        for setting in SETTINGS
    ]
    for name, keys in loaded.settings.keys.items():
        full_name = f"{KEYS_TABLE}.{name}"
        rows.append((full_name, ", ".join(keys) or "(no key)", str(loaded.origin(full_name))))
    cleaned = [tuple(map(clean_visible, row)) for row in rows]
    name_cells, value_cells = (max(len(row[column]) for row in cleaned) for column in (0, 1))
    for name, value, origin in cleaned:
        click.echo(f"{name:<{name_cells}}  {value:<{value_cells}}  {origin}")


@config_command.command("keys")
@click.pass_context
def keys_command(context: click.Context) -> None:
    """Print what every key of the screen does, by the ids that [keys] takes."""
    settings = session_of(context).loaded.settings
    keymap = Keymap(settings.keymap, settings.keys)
    keys = {
        command.id: clean_visible(" ".join(map(key_name, keymap.keys(command))) or "(no key)")
        for command in SCREEN_COMMANDS
    }
    id_cells, key_cells = max(map(len, keys)), max(map(len, keys.values()))
    for where in Where:
        click.echo(f"{where.value}:")
        for command in SCREEN_COMMANDS:
            if command.where is where:
                click.echo(f"  {command.id:<{id_cells}}  {keys[command.id]:<{key_cells}}  {command.help}")


@config_command.command("validate")
def validate_command() -> None:
    """Check every setting; each that cannot be used is told with its line."""
    path = config_path()
    _, problems = settings_and_problems()
    if not problems:
        state = "no problems" if path.exists() else "no such file, no problems"
        click.echo(f"{clean_visible(str(path))}: {state}")
        return
    for problem in problems[:-1]:
        tell(problem.message)
        if problem.hint:
            tell(problem.hint)
    raise problems[-1]


def settings_and_problems() -> tuple[Loaded, list[ConfigError]]:
    """The settings as far as they can be used, and what is wrong with the rest.

    Raises:
        FileError: If there is a file and it cannot be read.
    """
    loaded, problems = examine()
    return loaded, [*problems, *_theme_problems(loaded), *_keymap_problems(loaded)]


def _theme_problems(loaded: Loaded) -> list[ConfigError]:
    theme = loaded.settings.theme
    try:
        if theme is not None:
            theme_named(theme)
    except ConfigError as error:
        return [ConfigError(f"{loaded.origin('theme')}: {error.message}", error.hint)]
    return []


def _keymap_problems(loaded: Loaded) -> list[ConfigError]:
    problems: list[ConfigError] = []
    preset = loaded.settings.keymap
    chosen: dict[str, tuple[str, ...]] = {}
    for name in ("", *loaded.settings.keys):
        taken = {name: loaded.settings.keys[name]} if name else {}
        try:
            Keymap(preset, taken)
        except ConfigError as error:
            origin = loaded.origin(f"{KEYS_TABLE}.{name}" if name else "keymap")
            problems.append(ConfigError(f"{origin}: {error.message}", error.hint))
            if not name:
                preset = DEFAULT
        else:
            chosen |= taken
    for clash in Keymap(preset, chosen).clashes():
        ids = [command.id for command in (clash.first, clash.second) if command.id in chosen]
        origin = loaded.origin(f"{KEYS_TABLE}.{ids[-1]}" if ids else "keymap")
        problems.append(ConfigError(f"{origin}: {clash}.", "Give one of them another key."))
    return problems


def _shown(loaded: Loaded, attribute: str, machine_zone: str) -> str:
    value = getattr(loaded.settings, attribute)
    match attribute:
        case "store":
            return str(value or default_store_path())
        case "zone":
            return value or machine_zone
        case "first_weekday":
            return WEEKDAYS[value].capitalize()
        case "columns":
            return ", ".join(value)
        case "deadline":
            return "no limit" if value is None else f"{value:g} s"
        case _ if isinstance(value, bool):
            return "on" if value else "off"
        case _:
            return str(value or "(the program's)")
