"""Completion in a shell: columns, fields of the metadata and values, from the store that is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from audit_tui.errors import AuditTuiError

if TYPE_CHECKING:
    import click

    from audit_tui.core.query import EventReader

MAX_WORDS = 50


def query_words(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the words that a query argument may become; none when the store cannot be read."""
    return _terms(context, incomplete)


def filter_words(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return what ``--filter`` may become: ``user=``, ``user!=``, ``user=alice``."""
    from audit_tui.core.filter.filters import ANY_TEXT, FILTER_COLUMNS
    from audit_tui.core.filter.operators import NAME_OPERATORS

    if any(operator.symbol in incomplete for operator in NAME_OPERATORS):
        return _terms(context, incomplete)
    names = _beginning(context, incomplete, (*FILTER_COLUMNS, ANY_TEXT))
    return [
        name if name == "meta." else f"{name}{operator.symbol}"
        for name in names
        for operator in NAME_OPERATORS[: 1 if name == "meta." else None]
    ]


def columns(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return what a list of columns may become, ``event,user,meta.region``; one that is named comes once."""
    from audit_tui.core.columns import COLUMNS

    before, comma, typed = incomplete.rpartition(",")
    named = before.split(",")
    words = [*(() if comma else ("all", "visible")), *COLUMNS]
    fields = (word for word in words if word not in named)
    return [f"{before}{comma}{word}" for word in _beginning(context, typed, fields)]


def fields(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the columns whose values can be counted, and the fields of the metadata."""
    from audit_tui.core.query import FACET_COLUMNS

    return _beginning(context, incomplete, FACET_COLUMNS)


def redacted_fields(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the fields that can be redacted."""
    names = ("user", "description", "source_ip", "target", "metadata", "original", "all")
    return _beginning(context, incomplete, names)


def _beginning(context: click.Context, typed: str, names: Iterable[str]) -> list[str]:
    """Return the names, and those of the metadata, that begin with what was typed."""
    from audit_tui.core.filter.filters import META

    words = [name for name in names if name.startswith(typed)]
    if typed.startswith(META):
        with _reader(context) as reader:
            paths = () if reader is None else reader.metadata_names()
            words += [f"{META}{path}" for path in paths if f"{META}{path}".startswith(typed)]
    elif META.startswith(typed):
        words.append(META)
    return words[:MAX_WORDS]


def _terms(context: click.Context, incomplete: str) -> list[str]:
    from audit_tui.core.query_line.complete import NO_NAMES, completions, place_at

    place = place_at(incomplete, len(incomplete))
    with _reader(context) as reader:
        if reader is None:
            return []
        names = reader.metadata_names() if place.typed.lower().startswith("meta.") else NO_NAMES
        return [
            incomplete[: place.start] + completion.text
            for completion in completions(place, reader, MAX_WORDS, names)
        ]


@contextmanager
def _reader(context: click.Context) -> Iterator[EventReader | None]:
    """Open the store that the command names; None, and no error, where it cannot be read."""
    from audit_tui.cli.redacting import redact_mode
    from audit_tui.cli.session import session_of
    from audit_tui.cli.source import reading
    from audit_tui.config import default_store_path
    from audit_tui.core.privacy.redact_mode import RedactingReader

    # What is being completed must not be hidden by an error about it.
    with suppress(AuditTuiError):
        settings = session_of(context).loaded.settings
        chosen = context.params.get("store")
        store = chosen if chosen is not None and chosen != Path() else settings.store
        with reading(store or default_store_path()) as reader:
            yield RedactingReader(reader, redact_mode(is_on=settings.redact)) if settings.redact else reader
            return
    yield None
