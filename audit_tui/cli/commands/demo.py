"""``audit-tui demo``: a store with a believable account in it, made again when its values change.

A demo store carries a note of what it was made from. Only a store with that note, in which nobody has
stored anything else, is ever replaced; and it is replaced whole, by one that was finished beside it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

import click

from audit_tui import demo
from audit_tui.cli.opening.temporary import claimed
from audit_tui.cli.options import EventsChoice, time_context
from audit_tui.cli.progress import ProgressLine, tell
from audit_tui.cli.session import session_of
from audit_tui.cli.source import StoreName, reading
from audit_tui.config import data_directory, default_store_path
from audit_tui.core.event import from_us, iso_utc
from audit_tui.core.text import counted
from audit_tui.core.time.dates import Preset, resolve
from audit_tui.core.time.words import range_from_bounds
from audit_tui.core.view import View
from audit_tui.demo import DemoValues
from audit_tui.demo.people import last_afternoon
from audit_tui.demo.values import (
    DEFAULT_DAYS,
    DEFAULT_EVENTS,
    DEFAULT_SEED,
    DEFAULT_USERS,
    GENERATOR,
    MIN_USERS,
)
from audit_tui.errors import StoreError, StoreMissing, UsageError
from audit_tui.store.file.connect import writable_place
from audit_tui.store.file.lock import StoreLock
from audit_tui.store.read.reader import read_note
from audit_tui.store.write.writer import StoreWriter

if TYPE_CHECKING:
    from audit_tui.cli.session import Session
    from audit_tui.core.time.dates import TimeContext

P = ParamSpec("P")
R = TypeVar("R")

STORE_NAME = "demo.db"
NOTE = "demo"
"""The name of the note that says what a demo store was made from."""
_BATCH_EVENTS = 5_000
_SHOWN_DAYS = 30


def _number(
    name: str, usual: int, least: int | None, about: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    kind = click.INT if least is None else click.IntRange(min=least)
    return click.option(name, type=kind, default=usual, show_default=True, metavar="N", help=about)


@click.command("demo")
@_number("--events", DEFAULT_EVENTS, 0, "How many events.")
@_number("--days", DEFAULT_DAYS, 1, "Over how many days, back from the end.")
@_number("--users", DEFAULT_USERS, MIN_USERS, "How many people, a service account among them.")
@_number("--seed", DEFAULT_SEED, None, "Another number makes another account.")
@click.option(
    "--until",
    metavar="TIME",
    help="The last day, included, or the moment to end before.  [default: the last afternoon]",
)
@click.option(
    "-s",
    "--store",
    metavar="PATH",
    type=StoreName(),
    help="Where to make it; never the default store.  [default: demo.db in the data directory]",
)
@click.option("--no-open", is_flag=True, help="Make the store without opening the screen.")
@click.pass_context
def demo_command(
    context: click.Context,
    *,
    events: int,
    days: int,
    users: int,
    seed: int,
    until: str | None,
    store: Path | None,
    no_open: bool,
) -> int:
    """Make a demo store and review it.

    The same values give the same events. The store is made again when it was made with other values, and
    without --until also on another day, so that its last events are recent.
    """
    session, times = session_of(context), time_context(context)
    if not no_open:
        from audit_tui.cli.opening.terminal import require_screen

        try:
            # Before a store is made, rather than after.
            require_screen()
        except UsageError as error:
            raise UsageError(error.message, "Make the store without it: audit-tui demo --no-open") from None
    end, is_now = _end(until, times)
    values = DemoValues(end, events, days, users, seed)
    path = _place(store, session)
    note = _note(values, times.today.isoformat() if is_now else None)
    made = _made(path)
    if made is not None and made.note == note:
        tell(f"{path} is there, made from the same values: {counted(events, 'event')}.")
    else:
        _refuse_to_lose(path, made)
        _make(path, values, note)
    if no_open:
        return 0
    from audit_tui.cli.opening.screen import ReviewScreen

    # Last 30 Days, unless the demo ended before them.
    is_recent = (times.now - values.until).days < _SHOWN_DAYS
    view = View() if is_recent else View(time_range=Preset.ALL_TIME)
    return ReviewScreen(path, EventsChoice(view, times, is_range_default=True), session).show()


def _end(until: str | None, times: TimeContext) -> tuple[datetime, bool]:
    """The moment before which the events lie, and whether it follows the clock."""
    end_us = resolve(range_from_bounds(None, until, times), times).end_us
    return (last_afternoon(times.now), True) if end_us is None else (from_us(end_us), False)


def _note(values: DemoValues, day: str | None) -> str:
    """Return the values that a demo store is made from as one line of JSON.

    With a local day, of an end that is now, a demo made earlier on that day will do.
    """
    return json.dumps(
        {
            "generator": GENERATOR,
            "events": values.events,
            "days": values.days,
            "users": values.users,
            "seed": values.seed,
            "until": day or iso_utc(values.end_us),
        }
    )


class _Made(NamedTuple):
    """The store that exists at the place of the demo store."""

    note: str | None
    """The values that it was made from; None when it is not a demo store."""
    events: int


def _place(store: Path | None, session: Session) -> Path:
    """Return the path of the demo store; UsageError if that is where the events of the user are."""
    if store is None:
        return data_directory() / STORE_NAME
    usual = session.loaded.settings.store or default_store_path()
    if isinstance(usual, Path) and store.resolve() == usual.resolve():
        made = _made(store)
        if made is None or made.note is None:
            raise UsageError(f"{store} is the default store, and not for a demo.", _ELSEWHERE)
    return store


_ELSEWHERE = "Choose another place with --store, or leave --store out."


def _made(path: Path) -> _Made | None:
    """Return the store that exists; None when there is none.

    Raises:
        StoreError: If it is not a store.
    """
    try:
        with reading(path) as reader:
            return _Made(read_note(path, NOTE), reader.newest_seq())
    except StoreMissing:
        return None


def _refuse_to_lose(path: Path, made: _Made | None) -> None:
    """Make sure that nothing but a demo would be replaced; UsageError if there is anything else."""
    if made is None:
        return
    if made.note is None:
        raise UsageError(
            f"{path} holds {counted(made.events, 'event')} and is not a demo store; it is left as it is.",
            _ELSEWHERE,
        )
    with suppress(ValueError, AttributeError):
        if json.loads(made.note).get("events") == made.events:
            return
    raise UsageError(
        f"{path} holds events that are not of the demo; it is left as it is.",
        "Move it away, or choose another place with --store.",
    )


def _make(path: Path, values: DemoValues, note: str) -> None:
    """Make the store beside its place, and put it there when it is complete.

    Raises:
        StoreError: If it cannot be written there.
    """
    path = writable_place(path)
    with workshop(path) as folder, ProgressLine() as progress:
        made = folder / path.name
        events = demo.demo_events(values)
        with StoreWriter(made, durable=False, bulk=True) as writer:
            done = 0
            while batch := list(islice(events, _BATCH_EVENTS)):
                writer.append(batch)
                done += len(batch)
                if progress.is_due:
                    of_all = f"{done:,} of {counted(values.events, 'event')}"
                    progress.say(f"Making {path.name}: {of_all}, {done * 100 // values.events}%")
            progress.say(f"Making {path.name}: indexes")
            writer.ensure_indexes()
            writer.note(NOTE, note)
        _replace(made, path)
    first, last = f"{from_us(values.start_us):%Y-%m-%d}", f"{from_us(values.end_us - 1):%Y-%m-%d}"
    tell(f"Made {path}: {counted(values.events, 'event')} from {first} to {last}.")


def _replace(made: Path, path: Path) -> None:
    """Put the finished store in its place, while nobody writes to the one that is there."""
    if not path.exists():
        made.replace(path)
        return
    # A store's mode is its owner's choice, and stays.
    made.chmod(path.stat().st_mode & 0o777)
    lock = StoreLock(path)
    with lock.locked():
        _refuse_to_lose(path, _made(path))
        # A write-ahead log belongs to the file that it was written for; whoever reads that file now keeps
        # both, nameless.
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        made.replace(path)
        lock.remove()


@contextmanager
def workshop(path: Path) -> Iterator[Path]:
    """A folder beside the store that is gone afterwards; those of killed runs go too.

    Raises:
        StoreError: If none can be made there.
    """
    prefix = f".{path.name}-"
    for left_over in path.parent.glob(f"{prefix}*"):
        with suppress(OSError), claimed(left_over):
            shutil.rmtree(left_over)
    try:
        folder = Path(mkdtemp(prefix=prefix, dir=path.parent))
    except OSError as error:
        raise StoreError(
            f"Nothing can be made in {path.parent}: {error.strerror}.", "Choose another place with --store."
        ) from error
    try:
        with claimed(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
