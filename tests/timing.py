"""The time that something takes against the length of what it is given."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def is_linear(work: Callable[[str], object], piece: str, chars: int) -> bool:
    """Tell whether 16 times the text takes about 16 times the time: what is quadratic takes 256 times.

    A busy machine takes the processor's caches away: that may spoil one try, not three.

    Args:
        work: What is measured.
        piece: The text, repeated.
        chars: The length of the shorter text.
    """

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        start_s = time.process_time()
        work(text)
        return time.process_time() - start_s

    return any(seconds(16 * chars) < 100 * max(seconds(chars), 0.001) for _ in range(3))
