"""Cancelling never blocks who cancels, however long the interrupt takes."""

from __future__ import annotations

import threading
import time

import pytest

from audit_tui.core.cancel import CancelToken
from audit_tui.errors import QueryCancelled


def test_a_slow_interrupt_blocks_only_the_work_itself() -> None:
    token, entered, may_end, ended = CancelToken(), threading.Event(), threading.Event(), threading.Event()

    def interrupt() -> None:
        entered.set()
        assert may_end.wait(60)

    def work() -> None:
        with token.interrupting(interrupt, is_slow=True):
            assert entered.wait(60)
        ended.set()

    worker = threading.Thread(target=work)
    worker.start()
    while token._interrupt is None:
        time.sleep(0.001)
    # Both come back while the interrupt is still on its way: it waits for this thread.
    token.cancel()
    token.cancel()
    assert token.is_cancelled
    assert entered.wait(60)
    assert not ended.is_set()
    may_end.set()
    worker.join()
    assert ended.is_set()


def test_an_interrupt_never_meets_the_work_that_comes_after() -> None:
    calls: list[str] = []
    token = CancelToken()
    with token.interrupting(lambda: calls.append("slow"), is_slow=True):
        pass
    token.cancel()
    assert calls == []
    with pytest.raises(QueryCancelled), token.interrupting(lambda: calls.append("late"), is_slow=True):
        calls.append("never")
    assert calls == []
