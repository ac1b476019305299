from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from source_amplitude.encoding import split_lines
from source_amplitude.encoding.places import PLACES, Places, memory_file

BODIES = st.lists(st.sampled_from([b"\n", b"a\n", b"line\n", b"x" * 30 + b"\n"]), min_size=1).map(b"".join)


@given(BODIES, st.sampled_from([b"", b"end"]), st.integers(1, 40), st.integers(0, 5))
@settings(deadline=None, max_examples=60)
def test_parts_of_a_batch_are_its_whole_lines(body: bytes, ending: bytes, part_bytes: int, number: int) -> None:
    descriptor = memory_file()
    ours, theirs = Places(descriptor), Places(descriptor)
    os.close(descriptor)
    ours.put_batch(number, b"left over\n" * 200)
    ours.put_batch(number, body + ending)

    parts = list(theirs.batch_parts(number, len(body + ending), part_bytes))

    ours.close()
    theirs.close()
    assert b"".join(parts) == body + ending
    assert [line for part in parts for line in split_lines(part)] == split_lines(body + ending)
    assert all(len(part) >= part_bytes for part in parts[:-1])


def test_batches_and_results_of_different_places_do_not_touch() -> None:
    descriptor = memory_file()
    places = Places(descriptor)
    os.close(descriptor)
    for number in range(PLACES):
        places.put_batch(number, b"batch %d\n" % number)
        places.put_result(number, 0, b"result ")
        places.put_result(number, 7, b"%d" % number)

    read = [(b"".join(places.batch_parts(number, 8, 100)), places.result(number, 8)) for number in range(PLACES)]

    places.close()
    assert read == [(b"batch %d\n" % number, b"result %d" % number) for number in range(PLACES)]
