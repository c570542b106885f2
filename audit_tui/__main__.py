"""Run the command as ``python -m audit_tui``."""

from audit_tui.cli.main import main

main()
