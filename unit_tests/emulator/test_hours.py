from __future__ import annotations

from datetime import datetime, timezone

import pytest

from amplitude_emulator.hours import (
    ExportWindow,
    MemberName,
    file_hour,
    format_hour,
    iter_hours,
    parse_hour,
    parse_member_name,
)

NINE = datetime(2020, 11, 24, 9, tzinfo=timezone.utc)


def test_member_name_has_an_unpadded_hour_and_can_be_read_back() -> None:
    name = MemberName(203138, NINE, 627)

    assert str(name) == "203138/203138_2020-11-24_9#627.json.gz"
    assert parse_member_name(str(name)) == name


@pytest.mark.parametrize("text", ["203138/", "1/2_2020-11-24_9#1.json.gz", "203138/notes.txt", ""])
def test_other_names_are_not_member_names(text: str) -> None:
    assert parse_member_name(text) is None


def test_observed_order_is_by_hour_then_partition_as_text() -> None:
    ten = NINE.replace(hour=10)
    names = [MemberName(203138, hour, partition) for hour in (ten, NINE) for partition in (70, 627)]

    ordered = [str(name)[7:] for name in sorted(names, key=lambda name: name.archive_order)]

    assert ordered == [
        "203138_2020-11-24_9#627.json.gz",
        "203138_2020-11-24_9#70.json.gz",
        "203138_2020-11-24_10#627.json.gz",
        "203138_2020-11-24_10#70.json.gz",
    ]


def test_hours_survive_formatting_and_parsing() -> None:
    assert parse_hour("20201124T09") == NINE
    assert format_hour(NINE) == "20201124T09"


@pytest.mark.parametrize("text", ["20201124T9", "20201124", "2020-11-24T09", "20201124T24", "20201324T01", ""])
def test_other_forms_of_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_hour(text)


def test_hours_of_day_files_map_to_midnight() -> None:
    day_file = datetime(2014, 11, 11, 23, tzinfo=timezone.utc)
    hour_file = datetime(2014, 11, 12, 23, tzinfo=timezone.utc)

    assert [file_hour(day_file), file_hour(hour_file)] == [day_file.replace(hour=0), hour_file]


def test_window_includes_both_ends() -> None:
    window = ExportWindow(NINE, NINE.replace(hour=10))

    assert window.hours == 2
    assert list(iter_hours(window.first, window.end)) == [NINE, NINE.replace(hour=10)]
    assert [window.contains(NINE.replace(hour=hour)) for hour in (8, 9, 10, 11)] == [False, True, True, False]
