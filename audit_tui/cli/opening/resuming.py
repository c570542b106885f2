"""The place at which each store was left, in the platform's state directory from one run to the next.

What is kept tells what somebody looked for, so the file is its owner's alone (mode 0600). It is never
trusted: one that cannot be read is told and started again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.config import state_directory
from audit_tui.core.left import Left
from audit_tui.core.new_file import read_small
from audit_tui.core.source import SourceUrl, is_url, source_of
from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from audit_tui.core.left import Plain
    from audit_tui.core.query import StoreInfo
    from audit_tui.core.source import EventSource

FILE_NAME = "left.json"
VERSION = 1
MAX_STORES = 50
"""The stores left longest ago are forgotten."""
MAX_FILE_BYTES = 4_000_000


class Places:
    """The stores that were left, the last one at the end."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_directory() / FILE_NAME
        self.problem = ""
        """A sentence about what is wrong with the file; empty when nothing is."""
        self._stores = self._read()

    @property
    def last_store(self) -> EventSource | None:
        """The store that was left last, which may be gone by now; None when there is none."""
        match list(self._stores.values()):
            case [*_, {"store": str(name)}] if "\0" not in name:
                if os.path.isabs(name):  # noqa: PTH117
                    return Path(name)
                with suppress(UsageError):
                    source = source_of(name)
                    return source if isinstance(source, SourceUrl) else None
        return None

    def left_in(self, store_id: str) -> Left | None:
        """Return the place at which a store was left; None when that was not noted."""
        plain = self._stores.get(store_id)
        if plain is None:
            return None
        try:
            return Left.from_plain(plain)
        except ValueError:
            self.problem = _broken(self.path)
            return None

    def seen_in(self, store_id: str) -> int | None:
        """Return the number of the newest event when a store was left; None when that was not noted."""
        match self._stores.get(store_id):
            case {"seen": int(seq)} if seq >= 0:
                return seq
        return None

    def keep(self, info: StoreInfo, left: Left, seen: int | None = None) -> None:
        """Write where a store is left now, and the number of its newest event.

        Raises:
            FileError: If it cannot be written; what was there is still there then.
        """
        from audit_tui.core.new_file import private_file

        # Read again: another screen may have been closed meanwhile.
        stores = dict(self._read())
        stores.pop(info.store_id, None)
        stores[info.store_id] = {
            "store": info.path if is_url(info.path) else str(Path(info.path).absolute()),
            **left.to_plain(),
            "seen": seen,
        }
        plain = dict(list(stores.items())[-MAX_STORES:])
        with private_file(self.path) as stream:
            json.dump({"version": VERSION, "stores": plain}, stream)

    def _read(self) -> Mapping[str, Plain]:
        try:
            match json.loads(read_small(self.path, MAX_FILE_BYTES) or '{"version": 1, "stores": {}}'):
                case {"version": 1, "stores": dict(stores)}:
                    return stores
        # RecursionError: brackets in brackets in brackets.
        except (OSError, ValueError, RecursionError):
            pass
        self.problem = _broken(self.path)
        return {}


def _broken(path: Path) -> str:
    return f"The file of the places where you left off cannot be read; a new one was started: {path}."
