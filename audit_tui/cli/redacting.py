"""``--redact``, and the secret keys that this program makes for itself and that never leave the machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from audit_tui.cli.session import session_of
from audit_tui.config import keys_directory
from audit_tui.core.new_file import new_file, private_folder
from audit_tui.core.privacy.redact_mode import RedactMode, shown_filter
from audit_tui.errors import FileError, FileExists

if TYPE_CHECKING:
    from audit_tui.core.query import EventReader
    from audit_tui.core.view import View


P = ParamSpec("P")
R = TypeVar("R")


def redact_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add ``--redact``; the command gets ``redact: bool``."""
    return click.option(
        "--redact",
        is_flag=True,
        help="Pseudonyms in the place of users' names and addresses, the same everywhere; the key that makes "
        "them stays on this machine.",
    )(command)


def redact_mode(*, is_on: bool) -> RedactMode:
    """The switch of a run; its key is made or read when it is first used."""
    return RedactMode(partial(local_key, PSEUDONYMS), is_on=is_on)


def mode_of(context: click.Context, *, redact: bool) -> RedactMode:
    """The switch of a run as the option or the settings have it."""
    return redact_mode(is_on=redact or session_of(context).loaded.settings.redact)


def redacted_view(view: View, mode: RedactMode, reader: EventReader) -> View:
    """The view with pseudonyms in its filter, so that the screen does not name who was asked for."""
    names = mode.pseudonyms(reader)
    return view if names is None else view.with_filters(partial(shown_filter, names=names))


KEY_BYTES = 32
PSEUDONYMS = "pseudonyms.key"
"""Makes the pseudonyms of redact mode: who has it can try names against them."""
SECRETS = "secrets.key"
"""Makes the hashes that an import leaves in the place of secrets."""


def local_key(name: str) -> bytes:
    """The key in this file of the directory of keys, made when there is none.

    Raises:
        FileError: If it cannot be read or made, others may read it, or it is not a key.
    """
    path = keys_directory() / name
    try:
        private_folder(path.parent)
        key = os.urandom(KEY_BYTES)
        try:
            with new_file(path, None) as file:
                file.buffer.write(key)
        except FileExists:
            return _read(path.as_posix())
    except OSError as error:
        raise FileError(f"The key {path} cannot be used: {error.strerror}.") from error
    return key


def _read(path: str) -> bytes:
    # Not to be held up by a named pipe, nor led elsewhere by a link.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != KEY_BYTES:
            raise FileError(f"{path} is not a key of this program.", "Move it away; a new one is made.")
        if status.st_mode & 0o077:
            raise FileError(
                f"Others may read or write the key {path} ({stat.filemode(status.st_mode)}).",
                f"Make it yours alone: chmod 600 {path}",
            )
        return os.read(descriptor, KEY_BYTES)
    finally:
        os.close(descriptor)
