"""Errors of the store's set-up: missing credentials, another region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from source_amplitude.landing.credentials import LOOKED_FOR
from source_amplitude.landing.destination import Destination
from source_amplitude.landing.store_errors import lacks_conditions, translated
from unit_tests.peers.faults import FOREVER, Answer, xml_error

if TYPE_CHECKING:
    from unit_tests.landing.program import Program
    from unit_tests.peers.peer import FaultyPeer

REGION_MALFORMED = Answer(
    400,
    "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; expecting 'eu-north-1'"
    "</Message><Region>eu-north-1</Region></Error>",
)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            Answer(301, xml_error("PermanentRedirect", "Use the specified endpoint.")),
            (
                "is not in the region that requests were signed for (AWS_REGION=us-east-1): listing _manifest "
                "failed. Set AWS_REGION to the bucket's region (aws s3api get-bucket-location --bucket {bucket} prints "
                "it), or correct AWS_ENDPOINT_URL, and run the command again."
            ),
        ),
        (
            REGION_MALFORMED,
            (
                "is in region eu-north-1, not in the region that requests were signed for (AWS_REGION=us-east-1): "
                "listing _manifest failed. Set AWS_REGION=eu-north-1, and run the command again."
            ),
        ),
    ],
)
def test_other_region_error_names_the_regions(
    program: Program, faulty_s3: FaultyPeer, answer: Answer, problem: str
) -> None:
    faulty_s3.front.inject(answer, times=FOREVER)

    missing = program.missing(faulty_s3)

    bucket = faulty_s3.url.split("/")[2]
    assert (missing.exit_code, missing.problem) == (3, f"{faulty_s3.url} {problem.format(bucket=bucket)}")


@pytest.mark.parametrize("scheme", ["s3", "az", "gs"])
def test_missing_credentials_error_lists_their_sources(scheme: str) -> None:
    error = OSError("Error performing PUT http://169.254.169.254/latest/api/token in 1ms")

    message = str(translated(error, Destination(scheme, "box", ""), "listing _manifest"))

    assert message.startswith(
        f"No credentials for {scheme}://box were found: listing _manifest failed. Looked for: {LOOKED_FOR[scheme]}."
    )


RESPONSE = "Error performing PUT http://h/_manifest/x in 1ms - Server returned non-2xx status code: "


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("501 Not Implemented: ", True),
        ("405 Method Not Allowed: <html>", True),
        ("400 Bad Request: <Error><Code>NotImplemented</Code></Error>", True),
        ("400 Bad Request: <Error><Code>InvalidArgument</Code><Message>Unsupported header</Message></Error>", True),
        ("400 Bad Request: Unknown request header", True),
        ("400 Bad Request: The condition is not supported here", True),
        ("400 Bad Request: the If-Match is bad", True),
        ("400 Bad Request: <Error><Code>InvalidArgument</Code></Error>  Debug source: if-match", False),
        ("400 Bad Request: <Error><Code>ExpiredToken</Code></Error>", False),
        ("503 Service Unavailable: Header not supported 501", False),
        ("403 Forbidden: if-none-match", False),
    ],
)
def test_only_condition_errors_count_as_unsupported(text: str, *, lacks: bool) -> None:
    assert lacks_conditions(OSError(RESPONSE + text)) is lacks
