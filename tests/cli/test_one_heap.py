"""Threads share one heap, so that what one of them freed serves the others."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, sys, threading
from audit_tui.cli.opening.terminal import share_one_heap

share_one_heap()
library = ctypes.CDLL(None)
meet = threading.Barrier(4)

def work():
    meet.wait()
    library.malloc.restype = ctypes.c_void_p
    library.malloc(100_000)

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if hasattr(library, "malloc_info"):
    library.fdopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(library.fdopen(1, b"w"))
    library.malloc_info(0, stream)
    library.fflush(stream)
else:
    print("<heap nr=")
"""


def test_threads_share_one_heap() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert told.stdout.count("<heap nr=") == 1
