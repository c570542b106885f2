"""The scripts by which shells complete: click's, but for values with colons, spaces, commas and quotes.

A value comes out of a log, and is put into a command line: what a shell would obey is quoted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from click.shell_completion import (
    BashComplete,
    FishComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_OPEN = (":", "=", ".")
"""The ends of what is not complete yet: no space follows."""
_PLAIN = frozenset("%+,-./:=@_^")
"""The signs that bash takes as they are."""
_BASH = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            open) compopt -o nospace; COMPREPLY+=("$value") ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="${#2}" %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_ZSH = ("compadd -U -V unsorted -a completions", "compadd -U -V unsorted -- ${completions:#*[:=.]}")
_ZSH_OPEN = "compadd -U -V unsorted -S '' -- ${(M)completions:#*[:=.]}"
_FISH = ('string split ","', 'string split -m 1 ","')


class _Bash(BashComplete):
    source_template = _BASH
    _typed = ""
    """The last word, as it is typed."""
    _plain = ""
    """The text that is completed: the last word without its quotes, or its value."""
    _quote = ""
    """The quote that is open at its end."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_WORDS"]
        start, self._quote = _last_word(line)
        self._typed = line[start:]
        plain = "".join(split_arg_string(self._typed))
        # Click completes only the value of --option=value.
        self._plain = plain.partition("=")[2] if plain.startswith("--") and "=" in plain else plain
        return split_arg_string(line[:start])[1:], plain

    def format_completion(self, item: CompletionItem[Any]) -> str:
        value = str(item.value)
        if item.type != "plain":
            return f"{item.type},"
        if value.startswith(self._plain):
            whole = self._typed + _quoted(value[len(self._plain) :], self._quote)
        else:
            whole = self._quote + _quoted(value, self._quote)
        # Bash replaces what stands behind the last colon, equals sign or quote.
        before = self._typed[: len(self._typed) - int(os.environ["COMP_CWORD"])]
        if not whole.startswith(before):
            return "none,"
        return f"{'open' if value.endswith(_OPEN) else 'plain'},{whole[len(before) :]}"


class _Zsh(ZshComplete):
    source_template = ZshComplete.source_template.replace(_ZSH[0], f"{_ZSH[1]}\n        {_ZSH_OPEN}")


class _Fish(FishComplete):
    source_template = FishComplete.source_template.replace(*_FISH)


def add_shells() -> None:
    """Let click know these scripts."""
    for shell in (_Bash, _Zsh, _Fish):
        add_completion_class(shell)


def _last_word(line: str) -> tuple[int, str]:
    """Return where the last word begins, and the quote that is open at its end, else an empty text."""
    start, quote, is_escaped = 0, "", False
    for at, char in enumerate(line):
        if is_escaped:
            is_escaped = False
        elif char == "\\" and quote != "'":
            is_escaped = True
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif not quote and char in " \t\n":
            start = at + 1
    return start, quote


def _quoted(text: str, quote: str) -> str:
    """Return a text so that bash takes it as it is, within a quote or without."""
    if quote == "'":
        return text.replace("'", "'\\''")
    obeyed = '"$`\\' if quote else None
    return "".join(
        f"\\{char}" if (char in obeyed if obeyed else not (char.isalnum() or char in _PLAIN)) else char
        for char in text
    )
