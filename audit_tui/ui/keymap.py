"""The keys of the commands: the presets, the user's own keys, and what clashes."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from audit_tui.core.record import Record
from audit_tui.core.text import clean
from audit_tui.errors import ConfigError
from audit_tui.ui.commands import COMMANDS, Command, Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.binding import Binding, BindingType

DEFAULT = "default"
ARROWS = "arrows"
PRESETS = (DEFAULT, ARROWS)
PARTS = (Where.PANE, Where.CHIPS, Where.FACETS, Where.STRIP)
UNBOUND = "unbound"
"""A key that no keyboard has, for a command whose keys were taken away."""

_NAMES = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "low_line": "underscore",
    "plus_sign": "plus",
    "hyphen_minus": "minus",
}
"""Textual's names of characters where they are not Unicode's."""
_SHORT_NAMES = {
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "escape": "Esc",
    "enter": "⏎",
    "space": "Space",
    "home": "Home",
    "end": "End",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "tab": "Tab",
    "delete": "Del",
    "backspace": "Backspace",
    "plus": "+",
    "full_stop": ".",
    "asterisk": "*",
    "tilde": "~",
    "minus": "-",
}


class Clash(Record):
    """One key for two commands that apply at the same place."""

    key: str
    first: Command
    second: Command

    def __str__(self) -> str:
        return f"{key_name(self.key)} is the key of both {self.first.id} and {self.second.id}"


class Keymap:
    """The keys of every command.

    Args:
        preset: ``default``, or ``arrows``, which needs no letters.
        user_keys: The user's keys by command id; an empty tuple takes all keys away.

    Raises:
        ConfigError: If there is no such preset or command.
    """

    def __init__(self, preset: str = DEFAULT, user_keys: Mapping[str, tuple[str, ...]] | None = None) -> None:
        if preset not in PRESETS:
            raise ConfigError(f"There is no keymap {clean(preset)!r}.", f"Keymaps are {', '.join(PRESETS)}.")
        ids = {command.id for command in COMMANDS}
        for id_ in user_keys or {}:
            if id_ not in ids:
                raise ConfigError(
                    f"There is no command {clean(id_)!r} to give keys to.",
                    "audit-tui config keys lists the commands.",
                )
        self._keys = {command.id: _preset_keys(command, preset) for command in COMMANDS} | dict(
            user_keys or {}
        )

    def keys(self, command: Command) -> tuple[str, ...]:
        return self._keys[command.id]

    def first_key(self, command: Command) -> str:
        keys = self.keys(command)
        return key_name(keys[0]) if keys else ""

    def key_of(self, id_: str) -> str:
        return self.first_key(next(command for command in COMMANDS if command.id == id_))

    def for_textual(self) -> dict[str, str]:
        """Return what differs from the default keys, in the form of ``App.set_keymap``.

        Textual 8.2.8 works a keymap out again ten times a key: all 40 commands took 8 ms, none takes none.
        """
        return {
            command.id: ",".join(textual_name(key) for key in keys) or UNBOUND
            for command in COMMANDS
            if (keys := self._keys[command.id]) != command.keys
        }

    def clashes(self) -> tuple[Clash, ...]:
        return tuple(dict.fromkeys(self._clashes()))

    def _clashes(self) -> Iterator[Clash]:
        for place in (Where.TABLE, *PARTS):
            taken: dict[str, Command] = {}
            for command in COMMANDS:
                if command.where not in (place, Where.SCREEN, Where.APP):
                    continue
                for key in self.keys(command):
                    # One key has two names: + and plus.
                    other = taken.setdefault(textual_name(key), command)
                    # A part has keys of its own that mean something else round it: Esc leaves the chips.
                    by_design = (*other.keys, *other.arrow_keys)
                    is_meant = other.where in PARTS and command.where is Where.SCREEN and key in by_design
                    if other is not command and not is_meant:
                        yield Clash(key, other, command)


def textual_name(key: str) -> str:
    """Return a key as Textual names it: ``asterisk`` for ``*``; one that has a name already stays."""
    if len(key) > 1 or key.isalnum():
        return key
    name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_").removeprefix("commercial_")
    return _NAMES.get(name, name)


def key_name(key: str) -> str:
    """A key as people write it: ``PgDn``, ``^L``, ``?``."""
    if key.startswith("ctrl+"):
        rest = key.removeprefix("ctrl+")
        return f"^{rest.upper() if len(rest) == 1 else key_name(rest)}"
    if key.startswith("shift+"):
        return f"Shift+{key_name(key.removeprefix('shift+'))}"
    if key.startswith("f") and key[1:].isdigit():
        return key.upper()
    return _SHORT_NAMES.get(key, key)


def bindings(*where: Where) -> list[Binding]:
    """Textual's bindings for the commands that apply there, with the default keys."""
    from textual.binding import Binding

    return [
        Binding(
            ",".join(textual_name(key) for key in command.keys),
            command.action,
            command.title,
            show=False,
            id=command.id,
            tooltip=command.help,
            priority=command.where is Where.APP,
        )
        for command in COMMANDS
        if command.where in where
    ]


def hidden(rows: str, *, priority: bool = False) -> list[BindingType]:
    """Return the bindings of a dialog or a field: ``KEYS=ACTION``, with spaces between them."""
    from textual.binding import Binding

    pairs = (row.split("=") for row in rows.split())
    return [Binding(keys, action, show=False, priority=priority) for keys, action in pairs]


def _preset_keys(command: Command, preset: str) -> tuple[str, ...]:
    if preset == DEFAULT:
        return command.keys
    return command.arrow_keys or tuple(key for key in command.keys if not (len(key) == 1 and key.isalpha()))
