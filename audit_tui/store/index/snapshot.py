"""What a question may read of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Snapshot(Protocol):
    """What a question may read of a store, inside one read transaction."""

    @property
    def newest_seq(self) -> int:
        """The number of the event appended last; 0 in an empty store."""
        ...

    @property
    def memory(self) -> dict[object, object]:
        """What earlier questions on this connection left for later ones; whoever puts it there bounds it."""
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
