"""The command ``audit-tui``: which commands there are, and how a run ends.

Here, and nowhere else, an error becomes words on stderr and an exit code. A command is imported when it
is run, so that ``count`` and ``query`` start without what the screen needs.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING

import click

from audit_tui import __version__
from audit_tui.cli.session import Ended
from audit_tui.cli.usage import refuse_mistyped, words_of
from audit_tui.core.source import without_password
from audit_tui.core.text import clean_visible
from audit_tui.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNREADABLE,
    EXIT_USAGE,
    AuditTuiError,
    QueryCancelled,
)

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

NAME = "audit-tui"
DEFAULT_COMMAND = "open"
_IS_DEFAULT = "audit_tui.is_default"
EXIT_SIGPIPE = 141
"""Whoever read our output went away: what a shell tells of a program that SIGPIPE ended."""


COMMANDS = {
    "open": ("open_", "Review a store, or log files and folders, on the screen (the default)."),
    "demo": ("demo", "Make a demo store and review it."),
    "import": ("import_", "Import log files, folders, or - (standard input) into a store."),
    "record": ("record", "Record one event in a store, made if need be."),
    "query": ("query", "Print events, newest first."),
    "count": ("query", "Print the number of events."),
    "facets": ("totals", "Print the most frequent values of a column, or the rarest."),
    "histogram": ("totals", "Print how many events lie in each span of time."),
    "detect": ("detect", "Print which Sigma rules hit which events."),
    "compare": ("compare", "Print what is NEW, GONE, or times as frequent as in another stretch of time."),
    "watch": ("watch", "Print new events as they come, each once."),
    "export": ("export", "Write all events that match to the file OUT, newest first."),
    "ship": ("ship", "Send a sealed store to an engine that many stores share, each event once."),
    "case": (
        "export",
        "Write the marked events of a store, with their notes, to the file OUT: HTML or Markdown.",
    ),
    "verify": ("verify", "Check that the events are those that were recorded."),
    "seal": ("seal", "Make keys that sign the seals, and write checkpoints."),
    "redact": ("redact", "Replace fields of events for good, as a recorded act."),
    "prune": ("redact", "Delete old events, as a recorded act."),
    "backup": ("backup", "Copy a store that may be in use to OUT, and verify the copy."),
    "restore": ("backup", "Put a verified copy in the place of a store that is gone."),
    "info": ("backup", "Tell what a store holds."),
    "doctor": ("doctor", "Look for what is wrong with the store, the machine and the settings."),
    "reindex": ("backup", "Rebuild the indexes of a store."),
    "config": ("config_", "Show and check the settings."),
}
"""The module of each command, and a sentence about it, so that ``--help`` need not import it."""


class Commands(click.Group):
    """All commands; what begins with anything else is for the default one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"audit_tui.cli.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of what is neither a command nor an option of ours."""
        args = _command_first(args)
        options = {name for option in self.get_params(ctx) for name in option.opts}
        # What is being completed is not among them, so nothing means nothing there.
        is_default = args[0] not in options | COMMANDS.keys() if args else not ctx.resilient_parsing
        ctx.meta[_IS_DEFAULT] = is_default
        if is_default:
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was asked for; refuses a word that is neither a command nor a path."""
        if ctx.meta.get(_IS_DEFAULT) and len(args) > 1 and not ctx.resilient_parsing:
            # Before the options are read, which may be another command's.
            refuse_mistyped(args[1], COMMANDS)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete what can come first: a command, or what the default command takes, an option or a path."""
        from click.shell_completion import CompletionItem

        items = super().shell_complete(ctx, incomplete)
        if not incomplete.startswith("-"):
            # Before the commands: bash forgets at a path what came before it.
            return [CompletionItem(incomplete, type="file"), *items]
        default = self.get_command(ctx, DEFAULT_COMMAND)
        if default is None:
            return items
        more = default.shell_complete(click.Context(default, parent=ctx), incomplete)
        values = {item.value for item in items}
        return [*items, *(item for item in more if item.value not in values)]

    def invoke(self, ctx: click.Context) -> None:
        """Run the command that was asked for, tell its errors, and exit with its code."""
        with _ended_by_signals() as received, _interrupted() as interrupts:
            code = _told(partial(super().invoke, ctx), interrupts)
        if received:
            _drop_output()
        ctx.exit(128 + received[0] if received else code)


def _command_first(args: list[str]) -> list[str]:
    """``-s STORE COMMAND ...``, as other programs take it, as ``COMMAND ... -s STORE``; else as it was."""
    named = 2 if args[:1] in (["-s"], ["--store"]) else 1 if "".join(args[:1]).startswith("--store=") else 0
    if not named or len(args) <= named or args[named] not in COMMANDS:
        return args
    rest = args[named:]
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *args[:named], *rest[end:]]


@contextmanager
def _ended_by_signals() -> Iterator[list[int]]:
    """Let SIGTERM and SIGHUP unwind the stack, so that files are closed and temporary ones removed.

    Yields:
        The signals that came. An exception that is raised while SQLite calls back is lost, and ends as an
        interrupted query; this list is not.
    """
    received: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        received.append(number)
        # A closing session sends SIGHUP and SIGTERM together; the second must not disturb the clearing up.
        for other in replaced:
            signal.signal(other, signal.SIG_IGN)
        raise Ended

    replaced = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGHUP)
        # nohup has SIGHUP ignored, and means it.
        if signal.getsignal(number) is signal.SIG_DFL
    }
    for number in replaced:
        signal.signal(number, end)
    try:
        yield received
    except Ended:
        pass
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


class _Interrupted(KeyboardInterrupt):
    """Ctrl+C.

    Python 3.11 to 3.13 note for good that a plain KeyboardInterrupt passed through ``exec`` of a text, as
    when a dataclass is made, and end by SIGINT, though it was handled and the exit code is another.
    """


@contextmanager
def _interrupted() -> Iterator[list[int]]:
    """Let SIGINT raise, and note that it came.

    Yields:
        The signals that came: an exception that is raised while SQLite calls back is lost, and ends as any
        error of SQLite.
    """
    received: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        raise _Interrupted

    before = signal.getsignal(signal.SIGINT)
    if before not in (signal.default_int_handler, signal.SIG_DFL):
        yield received
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)


def _told(command: Callable[[], object], interrupts: list[int]) -> int:
    """Run a command and tell what went wrong.

    ``interrupts`` is not empty once SIGINT came.

    Returns:
        The exit code: the command's own if it returns one.
    """
    try:
        try:
            code = command()
        except click.exceptions.Exit as ended:
            code = ended.exit_code
        sys.stdout.flush()
    except (KeyboardInterrupt, QueryCancelled, click.Abort):
        return _end_interrupted()
    except AuditTuiError as error:
        if interrupts:
            return _end_interrupted()
        _tell(error.message, error.hint)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else NAME
        _tell(words_of(error), f"Try: {path} --help")
        return EXIT_USAGE
    except BrokenPipeError:
        _drop_output()
        return EXIT_SIGPIPE
    except OSError as error:
        what = "Input or output" if error.filename is None else error.filename
        _tell(f"{what}: {error.strerror or error}.")
        _drop_output()
        return EXIT_UNREADABLE
    return code if isinstance(code, int) else EXIT_OK


def _end_interrupted() -> int:
    # The terminal has just shown ^C, and left its cursor behind it.
    _tell("", is_wanted=sys.stderr.isatty())
    _drop_output()
    return EXIT_INTERRUPTED


def _tell(message: str, hint: str = "", *, is_wanted: bool = True) -> None:
    """Write a message and what to do about it to stderr; they may quote hostile names."""
    if not is_wanted:
        return
    lines = [clean_visible(without_password(message))]
    if hint:
        lines.append(clean_visible(without_password(hint), keep_newlines=True))
    with suppress(OSError):
        click.echo("\n".join(lines), err=True)


def _drop_output() -> None:
    """Let what is left of the output go nowhere when the interpreter flushes it at exit.

    Nobody wants it, and if its reader is gone or asleep, writing it fails or never ends.
    """
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


@click.group(
    NAME,
    cls=Commands,
    subcommand_metavar="[COMMAND] [ARGUMENTS]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="audit-tui COMMAND --help tells more. A file that is named like a command is written ./NAME.",
)
@click.version_option(__version__, prog_name=NAME, message="%(prog)s %(version)s")
def commands() -> None:
    """Read and record audit logs in a terminal.

    Without a command it opens a store, or logs, on the screen: audit-tui PATH is audit-tui open PATH.
    """


def _open_closed_streams() -> None:
    """Let what is written to a closed stream (``>&-``) go nowhere.

    A file that is opened later must not become descriptor 1 or 2 either: a message would land in it.
    """
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is not None:
            continue
        descriptor = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
        if descriptor != number:
            os.close(descriptor)
    # A closed standard input stays None: what reads it says so.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the process ends
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the process ends


def main() -> None:
    """Run the command line of this process."""
    _open_closed_streams()
    if "_AUDIT_TUI_COMPLETE" in os.environ:
        from audit_tui.cli.shells import add_shells

        add_shells()
    try:
        commands.main(prog_name=NAME)
    except OSError as error:
        # The text of --help does not fit where it goes.
        _tell(f"Input or output: {error.strerror or error}.")
        _drop_output()
        sys.exit(EXIT_UNREADABLE)
