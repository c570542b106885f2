"""A believable account to try the program on: the same events for the same values."""

from audit_tui.demo.generate import demo_events
from audit_tui.demo.people import INTRUDER_USER, NEVER_TOGETHER, SERVICE_USER
from audit_tui.demo.values import DemoValues

__all__ = ["INTRUDER_USER", "NEVER_TOGETHER", "SERVICE_USER", "DemoValues", "demo_events"]
