from __future__ import annotations

import pickle
from copy import copy
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass, replace

import pytest

from audit_tui.core.record import Record


class Point(Record):
    x: int
    y: int = 2


class Named(Point):
    name: str = ""


class Other(Record):
    x: int
    y: int = 2


@dataclass(frozen=True)
class Model:
    """The behaviour of any record."""

    x: int
    y: int = 2


@pytest.mark.parametrize("kind", [Point, Model])
def test_is_made_as_a_frozen_dataclass_is(kind: type[Point] | type[Model]) -> None:
    for made in (kind(1), kind(1, 2), kind(x=1), kind(1, y=2), kind(y=2, x=1)):
        assert (made.x, made.y) == (1, 2)
        assert made == kind(1)
        assert hash(made) == hash(kind(1))
    for values, named in (((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 3})):
        with pytest.raises(TypeError):
            kind(*values, **named)
    with pytest.raises(FrozenInstanceError):
        kind(1).x = 3  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del kind(1).x
    assert replace(kind(1), y=7) == kind(1, 7)
    assert [field.name for field in fields(kind)] == ["x", "y"]
    assert is_dataclass(kind)
    assert kind(1) != kind(2)


def test_classes_are_told_apart() -> None:
    assert Point(1) != Other(1)
    assert len({Point(1), Other(1), Point(1)}) == 2


def test_inherits_fields() -> None:
    named = Named(1, name="a")
    assert repr(named) == "Named(x=1, y=2, name='a')"
    assert replace(named, x=5) == Named(5, 2, "a")


def test_matches_by_place_and_by_name() -> None:
    match Point(1, 5):
        case Point(x, y=5):
            assert x == 1
        case _:
            pytest.fail("did not match")


def test_is_copied_and_pickled() -> None:
    assert pickle.loads(pickle.dumps(Point(1, 3))) == Point(1, 3)
    assert copy(Point(1, 3)) == Point(1, 3)
