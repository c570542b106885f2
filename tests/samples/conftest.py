"""Tests over real logs, which are not part of the project: collected only where they lie beside the checkout.

What must hold for the project is tested on the fixtures of ``tests/formats``, written by hand.
"""

from __future__ import annotations

from tests.formats.logs import SHARED

collect_ignore_glob = [] if SHARED.exists() else ["test_*.py"]
