"""What log records come wrapped in, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

_ANYTHING: frozenset[str] | None = None

_LISTS: dict[str, frozenset[str] | None] = {
    # The key of the list -> the keys that may stand beside it; others make it an event that has a list.
    "Records": _ANYTHING,  # CloudTrail
    "records": frozenset(),  # Azure
    "Events": frozenset({"NextToken"}),  # CloudTrail LookupEvents
    "value": frozenset({"@odata.context", "@odata.nextLink", "@odata.count", "nextLink", "count"}),
    "items": frozenset({"kind", "apiVersion", "metadata", "etag", "nextPageToken"}),
}


def list_key(fields: Fields) -> str | None:
    """Under which key an object holds the records that it wraps; None when it is a record itself."""
    if len(fields) > 8 or _LISTS.keys().isdisjoint(fields):
        return None
    for key, beside in _LISTS.items():
        records = fields.get(key)
        if not isinstance(records, list):
            continue
        holds_objects = all(isinstance(record, dict) for record in records[:3])
        if holds_objects and (beside is None or fields.keys() - {key} <= beside):
            return key
    return None


def may_be_list_key(key: str) -> bool:
    """Whether an array under this key may hold records, when the object is too big to look at whole."""
    return key in _LISTS
