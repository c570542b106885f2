"""The acts of the demo account as its file tells them: sentences, names and chance."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from audit_tui.core.event import AuditEvent, Outcome
from audit_tui.demo.words import TABLES, WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_tui.demo.account import Account, Actor

_ALONE = re.compile(r"\{([a-z_.]+)\}\Z")


def tell(
    account: Account,
    actor: Actor,
    name: str,
    /,
    *,
    severity: int | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    **facts: Any,  # noqa: ANN401 - whatever the sentence names
) -> AuditEvent:
    """Record an act.

    Args:
        account: Where it is done.
        actor: Who does it.
        name: Of the act, in ``account.toml``.
        severity: None takes what is usual.
        outcome: How it ended; what the file says fails, fails.
        facts: What its texts name.
    """
    act = TABLES["told"][name]
    draws = act.get("draws", ())
    if draws and draws[0][0] not in facts:
        drawn = draw(account, name)
        if drawn is None:
            return tell(account, actor, act["else"])
        facts |= drawn
    facts |= {"actor": actor, "account": account, "nothing": None}
    metadata: dict[str, Any] = {}
    for label, path, text in _entries(name):
        value: Any = text.format_map(facts) if path is None else _at(path, facts)
        if label:
            metadata[label] = value
        else:
            metadata |= value
    failure = Outcome.FAILURE if "fails" in act else outcome
    target = (
        _at(path, facts) if (path := _path(act["target"])) is not None else act["target"].format_map(facts)
    )
    return account.record(
        actor, act["event"], act["says"].format_map(facts), metadata, target, failure, severity
    )


def draw(account: Account, name: str) -> dict[str, Any] | None:
    """Return what chance decides of an act; None where nothing exists that it could act on."""
    draws = TABLES["told"][name]["draws"]
    sources = [_source(account, kind) for _, kind, *_ in draws]
    if not all(sources):
        return None
    return {
        key: kind + int(account.random() * most[0]) if most else account.pick(source)
        for (key, kind, *most), source in zip(draws, sources, strict=True)
    }


def _source(account: Account, name: str | int) -> Sequence[Any]:
    """The things that one is drawn from; a number stands for itself."""
    stock = account.stock
    if name == "@used":
        return [model for model in stock.deployed if model.uses]
    if isinstance(name, int):
        return (name,)
    things: Sequence[Any] = getattr(stock, name[1:]) if name.startswith("@") else WORDS[name]
    return things


@cache
def _entries(name: str) -> tuple[tuple[str, tuple[str, ...] | None, str], ...]:
    """The metadata of an act: of each the name, empty for all names of what is at the path, and the text."""
    entries = []
    for entry in TABLES["told"][name]["metadata"]:
        label, is_pair, text = entry.partition(" = ")
        text = text if is_pair else f"{{{entry[1:]}}}"
        entries.append((label if is_pair else "", _path(text), text))
    return tuple(entries)


@cache
def _path(text: str) -> tuple[str, ...] | None:
    """The steps of a place that stands alone; None for other texts."""
    alone = _ALONE.match(text)
    return None if alone is None else tuple(alone[1].split("."))


def _at(path: tuple[str, ...], facts: dict[str, Any]) -> Any:  # noqa: ANN401 - as its place has it
    value = facts[path[0]]
    for step in path[1:]:
        value = getattr(value, step)
    return value
