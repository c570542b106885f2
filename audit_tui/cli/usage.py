"""Wrong usage in words: what the parser of the command line found, and what was probably meant."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

import click

from audit_tui.core.text import closest, lazy_pattern
from audit_tui.errors import UsageError


def words_of(error: click.UsageError) -> str:
    """Return what the parser refuses as a sentence."""
    if isinstance(error, click.NoSuchOption):
        close = _close(error.option_name, _options(error))
        meant = f" Did you mean {close}?" if close else ""
        return f"There is no option {error.option_name}.{meant}"
    name = _name(error)
    if isinstance(error, click.MissingParameter):
        return f"{name} is missing."
    if not isinstance(error, click.BadParameter) or error.param is None:
        return _words_of_extra(error) or error.format_message()
    kind = error.param.type
    if isinstance(kind, click.types.IntParamType):
        return f"{name} is a whole number{_bounds(kind)}."
    if isinstance(kind, click.Choice):
        given = error.message.partition(" is not one of")[0]
        return f"{name}: {given} is not one of {', '.join(map(str, kind.choices))}."
    return error.format_message()


_FIELD_SIGN = lazy_pattern("[:=~<>]")
_EXTRA = lazy_pattern(r"Got unexpected extra arguments? \((.*)\)", re.DOTALL)


def _words_of_extra(error: click.UsageError) -> str:
    """Return what to say of an argument that the command does not take; empty if another thing is wrong."""
    match = _EXTRA.fullmatch(error.message)
    if match is None or error.ctx is None:
        return ""
    message = f"{error.ctx.command_path} does not take '{match[1]}'."
    has_store = any(name == "--store" for name in _options(error))
    hint = f" A store is named with -s: -s {match[1]}" if has_store and _is_there(match[1]) else ""
    return message + hint


def _bounds(kind: click.types.IntParamType) -> str:
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is None:
        return ""
    return f", {least:,} or more" if most is None else f" from {least:,} to {most:,}"


def _name(error: click.UsageError) -> str:
    """Return the name of a parameter as it is typed: ``--limit``, ``OUT``."""
    parameter = getattr(error, "param", None)
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    if isinstance(parameter, click.Argument):
        return parameter.make_metavar(error.ctx or click.Context(click.Command(None))).removesuffix("...")
    return "Something"


def _options(error: click.UsageError) -> list[str]:
    if error.ctx is None:
        return []
    return [name for option in error.ctx.command.get_params(error.ctx) for name in option.opts]


def _close(name: str, names: Iterable[str]) -> str:
    """Return the name that is really close; empty if none is. Hyphens in front make nothing alike."""
    by_word = {word.lstrip("-"): word for word in names}
    return by_word.get(closest(name.lstrip("-"), by_word), "")


def refuse_mistyped(word: str, commands: Iterable[str]) -> None:
    """Refuse a first word that is nothing: no command, no path, and nothing that looks like one.

    Raises:
        UsageError: If it is nothing.
    """
    from audit_tui.cli.line import is_line

    if not word or (_FIELD_SIGN.search(word) and is_line(word)):
        return
    if word.startswith(("-", "av1:")) or "/" in word or "." in word or _is_there(word):
        return
    close = _close(word, commands)
    raise UsageError(
        f"There is no command or file '{word}'.",
        f"Did you mean audit-tui {close}?" if close else "audit-tui --help lists the commands.",
    )


def _is_there(name: str) -> bool:
    try:
        return os.path.lexists(name)
    except ValueError:
        return False
