"""The kinds of events, told from their names: what takes away and what gives rights has a colour of its own.

Names come from any log, so this is a guess; the name itself stands there and says it too.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

MAX_CHARS = 200
"""A longer name is told by its beginning."""


class Tint(Enum):
    """A kind of event that stands out."""

    REMOVAL = "removal"
    """Deletes, revokes, ends or switches off."""
    GRANT = "grant"
    """Gives a right, a role, a key or a membership."""


_REMOVAL = re.compile(
    r"delet|remov|destroy|terminat|revok|\bdrop|purg|disabl|deactivat|deregister|undeploy|detach|eras|wipe"
    r"|uninstall|\bstop ?logging|\bunassign|archiv",
    re.IGNORECASE,
)
_GRANT = re.compile(
    r"grant|assign|attach|authoriz|elevat|impersonat|assume ?role|permission|\bsudo\b"
    r"|(?:put|set|edit|updat|creat|add).*polic|(?:add|invit|join).*(?:member|group|role|user|owner|collaborator)"
    r"|(?:access|api|ssh|deploy|service account|account)[ _-]?key.*(?:creat|add|import)"
    r"|(?:creat|add|import|generat).*(?:access|api|ssh|deploy|account)?[ _-]?(?:key|credential|secret|token)"
    r"|role (?:chang|edit)|(?:login|access) ?profile",
    re.IGNORECASE,
)
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=2048)
def tint_of(name: str) -> Tint | None:
    """Return the kind of an event by its name; None for an ordinary one."""
    words = _HUMPS.sub(" ", name[:MAX_CHARS])
    if _REMOVAL.search(words):
        return Tint.REMOVAL
    return Tint.GRANT if _GRANT.search(words) else None
