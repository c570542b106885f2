"""``--redact``: pseudonyms in the place of names, for screens that are shared and files for others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from audit_tui.cli.local_key import PSEUDONYMS, local_key
from audit_tui.core.filters import with_users
from audit_tui.core.privacy.redact_mode import RedactMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.event import AuditEvent
    from audit_tui.core.query import EventQuery, EventReader
    from audit_tui.core.view import View
    from audit_tui.store.read.reader import StoreReader

P = ParamSpec("P")
R = TypeVar("R")


def redact_option(command: Callable[P, R]) -> Callable[P, R]:
    """Add ``--redact``; the command gets ``redact: bool``."""
    return click.option(
        "--redact",
        is_flag=True,
        help="Pseudonyms in the place of users' names and addresses, the same everywhere; the key that makes "
        "them stays on this machine.",
    )(command)


def redact_mode(*, is_on: bool) -> RedactMode:
    """The switch of a run; its key is made or read when it is first used."""
    return RedactMode(partial(local_key, PSEUDONYMS), is_on=is_on)


def redacted_view(view: View, mode: RedactMode, reader: EventReader) -> View:
    """The view with pseudonyms in its filter, so that the screen does not name who was asked for."""
    from dataclasses import replace

    names = mode.pseudonyms(reader)
    if names is None:
        return view
    return replace(view, filter=with_users(view.filter, names.user))


class RedactedEvents:
    """A source of events for an export, behind the switch.

    Args:
        reader: The store; is closed with this.
        mode: The switch.
    """

    def __init__(self, reader: StoreReader, mode: RedactMode) -> None:
        self._reader = reader
        self._mode = mode

    def events(self, query: EventQuery, cancel: CancelToken | None = None) -> Iterator[AuditEvent]:
        """The events in the result's order, in constant memory."""
        real = self._mode.real_query(self._reader, query)
        return self._mode.events(self._reader, self._reader.events(real, cancel))

    def close(self) -> None:
        """Let the store go."""
        self._reader.close()
