"""Rules that detect something in events, as the commands and the screen speak of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from audit_tui.core.record import Record

if TYPE_CHECKING:
    from audit_tui.core.cancel import CancelToken
    from audit_tui.core.filter.filters import Filter


class Level(Enum):
    """The weight of a hit, as its rule's author gives it; in rising order."""

    INFORMATIONAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The name in commands and rules."""
        return self.name.lower()

    @property
    def letter(self) -> str:
        """The mark in the list: the first letter, in a circle, so that it is none of the word beside it."""
        return chr(ord("ⓐ") + ord(self.word[0]) - ord("a"))

    @classmethod
    def named(cls, word: str) -> Level:
        """Return the level of a name; KeyError if there is none of that name."""
        return cls[word.upper()]


class RuleInfo(Record):
    """A rule as it is shown; all texts are its author's, hostile until cleaned."""

    id: str
    """The UUID that its author gave it, else one made of its content."""
    version: str
    """A mark of its content: another text is another version."""
    title: str
    level: Level
    author: str = ""
    description: str = ""
    false_positives: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Of MITRE ATT&CK mostly: ``attack.t1098``."""
    date: str = ""
    """Of its last change, as given."""
    license: str = ""


class RuleTotal(Record):
    """A rule that hit, with what its hits have in common."""

    info: RuleInfo
    events: int
    first_us: int
    last_us: int
    users: tuple[str, ...]
    """The users of the hits, the most frequent first; events of nobody are not among them."""
    silenced: int = 0
    """The hits besides that a silence left out."""


MAX_MARKS = 100_000
"""The hits of a rule that are marked in the list; the others are counted."""


class RuleHits(Record):
    """The hits of a rule in a source, as the screen shows them."""

    info: RuleInfo
    events: int
    """The number of hits, without the silenced."""
    seqs: tuple[int, ...]
    """Their numbers in rising order, the newest ``MAX_MARKS``."""
    times_us: tuple[int, ...]
    """When they happened, beside their numbers."""
    filter: Filter
    """Takes every hit, and only hits when ``is_exact``."""
    is_exact: bool
    silenced: int = 0
    """The hits that the user's silences leave out."""


class Detected(Record):
    """The state of a run of rules: some were perhaps not asked yet."""

    hits: tuple[RuleHits, ...] = ()
    """The rules that hit or are silenced, the weightiest first."""
    asked: int = 0
    """The rules that were asked so far."""
    rules: int = 0
    """The rules that are to be asked; 0 while they are loaded."""
    notes: tuple[str, ...] = ()
    """Sentences about rules that are not run."""

    @property
    def is_done(self) -> bool:
        """Tell whether all rules were asked."""
        return self.rules > 0 and self.asked == self.rules


class Detections(Protocol):
    """Rules that are asked of the source that is shown; each method may block."""

    def run(self, report: Callable[[Detected], None], cancel: CancelToken) -> None:
        """Ask all rules of all events, first of those that were not looked at before.

        Raises:
            AuditTuiError: If the rules or the source cannot be read.
        """
        ...

    def silence(self, info: RuleInfo, query: str) -> None:
        """Leave out hits of a rule from now on: those that a query line wants; an empty line is all.

        Raises:
            AuditTuiError: If that cannot be written.
        """
        ...
