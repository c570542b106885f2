"""Conditions as ``--filter`` takes them: ``user=alice``, ``event!=Login``, ``description~failed``."""

from __future__ import annotations

import re

from audit_tui.core.filter.filters import META, Condition, condition_of, field_named, quoted_name
from audit_tui.core.filter.operators import CONTAINS, CONTAINS_NOT, IS, IS_NOT
from audit_tui.core.filter.possible import require_possible
from audit_tui.core.lazy_pattern import lazy_pattern
from audit_tui.errors import FilterError

_SYMBOLS = {operator.symbol: operator for operator in (IS, IS_NOT, CONTAINS, CONTAINS_NOT)}
_SPLIT = lazy_pattern("|".join(sorted(map(re.escape, _SYMBOLS), key=len, reverse=True)))


def parse_condition(text: str) -> Condition:
    """Read ``COLUMN=VALUE``, ``COLUMN!=VALUE``, ``COLUMN~VALUE`` or ``COLUMN!~VALUE``; the first splits.

    An empty value is the missing one: ``user=`` means no user. ``source_ip=10.0.0.0/8`` means every address
    in that network.

    Raises:
        FilterError: If there is no operator, the column is unknown, or no event can have the value.
    """
    named = text.lstrip()
    begin = len(META) if named[: len(META)].lower() == META else 0
    if begin and named.startswith('"', begin):
        begin += quoted_name(named[begin:])[1]
    split = _SPLIT.search(named, begin)
    if split is None:
        raise FilterError(
            f"The filter {text!r} has none of =, !=, ~ and !~.",
            'Write it as "user=alice", "event!=Login" or "description~failed".',
        )
    name, value = named[: split.start()].strip(), named[split.end() :]
    try:
        field = field_named(name)
    except FilterError as error:
        if name.lower().startswith(META):
            raise
        raise FilterError(f"The filter {text!r} names an unknown column {name!r}.", error.hint) from None
    condition = condition_of(field, _SYMBOLS[split[0]], value or None)
    require_possible(condition.field, condition.operator, condition.value)
    return condition


def condition_text(condition: Condition) -> str:
    """Return the condition as ``--filter`` reads it: the inverse of ``parse_condition``."""
    return f"{condition.field.value}{condition.operator.symbol}{condition.value or ''}"
