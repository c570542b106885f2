"""Finding logs: what the arguments of a command name, and the files of folders. The bytes tell."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.core.new_file import database_files, file_identity
from audit_tui.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

STDIN = "-"
_STREAMS = "/dev/fd/"
"""The folder where a shell puts the output of a command that is written as an argument, ``<(zcat a.gz)``."""


class Kind(Enum):
    """The kind of thing that a path leads to."""

    STORE = "a store"
    DATABASE = "a database, but not an audit store"
    LOG = "a log"
    MISSING = "not there"
    UNREADABLE = "not readable"
    SPECIAL = "neither a file nor a folder"
    """A named pipe, a device, a socket: reading it might never end."""


def is_stream(name: str) -> bool:
    """Tell whether a name stands for what can be read only once."""
    return name == STDIN or name.startswith(_STREAMS)


def kind_of(name: str) -> Kind:
    """Return what an argument names; nothing that could wait for somebody is opened."""
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

    identity = application_id(path)
    if identity is None:
        return Kind.LOG
    return Kind.STORE if identity == APPLICATION_ID else Kind.DATABASE


def are_logs(names: Sequence[str]) -> bool:
    """Tell whether logs are named; False when it is one store, or one thing that a store's reader refuses.

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


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that is to be read."""

    name: str
    """Its name in messages: the path as the user gave it; hostile until cleaned."""
    path: Path | None
    """None for standard input."""
    size_bytes: int
    """0 when unknown."""
    is_named: bool = True
    """The user named it; otherwise it was found in a folder."""


def find_logs(
    paths: Iterable[str], never_open: Collection[tuple[int, int]] = ()
) -> Iterator[LogFile | FileError]:
    """The files that paths name, in the order given; those of a folder sorted by name, folders after them.

    Hidden files, and what is not a regular file, are left out of folders.

    Args:
        paths: Files, folders, ``-`` for standard input.
        never_open: Identities of files that must not be opened: closing the store's file once more in a
            process that writes it drops its locks (RELIABILITY finding 3).
    """
    for name in paths:
        if name == STDIN:
            yield LogFile("standard input", None, 0)
            continue
        path = Path(name)
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            yield unreadable(name, error)
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _in_folder(path, never_open)
        elif (status.st_dev, status.st_ino) in never_open:
            yield FileError(f"{name} is the store itself.", "Name the logs to import into it.")
        else:
            size_bytes = status.st_size if stat.S_ISREG(status.st_mode) else 0
            yield LogFile(name, path, size_bytes)


def _in_folder(folder: Path, never_open: Collection[tuple[int, int]]) -> Iterator[LogFile | FileError]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield unreadable(str(folder), error)
        return
    folders = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            folders.append(Path(entry.path))
            continue
        try:
            status = entry.stat()
        except OSError as error:
            yield unreadable(entry.path, error)
            continue
        if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in never_open:
            yield LogFile(entry.path, Path(entry.path), status.st_size, is_named=False)
    for inner in folders:
        yield from _in_folder(inner, never_open)


def store_files(store: Path) -> set[tuple[int, int]]:
    """The identities of the files that a store consists of, as far as they exist."""
    beside = map(file_identity, database_files(store))
    return {identity for identity in beside if identity is not None}


def unreadable(name: str, error: Exception) -> FileError:
    """The error to raise where a file cannot be opened or read."""
    if isinstance(error, EOFError):
        return FileError(f"{name} ends too soon: it is cut off or still being written.")
    if isinstance(error, FileNotFoundError):
        return FileError(f"There is no file {name}.")
    if isinstance(error, PermissionError):
        return FileError(f"{name}: reading it is not allowed.", "Ask its owner, or run as another user.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return FileError(f"{name} cannot be read: {reason or type(error).__name__}.")
