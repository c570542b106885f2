"""What the name of an event tells besides the act: how it ended, and what kind of thing it is about."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from audit_tui.core.event import Outcome
from audit_tui.formats.values import dig, first_text

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

_RESULT = re.compile(
    r"[._ -](?P<good>succeeded|successful|success)\Z|[._ -](failed|failure|denied|rejected)\Z", re.IGNORECASE
)
_DOTTED = re.compile(r"(?P<family>[a-z][a-z0-9_-]*)(\.[a-z][a-z0-9_-]*)+\Z")
_OBJECT_PATHS = (("name",), ("email",), ("id",))


@lru_cache(maxsize=4_096)
def outcome_in_name(event: str) -> Outcome:
    """What a name says of the end: ``login.failed``; unknown for names that do not end so."""
    found = _RESULT.search(event)
    if found is None:
        return Outcome.UNKNOWN
    return Outcome.SUCCESS if found["good"] else Outcome.FAILURE


@lru_cache(maxsize=4_096)
def family_in_name(event: str) -> str | None:
    """The first word of a name in dotted words, ``api_key`` of ``api_key.created``; None for other names."""
    found = _DOTTED.match(event)
    return None if found is None else found["family"]


def object_in_name(fields: Fields, event: str) -> str | None:
    """What an event acted upon, where a record has an object under the event's own name.

    ``{"type": "api_key.created", "api_key.created": {"id": "key_1"}}`` acted upon key_1.
    """
    if "." not in event:
        return None
    for key in (event, event.replace(".", "_"), event.partition(".")[0]):
        inside = fields.get(key)
        if isinstance(inside, dict):
            text = first_text(*(dig(inside, path) for path in _OBJECT_PATHS))
            if text is not None:
                return text
    return None
