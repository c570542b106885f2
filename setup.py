"""Makes the man page from the commands' own help; all else that a build needs is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
PAGE = "build/audit-tui.1"

sys.path.insert(0, str(ROOT))
from audit_tui.cli.man import page  # noqa: E402 - found only now

(ROOT / PAGE).parent.mkdir(exist_ok=True)
(ROOT / PAGE).write_text(page(), encoding="ascii")

setup(data_files=[("share/man/man1", [PAGE])])
