"""A view as a command line that gives the same, and as one word that can be sent: a link."""

from __future__ import annotations

import base64
import binascii
import json
import re
import shlex
import zlib
from collections.abc import Iterable
from datetime import UTC, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from audit_tui.core.filter.filters import EVERYTHING
from audit_tui.core.left import Left
from audit_tui.core.query import NEWEST_FIRST
from audit_tui.core.query_line.text import line_of
from audit_tui.core.record import Record
from audit_tui.core.text import UNSAFE_CLASS
from audit_tui.core.time.dates import Preset, bound_texts
from audit_tui.core.time.zones import zone_named
from audit_tui.errors import TimeError, UsageError

if TYPE_CHECKING:
    from audit_tui.core.query import Sort
    from audit_tui.core.time.dates import TimeContext
    from audit_tui.core.view import View


_UNSAFE = re.compile(f"[{UNSAFE_CLASS}]")
_LEFT_TO_ESCAPE = re.compile(rf"[{UNSAFE_CLASS}'\\]")


def event_options(view: View, context: TimeContext) -> list[str]:
    """The options [events] that choose what a view shows; ``sort_options`` has its order.

    A preset stays one, so that the command means the same on another day as the button on the screen.
    """
    words = [] if view.in_force == EVERYTHING else ["-q", line_of(view.in_force)]
    since, until = bound_texts(view.time_range, context)
    if isinstance(view.time_range, Preset) or not (since or until):
        preset = view.time_range if isinstance(view.time_range, Preset) else Preset.ALL_TIME
        words += ["--range", preset.slug]
    else:
        words += ["--since", since] if since else []
        words += ["--until", until] if until else []
    return [*words, "--tz", zone_option(context.zone)]


def sort_options(sort: Sort) -> list[str]:
    """Return the options of ``query`` that give an order; none for newest first."""
    if sort == NEWEST_FIRST:
        return []
    if sort.column is NEWEST_FIRST.column:
        return ["--reverse"]
    return ["--sort", sort.column.value, *(["--reverse"] if sort.descending else [])]


def zone_option(zone: tzinfo) -> str:
    """A zone as ``zone_named`` reads it; the machine's own zone, if it has no name, is ``local``."""
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    if isinstance(zone, timezone):
        offset = zone.utcoffset(None)
        if offset == UTC.utcoffset(None):
            return "UTC"
        minutes = round(offset.total_seconds() / 60)
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return "local"


def shell_line(words: Iterable[str]) -> str:
    r"""Words as one line for a shell, which holds nothing that a terminal would obey when it is pasted.

    What is unsafe is written as bash, zsh and ksh read it: ``$'\x1b'``.

    Raises:
        UsageError: If a word holds what no argument can, NUL or half a character.
    """
    return " ".join(map(_shell_word, words))


def _shell_word(word: str) -> str:
    if not _UNSAFE.search(word):
        return shlex.quote(word)
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError("Half a character cannot be written in a command.") from None
    if "\0" in word:
        raise UsageError("A NUL character cannot be written in a command.")
    return f"$'{_LEFT_TO_ESCAPE.sub(_shell_escape, word)}'"


def _shell_escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in "'\\":
        return f"\\{character}"
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


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
    """Read a link, which may come from anybody; UsageError if it is not one, or was cut."""
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
