"""Wrong lines: each error points at its characters, says what to do, and mends the line where it can.

``wrong_lines.golden`` holds what is said. ``python -m tests.core.query_line.test_errors`` writes it again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit_tui.core.query_line.parse import parse
from audit_tui.core.query_line.scan import QueryError
from audit_tui.core.time.dates import TimeContext

FOLDER = Path(__file__).parent
CONTEXT = TimeContext(UTC, datetime(2026, 11, 22, 14, 0, tzinfo=UTC))
LINES = (FOLDER / "wrong_lines.txt").read_text(encoding="utf-8").splitlines()
GOLDEN = FOLDER / "wrong_lines.golden"


def error_of(line: str) -> QueryError | None:
    """The error of a line; None when it can be read."""
    try:
        parse(line, CONTEXT, ("eventName", "Model ID"))
    except QueryError as error:
        return error
    return None


def told(line: str) -> str:
    """All that is said of a wrong line."""
    error = error_of(line)
    if error is None:
        return f"{line}\nNOTHING WRONG\n"
    mended = f"-> {error.mended}\n" if error.mended else ""
    return f"{error.pointed(line)}\n{error.message}\n{error.hint}\n{mended}"


def test_what_is_said_is_what_was_settled() -> None:
    assert "\n".join(map(told, LINES)) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", LINES)
def test_a_mended_line_is_right_there(line: str) -> None:
    error = error_of(line)
    assert error is not None
    assert error.hint
    if error.mended:
        again = error_of(error.mended)
        assert again is None or (again.start, again.message) != (error.start, error.message) or line[0] == "("


def test_a_caret_stands_below_wide_and_hostile_characters() -> None:
    line = "日本\x1b[31m\u202e usr:x"
    error = error_of(line)
    assert error is not None
    shown, caret = error.pointed(line).split("\n")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    # Two characters of two cells each come before it.
    assert caret.index("^") == shown.index("usr") + 2


def test_a_long_line_is_shown_round_the_place() -> None:
    line = f"{'a ' * 500}usr:x {'b ' * 500}"
    error = error_of(line)
    assert error is not None
    shown, caret = error.pointed(line).split("\n")
    assert len(shown) < 80
    assert shown[caret.index("^") :].startswith("usr:x")
    assert shown.startswith("…")
    assert shown.endswith("…")


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(map(told, LINES)), encoding="utf-8")
