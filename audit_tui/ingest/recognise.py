"""Recognise whose record it is: the format of a record, of what it wraps, of its parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from audit_tui.formats.generic import names_a_time
from audit_tui.formats.record import RecordError, Shape
from audit_tui.ingest.wrappers import Peeled, frame_keys, may_hold_records, peeled

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields, Format
    from audit_tui.formats.registry import Formats

UNFORESEEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""Errors of a format over a record that nobody thought of: it must not lose the other records."""
_MAX_FRAMES = 3
"""Splunk around CloudWatch around CloudTrail; nobody wraps deeper on purpose."""
_MAX_KEY_SETS = 1_000
"""Sets of keys that are remembered; records that are all different must not fill memory."""
_TIME_IN_PREFIX = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?", re.ASCII
)
_FRAME_TIMES = ("time", "timestamp")
_NO_FRAMES: Fields = {}


def unforeseen(log_format: Format, error: Exception) -> str:
    """Why a record is rejected that its format stumbles over."""
    return f"{log_format.title} as never seen before: {type(error).__name__}"


class Understood(NamedTuple):
    """One event to be mapped."""

    format: Format
    fields: Fields
    """The record, or the part of it, that the format maps."""
    frames: Fields
    """The frames that stood around it, by the name of the wrapper; empty when there were none."""
    is_lossy: bool
    """Its wrapping does not say all that its text says."""


class Understanding:
    """Finds the formats of the records of one file.

    Args:
        formats: The formats to choose from.
        shape: Of the file.
        of_all: The format of all records, where the file's own shape told it.
        is_peeled: Look into wrappers; not where the user names fields of the record as it stands.
    """

    def __init__(
        self, formats: Formats, shape: Shape, of_all: Format | None = None, *, is_peeled: bool = True
    ) -> None:
        self._formats = formats
        self._shape = shape
        self._only = formats.only
        self._of_all = of_all
        self._else = formats.only or formats.generic(shape)
        self._else_inside = formats.only or formats.generic(Shape.JSON)
        if self._only is formats.generic(shape):
            self._of_all = self._only
        self._is_peeled = is_peeled
        self._frame_keys: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, fields: Fields, prefix: str = "") -> list[Understood]:
        """Return what a record tells: one event, or several; never none.

        Args:
            fields: The record.
            prefix: The text before it in its line, whose time is that of a record without one.

        Raises:
            RecordError: If it should tell several and tells none.
        """
        log_format = self._of_all or self._recognised(fields, self._shape)
        if log_format is not None:
            whole = Understood(log_format, fields, _NO_FRAMES, False)
            return [whole] if log_format.split is None else _parts_of(whole)
        if self._is_peeled and self._may_be_frame(fields) and (inside := self._inside(fields, 1)):
            return [part for each in inside for part in _parts_of(each)]
        if prefix and not names_a_time(fields) and (time := _TIME_IN_PREFIX.search(prefix)):
            fields = {**fields, _FRAME_TIMES[0]: time[0]}
        return [Understood(self._else, fields, _NO_FRAMES, False)]

    def _may_be_frame(self, fields: Fields) -> bool:
        names = tuple(fields)
        keys = self._frame_keys.get(names)
        if keys is None:
            if len(self._frame_keys) >= _MAX_KEY_SETS:
                self._frame_keys.clear()
            keys = self._frame_keys[names] = frame_keys(names)
        return any(map(may_hold_records, map(fields.__getitem__, keys)))

    def _recognised(self, fields: Fields, shape: Shape) -> Format | None:
        if self._only is None:
            return self._formats.recognised(fields, shape)
        return self._only if shape in self._only.shapes and self._only.detect(fields) else None

    def _inside(self, fields: Fields, depth: int) -> list[Understood]:
        """Return what the record is a frame around; empty when nothing of it is recognised."""
        for wrapper in peeled(fields):
            inside: list[Understood] = []
            is_known = wrapper.is_sure
            for part, is_lossy in wrapper.parts:
                understood = self._recognised_part(part, wrapper, is_lossy, depth)
                is_known = is_known or bool(understood)
                inside.extend(understood or [self._unknown(part, wrapper, is_lossy)])
            if is_known:
                return inside
        return []

    def _recognised_part(self, part: Fields, wrapper: Peeled, is_lossy: bool, depth: int) -> list[Understood]:
        frames = {wrapper.name: wrapper.frame} if wrapper.frame else _NO_FRAMES
        log_format = self._recognised(part, Shape.JSON)
        if log_format is not None:
            return [Understood(log_format, part, frames, is_lossy)]
        inside = self._inside(part, depth + 1) if depth < _MAX_FRAMES else []
        return [
            each._replace(frames=frames | each.frames, is_lossy=is_lossy or each.is_lossy) for each in inside
        ]

    def _unknown(self, part: Fields, wrapper: Peeled, is_lossy: bool) -> Understood:
        frames = {wrapper.name: wrapper.frame} if wrapper.frame else _NO_FRAMES
        if not names_a_time(part):
            # The frame's own time is the only one then.
            part = part | {name: wrapper.frame[name] for name in _FRAME_TIMES if name in wrapper.frame}
        return Understood(self._else_inside, part, frames, is_lossy)


def _parts_of(whole: Understood) -> list[Understood]:
    if whole.format.split is None:
        return [whole]
    try:
        parts = whole.format.split(whole.fields)
    except UNFORESEEN as error:
        raise RecordError(unforeseen(whole.format, error)) from None
    if not parts:
        raise RecordError("it holds no event")
    return [whole._replace(fields=part) for part in parts]
