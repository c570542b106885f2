"""Tell the format of a record by its keys and a few values, as a vendor's file says it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias

from audit_tui.formats.decoding import inner_json
from audit_tui.formats.loose import Loose, fold, written_out

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


Check: TypeAlias = "Callable[[Fields], bool]"
"""Tells whether a record with certain keys is of a format."""


class Condition(NamedTuple):
    """The condition that a record must meet; dots go into objects, and keys may be spelled in any way."""

    has: tuple[str, ...]
    """All of these paths lead to something."""
    any: tuple[str, ...]
    """One of these does; empty asks for none."""
    without: tuple[str, ...]
    """None of these paths leads to anything, but for a text that is not an object written out."""
    equals: tuple[tuple[str, tuple[Any, ...]], ...]
    """Paths, and the values that each may have."""
    begins: tuple[tuple[str, tuple[str, ...]], ...]
    """Paths, and the beginnings that each text may have; without case."""
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

    def resolved(self, keys: dict[str, str]) -> Check | None:
        """Return what must hold of the values of records with these keys; None when the keys rule it out.

        Args:
            keys: The keys of the records by their folded spelling.
        """
        checks: list[tuple[Callable[[Fields], Any], Callable[[Any], bool]]] = []
        wanted: list[tuple[str, Callable[[Any], bool]]] = [(path, _is_there) for path in self.has]
        wanted += [(path, partial(_is_one_of, values=values)) for path, values in self.equals]
        wanted += [(path, partial(_begins, texts=texts)) for path, texts in self.begins]
        wanted += self.kinds
        for path, holds in wanted:
            getter = _getter(path, keys)
            if getter is None:
                return None
            if holds is not _is_there or path not in keys.values():
                checks.append((getter, holds))
        checks += [
            (getter, _is_no_object) for path in self.without if (getter := _getter(path, keys)) is not None
        ]
        some = [getter for path in self.any if (getter := _getter(path, keys)) is not None]
        if self.any and not some:
            return None

        def check(fields: Fields) -> bool:
            # Of most records there are two to try: a generator for each takes longer than its checks.
            for get, holds in checks:
                if not holds(get(fields)):
                    return False
            return not some or any(get(fields) is not None for get in some)

        return check


def _getter(path: str, keys: dict[str, str]) -> Callable[[Fields], Any] | None:
    """The reader of the value at a path in records with these keys; None when no key may lead there."""
    key = keys.get(fold(path))
    if key is not None:
        return lambda fields: fields[key]
    first, _, rest = path.partition(".")
    place = keys.get(fold(first)) if rest else None
    return None if place is None else lambda fields: _value_in(fields[place], rest)


def _value_in(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON values
    if isinstance(value, str):
        value = written_out(value) if value[:1] in ("{", "[") else None
    elif isinstance(value, list):
        value = {str(place): item for place, item in enumerate(value[:20])}
    return Loose(value).at(path) if isinstance(value, dict) else None


def _is_there(value: object) -> bool:
    return value is not None


def _is_no_object(value: object) -> bool:
    return not _is_object(value)


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


class Detection(NamedTuple):
    """The conditions of a format; one of them is enough."""

    conditions: tuple[Condition, ...]

    def check_of(self, names: Iterable[str]) -> Check | None:
        """Return what tells whether a record with these keys is of the format; None when none can be.

        What it returns never raises.
        """
        keys = {fold(name): name for name in reversed(tuple(names))}
        checks = [check for condition in self.conditions if (check := condition.resolved(keys)) is not None]
        if len(checks) < 2:
            return checks[0] if checks else None
        return lambda fields: any(check(fields) for check in checks)

    def holds(self, fields: Fields) -> bool:
        """Tell whether a record is of the format; never raises."""
        check = self.check_of(fields)
        return check is not None and check(fields)
