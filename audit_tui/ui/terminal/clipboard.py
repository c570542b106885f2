"""Copying a text to where the user can paste it, and saying where that is.

In tmux 3.3a with its default settings an OSC 52 sequence from a program reaches the outer terminal not at
all, silently; ``tmux load-buffer -w`` does. So tmux is asked first, then the terminal, and what they cannot
take goes to a file.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from base64 import b64encode
from enum import Enum
from typing import TYPE_CHECKING

from audit_tui.core.finding import Finding, Level
from audit_tui.core.new_file import new_file, private_folder
from audit_tui.core.record import Record
from audit_tui.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MAX_OSC52_BYTES = 74_994
"""The longest text: in base64, with the 8 bytes around it, the 100,000 bytes that terminals take at least."""
SCREEN_PIECE_BYTES = 250
"""GNU screen takes DCS strings of 256 bytes before 4.2 (2014), of 768 since."""
TMUX_WAIT_S = 3.0
"""The longest that tmux may take; it answers within milliseconds or not at all."""


class Place(Enum):
    """The place that a copied text went to."""

    TMUX = "tmux"
    TMUX_AND_TERMINAL = "tmux and terminal"
    TERMINAL = "terminal"
    """Sent to the terminal, which does not say whether it took it."""
    FILE = "file"
    NOWHERE = "nowhere"


class CopyResult(Record):
    """The fate of a copied text."""

    place: Place
    words: str
    path: Path | None = None


class Clipboard:
    """Copies text out of a terminal.

    Args:
        write: Sends control sequences to the terminal; called in the thread that copies.
        directory: Where files go; made if it is not there.
        environment: Of the process.
    """

    def __init__(
        self, write: Callable[[str], None], directory: Path, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._write = write
        self._directory = directory
        self._environment = environment

    def copy(self, text: str) -> CopyResult:
        """Copy a text; blocks, so call it in a thread."""
        data = text.encode("utf-8", "replace")
        if self._environment.get("TMUX"):
            result = self._copy_to_tmux(data)
            if result is not None:
                return result
            # OSC 52 would be lost in tmux without a word.
            return self._copy_to_file(data, "tmux did not take it")
        if len(data) > MAX_OSC52_BYTES:
            return self._copy_to_file(data, "it is too long for the terminal's clipboard")
        self._write(_osc52(data, in_screen=bool(self._environment.get("STY"))))
        return CopyResult(Place.TERMINAL, "Sent to the terminal's clipboard.")

    def tmux_findings(self) -> Iterator[Finding]:
        """Return what to know of tmux's clipboard; nothing outside of tmux. Blocks."""
        if not self._environment.get("TMUX"):
            return
        option = self._tmux("show-options", "-sv", "set-clipboard")
        if option is None:
            fix = "Is tmux in PATH? Copies are written to files."
            yield Finding("clipboard", Level.NOTE, "tmux does not answer.", fix)
        elif self._tmux_has_clipboard():
            yield Finding("clipboard", Level.OK, "tmux passes copies on to its terminal.")
        elif option.strip() == b"off":
            message = "tmux keeps copies in its own buffer: set-clipboard is off."
            yield Finding("clipboard", Level.NOTE, message, "tmux set -s set-clipboard on")
        else:
            message = "tmux does not know that its terminal takes copies."
            fix = "If it does: tmux set -as terminal-features ',*:clipboard'"
            yield Finding("clipboard", Level.NOTE, message, fix)

    def _copy_to_tmux(self, data: bytes) -> CopyResult | None:
        passed_on = self._tmux("load-buffer", "-w", "-", data=data) is not None
        # tmux before 3.2 knows no -w.
        if not passed_on and self._tmux("load-buffer", "-", data=data) is None:
            return None
        if self._tmux("show-buffer") != data:
            return None
        if passed_on and self._tmux_has_clipboard():
            words = "Copied to tmux's buffer and sent to the terminal's clipboard."
            return CopyResult(Place.TMUX_AND_TERMINAL, words)
        return CopyResult(Place.TMUX, "Copied to tmux's buffer; paste it with tmux's prefix and ].")

    def _tmux_has_clipboard(self) -> bool:
        option = self._tmux("show-options", "-sv", "set-clipboard")
        features = self._tmux("display-message", "-p", "#{client_termfeatures}")
        return option is not None and option.strip() != b"off" and b"clipboard" in (features or b"")

    def _tmux(self, *arguments: str, data: bytes = b"") -> bytes | None:
        program = shutil.which("tmux", path=self._environment.get("PATH"))
        if program is None:
            return None
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and the arguments are those above
                [program, *arguments],
                input=data,
                capture_output=True,
                env=dict(self._environment),
                timeout=TMUX_WAIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def _copy_to_file(self, data: bytes, why: str) -> CopyResult:
        try:
            private_folder(self._directory)
            path = self._directory / f"copied-{secrets.token_hex(4)}.txt"
            with new_file(path, None) as file:
                file.write(data.decode())
        except (OSError, FileError) as error:
            reason = error.message if isinstance(error, FileError) else error.strerror
            words = f"Not copied: {why}, and no file could be written to {self._directory}: {reason}."
            return CopyResult(Place.NOWHERE, words)
        return CopyResult(Place.FILE, f"Written to {path}, because {why}.", path)


def _osc52(data: bytes, *, in_screen: bool) -> str:
    sequence = f"\x1b]52;c;{b64encode(data).decode('ascii')}\x07"
    if not in_screen:
        return sequence
    # GNU screen passes what stands in a DCS string on to its terminal, piece by piece.
    pieces = range(0, len(sequence), SCREEN_PIECE_BYTES)
    return "".join(f"\x1bP{sequence[start : start + SCREEN_PIECE_BYTES]}\x1b\\" for start in pieces)
