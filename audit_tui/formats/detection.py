"""Telling by its keys and a few values of which format a record is, as a vendor's file says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from audit_tui.formats.decoding import inner_json
from audit_tui.formats.loose import Loose, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audit_tui.formats.record import Fields

_KINDS: dict[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "milliseconds": lambda value: isinstance(value, int) and value > 10**11,
    "digits": lambda value: str(value).isdecimal() and not isinstance(value, bool),
}


class Condition(NamedTuple):
    """What must hold of a record; dots go into objects, and keys may be spelled in any way."""

    has: tuple[str, ...]
    """All of these paths lead to something."""
    any: tuple[str, ...]
    """One of these does; empty asks for none."""
    without: tuple[str, ...]
    """None of these paths leads to anything, but for a text that is not an object written out."""
    equals: tuple[tuple[str, tuple[Any, ...]], ...]
    """Paths, and the values of which each has one."""
    begins: tuple[tuple[str, tuple[str, ...]], ...]
    """Paths, and the beginnings of which each text has one; without case."""
    kinds: tuple[tuple[str, Callable[[object], bool]], ...]
    """Paths, and what each value must be."""

    @classmethod
    def of(cls, table: dict[str, Any]) -> Self:
        """Return the condition of a table ``[[detect]]``; raises KeyError for what it does not know."""
        unknown = table.keys() - {"has", "any", "without", "is", "begins", "kind"}
        if unknown:
            raise KeyError(min(unknown))
        return cls(
            tuple(table.get("has", ())),
            tuple(table.get("any", ())),
            tuple(table.get("without", ())),
            tuple((path, _listed(values)) for path, values in table.get("is", {}).items()),
            tuple(
                (path, tuple(str(text).lower() for text in _listed(texts)))
                for path, texts in table.get("begins", {}).items()
            ),
            tuple((path, _KINDS[kind]) for path, kind in table.get("kind", {}).items()),
        )

    def fits(self, keys: set[str]) -> bool:
        """Tell whether records with these folded keys may fulfil it."""
        needed = (*self.has, *(path for path, _ in (*self.equals, *self.begins, *self.kinds)))
        return all(_may_lead(path, keys) for path in needed) and (
            not self.any or any(_may_lead(path, keys) for path in self.any)
        )

    def holds(self, fields: Fields) -> bool:
        """Tell whether a record whose keys fit fulfils it."""
        at = Loose(fields).at
        return (
            all(path in fields or at(path) is not None for path in self.has)
            and all(_is_one_of(at(path), values) for path, values in self.equals)
            and all(_begins(at(path), texts) for path, texts in self.begins)
            and all(kind(at(path)) for path, kind in self.kinds)
            and not any(_is_object(at(path)) for path in self.without)
            and (not self.any or any(path in fields or at(path) is not None for path in self.any))
        )


def _is_one_of(value: object, values: tuple[Any, ...]) -> bool:
    return not isinstance(value, dict | list) and value in values


def _begins(value: object, texts: tuple[str, ...]) -> bool:
    return isinstance(value, str) and value.lower().startswith(texts)


def _is_object(value: object) -> bool:
    if isinstance(value, str):
        return value.lstrip()[:1] == "{" and inner_json(value) is not None
    return value is not None


def _listed(value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a TOML value
    return tuple(value) if isinstance(value, list) else (value,)


def _may_lead(path: str, keys: set[str]) -> bool:
    return fold(path) in keys or ("." in path and fold(path.partition(".")[0]) in keys)


class Detection(NamedTuple):
    """The conditions of a format; one of them is enough."""

    conditions: tuple[Condition, ...]

    def fits(self, names: Iterable[str]) -> bool:
        """Tell whether records with these keys may be of the format; the same for the same keys."""
        keys = set(map(fold, names))
        return any(condition.fits(keys) for condition in self.conditions)

    def holds(self, fields: Fields) -> bool:
        """Tell whether a record is of the format; never raises."""
        return any(condition.holds(fields) for condition in self.conditions)
