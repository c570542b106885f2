"""``--redact``: pseudonyms in the place of names, for screens that are shared and files for others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from audit_tui.cli.evidence.local_key import PSEUDONYMS, local_key
from audit_tui.cli.session import session_of
from audit_tui.core.privacy.redact_mode import RedactMode, shown_filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_tui.core.query import EventReader
    from audit_tui.core.view import View

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


def mode_of(context: click.Context, *, redact: bool) -> RedactMode:
    """The switch of a run as the option or the settings have it."""
    return redact_mode(is_on=redact or session_of(context).loaded.settings.redact)


def redacted_view(view: View, mode: RedactMode, reader: EventReader) -> View:
    """The view with pseudonyms in its filter, so that the screen does not name who was asked for."""
    names = mode.pseudonyms(reader)
    return view if names is None else view.with_filters(partial(shown_filter, names=names))
