"""Every test of the screen waits for the app itself, not for a moment in which the machine is idle."""

from __future__ import annotations

import textual.app
import textual.pilot

from tests.ui.quiet import wait_until_quiet

textual.app.wait_for_idle = wait_until_quiet  # type: ignore[attr-defined]
textual.pilot.wait_for_idle = wait_until_quiet  # type: ignore[attr-defined]
