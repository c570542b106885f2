from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.samples import EVENTS, fill

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """A small store with awkward events."""
    path = tmp_path / "audit.db"
    fill(path, EVENTS)
    return path
