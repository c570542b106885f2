"""The name of a source of events: the path of a store, or the URL of an engine that many stores share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from audit_tui.core.record import Record
from audit_tui.core.text import lazy_pattern
from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from urllib.parse import SplitResult


# Two letters at least: C:/ is a path. pathlib makes one slash of two.
_URL = lazy_pattern(r"[a-z][a-z0-9+.\-]+:/", re.IGNORECASE)
_PASSWORD = lazy_pattern(r"\b([a-z][a-z0-9+.\-]+:/{1,2}[^\s/?#:@]*):[^\s/]*@", re.IGNORECASE)
_PASSWORD_OPTION = lazy_pattern(r"([?&](?:password|passwd|pwd|token|secret)=)[^\s&#]+", re.IGNORECASE)


def is_url(name: str) -> bool:
    """Tell whether a name is that of a source elsewhere, and not a path."""
    return _URL.match(name) is not None


def without_password(text: str) -> str:
    """Return a text with the passwords of all URLs in it hidden: ``postgresql://ann:***@host/audit``."""
    return _PASSWORD_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


POSTGRESQL = "postgresql"
CLICKHOUSE = "clickhouse"
SCHEMES = (POSTGRESQL, CLICKHOUSE)
_SAME = {"postgres": POSTGRESQL, "clickhouses": CLICKHOUSE, "chdb": CLICKHOUSE}
"""Further schemes: an old name, ClickHouse by https, and its engine inside this process."""
_PASSWORDS = frozenset({"password", "passwd", "pwd", "token", "secret"})


def _split(url: str) -> SplitResult:
    # Imported where it is wanted: 3 ms of the start of every command.
    from urllib.parse import urlsplit

    return urlsplit(url)


def _options(parts: SplitResult) -> dict[str, list[str]]:
    from urllib.parse import parse_qs

    return parse_qs(parts.query)


class SourceUrl(Record):
    """The URL of a shared engine. As text it never shows its password."""

    secret_text: str
    """As it was given; only for the driver that connects."""
    table: str = ""
    """Another program's table there, to read instead of ours; empty for ours."""
    mapping: Path | None = None
    """The file that says what the columns of that table are; None guesses by their names."""

    @property
    def engine(self) -> str:
        """The engine that it names, one of ``SCHEMES``."""
        scheme = _split(self.secret_text).scheme
        return _SAME.get(scheme, scheme)

    @property
    def name(self) -> str:
        """A short name for the screen: the database and the host."""
        parts = _split(self.secret_text)
        database = parts.path.strip("/")
        return " on ".join(filter(None, (database, parts.hostname or ""))) or self.engine

    @property
    def is_local(self) -> bool:
        """Tell whether the engine is on this machine: a socket, or the loopback address."""
        parts = _split(self.secret_text)
        hosts = _options(parts).get("host", [parts.hostname or ""])
        return all(host in ("", "localhost", "127.0.0.1", "::1") or host[:1] in "/@" for host in hosts)

    @property
    def has_password(self) -> bool:
        """Tell whether a password stands in it."""
        parts = _split(self.secret_text)
        return parts.password is not None or not _PASSWORDS.isdisjoint(_options(parts))

    def __str__(self) -> str:
        return without_password(self.secret_text)

    def __repr__(self) -> str:
        return f"SourceUrl({str(self)!r})"


EventSource: TypeAlias = Path | SourceUrl


def source_of(name: str) -> EventSource:
    """Read the name of a source; UsageError if it is a URL that no engine here answers."""
    if not is_url(name):
        return Path(name)
    scheme, _, rest = name.partition(":")
    if _SAME.get(scheme.lower(), scheme.lower()) not in SCHEMES or not rest.startswith("//"):
        engines = ", ".join(f"{engine}://" for engine in SCHEMES)
        raise UsageError(
            f"{without_password(name)} is not a source of events.",
            f"Name a store by its path, or a shared engine: {engines}.",
        )
    try:
        # A port that is not a number, a host in half a bracket.
        _ = _split(name).port
    except ValueError as error:
        raise UsageError(f"{without_password(name)} cannot be read: {error}.") from None
    return SourceUrl(name)


def local_path(source: EventSource) -> Path:
    """Return the path of a source that must be a store on this machine; UsageError if it is a URL."""
    if isinstance(source, SourceUrl):
        raise UsageError(
            f"This needs a store on this machine, not {source}.",
            "Name a store by its path. audit-tui ship sends one to a shared engine.",
        )
    return source
