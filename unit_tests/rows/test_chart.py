from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.csv_files import chart_rows
from unit_tests.rows.json_values import ANY_JSON

RECORDED = (
    '"\tDaily buyers"\r\n'
    '"\tUniques, by plan"\r\n'
    "\r\n"
    '"\tUniques"\r\n'
    '"\tPurchase"\r\n'
    "\r\n"
    '"\tSegment","\t2026-03-01","\t2026-03-02"\r\n'
    '"\tAll ""paying"" users, worldwide","12","3.5"\r\n'
    '"\t(none)","0",""\r\n'
)


def rows(text: object) -> list[dict[str, Any]]:
    return chart_rows({"data": text}, "k3x9")


def values(text: str) -> list[dict[str, Any]]:
    return [row["values"] for row in rows(text)]


def test_rows_are_named_by_the_header_below_the_titles() -> None:
    assert rows(RECORDED) == [
        {
            "chart_id": "k3x9",
            "row": 1,
            "title": "Daily buyers",
            "values": {"Segment": 'All "paying" users, worldwide', "2026-03-01": 12, "2026-03-02": 3.5},
        },
        {
            "chart_id": "k3x9",
            "row": 2,
            "title": "Daily buyers",
            "values": {"Segment": "(none)", "2026-03-01": 0, "2026-03-02": ""},
        },
    ]


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_lines_may_have_any_line_end(line_end: str) -> None:
    assert rows(RECORDED.replace("\r\n", line_end)) == rows(RECORDED)


def test_a_line_end_and_a_comma_in_quotes_are_part_of_the_cell() -> None:
    assert values('Segment,A\r\n"one,\r\ntwo",1\r\n') == [{"Segment": "one,\r\ntwo", "A": 1}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title\n\nUser,Events\nana,3\n", [{"User": "ana", "Events": 3}]),
        ("\nUser,Events\nana,3\n", [{"User": "ana", "Events": 3}]),
        ("Segment,A\nx,1", [{"Segment": "x", "A": 1}]),
        ("Segment,A\n\n\nx,1\n,\n", [{"Segment": "x", "A": 1}]),
        ("Segment,A\nx\n", [{"Segment": "x"}]),
        ("Segment,A\n", []),
        ("Segment", []),
    ],
)
def test_the_header_begins_with_segment_or_follows_a_blank_line(text: str, expected: list[object]) -> None:
    assert values(text) == expected


def test_the_title_of_a_table_may_be_missing() -> None:
    assert rows("Segment,A\nx,1\n") == [
        {"chart_id": "k3x9", "row": 1, "title": None, "values": {"Segment": "x", "A": 1}}
    ]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Segment,A,A,A", ["Segment", "A", "A (2)", "A (3)"]),
        ("Segment,A,A,A (2)", ["Segment", "A", "A (2)", "A (2) (2)"]),
        ("Segment,A,A (2),A", ["Segment", "A", "A (2)", "A (3)"]),
        ("Segment,,A,\t", ["Segment", "column 2", "A", "column 4"]),
    ],
)
def test_no_column_overwrites_another(header: str, columns: list[str]) -> None:
    assert values(f"{header}\nx,1,2,3\n") == [dict(zip(columns, ["x", 1, 2, 3], strict=True))]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("999999999999999999", 999_999_999_999_999_999),
        ("0.5", 0.5),
        ("-1.25E-3", -0.00125),
        ("1.5e10", 1.5e10),
        (" 7 ", 7),
        ("007", "007"),
        ("1,5".replace(",", "_"), "1_5"),
        ("1e3", "1e3"),
        ("1.", "1."),
        (".5", ".5"),
        ("+5", "+5"),
        ("5%", "5%"),
        ("1.0e999", "1.0e999"),
        ("1" * 30, "1" * 30),
        ("1" * 5000, "1" * 5000),
        ("٣", "٣"),
        ("nan", "nan"),
        ("Infinity", "Infinity"),
        ("2026-03-01", "2026-03-01"),
    ],
    ids=lambda value: str(value)[:25],
)
def test_a_cell_is_a_number_if_it_is_a_json_number(cell: str, value: object) -> None:
    [row] = values(f"Segment,A\nx,{cell}\n")

    assert row == {"Segment": "x", "A": value}
    assert type(row["A"]) is type(value)


def test_a_cell_with_a_tab_is_text_except_below_a_date() -> None:
    assert values("Segment,A,2026-03-01\n\t1.10,\t3,\t7\n") == [{"Segment": "1.10", "A": "3", "2026-03-01": 7}]


def test_a_cell_may_be_longer_than_the_csv_module_expects() -> None:
    assert values(f'Segment,A\nx,"{"y" * 200_000}"\n') == [{"Segment": "x", "A": "y" * 200_000}]


@pytest.mark.parametrize(
    "response",
    [
        None,
        [],
        "Segment,A\nx,1",
        {},
        {"data": None},
        {"data": {}},
        {"data": ["Segment,A"]},
        {"data": 5},
        {"data": ""},
        {"data": "\r\n\r\n"},
        {"data": "Title only"},
        {"data": "A,B\n1,2\n"},
        {"data": "<html>\n<body>no</body>"},
        {"data": "Segment,A\nx,1\ny,1,2\n"},
        {"data": 'Segment,A\nx,"' + "y" * 10_000_001},
        {"error": {"http_code": 400}},
    ],
    ids=lambda response: str(response)[:40],
)
def test_another_response_is_an_unknown_shape(response: object) -> None:
    with pytest.raises(UnknownShapeError):
        chart_rows(response, "k3x9")


@given(
    ANY_JSON
    | st.text(alphabet='ab1,"\t\r\n\0 .-', max_size=60)
    | st.text(alphabet='a,"\n', max_size=40).map("Segment,A\n".__add__)
)
@settings(max_examples=400)
def test_any_json_gives_rows_or_an_unknown_shape(data: object) -> None:
    found: list[dict[str, Any]] = []
    try:
        found = rows(data)
    except UnknownShapeError as error:
        assert "Amplitude's response has" in error.what or "CSV" in error.what  # noqa: PT017 - either is fine

    assert [row["row"] for row in found] == list(range(1, len(found) + 1))


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.text(alphabet='ab1,"\r\n\té', max_size=6), min_size=width, max_size=width), max_size=4
        )
    )
)
def test_every_cell_of_a_table_is_in_the_rows(table: list[list[str]]) -> None:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow(["\tSegment", *("same" for _ in table[0][1:])] if table else ["Segment"])
    writer.writerows(table)

    found = values(written.getvalue())

    cells = [[cell.strip() for cell in line] for line in table]
    assert [[str(value) for value in row.values()] for row in found] == [line for line in cells if any(line)]
