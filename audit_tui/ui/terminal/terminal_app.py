"""The app as the terminal sees it: few bytes, a sane terminal afterwards, no secrets in a crash.

Every override of a private method of Textual's App is here. Each is used only if what it needs is there;
else Textual does what it always does.
"""

from __future__ import annotations

import inspect
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rich.color import ColorSystem
from rich.text import Text
from textual import _compositor, events
from textual.app import App
from textual.scrollbar import ScrollBar
from textual.worker import WorkerFailed

from audit_tui.errors import EXIT_WRONG, AuditTuiError
from audit_tui.ui.terminal import crash, frame_diff
from audit_tui.ui.terminal.drawing import Sanitize, WholeBar, hardware_cursor
from audit_tui.ui.terminal.driver import TerminalDriver
from audit_tui.ui.terminal.frame_diff import FrameDiff
from audit_tui.ui.terminal.key_order import KeyOrder

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import RenderableType
    from textual.filter import LineFilter
    from textual.screen import Screen

_COLOR_SYSTEMS = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}
_DISPLAY_PARAMETERS = ["self", "screen", "renderable"]
_OUTPUT_PARTS = ("_begin_update", "_end_update", "_running", "_closed", "_batch_count", "_driver")
SETTLE_S = 0.1
"""The time after a new size until all is drawn once more, for a size that changed and changed back."""


def why_no_diff() -> str:
    """Return what keeps the app from sending only what changed; empty when nothing does."""
    if not frame_diff.is_wanted():
        return f"{frame_diff.OFF_SWITCH} is set"
    display = getattr(App, "_display", None)
    if display is None or list(inspect.signature(display).parameters) != _DISPLAY_PARAMETERS:
        return "App._display is not as expected"
    return frame_diff.why_not(
        getattr(_compositor, "LayoutUpdate", None), getattr(_compositor, "ChopsUpdate", None)
    )


class TerminalApp(App[None]):
    """An app that is kind to terminals.

    Args:
        ansi_color: True draws in the terminal's own colours from the first moment on; None leaves that to
            the theme.
        crash_directory: Where the log of a crash is written; None writes none.
    """

    def __init__(self, ansi_color: bool | None = None, crash_directory: Path | None = None) -> None:
        ScrollBar.renderer = WholeBar
        self._sanitize = Sanitize()
        super().__init__(driver_class=TerminalDriver, ansi_color=ansi_color)
        self._key_order = KeyOrder(self, super().on_event)
        self._crash_directory = crash_directory
        self._takes_crashes = not crash.why_not(self)
        has_parts = all(hasattr(self, name) for name in _OUTPUT_PARTS)
        self._frame_diff = FrameDiff() if has_parts and not why_no_diff() else None

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._sanitize]

    # -- drawing all of it

    def on_mount(self) -> None:
        # Textual 8.2.8 leaves the screen blank but for what changes next.
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())

    def action_redraw(self) -> None:
        self._forget_frame()
        self.refresh()

    def on_resize(self, _event: events.Resize) -> None:
        self._forget_frame()
        self.set_timer(SETTLE_S, self.refresh)

    # -- mouse

    @property
    def has_mouse(self) -> bool:
        return isinstance(self._driver, TerminalDriver) and self._driver.has_mouse

    def set_mouse(self, on: bool) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._driver.set_mouse(on)

    # -- keys

    async def on_event(self, event: events.Event) -> None:
        is_typed = isinstance(event, events.Key | events.Paste) and not event.is_forwarded
        await (self._key_order.take(event) if is_typed else super().on_event(event))

    def hold_keys(self) -> Callable[[], None]:
        return self._key_order.hold()

    # -- output

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self._is_drawing(renderable):
            self.cursor_position = screen.outer_size.clamp_offset(hardware_cursor(screen.focused))
        output = self._changes_in(renderable)
        if output is not None:
            self._send(output)
            self.post_display_hook()
            return
        if self._frame_diff is not None and self._is_drawing(renderable):
            # Textual draws with the style that the terminal is left in, and what then stands there is not
            # known: all is drawn once more.
            self._send("\x1b[m")
            self._frame_diff.forget()
            self.call_later(self.refresh)
        super()._display(screen, renderable)

    def _is_drawing(self, renderable: RenderableType | None) -> bool:
        if renderable is None or self._batch_count or not self._running or self._closed:
            return False
        return self._driver is not None and not self.is_headless and not self._driver.is_inline

    def _changes_in(self, renderable: RenderableType | None) -> str | None:
        if self._frame_diff is None or not self._is_drawing(renderable):
            return None
        color_system = _COLOR_SYSTEMS.get(self.console.color_system or "", ColorSystem.TRUECOLOR)
        return self._frame_diff.output_for(renderable, color_system, self.cursor_position)

    def _send(self, output: str) -> None:
        if output and self._driver is not None:
            self._begin_update()
            self._driver.write(output)
            self._end_update()
            self._driver.flush()

    def _forget_frame(self) -> None:
        if self._frame_diff is not None:
            self._frame_diff.forget()

    # -- crash

    def _handle_exception(self, error: Exception) -> None:
        if self.is_headless or self.debug or not self._takes_crashes:
            super()._handle_exception(error)
            return
        cause = error.error if isinstance(error, WorkerFailed) else error
        # Typed by Textual in a way that mypy takes for Never.
        exception_event: asyncio.Event = attrgetter("_exception_event")(self)
        if not exception_event.is_set():
            self._exception = error
            exception_event.set()
            self._return_code = cause.exit_code if isinstance(cause, AuditTuiError) else EXIT_WRONG
            # Only the first: what follows it follows from it.
            self._exit_renderables[:] = [Text(crash.crash_words(cause, self._crash_directory))]
        self._close_messages_no_wait()
