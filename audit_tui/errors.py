"""The errors that a user can cause or mend, and the exit codes.

    AuditTuiError             1  done, but something is wrong that the user must know
    ├── UsageError            2  wrong usage, query, filter or time
    │   ├── FilterError          a filter that cannot be read
    │   ├── TimeError            a time, zone or range that cannot be read
    │   ├── EventError           an event that cannot be recorded as it is given
    │   └── ConfigError          a setting that cannot be used
    ├── UnreadableError       3  a store or a file cannot be read or written
    │   ├── StoreError           a store
    │   │   ├── StoreMissing        nothing is there
    │   │   ├── NotAStore           something else is there
    │   │   ├── StoreTooNew         written by a newer version
    │   │   ├── StoreBusy           another program holds the lock
    │   │   ├── StoreFull           no space left to write
    │   │   ├── StoreDamaged        SQLite finds it malformed
    │   │   ├── QueryTooLong        an answer would take longer than it may
    │   │   ├── SourceLost          the connection to a shared engine is gone
    │   │   └── SigningKeyError     its seals cannot be signed as they must be
    │   └── FileError            a log file, a mapping file, an export
    │       ├── FileExists          a file is in the way of an export
    │       └── CheckpointError     a checkpoint, a key or a proof that cannot be used
    └── QueryCancelled      130  the user, or a newer query, ended it

Each has a short ``title``, a ``message`` that says what happened, and a ``hint`` that says what to do.
The exit codes are those of the command line; ``cli`` applies them.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_OK = 0
EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_UNREADABLE = 3
EXIT_NO_ANCHOR = 4
EXIT_SIGHUP = 129
EXIT_INTERRUPTED = 130
EXIT_SIGTERM = 143


class AuditTuiError(Exception):
    """The base of every error that is shown to a user as a sentence.

    Args:
        message: What happened, in one plain sentence; names the thing.
        hint: What to do about it, or empty when there is nothing to do.
    """

    title: ClassVar[str] = "Something is wrong"
    exit_code: ClassVar[int] = EXIT_WRONG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(AuditTuiError):
    """The command, query, filter or time cannot be understood."""

    title = "Not understood"
    exit_code = EXIT_USAGE


class FilterError(UsageError):
    """A filter names an unknown column or has no operator."""

    title = "Filter not understood"


class TimeError(UsageError):
    """A time, a zone or a range cannot be read."""

    title = "Time not understood"


class EventError(UsageError):
    """An event cannot be recorded as it is given."""

    title = "Event not recorded"


class ConfigError(UsageError):
    """A setting cannot be used."""

    title = "Setting not usable"


class UnreadableError(AuditTuiError):
    """A store or a file cannot be read or written."""

    title = "Cannot be read"
    exit_code = EXIT_UNREADABLE


class StoreError(UnreadableError):
    """A store cannot be opened, read or written."""

    title = "Store cannot be used"


class StoreMissing(StoreError):
    """There is no file at the store's path."""

    title = "No store"


class NotAStore(StoreError):
    """The path holds something that is not an audit store."""

    title = "Not a store"


class StoreTooNew(StoreError):
    """The store was written by a newer version of this program."""

    title = "Store is newer"


class StoreBusy(StoreError):
    """Another program holds the store's lock for too long."""

    title = "Store is busy"


class StoreFull(StoreError):
    """There is no space left to write to the store."""

    title = "No space left"


class StoreDamaged(StoreError):
    """SQLite finds the store malformed."""

    title = "Store is damaged"


class SourceLost(StoreError):
    """The server cannot be reached, or went away."""

    title = "The connection is lost"


class QueryTooLong(StoreError):
    """An answer was not there in the time that the settings allow, and was ended."""

    title = "It takes too long"


class SigningKeyError(StoreError):
    """The store's seals are signed, and the key for it is missing or cannot be used."""

    title = "No signing key"


class FileError(UnreadableError):
    """A log file, a mapping file or an export cannot be read or written."""

    title = "File cannot be used"


class FileExists(FileError):
    """A file of that name is there, and must not be replaced without a word."""

    title = "File is there already"


class CheckpointError(FileError):
    """A checkpoint, a key or a proof is not what it should be."""

    title = "Not a checkpoint"


class QueryCancelled(AuditTuiError):
    """The user, or a newer query, ended this one."""

    title = "Cancelled"
    exit_code = EXIT_INTERRUPTED
