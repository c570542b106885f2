"""MongoDB: the kind of an act is in its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_tui.formats.words.english import words_of

if TYPE_CHECKING:
    from audit_tui.formats.mapping import Telling


def refine(telling: Telling) -> None:
    """Give the act the kind of thing that it is about: users, roles, collections."""
    words = words_of(telling.event)
    telling.values["category"] = (
        "authentication"
        if words[:1] in (("authenticate",), ("logout",))
        else (words[-1].lower() if len(words) > 1 else "server")
    )
