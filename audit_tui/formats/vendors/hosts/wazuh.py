"""Wazuh: what a rule says of the log of an agent; levels from 0 to 15."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.mapping import Verdict
from audit_tui.formats.words.english import shown

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling

_SEVERITIES = ((15, 6), (12, 5), (10, 4), (7, 3), (4, 2), (0, 1))
_GROUPS = {"authentication_failed": Outcome.FAILURE, "authentication_failures": Outcome.FAILURE,
           "invalid_login": Outcome.FAILURE, "authentication_success": Outcome.SUCCESS}  # fmt: skip


def refine(telling: Telling) -> None:
    """Tell the rule, with the level as a severity and the outcome that its groups name."""
    level = telling.text("rule.level") or ""
    number = int(level) if level.isdecimal() and len(level) < 4 else 0
    telling.values["severity"] = next(severity for least, severity in _SEVERITIES if number >= least)
    groups = telling.at("rule.groups")
    for group in groups if isinstance(groups, list) else ():
        if group in _GROUPS:
            telling.verdict = Verdict(_GROUPS[group])
    agent = telling.text("agent.name")
    user = f" ({shown(telling.user)})" if telling.user else ""
    telling.sentence = f"{shown(telling.event)}{user}" + (f" on {shown(agent)}" if agent else "")
