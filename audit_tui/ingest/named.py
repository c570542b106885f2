"""What the arguments of ``open`` name: one store, or logs. The bytes tell, never the name."""

from __future__ import annotations

import shlex
import stat
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

STDIN = "-"
_STREAMS = "/dev/fd/"
"""Where a shell puts the output of a command that is written as an argument, ``<(zcat a.gz)``."""


class Kind(Enum):
    """What a path leads to."""

    STORE = "a store"
    DATABASE = "a database, but not an audit store"
    LOG = "a log"
    MISSING = "not there"
    UNREADABLE = "not readable"
    SPECIAL = "neither a file nor a folder"
    """A named pipe, a device, a socket: reading it might never end."""


def is_stream(name: str) -> bool:
    """Whether a name stands for what can be read only once."""
    return name == STDIN or name.startswith(_STREAMS)


def kind_of(name: str) -> Kind:
    """What an argument names; nothing that could wait for somebody is opened."""
    if is_stream(name):
        return Kind.LOG
    path = Path(name)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Kind.LOG
        return _kind_of_file(path) if stat.S_ISREG(mode) else Kind.SPECIAL
    except (FileNotFoundError, NotADirectoryError):
        return Kind.MISSING
    except (OSError, ValueError):
        return Kind.UNREADABLE


def _kind_of_file(path: Path) -> Kind:
    from audit_tui.store.file.connect import application_id
    from audit_tui.store.tables.schema import APPLICATION_ID

    found = application_id(path)
    if found is None:
        return Kind.LOG
    return Kind.STORE if found == APPLICATION_ID else Kind.DATABASE


def are_logs(names: Sequence[str]) -> bool:
    """Whether logs are named; False when it is one thing that is a store, or that a store's reader refuses.

    Args:
        names: The arguments, at least one.

    Raises:
        UsageError: If several stores are named, or a store among logs.
        FileError: If one of several is not there, or one cannot be read without waiting.
    """
    kinds = {name: kind_of(name) for name in names}
    if len(names) == 1:
        if kinds[names[0]] is Kind.SPECIAL:
            again = f"audit-tui - < {shlex.quote(names[0])}"
            raise FileError(f"{names[0]} is {Kind.SPECIAL.value}.", f"Read it as: {again}")
        return kinds[names[0]] is Kind.LOG
    for name, kind in kinds.items():
        if kind is Kind.MISSING:
            raise FileError(f"There is no file {name}.", "Nothing was opened.")
        if kind is Kind.SPECIAL:
            raise FileError(f"{name} is {kind.value}.", "Nothing was opened.")
    stores = [name for name, kind in kinds.items() if kind is Kind.STORE]
    others = [name for name in names if name not in stores]
    if stores and others:
        raise UsageError(
            f"{stores[0]} is a store, and {others[0]} is not: a store is opened alone.",
            "To have them together, put the logs into the store: audit-tui import -s STORE LOG...",
        )
    if stores:
        raise UsageError(f"Two stores are named, {names[0]} and {names[1]}.", "Open one at a time.")
    return True
