"""A store for the commands to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.running import make_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with the events of ``running.EVENTS``."""
    return make_store(tmp_path / "audit.db")
