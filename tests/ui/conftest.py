"""Every test of the screen waits for the app itself, not for a moment in which the machine is idle."""

from __future__ import annotations

import textual.app
import textual.pilot

from tests.ui.waiting import wait_for_rest

textual.app.wait_for_idle = wait_for_rest  # type: ignore[attr-defined]
textual.pilot.wait_for_idle = wait_for_rest  # type: ignore[attr-defined]
