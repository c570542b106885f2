"""JSON, fast where it is small and in pieces where it is huge.

``json`` makes a new encoder in C for each value, 2 of the 4 µs of a small one. It reads a text of 10 MB, and
looks for garbage in what it makes, in one call of C: 0.4 s in which no other thread, so no key, gets a turn.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from itertools import islice
from json import encoder
from typing import Any

LONG_CHARS = 500_000
"""A longer text is read in pieces: 5 ms in one call."""
PIECE_CHARS = 32_768
"""Read in one call, or written in one."""
_RUN = 500
"""Members of a list or an object that are written in one call."""
_RUN_CHARS = 200
"""Longer texts are written alone."""
_SPACE = re.compile(r"[ \t\n\r]*").match
_decoder: Any = json.JSONDecoder()
"""Its ``scan_once`` and ``parse_string``, which are written in C, are known to no type checker."""
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once

msgspec: Any = None
"""JSON three times as fast; None where it is missing, and ``json`` does all."""
with suppress(ImportError):
    # By its name: a type checker says something else where it is installed than where it is not.
    msgspec = import_module("msgspec")


def compact_encoder(
    *, sorts_keys: bool = False, is_ascii: bool = False, between: str = ",", behind_name: str = ":"
) -> Callable[[object], str]:
    """Return an encoder of JSON values without spaces; recursion that does not end is a RecursionError."""
    plain = json.JSONEncoder(
        sort_keys=sorts_keys, ensure_ascii=is_ascii, separators=(between, behind_name), check_circular=False
    )
    # Not public, but there since Python 2.7; without it (PyPy) the same comes more slowly.
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    escape = encoder.encode_basestring_ascii if is_ascii else encoder.encode_basestring
    parts = make(None, plain.default, escape, None, behind_name, between, sorts_keys, False, True)
    join = "".join
    return lambda value: join(parts(value, 0))


def read_json(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Do what ``json.loads`` does; other threads have their turn meanwhile."""
    if len(text) < LONG_CHARS:
        return json.loads(text)
    was_enabled = gc.isenabled()
    if gc.get_freeze_count():
        # A program that keeps what stays from being looked through: this, too, once it is read.
        gc.collect()
    gc.disable()
    try:
        value, end = _value(text, _end_of_space(text, 0))
        if _end_of_space(text, end) != len(text):
            raise ValueError
    except (ValueError, IndexError, StopIteration, RecursionError):
        return json.loads(text)
    finally:
        if gc.get_freeze_count():
            gc.freeze()
        if was_enabled:
            gc.enable()
    return value


def _end_of_space(text: str, place: int) -> int:
    match = _SPACE(text, place)
    return match.end() if match else place


def _value(text: str, place: int) -> tuple[Any, int]:
    """Read the value at a place, and return where it ends."""
    if text[place] not in "[{":
        return _scan(text, place)
    try:
        value, end = _scan(text[place : place + PIECE_CHARS], 0)
    except (ValueError, StopIteration, RecursionError):
        return _long_container(text, place)
    return value, place + end


def _long_container(text: str, place: int) -> tuple[dict[str, Any] | list[Any], int]:
    """Read an object or a list: many members at once where a comma divides them from the rest."""
    is_object = text[place] == "{"
    names: dict[str, Any] = {}
    items: list[Any] = []
    size = PIECE_CHARS
    place = _end_of_space(text, place + 1)
    while True:
        if size >= _RUN_CHARS:
            part, end = _part(text, place, size, is_object=is_object)
            if part is not None:
                names.update(part) if is_object else items.extend(part)
                place, size = end, min(2 * size, PIECE_CHARS)
            else:
                size //= 2
            continue
        size = 2 * _RUN_CHARS
        if is_object:
            name, place = _decoder.parse_string(text, _after(text, place, '"'), True)
            names[name], place = _value(text, _after(text, _end_of_space(text, place), ":"))
        else:
            item, place = _value(text, place)
            items.append(item)
        place = _end_of_space(text, place)
        if text[place] == ("}" if is_object else "]"):
            return names if is_object else items, place + 1
        place = _after(text, place, ",")


def _part(text: str, place: int, size: int, *, is_object: bool) -> tuple[Any, int]:
    """Read members up to a comma, and return where the next begins; None where the comma divides none."""
    ends = place, place + size
    cut = max(text.rfind("},", *ends), text.rfind("],", *ends)) + 1 or text.rfind(",", *ends)
    if cut <= place:
        return None, place
    try:
        # The brackets of a part that is cut inside of a text or of a member do not close at its end.
        part, end = _scan(f"{{{text[place:cut]}}}" if is_object else f"[{text[place:cut]}]", 0)
    except (ValueError, StopIteration, RecursionError):
        return None, place
    return (part, _end_of_space(text, cut + 1)) if end == cut - place + 2 else (None, place)


def _after(text: str, place: int, mark: str) -> int:
    """Return the place behind a mark that must stand here, and behind the space that may follow it."""
    if text[place] != mark:
        raise ValueError
    return place + 1 if mark == '"' else _end_of_space(text, place + 1)


def indented_json(value: dict[str, Any]) -> Iterator[str]:
    """Yield ``json.dumps(value, indent=2, ensure_ascii=False)`` in pieces, of any depth."""
    levels = [_written(value, 0)]
    parts: list[str] = []
    chars = 0
    while levels:
        part = next(levels[-1], None)
        if part is None:
            levels.pop()
        elif isinstance(part, str):
            parts.append(part)
            chars += len(part)
            if chars >= PIECE_CHARS:
                yield "".join(parts)
                parts, chars = [], 0
        else:
            levels.append(_written(part, len(levels)))
    yield "".join(parts)


def _written(container: dict[str, Any] | list[Any], depth: int) -> Iterator[str | dict[str, Any] | list[Any]]:
    """The text of a container, with the large containers in it as they are where their texts belong."""
    is_object = isinstance(container, dict)
    indent = "\n" + "  " * (depth + 1)
    between = ("{" if is_object else "[") + indent
    members: Iterator[Any] = iter(container.items() if isinstance(container, dict) else container)
    while batch := [*islice(members, _RUN)]:
        run = dict(batch) if is_object else batch
        if _is_run(run):
            yield between + _run_encoder(depth + 1)(run)[1:-1]
            between = "," + indent
            continue
        for member in batch:
            lead, inner = between, member
            between = "," + indent
            if is_object:
                name, inner = member
                lead += f"{_scalar(name)}: "
            if isinstance(inner, str) and len(inner) > PIECE_CHARS:
                yield lead + '"'
                for start in range(0, len(inner), PIECE_CHARS):
                    yield encoder.encode_basestring(inner[start : start + PIECE_CHARS])[1:-1]
                yield '"'
            elif not isinstance(inner, dict | list) or not inner:
                yield lead + _scalar(inner)
            elif len(inner) <= _RUN and _is_run(inner):
                text = _run_encoder(depth + 2)(inner)
                yield f"{lead}{text[0]}{indent}  {text[1:-1]}{indent}{text[-1]}"
            else:
                yield lead
                yield inner
    yield "\n" + "  " * depth + ("}" if is_object else "]")


def _is_run(container: dict[str, Any] | list[Any]) -> bool:
    """Tell whether no member is long or has members itself."""
    if isinstance(container, dict) and not all(len(name) <= _RUN_CHARS for name in container):
        return False
    for value in container.values() if isinstance(container, dict) else container:
        if isinstance(value, str):
            if len(value) > _RUN_CHARS:
                return False
        elif isinstance(value, dict | list) and value:
            return False
    return True


_scalar = compact_encoder()


@lru_cache(maxsize=100)
def _run_encoder(depth: int) -> Callable[[object], str]:
    return compact_encoder(between=",\n" + "  " * depth, behind_name=": ")
