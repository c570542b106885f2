"""The filters that the benchmarks ask: 300 by a seed, each another one, and a list of nasty ones."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_tui.core.filters import IS, IS_NOT, Condition, Field, FlatFilter, Match, in_words
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.view import View
from audit_tui.demo.people import NEVER_TOGETHER

if TYPE_CHECKING:
    from audit_tui.core.query import EventQuery, EventReader

SEED = 20261122
FILTERS = 300
MAX_ROWS = 6
NASTY = 22
"""How many filters ``nasty`` gives."""
CONTEXT = TimeContext(UTC, datetime(2026, 11, 22, 12, tzinfo=UTC))
"""The demo store of the benchmarks ends on this day."""
SHORT_PRESETS = frozenset(Preset) - {Preset.ALL_TIME}
"""Those of up to a year."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter with its range, as somebody would choose them on the screen."""

    view: View

    def __str__(self) -> str:
        words = in_words(self.view.filter.expression()) or "everything"
        return f"{words} [{self.view.time_range}]"

    @property
    def is_all_time(self) -> bool:
        return self.view.time_range is Preset.ALL_TIME

    def query(self) -> EventQuery:
        return self.view.query(CONTEXT)


def values_of(reader: EventReader) -> dict[Field, list[str | None]]:
    """The values of each field, the most frequent first; the missing one among them."""
    return {field: [one.value for one in reader.values(field, "", 5_000)] for field in Field}


def seeded(values: dict[Field, list[str | None]], filters: int = FILTERS, seed: int = SEED) -> list[Asked]:
    """Filters of one to six rows, all and any, over every preset in turn; no two the same."""
    chance = random.Random(seed)
    presets = list(Preset)
    found: dict[Asked, None] = {}
    while len(found) < filters:
        number = len(found)
        rows = tuple(_condition(values, chance) for _ in range(1 + number % MAX_ROWS))
        match = Match.ALL if number // MAX_ROWS % 2 else Match.ANY
        preset = presets[number // (2 * MAX_ROWS) % len(presets)]
        found[Asked(View(FlatFilter(match, rows), preset))] = None
    return list(found)


def _condition(values: dict[Field, list[str | None]], chance: random.Random) -> Condition:
    field = chance.choice(list(Field))
    there = values[field]
    # As many of the ten most frequent as of the thousand behind them.
    rank = int(len(there) ** chance.random()) - 1
    return Condition(field, chance.choice((IS, IS, IS_NOT)), there[min(rank, len(there) - 1)])


def nasty(values: dict[Field, list[str | None]]) -> list[Asked]:
    """What plain indexes answer in seconds, and what lies at the far end of the store: all of All Time."""
    events, categories, users = (values[field] for field in Field)

    def is_(field: Field, value: str | None) -> Condition:
        return Condition(field, IS, value)

    def is_not(field: Field, value: str | None) -> Condition:
        return Condition(field, IS_NOT, value)

    event, user = NEVER_TOGETHER
    alls = [
        # Two common values that never meet.
        (is_(Field.EVENT, event), is_(Field.USER, user)),
        (is_(Field.EVENT, events[0]), is_(Field.CATEGORY, categories[1])),
        (is_(Field.EVENT, events[0]), is_not(Field.CATEGORY, "Dataset")),
        (is_(Field.EVENT, events[0]), is_(Field.EVENT, events[1])),
        # Common with rare.
        (is_(Field.EVENT, events[0]), is_(Field.USER, users[-1])),
        (is_(Field.EVENT, events[-1]), is_(Field.USER, users[0])),
        (is_(Field.CATEGORY, categories[-1]), is_(Field.USER, users[1])),
        (is_(Field.USER, users[0]), is_(Field.EVENT, events[-2])),
        # Nothing but what is left out.
        tuple(is_not(Field.EVENT, one) for one in events[:6]),
        tuple(is_not(Field.USER, one) for one in users[:6]),
        tuple(is_not(Field.CATEGORY, one) for one in categories[:6]),
        (*(is_not(Field.CATEGORY, one) for one in categories[:-1][:5]), is_not(Field.EVENT, events[-1])),
        (is_(Field.USER, None), is_(Field.EVENT, events[0])),
        (is_not(Field.USER, users[0]), is_(Field.EVENT, events[-1])),
        (is_(Field.USER, users[2]), is_not(Field.EVENT, events[0]), is_not(Field.CATEGORY, categories[0])),
        (is_(Field.USER, "nobody@nowhere"),),
    ]
    anys = [
        tuple(is_(Field.USER, one) for one in users[-6:]),
        tuple(is_(Field.EVENT, one) for one in events[:6]),
        (is_(Field.EVENT, events[0]), is_(Field.USER, users[0]), is_(Field.CATEGORY, categories[-1])),
        (is_not(Field.EVENT, events[0]), is_not(Field.USER, users[0])),
        (is_(Field.USER, None), is_(Field.USER, users[-1]), is_(Field.EVENT, events[-1])),
        (is_(Field.USER, "nobody@nowhere"), is_(Field.EVENT, "Nothing")),
    ]
    filters = [FlatFilter(Match.ALL, rows) for rows in alls] + [FlatFilter(Match.ANY, rows) for rows in anys]
    return [Asked(View(chosen, Preset.ALL_TIME)) for chosen in filters]
