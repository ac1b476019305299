from __future__ import annotations

import pytest

from amplitude_emulator.property_operations import apply_properties, mixes_operations


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"b": 2}, {"a": 1, "tags": ["x"], "b": 2}),
        ({"$set": {"a": "new"}}, {"a": "new", "tags": ["x"]}),
        ({"$setOnce": {"a": 5, "c": 6}}, {"a": 1, "tags": ["x"], "c": 6}),
        ({"$add": {"a": 2, "n": 3, "tags": 1}}, {"a": 3, "tags": ["x"], "n": 3}),
        ({"$append": {"tags": "y", "new": ["p", "q"]}}, {"a": 1, "tags": ["x", "y"], "new": ["p", "q"]}),
        ({"$append": {"a": 2}}, {"a": [1, 2], "tags": ["x"]}),
        ({"$prepend": {"tags": ["y", "z"]}}, {"a": 1, "tags": ["y", "z", "x"]}),
        ({"$unset": {"a": "-", "missing": "-"}}, {"tags": ["x"]}),
        ({"$preInsert": {"tags": ["x", "y"]}}, {"a": 1, "tags": ["y", "x"]}),
        ({"$postInsert": {"tags": ["x", "y"]}}, {"a": 1, "tags": ["x", "y"]}),
        ({"$remove": {"tags": "x", "missing": "x"}}, {"a": 1, "tags": []}),
        ({"$clearAll": "-"}, {}),
        ({"$clearAll": "-", "$set": {"only": 1}}, {"only": 1}),
    ],
)
def test_change_of_properties(change: dict[str, object], expected: dict[str, object]) -> None:
    current: dict[str, object] = {"a": 1, "tags": ["x"]}

    assert apply_properties(current, change) == expected
    assert current == {"a": 1, "tags": ["x"]}


def test_operations_differ_from_plain_properties() -> None:
    assert mixes_operations({"$set": {}, "plain": 1})
    assert not mixes_operations({"$set": {}, "$add": {}})
    assert not mixes_operations({"plain": 1, "$price": 2})
