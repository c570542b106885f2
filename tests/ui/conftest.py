"""Every test of the screen waits for the app itself, not for a moment in which the machine is idle."""

from __future__ import annotations

import textual.app
import textual.pilot

from audit_tui.ui.terminal import key_order
from tests.ui.waiting import PATIENCE_S, wait_for_rest

textual.app.wait_for_idle = wait_for_rest  # type: ignore[attr-defined]
textual.pilot.wait_for_idle = wait_for_rest  # type: ignore[attr-defined]

# On a busy machine a dialog may take longer to open than a person waits with the next key.
key_order.PATIENCE_S = PATIENCE_S
