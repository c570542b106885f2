"""Rules written by hand for the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.detect.sigma_rules import read_rules

if TYPE_CHECKING:
    from pathlib import Path

    from audit_tui.detect.tree import Rule

TRAIL = """
title: Trail Stopped
id: 11111111-1111-4111-8111-111111111111
status: test
description: Somebody stopped the trail.
references: [https://example.org/trail]
author: Ann Author
date: 2026-01-02
tags: [attack.t1562.008]
logsource: {product: aws, service: cloudtrail}
detection:
    selection:
        eventSource: cloudtrail.amazonaws.com
        eventName: [StopLogging, DeleteTrail]
    condition: selection
falsepositives: [Maintenance]
level: high
"""


def rule_with(detection: str, *, logsource: str = "{product: audit-tui}", rest: str = "") -> str:
    """A rule whose detection is this YAML, in one line each."""
    indented = "\n".join(f"    {line}" for line in detection.strip().splitlines())
    return f"title: A rule\nlogsource: {logsource}\ndetection:\n{indented}\n{rest}"


def read_one(text: str) -> Rule:
    """The one rule of a text, which can be run."""
    rules, problems = read_rules(text)
    assert (len(rules), problems) == (1, [])
    assert not rules[0].trouble
    return rules[0]


def write_rules(folder: Path, *texts: str) -> Path:
    """A folder with a file for each text."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        (folder / f"{number}.yml").write_text(text)
    return folder
