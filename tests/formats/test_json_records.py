"""JSON of any layout: the records, their places, and what a broken one costs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_tui.formats.decoding import MAX_DEPTH
from audit_tui.formats.record import Record, Reject
from audit_tui.ingest import json_records
from audit_tui.ingest.json_records import JsonReader
from audit_tui.ingest.open import OpenLog

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE, TWO, THREE = {"n": 1}, {"n": 2}, {"n": 3}
ALL = [ONE, TWO, THREE]


def text_of(data: str | bytes, piece_bytes: int = 1_000_000) -> OpenLog:
    raw = data if isinstance(data, bytes) else data.encode()
    pieces = iter([raw[at : at + piece_bytes] for at in range(0, len(raw), piece_bytes)])
    return OpenLog("a.log", lambda: next(pieces, b""), lambda: 0)


def read(data: str | bytes, piece_bytes: int = 1_000_000) -> list[Record | Reject]:
    return list(JsonReader(text_of(data, piece_bytes)))


def fields(results: list[Record | Reject]) -> list[object]:
    return [each.fields if isinstance(each, Record) else each.reason for each in results]


LAYOUTS = {
    "lines": "".join(f"{json.dumps(each)}\n" for each in ALL),
    "lines without the last end": "\n".join(json.dumps(each) for each in ALL),
    "CR LF and blank lines": "\r\n\r\n".join(json.dumps(each) for each in ALL),
    "one after another": "".join(json.dumps(each) for each in ALL),
    "pretty, one after another": "\n".join(json.dumps(each, indent=2) for each in ALL),
    "array": json.dumps(ALL),
    "pretty array": json.dumps(ALL, indent=3),
    "array without indentation": json.dumps(ALL, indent=0),
    "Records": json.dumps({"Records": ALL}),
    "Records pretty": json.dumps({"Records": ALL}, indent="\t"),
    "Records twice": '{"Records":[{"n":1}],"Records":[{"n":2},{"n":3}]}',
    "Azure records": json.dumps({"records": ALL}),
    "Graph": json.dumps({"@odata.context": "x", "value": ALL, "@odata.nextLink": "y"}),
    "Kubernetes list": json.dumps({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": ALL}),
    "LookupEvents": json.dumps({"Events": ALL, "NextToken": "t"}),
    "two wrappers": '{"Records":[{"n":1}]}\n{"Records":[{"n":2},{"n":3}]}',
    "record separators": "".join(f"\x1e{json.dumps(each)}\n" for each in ALL),
    "mixed": '{"n":1}\n[{"n":2},\n{"n":3}]\n',
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("piece_bytes", [1_000_000, 7, 1])
def test_every_layout_gives_the_same_records(layout: str, piece_bytes: int) -> None:
    assert fields(read(layout, piece_bytes)) == ALL


@pytest.mark.parametrize(
    "record",
    [
        {"value": [1, 2]},
        {"items": [{"sku": 1}], "event": "order"},
        {"records": [{"n": 1}], "event": "x"},
        {"value": [{"n": 1}], "event": "x"},
        {"Records": "none"},
    ],
)
def test_an_event_that_has_a_list_is_no_wrapper(record: dict[str, object]) -> None:
    assert fields(read(json.dumps(record))) == [record]


def test_places_are_lines_and_in_lists_numbers_too() -> None:
    results = read('{"n":1}\n\n{\n"n":2}\n[{"n":3}, {"n":4},\n5]\n')
    places = [(each.line, each.number) for each in results]
    assert places == [(1, None), (3, None), (5, 1), (5, 2), (6, 3)]
    assert isinstance(results[-1], Reject)
    assert results[-1].place == "a.log:6 (record 3)"


BROKEN = {
    "a line": ('{"n":1}\nnot json\n{"n":2}\n', [ONE, "not json", TWO]),
    "a line cut off": ('{"n":1}\n{"a": 1, "b": \n{"n":2}\n{"n":3}\n', [ONE, '{"a": 1, "b": ', TWO, THREE]),
    "the first line": ('{"a": \n{"n":1}\n{"n":2}\n', ['{"a": \n', ONE, TWO]),
    "a quote left open": ('{"n":1}\n{"a": "x\n{"n":2}\n', [ONE, '{"a": "x', TWO]),
    "two lines that close each other": ('{"n":1}\n{"a": [\nx]}\n{"n":2}', [ONE, '{"a": [', "x]}", TWO]),
    "the last line": ('{"n":1}\n{"a": "x', [ONE, '{"a": "x']),
    "the last literal": ('{"n":1}\n{"a": tru', [ONE, '{"a": tru']),
    "one of a compact list": ('[{"n":1},{"a":,"b":[{}]},{"n":2}]', [ONE, '{"a":,"b":[{}]}', TWO]),
    "one of a pretty list": (
        '[\n  {"n":1},\n  {"a": {\n    "b": \n  },\n  {"n":2}\n]',
        [ONE, '{"a": {\n    "b": \n  },\n  ', TWO],
    ),
    "one pretty object of several": ('{\n "a":\n}\n{\n "n":2\n}\n', ['{\n "a":\n}', TWO]),
    "no objects": ('{"n":1}\n"text"\n7\nnull\n[3]\n{"n":2}', [ONE, '"text"', "7", "null", "3", TWO]),
    "a number too long": (
        f'{{"n":1}}\n{{"a":{"9" * 5_000}}}\n{{"n":2}}',
        [ONE, f'{{"a":{"9" * 5_000}}}', TWO],
    ),
    "lone brackets": ('{"n":1}\n}\n]\n{"n":2}', [ONE, "}", "]", TWO]),
}


@pytest.mark.parametrize(("data", "expected"), BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("piece_bytes", [1_000_000, 5])
def test_what_is_broken_costs_only_itself(data: str, expected: list[object], piece_bytes: int) -> None:
    results = read(data, piece_bytes)
    assert [each.fields if isinstance(each, Record) else each.text for each in results] == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ('[{"n":1}', "the list of records does not end: the file may be cut off"),
        ('{"Records":[{"n":1},', "the list of records does not end: the file may be cut off"),
        ('{"Records":[{"n":1},{"a', "the file ends in the middle of this record"),
    ],
)
def test_a_list_that_is_cut_off_keeps_its_records_and_says_so(data: str, reason: str) -> None:
    assert fields(read(data)) == [ONE, reason]


@pytest.mark.parametrize("bomb", ["[" * 100_000, '{"a":' * 100_000, '{"a":' + "[" * 100_000])
def test_a_bomb_of_depth_costs_its_line(bomb: str) -> None:
    results = read(f'{{"n":1}}\n{bomb}\n{{"n":2}}\n')
    assert [each.fields for each in results if isinstance(each, Record)] == [ONE, TWO]
    assert any(isinstance(each, Reject) and each.line == 2 for each in results)


@pytest.mark.parametrize(("levels", "is_taken"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_nesting_that_later_readers_could_not_take_is_rejected(levels: int, is_taken: bool) -> None:
    inner = levels - 1
    (result,) = read(f'{{"a":{"[" * inner}{"]" * inner}}}')
    assert isinstance(result, Record) == is_taken


def test_brackets_inside_texts_are_no_nesting() -> None:
    (result,) = read(json.dumps({"a": "[{" * 1_000}))
    assert isinstance(result, Record)


def test_control_characters_in_texts_are_taken_within_the_line() -> None:
    assert fields(read('{"a":"x\ty\x1bz"}')) == [{"a": "x\ty\x1bz"}]


def test_a_record_over_the_limit_is_rejected_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_RECORD_CHARS", 10_000)
    monkeypatch.setattr(json_records, "_WHOLE_CHARS", 1_000)
    data = f'{{"n":1}}\n{{"a":"{"x" * 50_000}"}}\n{{"n":2}}\n'
    assert fields(read(data, 1_000)) == [ONE, "the record is longer than 16 MiB", TWO]
    giant = '"' + "x" * 20_000 + '\\\\\\\\ \\"}' * 99 + "x" * 30_000 + '"'
    for data in (
        f'[{{"n":1}},{{"a":{giant},"b":[{{}}]}},{{"n":2}}]',
        f'{{\n"n":1\n}}\n{{\n"a":{giant}\n}}\n{{"n":2}}',
    ):
        for piece_bytes in (7, 8, 1_000):
            assert fields(read(data, piece_bytes)) == [ONE, "the record is longer than 16 MiB", TWO]


def test_a_big_record_with_a_list_of_texts_is_a_record() -> None:
    record = {"items": ["a", "b"], "note": "x" * (2 * json_records._WHOLE_CHARS)}
    assert fields(read(json.dumps(record), piece_bytes=65_536)) == [record]


def test_one_giant_list_is_read_in_constant_memory() -> None:
    records = 10_000
    widest = 0

    def pieces() -> Iterator[bytes]:
        yield b'{"@odata.context": "x", "value": ['
        for number in range(records):
            yield json.dumps({"n": number, "pad": "x" * 200}).encode() + b","
        yield b'{"n": -1}]}'

    source = pieces()
    reader = JsonReader(OpenLog("a.log", lambda: next(source, b""), lambda: 0))
    count = 0
    for each in reader:
        assert isinstance(each, Record)
        widest = max(widest, len(reader._buffer))
        count += 1
    assert count == records + 1
    assert widest < 4 * json_records._WHOLE_CHARS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.text(), json_values, max_size=5)


@settings(max_examples=50)
@given(st.lists(objects, max_size=6), st.sampled_from(["lines", "array", "pretty"]), st.integers(1, 40))
def test_any_objects_come_back_in_any_layout(
    records: list[dict[str, object]], layout: str, piece: int
) -> None:
    # In a list whatever its keys are; alone, a record called like a wrapper would be taken for one.
    if layout == "lines":
        records = [{"record": each} for each in records]
        data = "".join(json.dumps(each) + "\n" for each in records)
    else:
        data = json.dumps(records, indent=None if layout == "array" else 2)
    assert fields(read(data, piece)) == records


@settings(max_examples=50)
@given(st.lists(objects, min_size=1, max_size=5), st.data())
def test_damage_in_one_line_leaves_the_other_lines(
    records: list[dict[str, object]], data: st.DataObject
) -> None:
    lines = [json.dumps({"record": each}).encode() for each in records]
    hurt = data.draw(st.integers(0, len(lines) - 1))
    lines[hurt] = data.draw(
        st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"").replace(b"[", b""))
    )
    # Two whole lines first tell that records end with their lines.
    whole = [b'{"whole": 1}', b'{"whole": 2}']
    results = read(b"\n".join([*whole, *lines, *whole]), 9)
    fields_read = [each.fields for each in results if isinstance(each, Record)]
    for place, each in enumerate(records):
        if place != hurt:
            assert {"record": each} in fields_read
    assert fields_read[-2:] == [{"whole": 1}, {"whole": 2}]


def test_many_broken_objects_cost_what_they_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    seen_chars = 0
    balanced_end = json_records._balanced_end

    def counting(text: str, start: int, limit: int) -> int | None:
        nonlocal seen_chars
        seen_chars += limit - start
        return balanced_end(text, start, limit)

    monkeypatch.setattr(json_records, "_balanced_end", counting)
    # No two are indented alike, so no other tells where one ends.
    indents = (f"{number:014b}".replace("0", " ").replace("1", "\t") for number in range(3_000))
    data = "[\n" + "".join(f"{indent}{{x\n" for indent in indents)
    assert len(read(data)) == 3_001
    assert seen_chars < 20_000_000  # 72 million, and as much again for the indents, without a limit
