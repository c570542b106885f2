"""Rules that detect something in events, as the commands and the screen speak of them."""

from __future__ import annotations

from enum import Enum

from audit_tui.core.record import Record


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
        """The mark in the list."""
        return self.word[0]

    @classmethod
    def named(cls, word: str) -> Level:
        """Return the level of a name.

        Raises:
            KeyError: If there is none of that name.
        """
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
