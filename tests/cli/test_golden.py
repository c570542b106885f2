"""Each format of output, and the README's examples, word for word."""

from __future__ import annotations

import pytest

from tests.cli.golden import GOLDEN, LINES, whole


def test_commands_write_what_is_noted() -> None:
    pytest.importorskip("sigma.collection")
    noted = GOLDEN.read_text(encoding="utf-8")
    assert whole().split("\n\n$ ") == noted.split("\n\n$ ")
    assert noted.count("\n$ ") == len(LINES) - 1
