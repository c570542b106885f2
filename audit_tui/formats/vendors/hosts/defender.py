"""Defender: categories without their prefix, ends in the names of the acts, keys of a device and a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling


def refine(telling: Telling) -> None:
    """Tell how it ended, which only the name of the act says."""
    event = telling.event
    category = telling.values.get("category")
    if category is not None:
        telling.values["category"] = category.removeprefix("AdvancedHunting-")
    if event.endswith("Success"):
        telling.verdict = Verdict(Outcome.SUCCESS)
    elif event.endswith("Failed"):
        telling.verdict = Verdict(Outcome.FAILURE)
    report = telling.values.get("key")
    if report is not None:
        # Numbers of reports are each device's own, and begin again.
        device = telling.text("DeviceId", "DeviceName") or ""
        telling.values["key"] = f"{device}:{telling.values['time']}:{report}:{event}"
