"""Tests of detections: collected only where the extra is installed, as the extra ``test`` does."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("sigma") else ["test_*.py"]
