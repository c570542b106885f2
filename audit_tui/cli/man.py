"""The man page, from the same help that the commands print.

    python -m audit_tui.cli.man > audit_tui/cli/audit-tui.1

A wheel installs that file; a test says when it is older than the commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from audit_tui import __version__
from audit_tui.cli.main import NAME, commands
from audit_tui.config import CONFIG_VARIABLE, SETTINGS
from audit_tui.core.query_line.grammar import GRAMMAR, MEANING
from audit_tui.store.evidence.signing import KEY_VARIABLE
from audit_tui.ui.commands import COMMANDS as SCREEN_COMMANDS
from audit_tui.ui.commands import Where

EXIT_CODES = (
    ("0", "Done."),
    ("1", "Done, but something is wrong that you must know: events altered, records rejected."),
    ("2", "Not understood: wrong usage, filter or time."),
    ("3", "A store or a file cannot be read or written."),
    ("4", "All is consistent, but an anchor was required and none given."),
    ("130, 143, 129", "Interrupted, terminated, hung up."),
)
_LITERAL = "\b"
"""The sign that click puts before a paragraph whose lines stay as they are."""


def page() -> str:
    """The man page in roff."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    root = click.Context(commands, info_name=NAME, **commands.context_settings)
    about, _, rest = (commands.help or "").partition("\n\n")
    yield f'.TH AUDIT\\-TUI 1 "" "{_text(f"{NAME} {__version__}")}" "User Commands"'
    yield from (".SH NAME", _text(f"{NAME} - {about.strip().removesuffix('.')}"))
    yield from (".SH SYNOPSIS", f".B {_text(_usage(root))}")
    yield from (".SH DESCRIPTION", *_paragraphs(rest), *_paragraphs(commands.epilog or ""))
    yield from (".SH OPTIONS", *_options(root), *_list([("-h, --help", "Tell how a command is used.")]))
    yield ".SH COMMANDS"
    for context in _contexts(root):
        yield f".SS {_text(_usage(context))}"
        yield from _paragraphs(context.command.help or "")
        yield from _options(context)
    yield from _queries()
    yield from (
        ".SH KEYS",
        *_paragraphs("On the screen; the names are those that [keys] in the settings takes."),
    )
    for where in Where:
        yield f".SS {_text(where.value)}"
        here = [command for command in SCREEN_COMMANDS if command.where is where]
        yield from _list((f"{' '.join(each.keys)}  ({each.id})", each.help) for each in here)
    # What no command's help holds: mapping files, settings, recording, evidence.
    for section in Path(__file__).with_name("manual.txt").read_text("utf-8").removeprefix("# ").split("\n# "):
        heading, _, text = section.partition("\n")
        yield from (f".SH {heading}", *_paragraphs(text.replace("\\b\n", f"{_LITERAL}\n")))
    yield ".SH ENVIRONMENT"
    yield from _paragraphs("Each is a setting too, of the name in brackets: audit-tui config path.")
    yield from _list(
        (f"{each.variable} ({each.name})", f"{each.about[0].upper()}{each.about[1:]}.") for each in SETTINGS
    )
    yield from _list(
        [
            (CONFIG_VARIABLE, "The file of the settings."),
            (KEY_VARIABLE, "The file of the private key that signs a store."),
        ]
    )
    yield from (".SH EXIT STATUS", *_list(EXIT_CODES))


def _queries() -> Iterator[str]:
    """The query language, from the same source as the help."""
    yield ".SH QUERIES"
    yield from _paragraphs(
        "query, count, facets, histogram, export and open take a line that says which events are wanted, as"
        " an argument or with -q. A term of it is a field, a sign and a value, or a text to search for."
    )
    yield from _list(MEANING)
    yield from (".PP", ".nf", *map(_text, GRAMMAR.splitlines()), ".fi")


def _contexts(parent: click.Context) -> Iterator[click.Context]:
    """Every command below this one, each group before its own."""
    group = parent.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        if command is not None:
            context = click.Context(command, info_name=name, parent=parent)
            yield context
            yield from _contexts(context)


def _usage(context: click.Context) -> str:
    return " ".join([context.command_path, *context.command.collect_usage_pieces(context)])


def _options(context: click.Context) -> Iterator[str]:
    options = (each for each in context.command.params if isinstance(each, click.Option))
    records = (option.get_help_record(context) for option in options)
    yield from _list(record for record in records if record is not None)


def _list(items: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, about in items:
        yield from (".TP", f".B {_text(term)}", _text(about))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in filter(None, (part.strip("\n") for part in text.split("\n\n"))):
        lines = [line.strip() for line in paragraph.split("\n")]
        if lines[0] == _LITERAL:
            yield from (".PP", ".nf", *map(_text, lines[1:]), ".fi")
        else:
            yield from (".PP", _text(" ".join(lines)))


def _text(text: str) -> str:
    """Words as roff shows them: no escape, no request, the hyphens of options not made typographic."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    escaped = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in escaped)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    click.echo(page(), nl=False)
