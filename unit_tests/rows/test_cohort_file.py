from __future__ import annotations

import csv
import gzip
import io
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.errors import CorruptArchiveError, UnknownShapeError
from source_amplitude.rows.csv_files import CohortFile

COMPUTED_AT = "2026-03-04T05:00:00+00:00"
PLAIN = b"amplitude_id,user_id\r\n1263130950579,ana\r\n7,\r\n"


def cohort(data: bytes | str, *, may_be_blank: bool = False) -> CohortFile:
    file = io.BytesIO(data.encode() if isinstance(data, str) else data)
    file.seek(0, io.SEEK_END)  # as after a download
    return CohortFile(file, "k3x9", COMPUTED_AT, may_be_blank=may_be_blank)


def row(amplitude_id: object, user_id: str | None, **properties: str) -> dict[str, Any]:
    return {
        "cohort_id": "k3x9",
        "amplitude_id": amplitude_id,
        "user_id": user_id,
        "properties": properties,
        "computed_at": COMPUTED_AT,
    }


def rows(data: bytes | str) -> list[dict[str, Any]]:
    """Return the rows, verified first as in the stream."""
    file = cohort(data)
    file.verify()
    return list(file.rows())


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        gzip.compress(PLAIN, mtime=0),
        PLAIN.replace(b"\r\n", b"\n"),
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.rstrip(),
        PLAIN + b"\r\n",
    ],
    ids=["plain", "gzip", "line feeds", "byte order mark", "no last line end", "blank last line"],
)
def test_members_are_read_from_gzip_and_plain_files(data: bytes) -> None:
    assert rows(data) == [row(1263130950579, "ana"), row(7, None)]


def test_a_gzip_file_may_have_several_parts() -> None:
    assert rows(gzip.compress(PLAIN[:30]) + gzip.compress(PLAIN[30:])) == [row(1263130950579, "ana"), row(7, None)]


@pytest.mark.parametrize(
    "header",
    [
        "amplitude_id,user_id",
        "amplitudeID,userID",
        "Amplitude ID,User ID",
        '"amplitude_id","user_id"',
        '\ufeff"amplitude_id","user_id"',
        " AMPLITUDE_ID , User_Id ",
    ],
)
def test_id_columns_are_recognized_in_each_spelling(header: str) -> None:
    assert rows(f"{header}\n5,ana\n") == [row(5, "ana")]


def test_columns_have_any_order_and_user_id_is_optional() -> None:
    assert rows("plan,user_id,amplitude_id\npro,ana,5\n") == [row(5, "ana", plan="pro")]
    assert rows("plan,amplitude_id\npro,5\n") == [row(5, None, plan="pro")]


@pytest.mark.parametrize(
    ("columns", "properties"),
    [
        ("gp:plan,platform", {"plan": "a", "platform": "b"}),
        ("plan,plan", {"plan": "a", "plan (2)": "b"}),
        ("gp:plan,gp:plan", {"plan": "a", "plan (2)": "b"}),
        ("country,gp:country", {"country": "a", "gp:country": "b"}),
        ("gp:country,country", {"gp:country": "a", "country": "b"}),
        ("user_id,gp:user_id", {"user_id": "b"}),
        ("amplitude_id,User ID", {"amplitude_id": "a"}),
        ("gp:gp:x,", {"gp:x": "a", "": "b"}),
    ],
)
def test_no_property_overwrites_another(columns: str, properties: dict[str, str]) -> None:
    [member] = rows(f"amplitude_id,{columns}\n5,a,b\n")

    assert member["properties"] == properties


def test_cells_may_contain_quotes_commas_and_line_ends() -> None:
    text = 'amplitude_id,user_id,note\n5,"a""na","x,\r\ny"\n6,\té ,\U0001f600\n'

    assert rows(text) == [row(5, 'a"na', note="x,\r\ny"), row(6, "\té ", note="\U0001f600")]


def test_a_cell_may_be_longer_than_the_csv_module_expects() -> None:
    assert rows(f"amplitude_id,note\n5,{'x' * 1_000_000}\n") == [row(5, None, note="x" * 1_000_000)]


@pytest.mark.parametrize(
    "amplitude_id",
    ["", "abc", "007", "-5", "5.0", "1e3", " 5", "٣", "²", "1" * 19, "9" * 5000],
    ids=lambda text: text[:9],
)
def test_an_id_that_is_not_a_63_bit_number_stays_a_string(amplitude_id: str) -> None:
    assert rows(f"amplitude_id,user_id\n{amplitude_id},ana\n") == [row(amplitude_id, "ana")]


@pytest.mark.parametrize("header", ["amplitude_id,user_id\n", "amplitude_id,user_id", "\ufeffamplitude_id\r\n\r\n"])
def test_a_header_alone_is_a_cohort_without_members(header: str) -> None:
    assert rows(header) == []


BLANK = [b"", b"\n", b"\r\n \r\n", b"\xef\xbb\xbf", b",,\n", gzip.compress(b"", mtime=0), gzip.compress(b"\n", mtime=0)]


@pytest.mark.parametrize("data", BLANK, ids=repr)
def test_a_blank_file_is_an_empty_cohort_if_the_list_agrees(data: bytes) -> None:
    file = cohort(data, may_be_blank=True)
    file.verify()

    assert (list(file.rows()), file.count, file.properties) == ([], 0, [])


@pytest.mark.parametrize("data", BLANK, ids=repr)
def test_a_blank_file_is_damaged_if_the_list_has_members(data: bytes) -> None:
    with pytest.raises(CorruptArchiveError) as caught:
        cohort(data).verify()

    assert caught.value.what == (
        "The download of cohort k3x9 is blank (no header), but the list of cohorts does not show 0 members."
    )


@pytest.mark.parametrize("may_be_blank", [True, False])
def test_rows_without_a_header_are_always_an_unknown_shape(may_be_blank: bool) -> None:  # noqa: FBT001
    with pytest.raises(UnknownShapeError):
        cohort("1263130950579,ana\n", may_be_blank=may_be_blank).verify()


def test_rows_can_be_read_again_after_an_early_end() -> None:
    file = cohort(gzip.compress(PLAIN, mtime=0))

    first = next(iter(file.rows()))

    assert [first, *list(file.rows())[1:]] == list(file.rows()) == [row(1263130950579, "ana"), row(7, None)]


@pytest.mark.parametrize("cut", [3, 9, 12, 30, -9, -4, -1])
def test_a_truncated_gzip_file_is_damaged(cut: int) -> None:
    file = cohort(gzip.compress(PLAIN, mtime=0)[:cut])

    with pytest.raises(CorruptArchiveError, match="The download of cohort k3x9 is damaged"):
        file.verify()


@pytest.mark.parametrize(
    "data",
    [
        b"\x1f\x8b",
        b"\x1f\x8bnot gzip at all",
        gzip.compress(PLAIN, mtime=0)[:15] + b"\xff\xff\xff\xff" + gzip.compress(PLAIN, mtime=0)[19:],
        gzip.compress(PLAIN, mtime=0)[:-8] + b"\0\0\0\0" + gzip.compress(PLAIN, mtime=0)[-4:],
        gzip.compress(PLAIN, mtime=0) + b"rest",
        b"amplitude_id,note\n5," + b"x" * 10_000_001,
        b"amplitude_id,user_id\n5,\xff\n",
        b'amplitude_id,user_id\n5,"ana',
        b'amplitude_id,user_id\n5,"ana" or so\n',
    ],
    ids=[
        "magic only",
        "other bytes",
        "damaged data",
        "wrong checksum",
        "bytes after the end",
        "endless cell",
        "not UTF-8",
        "open quotes",
        "text after quotes",
    ],
)
def test_a_damaged_file_is_an_error(data: bytes) -> None:
    with pytest.raises(CorruptArchiveError, match="The download of cohort k3x9 is damaged"):
        cohort(data).verify()


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        ("id,user_id\n5,ana\n", "2 columns"),
        ("1263130950579,ana\n", "2 columns"),
        ("<html>\n<body>", "1 column"),
        ("{}", "1 column"),
        ("x" * 5000, "1 column"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_without_an_id_column_is_reported_without_cells(data: str, columns: str) -> None:
    with pytest.raises(UnknownShapeError) as caught:
        cohort(data).verify()

    assert caught.value.what == f"The download of cohort k3x9 has {columns}, but no Amplitude ID."


@pytest.mark.parametrize(
    ("lines", "cells"),
    [("5,ana\n6\n", "1 cell"), ("5,ana,pro\n", "3 cells"), ("\n5\n", "1 cell"), ("5,ana\n<html>\n", "1 cell")],
)
def test_a_row_of_another_length_is_an_error(lines: str, cells: str) -> None:
    with pytest.raises(CorruptArchiveError) as caught:
        cohort(f"amplitude_id,user_id\n{lines}").verify()

    assert caught.value.what == f"The download of cohort k3x9 has a row of {cells} below a header of 2."


def test_the_number_of_members_and_their_properties_are_known() -> None:
    file = cohort("amplitude_id,user_id,gp:plan,platform\n5,ana,pro,Web\n6,,,iOS\n")

    file.verify()

    assert (file.count, file.properties) == (2, ["plan", "platform"])


@given(st.binary(max_size=80) | st.binary(max_size=60).map(PLAIN.__add__) | st.binary(max_size=60).map(gzip.compress))
@settings(max_examples=300)
def test_any_bytes_give_rows_or_one_of_two_errors(data: bytes) -> None:
    found: list[dict[str, Any]] = []
    try:
        found = rows(data)
    except (CorruptArchiveError, UnknownShapeError) as error:
        assert error.what.startswith("The download of cohort k3x9 ")  # noqa: PT017 - either is fine

    assert all(member.keys() == row(1, None).keys() for member in found)


# Python 3.10's csv module neither writes nor reads NUL.
UNREADABLE = "\0" if sys.version_info < (3, 11) else ""
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=UNREADABLE), max_size=8)


@given(st.lists(st.tuples(st.integers(1, 10**18 - 1), CELLS, CELLS), max_size=5), st.booleans())
def test_the_output_of_a_csv_writer_is_read_unchanged(members: list[tuple[int, str, str]], packed: bool) -> None:  # noqa: FBT001 - drawn
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("amplitude_id", "user_id", "gp:plan"), *members])
    data = text.getvalue().encode()

    found = rows(gzip.compress(data) if packed else data)

    assert found == [row(amplitude_id, user or None, plan=plan) for amplitude_id, user, plan in members]
