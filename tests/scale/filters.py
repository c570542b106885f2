"""The filters that the benchmarks ask: 300 by a seed, each another one, and a list of nasty ones."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_tui.core.columns import NAME_COLUMNS, Column, NameColumn
from audit_tui.core.filter.filters import Condition, in_words
from audit_tui.core.filter.operators import IS, IS_NOT
from audit_tui.core.flat_filter import FlatFilter, Match
from audit_tui.core.time.dates import Preset, TimeContext
from audit_tui.core.view import View
from audit_tui.demo.people import NEVER_TOGETHER

if TYPE_CHECKING:
    from audit_tui.core.query import EventQuery, EventReader

SEED = 20261122
FILTERS = 300
MAX_ROWS = 6
NASTY = 22
"""The number of filters ``nasty`` gives."""
CONTEXT = TimeContext(UTC, datetime(2026, 11, 22, 12, tzinfo=UTC))
"""The demo store of the benchmarks ends on this day."""
SHORT_PRESETS = frozenset(Preset) - {Preset.ALL_TIME}
"""Those of up to a year."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter with its range, as somebody would choose them on the screen."""

    view: View

    def __str__(self) -> str:
        words = in_words(self.view.filter) or "everything"
        return f"{words} [{self.view.time_range}]"

    @property
    def is_all_time(self) -> bool:
        return self.view.time_range is Preset.ALL_TIME

    def query(self) -> EventQuery:
        return self.view.query(CONTEXT)


def values_of(reader: EventReader) -> dict[NameColumn, list[str | None]]:
    """The values of each field, the most frequent first; the missing one among them."""
    return {field: [value.value for value in reader.values(field, "", 5_000)] for field in NAME_COLUMNS}


def seeded(
    values: dict[NameColumn, list[str | None]], filters: int = FILTERS, seed: int = SEED
) -> list[Asked]:
    """Filters of one to six rows, all and any, over every preset in turn; no two the same."""
    chance = random.Random(seed)
    presets = list(Preset)
    asked: dict[Asked, None] = {}
    while len(asked) < filters:
        number = len(asked)
        rows = tuple(_condition(values, chance) for _ in range(1 + number % MAX_ROWS))
        match = Match.ALL if number // MAX_ROWS % 2 else Match.ANY
        preset = presets[number // (2 * MAX_ROWS) % len(presets)]
        asked[Asked(View(FlatFilter(match, rows).expression(), preset))] = None
    return list(asked)


def _condition(values: dict[NameColumn, list[str | None]], chance: random.Random) -> Condition:
    field = chance.choice(list(NAME_COLUMNS))
    choices = values[field]
    # As many of the ten most frequent as of the thousand behind them.
    rank = int(len(choices) ** chance.random()) - 1
    return Condition(field, chance.choice((IS, IS, IS_NOT)), choices[min(rank, len(choices) - 1)])


def nasty(values: dict[NameColumn, list[str | None]]) -> list[Asked]:
    """Filters of All Time that plain indexes answer in seconds, and those for the far end of the store."""
    events, categories, users = (values[field] for field in NAME_COLUMNS)

    def is_(field: NameColumn, value: str | None) -> Condition:
        return Condition(field, IS, value)

    def is_not(field: NameColumn, value: str | None) -> Condition:
        return Condition(field, IS_NOT, value)

    event, user = NEVER_TOGETHER
    alls = [
        # Two common values that never meet.
        (is_(Column.EVENT, event), is_(Column.USER, user)),
        (is_(Column.EVENT, events[0]), is_(Column.CATEGORY, categories[1])),
        (is_(Column.EVENT, events[0]), is_not(Column.CATEGORY, "Dataset")),
        (is_(Column.EVENT, events[0]), is_(Column.EVENT, events[1])),
        # Common with rare.
        (is_(Column.EVENT, events[0]), is_(Column.USER, users[-1])),
        (is_(Column.EVENT, events[-1]), is_(Column.USER, users[0])),
        (is_(Column.CATEGORY, categories[-1]), is_(Column.USER, users[1])),
        (is_(Column.USER, users[0]), is_(Column.EVENT, events[-2])),
        # Nothing but what is left out.
        tuple(is_not(Column.EVENT, value) for value in events[:6]),
        tuple(is_not(Column.USER, value) for value in users[:6]),
        tuple(is_not(Column.CATEGORY, value) for value in categories[:6]),
        (
            *(is_not(Column.CATEGORY, value) for value in categories[:-1][:5]),
            is_not(Column.EVENT, events[-1]),
        ),
        (is_(Column.USER, None), is_(Column.EVENT, events[0])),
        (is_not(Column.USER, users[0]), is_(Column.EVENT, events[-1])),
        (is_(Column.USER, users[2]), is_not(Column.EVENT, events[0]), is_not(Column.CATEGORY, categories[0])),
        (is_(Column.USER, "nobody@nowhere"),),
    ]
    anys = [
        tuple(is_(Column.USER, value) for value in users[-6:]),
        tuple(is_(Column.EVENT, value) for value in events[:6]),
        (is_(Column.EVENT, events[0]), is_(Column.USER, users[0]), is_(Column.CATEGORY, categories[-1])),
        (is_not(Column.EVENT, events[0]), is_not(Column.USER, users[0])),
        (is_(Column.USER, None), is_(Column.USER, users[-1]), is_(Column.EVENT, events[-1])),
        (is_(Column.USER, "nobody@nowhere"), is_(Column.EVENT, "Nothing")),
    ]
    filters = [FlatFilter(Match.ALL, rows) for rows in alls] + [FlatFilter(Match.ANY, rows) for rows in anys]
    return [Asked(View(chosen.expression(), Preset.ALL_TIME)) for chosen in filters]
