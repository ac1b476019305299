from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_amplitude.errors import UnknownShapeError
from source_amplitude.rows.shapes import label_text, number, require_dict, require_list, unique_names, unknown_shape


@pytest.mark.parametrize("value", [0, -3, 2.5, 10**18, None])
def test_a_number_or_null_is_kept_plain_or_in_an_object(value: float | None) -> None:
    assert number(value, "a value") == value
    assert number({"setId": "", "value": value}, "a value") == value


@pytest.mark.parametrize(
    "value",
    [
        True,
        "5",
        [],
        [5],
        {},
        {"setId": 5},
        {"value": True},
        {"value": {"value": 5}},
        {"value": "5"},
        float("nan"),
        float("inf"),
        {"value": float("-inf")},
    ],
    ids=repr,
)
def test_other_values_are_not_a_number(value: object) -> None:
    with pytest.raises(UnknownShapeError, match="as a value; expected a number"):
        number(value, "a value")


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("Denmark", "Denmark"),
        ("", ""),
        ("(none)", "(none)"),
        (0, "0"),
        (1.5, "1.5"),
        (None, "null"),
        (True, "true"),
        ([0, "blue"], "blue"),
        ([0, 3], "3"),
        (["x"], "x"),
    ],
)
def test_a_label_is_a_text(label: object, text: str) -> None:
    assert label_text(label) == text


@pytest.mark.parametrize("label", [[], {}, {"name": "x"}, [[]], [0, {"a": 1}]], ids=repr)
def test_objects_and_empty_lists_are_not_a_label(label: object) -> None:
    with pytest.raises(UnknownShapeError):
        label_text(label)


@pytest.mark.parametrize(
    ("names", "unique"),
    [
        ([], []),
        (["a", "b"], ["a", "b"]),
        (["a", "a", "b", "a"], ["a", "a (2)", "b", "a (3)"]),
        (["a", "a (2)", "a"], ["a", "a (2)", "a (3)"]),
        (["a", "a", "a (2)"], ["a", "a (2)", "a (2) (2)"]),
    ],
)
def test_repeated_names_get_numbers(names: list[str], unique: list[str]) -> None:
    assert unique_names(names) == unique


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "a (2) (2)", "a (3)"]), max_size=12))
def test_names_are_unique_and_keep_their_beginning(names: list[str]) -> None:
    unique = unique_names(names)

    assert len(set(unique)) == len(unique) == len(names)
    assert all(one.startswith(name) for name, one in zip(names, unique, strict=True))
    assert unique[:1] == names[:1]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({}, "an empty object"),
        ({"id": "ana@example.com", "n": 1}, "an object with the keys id, n"),
        ("ana@example.com", "str"),
        (["ana@example.com"], "list"),
        (None, "NoneType"),
        ({f"{n:02}": n for n in range(20)}, "an object with the keys 00, 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11"),
        ({"x" * 5000: 1}, "an object with the keys " + "x" * 300),
    ],
    ids=["empty", "object", "text", "list", "null", "many keys", "long key"],
)
def test_the_error_has_keys_and_types_but_no_values(value: object, found: str) -> None:
    assert unknown_shape("data", "a text", value).what == (
        f"Amplitude's response has {found} as data; expected a text."
    )


@pytest.mark.parametrize("value", [None, 0, "", "x", 1.5, True])
def test_scalars_are_neither_objects_nor_arrays(value: object) -> None:
    for require in (require_dict, require_list):
        with pytest.raises(UnknownShapeError):
            require(value, "data")


def test_objects_and_arrays_are_returned_as_they_are() -> None:
    item: dict[str, Any] = {"a": [1]}

    assert require_dict(item, "data") is item
    assert require_list(item["a"], "data") is item["a"]
    with pytest.raises(UnknownShapeError):
        require_list(item, "data")
    with pytest.raises(UnknownShapeError):
        require_dict([], "data")
