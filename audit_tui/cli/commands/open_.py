"""``audit-tui open``: the review screen over a store or over logs, or a table without a screen."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit_tui.cli.line import is_line
from audit_tui.cli.opening.terminal import require_screen
from audit_tui.cli.options import LINES, events_options, source_option
from audit_tui.cli.progress import tell
from audit_tui.cli.redacting import redact_mode, redact_option
from audit_tui.cli.rules import rules_option
from audit_tui.cli.session import Session, session_of
from audit_tui.core.command_text import is_link, read_link
from audit_tui.core.source import SourceUrl, source_of
from audit_tui.errors import EXIT_OK, EXIT_SIGHUP, EXIT_SIGTERM, StoreMissing, UsageError
from audit_tui.ingest.find import STDIN, are_logs

if TYPE_CHECKING:
    from audit_tui.cli.opening.logs import Logs
    from audit_tui.cli.options import EventsChoice
    from audit_tui.core.command_text import Link
    from audit_tui.core.source import EventSource

NO_SCREEN_HINT_LOGS = "Without the screen: audit-tui open --plain LOG prints its events."
RESUME_HINT = "audit-tui import keeps them in a store, which can be resumed."
PIPE_HINT = "a pipe or a file gets all"
KEYBOARD_HINT = "Pipe one into it: kubectl logs -f audit | audit-tui -"
NOTHING_THERE_HINT = "Check the name: a log is a file, a folder, or - for standard input."
FIRST_STEPS = """\
To see what it is like:    audit-tui demo
To bring in your logs:     audit-tui import FILE-OR-FOLDER...
To look at a log at once:  audit-tui FILE-OR-FOLDER..."""


def _without_lines(context: click.Context, _: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the names of stores and logs, and leave the queries among them to ``events_options``."""
    context.meta[LINES] = tuple(word for word in words if is_line(word))
    return tuple(word for word in words if not is_line(word))


@click.command("open")
@click.argument(
    "names",
    metavar="[STORE or LOG...] [QUERY]",
    nargs=-1,
    type=click.Path(allow_dash=True),
    callback=_without_lines,
    is_eager=True,
)
@source_option
@events_options
@click.option("--plain", is_flag=True, help="Print the events as a table; no screen, no terminal needed.")
@click.option(
    "--resume",
    is_flag=True,
    help="Begin where the screen was left: the filter, range, order and event of the store, and without "
    "STORE the store that was left last.",
)
@redact_option
@rules_option
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal; ctrl+o switches it on.")
@click.pass_context
def open_command(
    context: click.Context,
    names: tuple[str, ...],
    store: EventSource,
    choice: EventsChoice,
    plain: bool,
    resume: bool,
    redact: bool,
    no_mouse: bool,
    rules: tuple[str, ...],
) -> int:
    """Review a store, or log files and folders, on the screen.

    Logs, or - for standard input, are read into a temporary store, which is gone afterwards; audit-tui
    import keeps them. A link (av1:..., copied by y l) shows its view again.

    Keys: f filters, t chooses a time range, Enter shows all of an event, q quits.
    """
    flags = ({"mouse": False} if no_mouse else {}) | ({"resume": True} if resume else {})
    flags |= {"redact": True} if redact else {}
    session = replace(session_of(context), flags=flags, rules=rules)
    is_store_named = _is_given(context, "store")
    link = read_link(names[0]) if names and is_link(names[0]) else None
    if link is not None:
        names = names[1:] or (() if is_store_named else link.names)
        choice = _linked(link, choice, choice.context.zone if _is_given(context, "zone_name") else link.zone)
    is_log = bool(names) and are_logs(names)
    if names and is_store_named:
        both = "A log and a store" if is_log else "Two stores"
        raise UsageError(f"{both} are named, {names[0]} and {store}.", "Leave one of them out.")
    if resume and plain:
        raise UsageError("--resume is for the screen, and --plain has none.", "Leave one of them out.")
    if STDIN in names and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("No log comes from the keyboard.", KEYBOARD_HINT)
    if resume and is_log:
        raise UsageError("Logs are read again each time: there is nothing to resume.", RESUME_HINT)
    if is_log:
        return _print_logs(names, choice, session) if plain else _show_logs(names, choice, session, link)
    try:
        return _open_store(
            source_of(names[0]) if names else store,
            choice,
            session,
            link,
            is_plain=plain,
            is_named=bool(names) or is_store_named,
        )
    except StoreMissing as error:
        raise _missing(error, names, is_store_named=is_store_named) from None
    finally:
        # After the screen, so that nobody waits for it.
        from audit_tui.cli.opening.temporary import remove_leftovers

        remove_leftovers()


def _is_given(context: click.Context, parameter: str) -> bool:
    return context.get_parameter_source(parameter) is click.core.ParameterSource.COMMANDLINE


def _linked(link: Link, choice: EventsChoice, zone: tzinfo) -> EventsChoice:
    context = replace(choice.context, zone=zone)
    return replace(choice, view=choice.changing(link.left.view), context=context, is_range_default=False)


def _open_store(
    path: EventSource,
    choice: EventsChoice,
    session: Session,
    link: Link | None,
    *,
    is_plain: bool,
    is_named: bool,
) -> int:
    """Show or print a store; to resume without a name, the one that was left last."""
    if is_plain:
        return _print(path, choice, session)
    from audit_tui.cli.opening.resuming import Places
    from audit_tui.cli.opening.screen import ReviewScreen

    if link is not None or not session.loaded.settings.resume:
        return ReviewScreen(path, choice, session).show(link=link)
    places = Places()
    last = None if is_named else places.last_store
    if isinstance(last, SourceUrl) or (last is not None and last.is_file()):
        path = last
    elif last is not None:
        tell(f"The store that was left last is gone: {last}.")
    try:
        return ReviewScreen(path, choice, session).show(places)
    finally:
        tell(places.problem)


def _print_logs(names: Sequence[str], choice: EventsChoice, session: Session) -> int:
    from audit_tui.cli.opening.logs import imported

    with imported(names, choice) as logs:
        code = _print(logs.store, logs.choice, session)
    return _farewell(logs, code)


def _show_logs(names: Sequence[str], choice: EventsChoice, session: Session, link: Link | None) -> int:
    """Show logs, and say afterwards what was wrong with them and how to keep them."""
    from audit_tui.cli.opening.logs import arriving
    from audit_tui.cli.opening.screen import ReviewScreen, ShownAs
    from audit_tui.cli.opening.terminal import Keyboard

    keyboard = Keyboard.of_terminal() if STDIN in names else None
    require_screen(NO_SCREEN_HINT_LOGS, has_keyboard=keyboard is not None)
    with arriving(names, choice) as logs:
        if keyboard is not None:
            keyboard.take_stdin()
        # Wherever the command is pasted, and whatever the store is then.
        paths = tuple(name if name == STDIN else str(Path(name).absolute()) for name in names)
        again = ("audit-tui", "open", *paths)
        # What marks and notes on these logs are found by when they are opened again.
        digest = hashlib.sha256("\0".join(paths).encode("utf-8", "surrogateescape")).hexdigest()
        shown_as = ShownAs(logs.name, logs.notice, again, logs.arrivals, paths, f"log{digest[:24]}")
        code = ReviewScreen(logs.store, logs.choice, session, shown_as).show(link=link)
    return _farewell(logs, code)


def _farewell(logs: Logs, code: int) -> int:
    """Say what was wrong with the logs, unless nobody is there to read it; return the exit code."""
    if code in (EXIT_SIGTERM, EXIT_SIGHUP):
        return code
    tell(*logs.farewell)
    return code or logs.exit_code


def _print(store: EventSource, choice: EventsChoice, session: Session) -> int:
    from audit_tui.cli.commands.query import print_events

    redact = redact_mode(is_on=session.loaded.settings.redact)
    print_events(store, choice, redact, how_to_all=PIPE_HINT)
    return EXIT_OK


def _missing(error: StoreMissing, names: Sequence[str], *, is_store_named: bool) -> StoreMissing:
    if names and Path(names[0]).suffix != ".db":
        path = error.message.removeprefix("There is no store at ")
        return StoreMissing(f"There is no log and no store at {path}", NOTHING_THERE_HINT)
    if names or is_store_named:
        return error
    return StoreMissing(
        f"{error.message.removesuffix('.')} yet: your events would be kept there.", FIRST_STEPS
    )
