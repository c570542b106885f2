"""The words that a user sees of a bug: two lines, and a log file for those who mend it.

Textual prints a traceback with the values of all locals: events, on a terminal that others may see.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_tui import __version__
from audit_tui.core.new_file import new_file, private_folder
from audit_tui.core.text import clean_visible
from audit_tui.errors import AuditTuiError, FileError

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = ("_return_code", "_exception", "_exception_event", "_exit_renderables", "_close_messages_no_wait")
"""The private parts of Textual's App with which an app ends after an exception."""


def crash_words(error: BaseException, directory: Path | None) -> str:
    """Say what ended the app, after writing the details to a file.

    Args:
        error: What was raised; an error that a user can mend is told in its own words, without a file.
        directory: Where logs go; made if it is not there. None writes none.

    Returns:
        A few lines without any value from an event.
    """
    if isinstance(error, AuditTuiError):
        return clean_visible(str(error), keep_newlines=True)
    words = f"audit-tui ended because of an error of its own ({type(error).__name__})."
    if directory is None:
        return words
    try:
        path = write_log(error, directory)
    except (OSError, FileError) as failure:
        reason = failure.message if isinstance(failure, FileError) else failure.strerror
        where = clean_visible(str(directory))
        return f"{words}\nThe details could not be written to {where}: {reason or 'unknown'}"
    where = clean_visible(str(path))
    return f"{words}\nThe details are in this file; look into it before you pass it on:\n{where}"


def write_log(error: BaseException, directory: Path) -> Path:
    """Write the traceback, without locals, to a new file that only its owner can read.

    Raises:
        OSError: If the folder cannot be made.
        FileError: If it cannot be written.
    """
    # Not at the start of every run: importlib.metadata alone takes 10 ms.
    import platform
    import traceback
    from importlib.metadata import version

    private_folder(directory)
    now = datetime.now(UTC)
    path = directory / f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
    lines = [
        f"audit-tui {__version__}, Textual {version('textual')}, Python {platform.python_version()}",
        f"{platform.platform()}, TERM={os.environ.get('TERM', '')}, {now:%Y-%m-%d %H:%M:%S} UTC",
        "",
        *"".join(traceback.format_exception(error)).splitlines(),
    ]
    with new_file(path, None) as file:
        file.writelines(clean_visible(line) + "\n" for line in lines)
    return path


def why_not(app: object) -> str:
    """Return what Textual's App lacks of the parts that are needed; empty when nothing."""
    return ", ".join(name for name in NEEDED if not hasattr(app, name))
