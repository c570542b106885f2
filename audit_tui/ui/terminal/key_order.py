"""Keys one after the other, so that what is typed ahead reaches what the keys before it open.

Textual 8.2.8 hands every key of a burst (a slow line sends several in one packet, a script pastes ``:31⏎``)
to the widget that has the focus before the first of them has done anything: what was meant for the dialog
that it opens went to the list. Here a key waits until the one before has gone through the widgets above the
focus, and a screen that it opened has taken the focus.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import App
    from textual.dom import DOMNode
    from textual.message_pump import MessagePump

MOST_ROUNDS = 8
"""The focus may move so often because of one key before the next key is handed out all the same."""
PATIENCE_S = 2.0
"""The longest that a key waits: a widget that was removed meanwhile gives no answer."""


class KeyOrder:
    """Holds keys back until the one before is done with."""

    def __init__(self, app: App[None], hand_out: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._hand_out = hand_out
        self._waiting: deque[events.Event] = deque()
        self._turn = 0
        self._is_busy = False
        self._holds = 0

    async def take(self, event: events.Event) -> None:
        """Hand a key out, now or when it is its turn."""
        self._waiting.append(event)
        if not self._is_busy:
            await self._next()
        elif len(self._waiting) == 1:
            self._app.set_timer(PATIENCE_S, self._give_up_on(self._turn))

    def hold(self) -> Callable[[], None]:
        """Let keys wait for a screen that opens only when something was read.

        Returns:
            What to call when it is open, or will not be; more than once does no harm.
        """
        self._holds += 1
        is_held = True

        def release() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._holds -= 1
                self._app.call_later(self._settle, self._turn, MOST_ROUNDS)

        return release

    def _give_up_on(self, turn: int) -> Callable[[], Awaitable[None]]:
        async def give_up() -> None:
            if turn == self._turn and self._is_busy:
                await self._next()

        return give_up

    async def _next(self) -> None:
        self._turn += 1
        self._is_busy = bool(self._waiting)
        if not self._waiting:
            return
        event = self._waiting.popleft()
        if self._waiting:
            self._app.set_timer(PATIENCE_S, self._give_up_on(self._turn))
        await self._hand_out(event)
        # Once for the key on its way up, once for what the action at its end has posted.
        self._climb(self._turn, self._line(), MOST_ROUNDS)

    def _line(self) -> Sequence[DOMNode]:
        """The focus and all that is above it."""
        return (self._app.focused or self._app.screen).ancestors_with_self

    def _climb(self, turn: int, line: Sequence[DOMNode], rounds: int) -> None:
        """Go through the queues of all in the line, behind what is in them; the last one is the app's."""
        for index, node in enumerate(line):
            if _post(node, partial(self._climb, turn, line[index + 1 :], rounds)):
                return
        _post(self._app, partial(self._settle, turn, rounds))

    async def _settle(self, turn: int, rounds: int) -> None:
        if turn != self._turn or not self._is_busy or self._holds:
            return
        line = self._line()
        place = (self._app.screen, self._app.focused)
        if rounds == MOST_ROUNDS or (rounds > 0 and place != self._place):
            self._place = place
            self._climb(turn, line, rounds - 1)
        else:
            await self._next()

    _place: tuple[object, object] = (None, None)
    """The focus when the queues were gone through last."""


class _Step:
    """A callback that Textual need not look at: it counts the parameters of each, 0.1 ms a time."""

    _param_count = 0

    def __init__(self, work: Callable[[], Awaitable[None] | None]) -> None:
        self._work = work

    async def __call__(self) -> None:
        if (rest := self._work()) is not None:
            await rest


def _post(pump: MessagePump, work: Callable[[], Awaitable[None] | None]) -> bool:
    """``call_later`` without what it costs; 24 of them follow a key."""
    return pump.post_message(events.Callback(callback=_Step(work)))
