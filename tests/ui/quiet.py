"""Waiting until an app has done all that it was told, whatever else the machine does meanwhile.

Textual's own wait takes 20 ms and more, and ends when the process gets little of the processor, which on
a busy machine does not mean that the app has come to rest.
"""

from __future__ import annotations

import asyncio
from time import monotonic, process_time
from typing import TYPE_CHECKING, Any, TypeAlias

from textual._context import active_app
from textual.worker import WorkerState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App
    from textual.message_pump import MessagePump
    from textual.screen import Screen

    AnyApp: TypeAlias = App[Any]
    AnyScreen: TypeAlias = Screen[Any]

QUIET_ROUNDS = 4
"""Turns of the event loop without work in a row: a message may be on its way between two of them."""
THREAD_S = 0.1
"""A thread that has not answered after this long is one that a test holds up."""
STUCK_S = 0.1
"""A message that nobody has taken after this long waits for something that a test holds up; a widget
without any room on the screen is one that nobody wakes."""
MANY_ROUNDS = 20
"""Neither is so before this many turns of the event loop: on a busy machine one may take those times."""


async def wait_until_quiet(min_sleep: float = 0, max_sleep: float = 2) -> None:
    """Wait until no message, callback, refresh or answer of a thread is outstanding.

    In place of ``textual._wait.wait_for_idle``, hence the arguments; but ``max_sleep`` is in seconds of this
    process: on a busy machine one layout may take others for 4 seconds.
    """
    if min_sleep:
        await asyncio.sleep(min_sleep)
    app = active_app.get()
    start_s, last_change = process_time(), monotonic()
    quiet, before, rounds = 0, -1, 0
    while quiet < QUIET_ROUNDS and process_time() - start_s < max_sleep:
        await asyncio.sleep(0)
        _do_what_waits_for_timers(app)
        work = _outstanding(app)
        if work != before:
            before, last_change, rounds = work, monotonic(), 0
        rounds += 1
        age = monotonic() - last_change if rounds > MANY_ROUNDS else 0.0
        if work and age < STUCK_S:
            quiet = 0
        elif _has_thread(app) and age < THREAD_S:
            quiet = 0
            await asyncio.sleep(0.001)
        else:
            quiet += 1


def _do_what_waits_for_timers(app: AnyApp) -> None:
    """Take a new size and draw now, not after a 120th and a 60th of a second."""
    if app._resize_event is not None:
        app._check_resize()
    screen = _screen(app)
    if screen is not None and screen.is_running and _is_dirty(screen):
        screen._on_timer_update()


def _outstanding(app: AnyApp) -> int:
    """How many things are yet to be done."""
    screen = _screen(app)
    drawing = 0 if screen is None else _is_dirty(screen) + len(screen._callbacks)
    return drawing + sum(pump.message_queue_size + len(pump._next_callbacks) for pump in _pumps(app))


def _is_dirty(screen: AnyScreen) -> bool:
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )


def _has_thread(app: AnyApp) -> bool:
    return any(worker.state in (WorkerState.PENDING, WorkerState.RUNNING) for worker in app.workers)


def _pumps(app: AnyApp) -> Iterator[MessagePump]:
    yield app
    for screen in app._screen_stack:
        yield from screen.walk_children(with_self=True)


def _screen(app: AnyApp) -> AnyScreen | None:
    return app.screen if app._screen_stack else None
