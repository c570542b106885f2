"""The values that a condition can match at all: what no event can have is an error, not an empty result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_tui.core.columns import Column
from audit_tui.core.event import Outcome
from audit_tui.core.filter.networks import network_of
from audit_tui.core.lazy_pattern import lazy_pattern
from audit_tui.errors import FilterError

if TYPE_CHECKING:
    from audit_tui.core.filter.filters import FilterField
    from audit_tui.core.filter.operators import Operator

MAX_SEVERITY = 6
_LIKE_NETWORK = lazy_pattern(r"\s*[0-9a-f.:]*[.:][0-9a-f.:]*/\d*\s*", re.IGNORECASE | re.ASCII)
_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_SEVERITIES = tuple(map(str, range(MAX_SEVERITY + 1)))


class ImpossibleValue(FilterError):
    """No event can have the value.

    Args:
        message: A sentence that says what is wrong.
        hint: A sentence that names what is possible.
        meant: The value that was probably meant; empty when nobody can tell.
    """

    def __init__(self, message: str, hint: str, meant: str = "") -> None:
        super().__init__(message, hint)
        self.meant = meant


def require_possible(field: FilterField, operator: Operator, value: str | None) -> None:
    """Refuse what no event can match, such as ``outcome=fail`` and ``source_ip=10.0.0.0/99``.

    Raises:
        ImpossibleValue: Names what is possible.
    """
    if not value:
        return
    if field is Column.OUTCOME and not _takes_any(operator, value, _OUTCOMES):
        meant = next((each for each in _OUTCOMES if each.startswith(value.strip("*").casefold())), "")
        possible = f"Outcomes are {' and '.join(_OUTCOMES[:2])}, else {_OUTCOMES[2]}."
        raise ImpossibleValue(f"{value!r} is not an outcome.", possible, meant)
    if field is Column.SEVERITY and not _takes_any(operator, value, _SEVERITIES):
        raise ImpossibleValue(
            f"No severity {operator.base.words} {value}.",
            f"Severities go from 0 (unknown) to {MAX_SEVERITY} (fatal).",
        )
    if field is Column.SOURCE_IP and _LIKE_NETWORK.fullmatch(value) and network_of(value) is None:
        raise ImpossibleValue(f"{value!r} is not a network.", "Write it as source_ip=10.0.0.0/8.")


def _takes_any(operator: Operator, value: str, possible: tuple[str, ...]) -> bool:
    passes = operator.base.meaning(value)
    return any(map(passes, possible))
