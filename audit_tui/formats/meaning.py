"""The meaning of usual events: why a reviewer cares, and what to look at next. The data is in ``meanings/``.

A file holds groups of events that belong together; its name is that of the format. ``*`` in the name of an
event stands for any text, and the first name of a file that fits counts.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from audit_tui.core.filter.filters import field_named
from audit_tui.core.investigate.meaning import Meaning
from audit_tui.core.investigate.pairs import Pair
from audit_tui.core.recording import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = "audit_tui.formats.meanings"
CATALOGUE = "catalogue"
_WORDS = re.compile(r'(?:[^\s"]|"[^"]*")+')


def meaning_of(event: str, source: str | None) -> Meaning | None:
    """Return the meaning of an event by its name; None if it is not a usual one.

    Args:
        event: Its name.
        source: Its source: the meaning is looked for there first, then in all others.
    """
    names = sources()
    first = [source] if source in names else []
    for name in (*first, CATALOGUE, *names):
        for pattern, meaning in _meanings(name):
            if pattern == event or ("*" in pattern and _fits(pattern, event)):
                return meaning
        if first:
            # The same name means something else elsewhere.
            return None
    return None


@cache
def sources() -> tuple[str, ...]:
    """The names of the files."""
    names = (
        entry.name.removesuffix(".toml") for entry in files(FOLDER).iterdir() if entry.name.endswith(".toml")
    )
    return tuple(sorted(names))


@cache
def _meanings(name: str) -> tuple[tuple[str, Meaning], ...]:
    import tomllib

    text = (files(FOLDER) / f"{name}.toml").read_text(encoding="utf-8")
    return tuple(_read(tomllib.loads(text)))


def _read(data: Mapping[str, Any]) -> Iterator[tuple[str, Meaning]]:
    for group in data["group"]:
        events: dict[str, str] | list[str] = group["events"]
        for event in events:
            if isinstance(events, dict):
                words = events[event]
            else:
                entry = catalogue().find(event)
                words = "" if entry is None else entry.meaning
            yield event, Meaning(words, group["why"], group["next"], tuple(events))


@cache
def _fits(pattern: str, event: str) -> bool:
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), event, re.DOTALL) is not None


@cache
def pairs() -> tuple[Pair, ...]:
    """The events that begin something and those that end it, of all formats."""
    import tomllib

    text = (files("audit_tui.formats") / "pairs.toml").read_text(encoding="utf-8")
    return tuple(_pair(table) for table in tomllib.loads(text)["pair"])


def _pair(table: Mapping[str, Any]) -> Pair:
    begins_by, ends_by = (
        tuple(tuple(map(field_named, _WORDS.findall(group))) for group in table.get(key) or table["by"])
        for key in ("begins_by", "ends_by")
    )
    return Pair(table["begins"], tuple(table["ends"]), table["words"], begins_by, ends_by)
