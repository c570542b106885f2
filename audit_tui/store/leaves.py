"""The values in the metadata of many events, by their names: the text index is made of them.

Object by object and value by value this takes half of the time of an import. Most objects have the same keys
as others, so their values are taken as columns: the work in Python is that of the columns, not of the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_tui.core.metadata import deeper_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Leaves:
    """What ``core.metadata.leaves`` gives for one event after the other, gathered by name."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[list[int], list[str]]] = {}
        self._unordered: set[str] = set()
        self._texts: dict[str, str] = {}
        """Each text once: most of them repeat, and what a segment decodes would be 100 MB."""

    def add(self, rows: Sequence[int], objects: Sequence[dict[str, Any]]) -> None:
        """Add the values of events.

        Args:
            rows: The places of the events, ascending, above those that were added before.
            objects: Their metadata; numbers as texts.
        """
        waiting: list[tuple[str, Sequence[int], Sequence[Any]]] = []
        self._add_objects("", rows, objects, waiting)
        while waiting:
            path, own_rows, values = waiting.pop()
            types = set(map(type, values))
            if types == {str}:
                self.put(path, own_rows, values)
            elif types == {dict}:
                self._add_objects(path, own_rows, values, waiting)
            else:
                self._add_mixed(path, own_rows, values, waiting)

    def put(self, path: str, rows: Sequence[int], values: Sequence[str]) -> None:
        """Add values of one name, of events in their order."""
        all_rows, all_values = self._found.setdefault(path, ([], []))
        if all_rows and rows[0] < all_rows[-1]:
            self._unordered.add(path)
        all_rows.extend(rows)
        all_values.extend(map(self._texts.setdefault, values, values))

    def by_path(self) -> Iterator[tuple[str, tuple[list[int], list[str]]]]:
        """By name, in the order of the names: the events that have values, ascending, and the values."""
        for path in sorted(self._found):
            rows, values = self._found[path]
            if path in self._unordered:
                order = sorted(range(len(rows)), key=rows.__getitem__)
                rows, values = list(map(rows.__getitem__, order)), list(map(values.__getitem__, order))
            yield path, (rows, values)

    def _add_objects(
        self,
        path: str,
        rows: Sequence[int],
        objects: Sequence[dict[str, Any]],
        waiting: list[tuple[str, Sequence[int], Sequence[Any]]],
    ) -> None:
        """Divide objects into columns: those with the same keys make one of each key."""
        shapes: dict[tuple[str, ...], tuple[list[int], list[Any]]] = {}
        for row, one in zip(rows, objects, strict=True):
            names = tuple(one)
            shape = shapes.get(names)
            if shape is None:
                shape = shapes[names] = [], []
            shape[0].append(row)
            shape[1].append(one.values())
        for names, (own_rows, members) in shapes.items():
            for name, column in zip(names, zip(*members, strict=True), strict=True):
                waiting.append((deeper_path(path, name), own_rows, column))

    def _add_mixed(
        self,
        path: str,
        rows: Sequence[int],
        values: Sequence[Any],
        waiting: list[tuple[str, Sequence[int], Sequence[Any]]],
    ) -> None:
        """Divide a column by the types of its values; the members of a list have the list's name."""
        texts: tuple[list[int], list[str]] = [], []
        objects: tuple[list[int], list[dict[str, Any]]] = [], []
        members: tuple[list[int], list[Any]] = [], []
        for row, value in zip(rows, values, strict=True):
            if isinstance(value, str):
                texts[0].append(row)
                texts[1].append(value)
            elif isinstance(value, bool):
                texts[0].append(row)
                texts[1].append("true" if value else "false")
            elif isinstance(value, dict):
                objects[0].append(row)
                objects[1].append(value)
            elif isinstance(value, list):
                members[0].extend([row] * len(value))
                members[1].extend(reversed(value))
        if texts[0]:
            self.put(path, *texts)
        waiting += [(path, *some) for some in (objects, members) if some[0]]
