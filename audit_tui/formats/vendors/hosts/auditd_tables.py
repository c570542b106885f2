"""Types of audit records and system calls: their names, their kinds, and what each says was done."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

from audit_tui.formats.tables import table

LOGIN_KIND = "user-login"
ACCOUNT_KIND = "user-account"
UNKNOWN_KIND = "unknown"
_FIRST_NEW = 424


class Deed(NamedTuple):
    """The act, for a sentence."""

    pattern: str
    """Begins with the verb as it stands after "to"."""
    fields: tuple[str, ...] = ()
    """The fields that name what it was done to, the best first; empty when none does."""
    joint: str = ""
    """The words before that name."""


class CallDeed(NamedTuple):
    """The act of a system call."""

    pattern: str
    """Begins with the verb as it stands after "to"; empty for calls that are not told."""
    kind: str
    """The kind of thing that it does that to: file, socket, process, module, command, or nothing."""


class Tables(NamedTuple):
    """The tables of ``words/auditd.toml``."""

    kinds: dict[str, str]
    prefixes: dict[str, str]
    numbers: dict[str, str]
    auxiliary: frozenset[str]
    """Records that only add to another record of their event, which says what happened."""
    deeds: dict[str, Deed]
    calls: dict[str, CallDeed]
    words: dict[str, Any]
    """The other tables: rules, ipsec, errors."""


@cache
def tables() -> Tables:
    """Return the tables, read when the first record comes."""
    words = table("auditd")
    return Tables(
        {name: kind for kind, names in words["kinds"].items() for name in names.split()},
        words["prefixes"],
        words["numbers"],
        frozenset(words["auxiliary"].split()),
        {
            name: Deed(pattern, *(part.split() if not place else part for place, part in enumerate(rest)))
            for name, (pattern, *rest) in words["deeds"].items()
        },
        {name: CallDeed(pattern, kind) for pattern, kind, names in words["calls"] for name in names.split()},
        words,
    )


@lru_cache(maxsize=1_024)
def type_name(name: str) -> str:
    """Return the type of a record; older tools and the kernel's own log write numbers for some of them.

    ``UNKNOWN[1323]`` and ``1323`` are MMAP; what is not known stays as it is.
    """
    number = name[8:-1] if name.startswith("UNKNOWN[") else name
    return tables().numbers.get(number, name or "UNKNOWN")


@lru_cache(maxsize=1_024)
def kind_of(name: str) -> str:
    """Return the kind of event that a record of this type tells."""
    kind = tables().kinds.get(name)
    if kind is not None:
        return kind
    kind = next((kind for prefix, kind in tables().prefixes.items() if name.startswith(prefix)), None)
    number = name[8:-1] if name.startswith("UNKNOWN[") else name
    if kind is not None or not number.isdecimal() or len(number) > 5:
        return kind or UNKNOWN_KIND
    firsts = [(int(first), kind) for first, kind in tables().words["ranges"].items()]
    return next((kind for first, kind in reversed(firsts) if first <= int(number)), UNKNOWN_KIND)


@cache
def _call_names(architecture: str) -> dict[str, str]:
    words = table("syscalls")
    runs = words.get(words["architectures"].get(architecture, ""), {})
    if not runs:
        return {}
    return {
        str(number): name
        for first, names in (*runs.items(), (_FIRST_NEW, words["new"]))
        for number, name in enumerate(names.split(), int(first))
    }


def syscall_name(architecture: str, number: str) -> str | None:
    """Return the name of a system call; None when its architecture or its number is not known.

    Args:
        architecture: ``arch`` of the record, hexadecimal.
        number: ``syscall`` of the record; newer systems write the name there.
    """
    if number and not number.isdecimal():
        return number
    return _call_names(architecture if architecture in table_architectures() else "").get(number)


@cache
def table_architectures() -> frozenset[str]:
    """Return the architectures that are known, so that others do not fill the memory."""
    return frozenset(table("syscalls")["architectures"])
