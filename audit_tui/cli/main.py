"""The command ``audit-tui``."""

from __future__ import annotations

import click


@click.command()
@click.version_option(package_name="audit-tui")
def main() -> None:
    """Read, record and verify audit logs in a terminal."""
