"""Waiting for what an app has to do, and for what it comes to; never for a length of time or for silence.

An asyncio loop knows what it has to do: when nothing is ready to run, no frame is to be drawn and no thread
works, nothing can happen any more until somebody presses a key, a timer ends or a test lets a thread go on.
"""

from __future__ import annotations

import asyncio
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

from textual._context import active_app
from textual.worker import WorkerState

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.pilot import Pilot
    from textual.screen import Screen

    AnyApp: TypeAlias = App[Any]
    AnyScreen: TypeAlias = Screen[Any]

PATIENCE_S = 60.0
"""The time to wait before a test fails: far longer than anything takes, for a busy machine."""
GLANCE_S = 0.001
"""The time to leave the processor to a thread before looking again whether it is done."""
TURNS = 2
"""Turns of the event loop without work in a row: the first may come before what a thread has just told."""
DRAWINGS = 4
"""The most drawings of what stays to be drawn all the same: Textual draws nothing amid a batch of changes."""


class Gate:
    """Holds a thread until a test lets it go on.

    While one is held, ``at_rest`` waits for no thread: others may wait for the one that is held. What they
    answer is then to be waited for with ``until``.
    """

    _closed: set[Gate] = set()  # noqa: RUF012 - one for all, under the lock
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._reached = threading.Event()

    @classmethod
    def holds_any(cls) -> bool:
        """Tell whether a thread is held anywhere."""
        return bool(cls._closed)

    @property
    def is_reached(self) -> bool:
        """True once a thread has come to it."""
        return self._reached.is_set()

    def pass_through(self) -> None:
        """In the thread: wait until the gate is open."""
        with self._lock:
            if not self._opened.is_set():
                self._closed.add(self)
        self._reached.set()
        assert self._opened.wait(PATIENCE_S), "nobody has opened the gate"

    def open(self) -> None:
        """Let whoever waits go on, and all who come."""
        with self._lock:
            self._closed.discard(self)
        self._opened.set()


async def at_rest(app: AnyApp) -> None:
    """Wait until all that was begun is done: messages, callbacks, frames, and the answers of threads.

    Raises:
        AssertionError: If it never comes to an end.
    """
    deadline_s = monotonic() + PATIENCE_S
    turns = drawings = 0
    while turns < TURNS:
        await asyncio.sleep(0)
        turns += 1
        if vars(asyncio.get_running_loop())["_ready"]:
            turns = drawings = 0
        elif drawings < DRAWINGS and _draw_now(app):
            turns, drawings = 0, drawings + 1
        elif _has_thread(app) and not Gate.holds_any():
            turns = drawings = 0
            await asyncio.sleep(GLANCE_S)
        assert monotonic() < deadline_s, f"the app works on and on: {app.workers}"


async def wait_for_rest(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """Wait until the app is at rest, in place of ``textual._wait.wait_for_idle``, hence the arguments.

    Textual's own takes 20 ms and more, and ends when the process gets little of the processor; on a busy
    machine that does not mean that the app has come to rest.
    """
    await at_rest(active_app.get())


async def until(pilot: Pilot[Any], condition: Callable[[], bool], what: str = "") -> None:
    """Wait until something holds: what a timer, or a thread that a test holds, leads to in the end.

    Raises:
        AssertionError: If it does not come to hold.
    """
    deadline_s = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < deadline_s, what or "it never came to hold"
        await asyncio.sleep(GLANCE_S)
        _draw_now(pilot.app)


def _draw_now(app: AnyApp) -> bool:
    """Take a new size and draw now, not after a 120th and a 60th of a second; True if that was to be done."""
    if app._resize_event is not None:
        app._check_resize()
        return True
    screen = app.screen if app._screen_stack else None
    if screen is None or not screen.is_running or not _is_dirty(screen):
        return False
    screen._on_timer_update()
    return True


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
    return any(
        worker._thread_worker and worker.state in (WorkerState.PENDING, WorkerState.RUNNING)
        for worker in app.workers
    )
