"""Secret keys that this program makes for itself and that never leave the machine."""

from __future__ import annotations

import os
import stat

from audit_tui.config import keys_directory
from audit_tui.core.new_file import new_file, private_folder
from audit_tui.errors import FileError, FileExists

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
