from __future__ import annotations

import gzip
import http.client
import io
import time
import zipfile
import zlib
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from amplitude_emulator import Emulator
from amplitude_emulator.faults import FAULT_KINDS
from unit_tests.emulator.amplitude_client import AmplitudeClient, Response, basic, envelope

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE_TEXT = "The export file size is too large. Try a shorter time range."


@pytest.fixture(autouse=True)
def whole(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> Response:
    """The response without a fault: two hours with two members each."""
    for hour in (nine - timedelta(hours=1), nine):
        for partition in (70, 627):
            lines = [b'{"hour":%d,"partition":%d,"n":%d}' % (hour.hour, partition, n) for n in range(200)]
            emulator.store.add_member(hour, lines, partition)
    response = client.export("20260304T08", "20260304T09")
    emulator.clear_requests()
    return response


def export(client: AmplitudeClient) -> Response:
    return client.export("20260304T08", "20260304T09")


@contextmanager
def raw_export(emulator: Emulator) -> Iterator[http.client.HTTPResponse]:
    """Return a response with an unread body."""
    connection = http.client.HTTPConnection(urlsplit(emulator.url).netloc, timeout=10)
    keys = basic(emulator.project.api_key, emulator.project.secret_key)
    path = "/us/api/2/export?start=20260304T08&end=20260304T09"
    try:
        connection.request("GET", path, headers=keys)
        with connection.getresponse() as response:
            yield response
    finally:
        connection.close()


def statuses(emulator: Emulator) -> list[int]:
    return [seen.status for seen in emulator.requests]


# Selection of requests


def test_fault_applies_the_given_number_of_times(emulator: Emulator, client: AmplitudeClient, whole: Response) -> None:
    emulator.faults.add("server_error", times=2, status=503)

    assert [export(client).status for _ in range(3)] == [503, 503, 200]
    assert emulator.faults.active() == []
    assert export(client).body == whole.body


def test_fault_without_times_stays_until_cleared(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("server_error")

    assert [export(client).status for _ in range(3)] == [500] * 3

    emulator.faults.clear()

    assert export(client).status == 200


def test_first_active_fault_wins(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("server_error", times=1, status=502)
    emulator.faults.add("too_many_requests", times=1)

    assert [export(client).status for _ in range(3)] == [502, 429, 200]


def test_fault_of_an_hour_applies_to_windows_containing_it(
    emulator: Emulator, client: AmplitudeClient, nine: datetime
) -> None:
    emulator.faults.add("server_error", hour=nine)

    assert client.export("20260304T08").status == 200
    assert client.export("20260304T09").status == export(client).status == 500


def test_fault_of_a_path_ignores_other_paths(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("server_error", path="/2/httpapi")

    assert export(client).status == 200
    assert client.upload([{"user_id": "user-42", "event_type": "A"}]).status == 500


@pytest.mark.parametrize("name", ["no_such_fault", ""])
def test_unknown_faults_are_refused(emulator: Emulator, name: str) -> None:
    with pytest.raises(ValueError, match="Unknown fault"):
        emulator.faults.add(name)


def test_unknown_settings_are_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="cut_body has no setting bytes"):
        emulator.faults.add("cut_body", bytes=3)


def test_fault_without_effect_is_not_counted(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("flipped_byte", times=1)

    assert client.export("20260304T01").status == 404
    assert [fault.times for fault in emulator.faults.active()] == [1]


def test_archive_faults_ignore_uploads(emulator: Emulator, client: AmplitudeClient) -> None:
    for name, kind in FAULT_KINDS.items():
        if kind.only_exports:
            emulator.faults.add(name)

    assert client.upload([{"user_id": "user-42", "event_type": "A"}]).status == 200


# Responses that replace the real one


def test_too_many_requests_can_have_retry_after(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("too_many_requests", times=1)
    emulator.faults.add("too_many_requests", times=1, retry_after_seconds=7)
    plain, with_header = export(client), export(client)

    assert plain.json == with_header.json == envelope(429, "Too Many Requests")
    assert "Retry-After" not in plain.headers
    assert with_header.headers["Retry-After"] == "7"


def test_throttled_upload_has_the_documented_body(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("too_many_requests", path="/2/httpapi")
    response = client.upload([{"user_id": "user-42", "event_type": "A"}])

    assert (response.status, response.json) == (
        429,
        {
            "code": 429,
            "error": "Too many requests for some devices and users",
            "eps_threshold": 30,
            "throttled_devices": {},
            "throttled_users": {},
            "throttled_events": [],
        },
    )


def test_server_error_has_a_gateway_page_or_the_given_body(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("server_error", times=1, status=502)
    emulator.faults.add("server_error", times=1, status=500, body='{"a":1}', content_type="application/json")
    page, custom = export(client), export(client)

    assert page.body.startswith(b"<html><head><title>502 error</title>")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (custom.status, custom.json) == (500, {"a": 1})


def test_gateway_timeout_applies_to_longer_windows_only(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("gateway_timeout_above_hours", hours=1)

    assert [export(client).status, client.export("20260304T09").status] == [504, 200]


def test_too_large_applies_to_longer_windows_only(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("too_large_above_hours", hours=1)

    assert export(client).json == envelope(400, SIZE_TEXT)
    assert client.export("20260304T09").status == 200


def test_even_one_hour_can_be_too_large(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("too_large_above_hours", hours=0)

    assert client.export("20260304T09").json == envelope(400, SIZE_TEXT)


def test_bad_request_has_another_text_than_too_large(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("bad_request", details="Invalid project")

    assert export(client).json == envelope(400, "Invalid project")
    assert client.upload([{}]).json == {"code": 400, "error": "Invalid project"}


def test_forbidden_has_the_body_of_its_api_family(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("forbidden", details="Not in your plan")

    assert export(client).json == envelope(403, "Not in your plan")
    assert client.upload([{}]).json == {"code": 403, "error": "Forbidden"}


def test_html_instead_of_zip_is_a_200(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("html_instead_of_zip")
    response = export(client)

    assert (response.status, response.body[:6]) == (200, b"<html>")


def test_empty_body_is_a_200_without_bytes(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("empty_body")
    response = export(client)

    assert (response.status, response.headers["Content-Length"], response.body) == (200, "0", b"")


def test_empty_archive_is_a_valid_zip(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("empty_archive")

    assert export(client).members == {}


# Damage to the archive


def test_clipped_archive_opens_with_missing_members(
    emulator: Emulator, client: AmplitudeClient, whole: Response
) -> None:
    emulator.faults.add("clipped_archive", lost_members=3)
    response = export(client)

    assert list(response.members) == list(whole.members)[:1]
    assert len(response.body) == len(whole.body)
    # The end record still counts all members, so a reader can detect the damage.
    assert int.from_bytes(response.body[-12:-10], "little") == 4


def test_clipped_archive_of_one_member_opens_empty(emulator: Emulator, client: AmplitudeClient, nine: datetime) -> None:
    emulator.store.remove_member(nine, 70)
    emulator.faults.add("clipped_archive")
    response = client.export("20260304T09")

    assert response.members == {}
    assert int.from_bytes(response.body[-12:-10], "little") == 1


def test_flipped_byte_breaks_the_zips_checksum(emulator: Emulator, client: AmplitudeClient, whole: Response) -> None:
    emulator.faults.add("flipped_byte", member=1)
    response = export(client)
    differences = [index for index, byte in enumerate(response.body) if byte != whole.body[index]]

    assert len(differences) == 1
    with zipfile.ZipFile(io.BytesIO(response.body)) as archive:
        assert archive.testzip() == archive.namelist()[1]


def test_damaged_member_has_a_correct_zip_checksum(
    emulator: Emulator, client: AmplitudeClient, whole: Response
) -> None:
    emulator.faults.add("broken_member", member=2)
    members = export(client).members
    changed = [name for name, data in members.items() if data != whole.members[name]]

    assert changed == [list(whole.members)[2]]
    with pytest.raises((OSError, EOFError, zlib.error)):
        gzip.decompress(members[changed[0]])


def test_cut_member_ends_too_early(emulator: Emulator, client: AmplitudeClient, whole: Response) -> None:
    emulator.faults.add("broken_member", how="cut")
    name, data = next(iter(export(client).members.items()))

    assert data == whole.members[name][: len(data)]
    with pytest.raises(EOFError):
        gzip.decompress(data)


# Delivery


@pytest.mark.parametrize(("after_bytes", "fraction", "expected_bytes"), [(100, 0.5, 100), (None, 0.25, None)])
def test_cut_body_is_shorter_than_its_content_length(
    emulator: Emulator, whole: Response, after_bytes: int | None, fraction: float, expected_bytes: int | None
) -> None:
    emulator.faults.add("cut_body", after_bytes=after_bytes, fraction=fraction)
    with raw_export(emulator) as response, pytest.raises(http.client.IncompleteRead) as caught:
        response.read()

    assert response.headers["Content-Length"] == str(len(whole.body))
    assert caught.value.partial == whole.body[: expected_bytes or len(whole.body) // 4]


def test_cut_body_without_a_length_looks_complete(emulator: Emulator, whole: Response) -> None:
    emulator.faults.add("cut_body", after_bytes=100, framing="close")
    with raw_export(emulator) as response:
        body = response.read()

    assert (response.headers["Content-Length"], response.headers["Connection"]) == (None, "close")
    assert body == whole.body[:100]


def test_cut_chunked_body_lacks_the_last_chunk(emulator: Emulator, whole: Response) -> None:
    emulator.faults.add("cut_body", after_bytes=100, framing="chunked")
    with raw_export(emulator) as response, pytest.raises(http.client.IncompleteRead) as caught:
        response.read()

    assert response.headers["Transfer-Encoding"] == "chunked"
    assert caught.value.partial == whole.body[:100]


def test_cut_body_works_on_errors_too(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("cut_body", after_bytes=10)

    with pytest.raises(http.client.IncompleteRead):
        client.export("20260304T01")


def test_connection_reset_before_headers(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("connection_reset", times=1)

    with pytest.raises(ConnectionError):
        export(client)

    assert export(client).status == 200
    assert statuses(emulator) == [0, 200]


def test_connection_reset_within_the_body(emulator: Emulator, whole: Response) -> None:
    emulator.faults.add("connection_reset", after_bytes=len(whole.body) // 2)

    # The kernel may drop undelivered bytes, including the headers.
    with pytest.raises((ConnectionError, http.client.IncompleteRead)), raw_export(emulator) as response:
        response.read()

    assert statuses(emulator) == [200]


def test_slow_drip_limits_the_speed(emulator: Emulator, client: AmplitudeClient, whole: Response) -> None:
    emulator.faults.add("slow_drip", bytes_per_second=len(whole.body) * 4)
    before = time.monotonic()
    response = export(client)

    assert response.body == whole.body
    assert 0.2 < time.monotonic() - before < 2


def test_prepare_delays_the_headers(emulator: Emulator, client: AmplitudeClient, whole: Response) -> None:
    emulator.faults.add("prepare", seconds=0.2)
    before = time.monotonic()
    response = export(client)

    assert response.body == whole.body
    assert time.monotonic() - before >= 0.2


def test_no_answer_exceeds_the_clients_timeout(emulator: Emulator) -> None:
    emulator.faults.add("no_answer")

    with pytest.raises(TimeoutError):
        export(AmplitudeClient(emulator, timeout_seconds=0.1))

    assert statuses(emulator) == [0]


def test_no_answer_ends_with_a_reset(emulator: Emulator, client: AmplitudeClient) -> None:
    emulator.faults.add("no_answer", seconds=0.1)

    with pytest.raises(ConnectionError):
        export(client)


def test_pending_no_answer_does_not_delay_the_stop(nine: datetime) -> None:
    with Emulator(now=nine) as emulator:
        emulator.faults.add("no_answer", seconds=60)
        with pytest.raises(TimeoutError):
            export(AmplitudeClient(emulator, timeout_seconds=0.1))
        before = time.monotonic()

    assert time.monotonic() - before < 2


def test_wrong_clock_changes_only_the_date(emulator: Emulator, client: AmplitudeClient, whole: Response) -> None:
    emulator.faults.add("wrong_clock", offset_seconds=3600)
    response = export(client)

    assert response.headers["Date"] == "Wed, 04 Mar 2026 13:00:00 GMT"
    assert response.body == whole.body
