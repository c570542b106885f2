"""The values that a demo account is made from: the same values give the same events."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from audit_tui.core.event import iso_utc, to_us
from audit_tui.errors import UsageError

TABLES: dict[str, Any] = tomllib.loads((Path(__file__).parent / "account.toml").read_text(encoding="utf-8"))
WORDS: dict[str, list[Any]] = TABLES["words"]


GENERATOR = 1
"""Raised whenever the same values would give other events, so that an older demo store is made again."""
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000

DEFAULT_EVENTS = 100_000
DEFAULT_DAYS = 400
DEFAULT_USERS = 120
DEFAULT_SEED = 1
MIN_USERS = 5
"""The owner, the service account, an administrator, a security officer, and one who should not be there."""

_MARGIN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class DemoValues:
    """The values of one demo account; UsageError if no account can be made of them."""

    until: datetime
    """Aware; no event lies at or after it."""
    events: int = DEFAULT_EVENTS
    """Exactly this many; 0 makes an empty record."""
    days: int = DEFAULT_DAYS
    """Whole days of 24 hours back from ``until``."""
    users: int = DEFAULT_USERS
    """At most this many act; a short record may end before all of them were invited."""
    seed: int = DEFAULT_SEED

    def __post_init__(self) -> None:
        if self.until.tzinfo is None:
            raise UsageError("The end of the demo has no time zone.", "Give a time with a zone.")
        if self.events < 0:
            raise UsageError(f"A demo cannot have {self.events:,} events.", "Give 0 or more.")
        if self.days < 1:
            raise UsageError(f"A demo cannot cover {self.days:,} days.", "Give 1 day or more.")
        if self.users < MIN_USERS:
            raise UsageError(f"A demo needs at least {MIN_USERS} users.", f"Give {MIN_USERS} or more.")
        try:
            _ = self.until.astimezone(UTC) + _MARGIN
            _ = self.until.astimezone(UTC) - _MARGIN - timedelta(days=self.days)
        except OverflowError:
            raise UsageError(
                f"{self.days:,} days up to {self.until:%Y-%m-%d} do not lie between the years 1 and 9999.",
                "Give fewer days, or another end.",
            ) from None

    @property
    def end_us(self) -> int:
        """The end in microseconds since 1970, itself outside."""
        return to_us(self.until)

    @property
    def start_us(self) -> int:
        """The beginning in microseconds since 1970, itself inside."""
        return self.end_us - self.days * DAY_US

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that differ when a value differs; they begin the events' keys."""
        text = f"{GENERATOR}/{self.events}/{self.days}/{self.users}/{self.seed}/{iso_utc(self.end_us)}"
        return sha256(text.encode()).hexdigest()[:8]

    def stream(self, name: str) -> random.Random:
        """A source of random numbers of its own for each purpose.

        Only ``random()`` is ever called on it: it alone is promised to stay the same in later Pythons.
        """
        return random.Random(f"audit-tui demo/{self.seed}/{name}")  # noqa: S311 - a demo, not a secret
