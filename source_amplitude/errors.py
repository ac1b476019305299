"""Every error the connector raises on purpose, grouped by what can be done about it.

    AmplitudeError                     never raised itself
    ├── ConfigError                    the configuration must be changed
    │   ├── InvalidConfigError         values of the wrong form or range, all of them at once
    │   ├── CredentialsRejectedError   401 or 403: key, secret or region
    │   ├── OtherProjectError          the state belongs to another project's archives
    │   ├── InvalidStateError          the saved state cannot be read
    │   ├── UnknownStreamError         the catalog names a stream that does not exist
    │   ├── RequestRejectedError       400: a setting does not fit the project
    │   ├── NotFoundError              404: what a setting names is not there
    │   ├── NotInPlanError             the project's plan lacks an API
    │   ├── QuotaUsedUpError           the month's cohort downloads are used up
    │   ├── MissingExtraError          a library that a command needs is not installed
    │   ├── StoreDeniedError           the object store does not let us in
    │   ├── OtherFormatError           the store holds hours in another form than asked for
    │   └── InvalidManifestError       a manifest in the store cannot be read
    ├── RetryableError                 the same request may succeed later
    │   ├── RateLimitedError           429
    │   ├── ServerFailureError         5xx that is no size signal
    │   ├── NetworkError               connection, timeout, body cut short
    │   ├── CorruptArchiveError        no zip, a damaged directory, a failed checksum
    │   ├── ForeignAnswerError         an answer that is not Amplitude's: a gateway's or a portal's page
    │   ├── EmptyArchiveError          an archive without a file of the hours that were asked for
    │   ├── GarbledAnswerError         200 with a body that is not JSON
    │   ├── NotReadyError              Amplitude is still preparing what was asked for
    │   ├── NotPublishedError          hours that were asked for are not published yet
    │   └── StoreError                 the object store fails, after its own retries
    ├── UnreachableError               DNS or TLS: no request can succeed
    ├── ExportTooLargeError            400 with the size text: ask for fewer hours
    │   └── ExportTooSlowError         504: the same, or a gateway that gave up
    ├── UnexpectedAnswerError          a status or body that no rule covers
    ├── StaleDateError                 Amplitude's clock, by its answers, is far in the past
    ├── UnknownShapeError              JSON of a shape that is described nowhere
    ├── MalformedLinesError            lines that are no JSON objects
    ├── HoursMissingError              how a sync ends that could not read every hour
    ├── StoppedError                   the sync was asked to end
    └── DiskFullError                  no room for the next archive

A message says what went wrong, what the connector did about it, and what to do next, in this order.
"""

from __future__ import annotations

from typing import ClassVar


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 hour`` or ``1,200 hours``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class AmplitudeError(Exception):
    """Base of all errors of the connector.

    Attributes:
        what: What went wrong, with the value and the window in UTC.
        tried: What the connector did about it; empty while nothing was done.
        next_step: One action for the reader.
    """

    next_step: ClassVar[str] = ""

    def __init__(self, what: str, *, tried: str = "", next_step: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.tried = tried
        self.advice = self.next_step if next_step is None else next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.tried, self.advice) if part)


class ConfigError(AmplitudeError):
    """Nothing but a changed configuration helps."""


class InvalidConfigError(ConfigError):
    """One or more configuration values have the wrong form or range; each of ``problems`` begins with its field."""

    next_step = "Correct these values and run the command again."

    def __init__(self, problems: tuple[str, ...]) -> None:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"The configuration has {count}: " + "; ".join(problems) + ".")
        self.problems = problems


class CredentialsRejectedError(ConfigError):
    """Amplitude does not accept the keys at the region's address."""

    next_step = (
        "Check that api_key and secret_key are from the same project (Amplitude: Settings > Projects), "
        "and that data_region names the region the project is stored in."
    )


class OtherProjectError(ConfigError):
    """The saved state was written for another project than the one the keys open."""

    next_step = (
        "Put the first project's keys back. If they were changed on purpose, use a new connection (command line: "
        "another --state-file and another output): Clear data in Airbyte would reset the state too, and delete the "
        "first project's records from the destination."
    )


class InvalidStateError(ConfigError):
    """The saved state has a form that no version of this source ever wrote."""

    next_step = (
        "Pass the state a sync printed. Without a state everything is read again from start_date on (command line: "
        "leave out --state, or name a new --state-file). In Airbyte, Clear data resets the state and also deletes the "
        "stream's records from the destination."
    )


class UnknownStreamError(ConfigError):
    """The catalog asks for a stream that this source does not have."""

    next_step = (
        "Take the stream out of the catalog, or refresh the connection's schema. It does not affect the other streams."
    )


class RequestRejectedError(ConfigError):
    """Amplitude answered 400 with a reason."""

    next_step = (
        "Change the setting that Amplitude's words are about (a project without countries: turn off "
        "active_users_group_by_country), or deselect the stream. The other streams are not affected."
    )


class NotFoundError(ConfigError):
    """Amplitude answered 404 for something that a setting names."""

    next_step = (
        "If a setting names it, correct or remove it there, else deselect the stream; the other streams are not "
        "affected."
    )


class NotInPlanError(ConfigError):
    """Amplitude refused an API to keys that it knows."""

    next_step = (
        "If the project's plan lacks this API, deselect the stream; the other streams are not affected. If the plan "
        "has it, check that the keys are allowed to use it."
    )


class QuotaUsedUpError(ConfigError):
    """So many cohorts were downloaded this month that another one would exceed the quota."""

    next_step = (
        "Wait for the next month, shorten cohort_ids, or sync the stream less often; what was downloaded is recorded."
    )


class MissingExtraError(ConfigError):
    """A library that is installed only on demand is not there."""

    next_step = "Install the library beside this program and run the command again."


class StoreDeniedError(ConfigError):
    """The object store refuses our credentials, or has no bucket, container or folder of that name."""

    next_step = (
        "Check the name in --to and the credentials in their usual places (docs/landing.md lists them for each "
        "store); they need to read, list and write under the prefix."
    )


class OtherFormatError(ConfigError):
    """The hours in the store were landed in another form than the one asked for."""

    next_step = "Name another prefix in --to, or the format that is there in --format."


class InvalidManifestError(ConfigError):
    """A manifest in the store is none that this version wrote."""

    next_step = (
        "Use the version of this program that wrote it, or move the manifest out of the store and land its hour again."
    )


class RetryableError(AmplitudeError):
    """The same request may succeed later; the connector retries these by itself."""

    next_step = "Run the sync again; what is missing will be read then."


class RateLimitedError(RetryableError):
    """Amplitude answered 429; ``retry_after_seconds`` is what its Retry-After asked for, None without the header."""

    next_step = (
        "Wait an hour and run the sync again, or lower num_workers; other programs with the same keys share the limit."
    )

    def __init__(self, what: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(what)
        self.retry_after_seconds = retry_after_seconds


class ServerFailureError(RetryableError):
    """Amplitude answered with a 5xx status."""


class NetworkError(RetryableError):
    """The connection failed, timed out, or ended before the whole body had arrived."""


class CorruptArchiveError(RetryableError):
    """The body is not a whole zip archive, or a checksum in it does not hold."""


class ForeignResponseError(RetryableError):
    """The answer is in no form of Amplitude's: a gateway's, a proxy's or a login page. It proves nothing."""

    next_step = (
        "Check what stands between this machine and Amplitude (proxy, firewall, login page, AMPLITUDE_API_URL), and "
        "run the command again: what is missing will be read then."
    )


class EmptyArchiveError(RetryableError):
    """The answer is a well-formed archive that holds no file of the hours that were asked for."""


class GarbledResponseError(RetryableError):
    """The answer's status is good, and its body is not JSON: a gateway's page, or cut short."""


class NotReadyError(RetryableError):
    """What was asked for is still being prepared after a long wait."""


class NotPublishedError(RetryableError):
    """Hours that were asked for by name are too young."""

    next_step = "Run the command again then; leave out --end to land what is published."


class StoreError(RetryableError):
    """The object store failed or went away, after the store's own retries."""

    next_step = "Run the command again: it goes on with the hours that are not landed."


class UnreachableError(AmplitudeError):
    """The host has no address, or its certificate is not accepted."""

    next_step = (
        "Check the machine's DNS, proxy and certificate settings; Amplitude's hosts are amplitude.com and "
        "analytics.eu.amplitude.com, for lookup tables data-api.amplitude.com and data-api.eu.amplitude.com."
    )


class ExportTooLargeError(AmplitudeError):
    """Amplitude cannot export this many hours at once: above 4 GB (400), or too slow (504)."""

    next_step = (
        "One hour cannot be split further: use Amplitude's own S3 export for it "
        "(Amplitude: Data > Destinations > Amazon S3), or name the hour in accepted_gaps to go on without it."
    )


class ExportTooSlowError(ExportTooLargeError):
    """Amplitude answered 504, as for very large data; alone it does not prove that there is any."""


class UnexpectedResponseError(AmplitudeError):
    """Amplitude gave an answer that the connector has no rule for."""

    next_step = "If it goes on, report it with this message; nothing was recorded as read."


class StaleDateError(AmplitudeError):
    """Amplitude's answers are dated so far in the past that nothing would be read."""

    next_step = (
        "If a cache or a proxy stands between this machine and Amplitude, keep it from answering with old pages; if "
        "this machine's clock or start_date is wrong, correct it. Then run the command again."
    )


class UnknownShapeError(AmplitudeError):
    """The answer is JSON, but nothing that any documentation or recording shows; it may hold data that gets lost."""

    next_step = "Report it with this message; nothing of the answer was emitted or recorded as read."


class MalformedLinesError(AmplitudeError):
    """Some lines of an archive are no JSON objects; the good lines beside them were emitted."""

    next_step = (
        "Report the hour to Amplitude's support. With malformed_lines set to 'report' the next sync is green again; "
        "'skip' never fails, 'fail' fails until the hour is mended."
    )


class HoursMissingError(AmplitudeError):
    """Some windows could not be read; everything else was read and recorded.

    Attributes:
        may_heal: Whether every cause is one that a later sync may not meet.
    """

    may_heal = False

    next_step = (
        "Run the sync again: it asks only for what is missing. An hour that will never heal can be named in "
        "accepted_gaps."
    )


class StoppedError(AmplitudeError):
    """The process was asked to end (SIGTERM, Ctrl-C) before everything was read."""

    next_step = "Run the sync again: it goes on after the last state."

    def __init__(
        self,
        what: str = "The sync was asked to end.",
        *,
        tried: str = "What was read so far is recorded.",
        next_step: str | None = None,
    ) -> None:
        super().__init__(what, tried=tried, next_step=next_step)


class DiskFullError(AmplitudeError):
    """An archive does not fit on the disk."""

    next_step = "Free space there, point TMPDIR to a larger disk, or lower request_time_range."
