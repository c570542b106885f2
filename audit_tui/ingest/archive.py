"""Archives: the files in a tar or a zip, one after another, nothing written to a disk."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.errors import FileError

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

MAX_MEMBERS = 10_000
"""An archive with more files was made to keep somebody busy."""
TAR_HEAD_BYTES = 512
_TAR_MAGIC = b"ustar"
_TAR_MAGIC_AT = 257
ZIP_MAGIC = b"PK\x03\x04"
_FOREIGN = ("__MACOSX/",)
DAMAGED_ARCHIVE = (tarfile.TarError, zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error)
"""Errors that reading an archive may raise: a broken one, a way of packing that is not read, a password."""


class Member(NamedTuple):
    """A file in an archive."""

    name: str
    """The name after that of the archive; hostile until cleaned."""
    read: Callable[[int], bytes]
    """Gives its bytes: up to as many as asked for, none at the end."""


def is_tar(head: bytes) -> bool:
    """Tell whether data that begins so is a tar archive."""
    return head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + len(_TAR_MAGIC)] == _TAR_MAGIC


def tar_members(name: str, stream: io.RawIOBase) -> Iterator[Member]:
    """Return the files in a tar archive, each to be read before the next.

    Raises:
        FileError: If it has too many, or is damaged.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for number, member in enumerate(archive):
                _check_count(name, number)
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None and not _is_hidden(member.name):
                    yield Member(f"{name}/{member.name}", file.read)
    except DAMAGED_ARCHIVE as error:
        raise damaged(name, error) from None


def zip_members(name: str, stream: BinaryIO) -> Iterator[Member]:
    """Return the files in a zip archive, in its order.

    Raises:
        FileError: If it has too many, or is damaged.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            _check_count(name, len(members) - 1)
            for member in members:
                if not member.is_dir() and not _is_hidden(member.filename):
                    with archive.open(member) as file:
                        yield Member(f"{name}/{member.filename}", file.read)
    except DAMAGED_ARCHIVE as error:
        raise damaged(name, error) from None


def damaged(name: str, error: Exception) -> FileError:
    """Return the error for an archive that cannot be read, or not on."""
    message = " ".join(str(error).split()) or type(error).__name__
    return FileError(f"{name} cannot be read as an archive: {message}.", "Unpack it, and name the folder.")


def _check_count(name: str, number: int) -> None:
    if number >= MAX_MEMBERS:
        raise FileError(
            f"{name} is an archive of more than {MAX_MEMBERS:,} files.", "Unpack it, and name the folder."
        )


def _is_hidden(name: str) -> bool:
    return name.startswith(_FOREIGN) or name.rpartition("/")[2].startswith(".")
