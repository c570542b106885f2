"""A terminal driver that asks for clicks and drags, not for every motion of the mouse.

Textual 8.2.8 asks for reports of any motion (mode 1003): twelve moves over a table cost 21 KB on the line.
Modes 1000 and 1002 with 1006 coordinates are what clicks, drags and the wheel need.
"""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver

_MODES = (1000, 1002, 1006)


class QuietMouseDriver(LinuxDriver):
    """Textual's driver for Unix terminals with quiet mouse reports."""

    def _enable_mouse_support(self) -> None:
        if self._mouse:
            self.write("".join(f"\x1b[?{mode}h" for mode in _MODES))
            self.flush()

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write("".join(f"\x1b[?{mode}l" for mode in _MODES))
            self.flush()
