"""The parts that commands which change a store on purpose share: who acts, and asking before it happens."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import click

from audit_tui.cli.session import session_of
from audit_tui.core.event import to_us
from audit_tui.core.text import clean_visible
from audit_tui.errors import UsageError

if TYPE_CHECKING:
    from audit_tui.store.write.removing import Act


def act(context: click.Context, why: str) -> Act:
    """Return who runs this command, where and when."""
    import pwd

    from audit_tui.store.write.removing import Act

    # Not from the environment, which whoever acts may set.
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return Act(name, socket.gethostname(), to_us(session_of(context).clock()), why)


def require_why(why: str) -> str:
    """The reason, which is kept for ever.

    Raises:
        UsageError: If it says nothing.
    """
    if not why.strip():
        raise UsageError("--why is empty.", 'Write the reason, as in --why "ticket 12".')
    return why.strip()


def confirm(question: str, *, is_yes: bool) -> None:
    """Ask before something that cannot be undone; without a terminal only ``--yes`` will do.

    Raises:
        UsageError: If nobody can be asked.
        click.Abort: If the answer is no.
    """
    if is_yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nothing was done: there is no terminal to ask on.", "Add --yes to go ahead.")
    click.confirm(clean_visible(question), abort=True, err=True)
