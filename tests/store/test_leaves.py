"""Values of metadata gathered by columns are those that ``core.metadata.leaves`` finds one by one."""

from __future__ import annotations

import json
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.core.metadata import MAX_PATH
from audit_tui.store.index.row_tests import metadata_leaves
from audit_tui.store.leaves import Leaves

_NAMES = st.sampled_from(["", "a", "b", "a.b", "n" * MAX_PATH])
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.sampled_from(["", "x", "y"]), st.just("12")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.lists(st.dictionaries(_NAMES, _JSON, max_size=3), max_size=6), st.integers(1, 6))
def test_columns_hold_what_the_objects_hold(objects: list[dict[str, object]], at_once: int) -> None:
    expected = defaultdict(list)
    for row, one in enumerate(objects):
        for path, text in metadata_leaves(json.dumps(one)):
            expected[path].append((row, text))
    found = Leaves()
    for first in range(0, len(objects), at_once):
        some = objects[first : first + at_once]
        found.add(range(first, first + len(some)), some)
    by_path = {path: list(zip(*lists, strict=True)) for path, lists in found.by_path()}
    assert list(by_path) == sorted(expected)
    for path, pairs in by_path.items():
        assert [row for row, _ in pairs] == sorted(row for row, _ in pairs)
        assert sorted(pairs) == sorted(expected[path])


def test_deep_metadata_is_gathered_without_recursion() -> None:
    deep: object = "end"
    for _ in range(5_000):
        deep = {"d": [deep]}
    found = Leaves()
    found.add([0], [{"top": deep}])
    assert [lists for _, lists in found.by_path()] == [([0], ["end"])]
