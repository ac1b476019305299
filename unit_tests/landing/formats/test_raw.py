"""Raw objects are the members; their lines are counted."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from hypothesis import given, settings

from source_amplitude.landing.formats import Raw
from source_amplitude.landing.formats.body import most_frequent
from unit_tests.landing.formats.rendering import CONTENTS, archive_of_content, event_types, render, render_member

if TYPE_CHECKING:
    from source_amplitude.archive import Archive


def test_an_object_is_the_member_byte_by_byte() -> None:
    content = b'{"event_type":"a"}\n'

    with archive_of_content(content) as archive:
        body, rendered = render_member(Raw(), archive)

        assert gzip.decompress(body) == content
        assert (rendered.object_bytes, rendered.crc32) == (
            archive.members[0].packed_bytes,
            archive.members[0].packed_crc32,
        )


@given(CONTENTS)
@settings(deadline=None)
def test_lines_are_counted_and_blank_ones_are_none(content: bytes) -> None:
    events = sum(1 for line in content.split(b"\n") if line.strip())

    assert [render(format_, content)[1].events for format_ in (Raw(), Raw(count_event_types=True))] == [events, events]


@given(CONTENTS)
@settings(deadline=None)
def test_events_are_counted_by_the_type_that_a_record_has(content: bytes) -> None:
    _, rendered = render(Raw(count_event_types=True), content)

    assert rendered.event_types == event_types(content)


def test_a_nested_type_is_not_the_events() -> None:
    content = b'{"event_properties":{"event_type":"nested"}}\n{"event\\u005ftype":"a","x":{"event_type":"nested"}}\n'

    _, rendered = render(Raw(count_event_types=True), content)

    assert rendered.event_types == {"a": 1}


def test_types_are_counted_only_where_asked_for(hour: tuple[Archive, dict[str, list[bytes]]]) -> None:
    _, rendered = render_member(Raw(), hour[0])

    assert rendered.event_types == {}


def test_the_hundred_most_frequent_types_are_named_and_of_equal_ones_the_first() -> None:
    rare = [b'{"event_type":"type %03d"}' % number for number in range(150)]

    _, rendered = render(Raw(count_event_types=True), b"\n".join([*rare, b'{"event_type":"zoom"}', *rare[100:101]] * 2))

    assert (
        list(most_frequent(rendered.event_types).items())
        == [
            ("type 100", 4),
            *((f"type {number:03d}", 2) for number in range(100) if number != 100),
        ][:100]
    )
