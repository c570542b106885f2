"""CSV: quoting, delimiters, wrong rows and quotes left open."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_tui.formats.record import Record, Reject
from audit_tui.ingest import csv_records as module
from audit_tui.ingest.csv_records import csv_records, header_of
from audit_tui.ingest.open import OpenLog


def read(data: str, delimiter: str = ",") -> list[Record | Reject]:
    pieces = iter([data.encode("utf-8", "surrogateescape")])
    text = OpenLog("a.csv", lambda: next(pieces, b""), lambda: 0)
    header = header_of(text.head, lambda names: len(names) > 1)
    assert header is not None
    assert header[0] == delimiter
    return list(csv_records(text, header))


def rows(results: list[Record | Reject]) -> list[object]:
    return [
        list(each.fields.values()) if isinstance(each, Record) else (each.line, each.reason)
        for each in results
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_divides_the_header(delimiter: str) -> None:
    assert rows(read(f"a{delimiter}b\n1{delimiter}2\n", delimiter)) == [["1", "2"]]


def test_lines_in_quotes_count_and_blank_lines_are_nothing() -> None:
    results = read('\na,b\n"x\ny, ""z""",1\n\r\n\n2,3')
    assert [(each.line, rows([each])[0]) for each in results] == [(3, ['x\ny, "z"', "1"]), (7, ["2", "3"])]
    assert isinstance(results[0], Record)
    assert results[0].text == '"x\ny, ""z""",1'


def test_columns_without_or_with_the_same_name_stay_apart() -> None:
    (result,) = read("a,,a\n1,2,3\n")
    assert isinstance(result, Record)
    assert result.fields == {"a": "1", "column 2": "2", "a (column 3)": "3"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("a,b\n1,2,3\n4,5\n", [(2, "it has 3 columns, the header 2"), ["4", "5"]]),
        ("a,b\n1\n4,5\n", [(2, "it has 1 column, the header 2"), ["4", "5"]]),
        ('a,b\n"1,2\n3,4\n5,6\n', [(2, "a quote is not closed"), ["3", "4"], ["5", "6"]]),
        ('a,b\n1,"2\n3,4\n5,"6"\n', [(2, "it is not CSV: ',' expected after '\"'"), ["3", "4"], ["5", "6"]]),
        ('a,b\n"1,2\n3,4"\n5,6\n', [(2, "it has 1 column, the header 2"), ["3", '4"'], ["5", "6"]]),
        ("a,b\n1,2\rx\n3,4\n", [(2, "a carriage return stands outside quotes"), ["3", "4"]]),
    ],
)
def test_a_wrong_row_costs_its_own_line(data: str, expected: list[object]) -> None:
    assert rows(read(data)) == expected


def test_an_open_quote_does_not_swallow_a_long_file() -> None:
    rest = "".join(f"{number},x\n" for number in range(30_000))
    results = read(f'a,b\n1,"open\n{rest}')
    assert rows(results[:2]) == [(2, "a quote is not closed"), ["0", "x"]]
    assert len(results) == 30_001
    assert results[-1].line == 30_002


def test_a_huge_cell_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows(read(f"a,b\n{'x' * 200_000},1\n")) == [["x" * 200_000, "1"]]
    monkeypatch.setattr(module, "MAX_RECORD_CHARS", 100)
    lines = "x\n" * 200
    results = read(f'a,b\n"{lines},1\n2,3\n')
    assert rows(results[:1]) == [(2, "a quote is not closed")]
    assert rows(results[-1:]) == [["2", "3"]]


def test_bytes_that_are_no_text_are_noticed() -> None:
    (result,) = read("a,b\n\udcff,1\n")
    assert isinstance(result, Record)
    assert result.is_lossy


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=8))
def test_whatever_was_written_comes_back(table: list[list[str]]) -> None:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(table)
    assert rows(read(written.getvalue())) == table


def test_a_header_longer_than_the_beginning_that_is_looked_at_is_whole() -> None:
    names = [f"column-{number}" for number in range(20_000)]
    header = ",".join(names)
    assert len(header) > 2 * 65_536
    (row,) = read(f"{header}\n{','.join(map(str, range(20_000)))}\n")
    assert isinstance(row, Record)
    assert list(row.fields.items()) == [(name, str(number)) for number, name in enumerate(names)]
