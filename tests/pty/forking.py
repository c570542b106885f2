"""Programs started as forks of a process that has imported what they need: that takes two thirds of a start.

A fork is a program of its own in all else: session, terminal, environment, directory, signals, end.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

_IMPORTED_FOR = ("LANG", "LC_", "PYTHON", "TEXTUAL_")
"""Variables with such names are read by imports: a program with others is started by itself."""


def start(module: str, arguments: list[str], tty: str, env: dict[str, str]) -> tuple[int, int] | None:
    """Run ``python -m MODULE`` in a terminal.

    Returns:
        Its process number, and a pipe that gives its status, as ``waitpid`` does, when it has ended; None
        where it must be started by itself.
    """
    imported = {name: env.get(name) for name in {*env, *os.environ} if name.startswith(_IMPORTED_FOR)}
    if not hasattr(os, "pidfd_open") or any(os.environ.get(name) != text for name, text in imported.items()):
        return None
    read_end, write_end = os.pipe()
    request = json.dumps([module, arguments, tty, env, str(Path.cwd())]).encode()
    socket.send_fds(_parent(), [request], [write_end])
    os.close(write_end)
    number = b""
    while not number.endswith(b"\n"):
        digit = os.read(read_end, 1)
        assert digit, "the process that forks has ended"
        number += digit
    return int(number), read_end


def status(pipe: int) -> int:
    """Wait for the end of a program, and return its status."""
    with os.fdopen(pipe) as file:
        return int(file.read())


@cache
def _parent() -> socket.socket:
    """The process that forks; one for this process."""
    here, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here.set_inheritable(False)
    words = [sys.executable, "-m", "tests.pty.forking", str(far.fileno())]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, pass_fds=[far.fileno()], cwd=Path(__file__).parents[2]
    )
    far.close()

    def end() -> None:
        here.close()
        process.wait()

    atexit.register(end)
    return here


def _serve(here: socket.socket) -> list[Any] | None:
    """Fork at each request; return in the child with the request, and in the parent at the end of all."""
    pipes: dict[int, tuple[int, int]] = {}
    while True:
        for ready in select.select([here.fileno(), *pipes], [], [])[0]:
            if ready in pipes:
                child, pipe = pipes.pop(ready)
                os.close(ready)
                os.write(pipe, b"%d" % os.waitpid(child, 0)[1])
                os.close(pipe)
                continue
            request, fds, _, _ = socket.recv_fds(here, 1 << 20, 1)
            if not request:
                return None
            child = os.fork()
            if not child:
                return [fds[0], *json.loads(request)]
            pipes[os.pidfd_open(child)] = child, fds[0]


def _become(
    pipe: int, module: str, arguments: list[str], tty: str, env: dict[str, str], directory: str
) -> None:
    """In the child: be the program."""
    os.setsid()
    # A session's leader that opens a terminal gets it as its own.
    terminal = os.open(tty, os.O_RDWR)
    for number in range(3):
        os.dup2(terminal, number)
    # Only now: a terminal that nobody has open is at its end.
    os.write(pipe, b"%d\n" % os.getpid())
    os.closerange(3, 1 << 16)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        errors = "backslashreplace" if name == "stderr" else "strict"
        stream = open(len(_STREAMS), mode, 1, "utf-8", errors, closefd=False)  # noqa: SIM115
        _STREAMS.append(stream)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(directory)
    sys.path[0] = directory
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


_STREAMS: list[Any] = []

if __name__ == "__main__":
    import audit_tui.cli.opening.screen
    import audit_tui.store.read.reader
    import audit_tui.ui.app  # noqa: F401

    wanted = _serve(socket.socket(fileno=int(sys.argv[1])))
    if wanted is not None:
        _become(*wanted)
