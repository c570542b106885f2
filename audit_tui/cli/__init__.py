"""The commands: one module a family; composes the layers and owns stderr and exit codes."""

from __future__ import annotations

from audit_tui.cli.main import main

__all__ = ["main"]
