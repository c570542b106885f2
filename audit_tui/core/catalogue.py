"""Events by their names: meaning, category, expected metadata, target.

The data is ``catalogue.toml`` beside this module. A store may hold any other event as well; nothing here
is a limit on what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IP_ADDRESS = "IP Address"
"""The metadata name of the address that the user acted from; it fills an event's source IP."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An entry of the catalogue."""

    event: str
    category: str
    meaning: str
    """A sentence for a person that says what it records."""
    metadata: tuple[str, ...]
    """The names that its metadata should have, in the catalogue's order."""
    target: tuple[str, ...]
    """The metadata names that say what was acted upon, the best one first: Name, else ID."""

    def missing(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        """The expected names that are not there, in the catalogue's order.

        Names are compared without regard to case. A name that is there with a null counts as recorded:
        that nothing was set is what the record says.
        """
        recorded = {name.casefold() for name in metadata}
        return tuple(name for name in self.metadata if name.casefold() not in recorded)

    def target_of(self, metadata: Mapping[str, Any]) -> str | None:
        """Return what was acted upon: the name, else the ID, of the thing that the category is about.

        A list of IDs is joined by commas; None when the metadata does not say.
        """
        return _first_text(metadata, self.target)


class Catalogue:
    """The known events, found by name.

    Args:
        entries: In the order in which the catalogue lists them.
    """

    def __init__(self, entries: tuple[CatalogueEntry, ...]) -> None:
        self._entries = {entry.event: entry for entry in entries}

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, each once, in the catalogue's order."""
        return tuple(dict.fromkeys(entry.category for entry in self))

    def find(self, event: str) -> CatalogueEntry | None:
        """Return the entry of the event of exactly this name; None if it has none."""
        return self._entries.get(event)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue that ships with the package; read at the first call."""
    # Only the detail pane and recording need it: 8 ms that the first paint does not wait for.
    import tomllib
    from importlib.resources import files

    text = (files("audit_tui.core") / "catalogue.toml").read_text(encoding="utf-8")
    return Catalogue(tuple(_entries(tomllib.loads(text))))


def source_ip_of(metadata: Mapping[str, Any]) -> str | None:
    """The address that the user acted from, as the metadata names it; None when it does not."""
    return _first_text(metadata, (IP_ADDRESS,))


def _entries(data: dict[str, Any]) -> Iterator[CatalogueEntry]:
    for category in data["category"]:
        for event in category["event"]:
            yield CatalogueEntry(
                event=event["name"],
                category=category["name"],
                meaning=event["meaning"],
                metadata=tuple(event["metadata"]),
                target=tuple(category["target"]),
            )


def _first_text(metadata: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    by_name = {name.casefold(): value for name, value in metadata.items()}
    for name in names:
        text = _text(by_name.get(name.casefold()))
        if text:
            return text
    return None


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bool() | None:
            return ""
        case int() | float():
            return str(value)
        case list() | tuple():
            return ", ".join(part for part in map(_text, value) if part)
        case _:
            return ""
