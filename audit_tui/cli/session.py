"""The parts that the options and commands of one run share: the clock and the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from audit_tui.config import Loaded, load

if TYPE_CHECKING:
    import click


class Ended(BaseException):
    """A signal asks the run to end: no handler of errors may hold it up, but a summary may be told."""


def system_clock() -> datetime:
    """This moment, in UTC: the only place of the commands where the clock is read."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Session:
    """One run of the command.

    A test hands in its own: ``commands.main(args, obj=Session(clock=lambda: NOON))``.
    """

    clock: Callable[[], datetime] = field(default=system_clock)
    """Tells the time, aware."""
    flags: Mapping[str, Any] = field(default_factory=dict)
    """Values from options of the command instead of the settings, by the attribute of Settings."""

    rules: tuple[str, ...] = ()
    """The Sigma rules that the screen asks."""

    @cached_property
    def loaded(self) -> Loaded:
        """The settings, read when they are first asked for, so that ``--help`` needs no file.

        Raises:
            ConfigError: If a setting cannot be used.
        """
        loaded = load()
        return replace(loaded, settings=replace(loaded.settings, **self.flags)) if self.flags else loaded


def session_of(context: click.Context) -> Session:
    """The session of the run that a click context belongs to."""
    return context.find_root().ensure_object(Session)
