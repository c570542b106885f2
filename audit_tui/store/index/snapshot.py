"""The part of a session that answers about texts may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Snapshot(Protocol):
    """A store as a question may read it, inside one read transaction."""

    @property
    def newest_seq(self) -> int:
        """The number of the event appended last; 0 in an empty store."""
        ...

    @property
    def memory(self) -> dict[object, object]:
        """Values that earlier questions left for later ones; whoever puts something there bounds it."""
        ...

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement over the tables of ``store.tables.schema``.

        Raises:
            QueryCancelled: If the answer is no longer wanted.
        """
        ...

    def check(self) -> None:
        """Raise QueryCancelled if the answer is no longer wanted."""
        ...
