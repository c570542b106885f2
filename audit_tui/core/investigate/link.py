"""A view as one word that can be sent to somebody else: ``av1:...``, opened by ``audit-tui open``.

It names the store, the filter, the range, the order and the event under the cursor. It may come from
anybody, so whatever is read from it is checked, and what does not fit is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import TYPE_CHECKING

from audit_tui.core.command_text import zone_option
from audit_tui.core.left import Left
from audit_tui.core.record import Record
from audit_tui.core.time.zones import zone_named
from audit_tui.errors import TimeError, UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

PREFIX = "av1:"
MAX_CHARS = 100_000
MAX_BYTES = 1_000_000
MAX_NAMES = 100


class Link(Record):
    """A view of a store."""

    names: tuple[str, ...]
    """The store, or the logs, as ``open`` takes them; empty leaves it to whoever opens the link."""
    store_id: str
    """To tell another store of the same name; empty when it is not known."""
    left: Left
    zone: tzinfo

    def text(self) -> str:
        """Return it as one word, of letters, digits, ``-`` and ``_``."""
        plain = {
            "names": list(self.names),
            "store": self.store_id,
            "zone": zone_option(self.zone),
            **self.left.to_plain(),
        }
        data = zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 9)
        return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


def is_link(word: str) -> bool:
    """Tell whether an argument is a link."""
    return word.startswith(PREFIX)


def read_link(word: str) -> Link:
    """Read a link.

    Raises:
        UsageError: If it is not one, or was cut.
    """
    try:
        data = _unpacked(word.removeprefix(PREFIX).strip())
        match json.loads(data):
            case {"names": [*names], "store": str(store_id), "zone": str(zone), **rest}:
                return Link(_names(names), store_id, Left.from_plain(rest), zone_named(zone))
    # RecursionError: brackets in brackets in brackets.
    except (ValueError, RecursionError, TimeError, zlib.error, binascii.Error):
        pass
    raise UsageError("The link cannot be read.", "Copy all of it, from av1: on: y l on the screen makes it.")


def _names(names: list[object]) -> tuple[str, ...]:
    texts = tuple(name for name in names if isinstance(name, str) and "\0" not in name)
    if len(texts) < len(names) or len(names) > MAX_NAMES:
        raise ValueError("not names")
    return texts


def _unpacked(text: str) -> bytes:
    if len(text) > MAX_CHARS:
        raise ValueError("too long")
    packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(packed, MAX_BYTES)
    if not unpacking.eof:
        raise ValueError("cut, or unpacks too far")
    return data
