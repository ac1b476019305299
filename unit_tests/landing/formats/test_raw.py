"""Raw objects equal the members; their lines are counted."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from hypothesis import given, settings

from source_amplitude.landing.formats import Raw
from source_amplitude.landing.formats.body import most_frequent
from unit_tests.landing.formats.rendering import CONTENTS, archive_of_content, event_types, render, render_member

if TYPE_CHECKING:
    from source_amplitude.archive import Archive


def test_raw_object_equals_the_member() -> None:
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
def test_blank_lines_are_not_counted(content: bytes) -> None:
    events = sum(1 for line in content.split(b"\n") if line.strip())

    assert [render(format_, content)[1].events for format_ in (Raw(), Raw(count_event_types=True))] == [events, events]


@given(CONTENTS)
@settings(deadline=None)
def test_events_are_counted_by_type(content: bytes) -> None:
    _, rendered = render(Raw(count_event_types=True), content)

    assert rendered.event_types == event_types(content)


def test_nested_event_type_is_ignored() -> None:
    content = b'{"event_properties":{"event_type":"nested"}}\n{"event\\u005ftype":"a","x":{"event_type":"nested"}}\n'

    _, rendered = render(Raw(count_event_types=True), content)

    assert rendered.event_types == {"a": 1}


def test_types_are_counted_only_on_request(hour: tuple[Archive, dict[str, list[bytes]]]) -> None:
    _, rendered = render_member(Raw(), hour[0])

    assert rendered.event_types == {}


def test_most_frequent_keeps_one_hundred_types() -> None:
    rare = [b'{"event_type":"type %03d"}' % number for number in range(150)]

    _, rendered = render(Raw(count_event_types=True), b"\n".join([*rare, b'{"event_type":"zoom"}', *rare[100:101]] * 2))

    assert (
        list(most_frequent(rendered.event_types).items())
        == [
            ("type 100", 4),
            *((f"type {number:03d}", 2) for number in range(100) if number != 100),
        ][:100]
    )
