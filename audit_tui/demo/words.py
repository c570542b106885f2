"""The data that the demo account is made from: ``account.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

TABLES: dict[str, Any] = tomllib.loads((Path(__file__).parent / "account.toml").read_text(encoding="utf-8"))
WORDS: dict[str, list[Any]] = TABLES["words"]
