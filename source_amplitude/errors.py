"""Every error that the connector raises on purpose, grouped by what the user can do about it.

    AmplitudeError                     base class, never raised itself
    ├── ConfigError                    the configuration must be changed
    │   ├── InvalidConfigError         values of the wrong form or range, all of them at once
    │   ├── CredentialsRejectedError   401 or 403: API key, secret key or region
    │   ├── OtherProjectError          the state belongs to another project
    │   ├── InvalidStateError          the saved state cannot be read
    │   ├── UnknownStreamError         the catalog names a stream that does not exist
    │   ├── RequestRejectedError       400: a setting does not fit the project
    │   ├── NotFoundError              404: a chart or cohort that a setting names does not exist
    │   ├── NotInPlanError             the project's plan does not include an API
    │   ├── QuotaUsedUpError           this month's cohort downloads are used up
    │   ├── MissingExtraError          a library that a command needs is not installed
    │   ├── StoreDeniedError           the object store denies access
    │   ├── OtherFormatError           the destination contains files of another format
    │   └── InvalidManifestError       a manifest in the destination cannot be read
    ├── RetryableError                 the same request may succeed later
    │   ├── RateLimitedError           429
    │   ├── ServerFailureError         5xx, except 504 for an export
    │   ├── NetworkError               no connection, a timeout, or a response that is cut off
    │   ├── CorruptArchiveError        not a zip archive, a damaged directory, or a wrong checksum
    │   ├── ForeignResponseError       a response from a gateway or a login page
    │   ├── EmptyArchiveError          an archive without a file of the requested hours
    │   ├── GarbledResponseError       200 with a body that is not valid JSON
    │   ├── NotReadyError              Amplitude is still preparing a download
    │   ├── NotPublishedError          the requested hours are not published yet
    │   └── StoreError                 the object store fails after its own retries
    ├── UnreachableError               DNS or TLS: no request can succeed
    ├── ExportTooLargeError            400 with the size text: request fewer hours
    │   └── ExportTooSlowError         504: the same, or a gateway timeout
    ├── UnexpectedResponseError        a status or body that no rule covers
    ├── StaleDateError                 the Date of Amplitude's responses is far in the past
    ├── UnknownShapeError              JSON of an undocumented shape
    ├── MalformedLinesError            lines that are not JSON objects
    ├── HoursMissingError              the end of a sync that could not read every hour
    ├── StoppedError                   the user or the system stopped the sync
    └── DiskFullError                  no disk space for the next archive

A message has three parts: what went wrong, what the connector did about it, and what to do next. `help_url` points to
the section of docs/errors.md about the error.
"""

from __future__ import annotations

from typing import ClassVar

HELP_BASE = "docs/errors.md"
"""The page that `AmplitudeError.help_url` points into; becomes an https address when the project has one."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 hour`` or ``1,200 hours``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


_FILE_OPTIONS = ("--config: ", "--catalog: ", "--state: ", "--state-file: ")  # their files are wrong, not the options


class AmplitudeError(Exception):
    """Base class of the connector's errors.

    Attributes:
        what: What went wrong, with the value and the window in UTC.
        tried: What the connector did about it; may be empty.
        advice: The next step for the user.
    """

    next_step: ClassVar[str] = ""
    help_anchor: ClassVar[str] = ""

    def __init__(self, what: str, *, tried: str = "", next_step: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.tried = tried
        self.advice = self.next_step if next_step is None else next_step

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.tried, self.advice) if part)

    @property
    def help_url(self) -> str:
        """The address of the section about this error."""
        return f"{HELP_BASE}#{self.help_anchor}" if self.help_anchor else HELP_BASE

    @property
    def message(self) -> str:
        """The text for users: the three parts, and where to read more."""
        return f"{self} Details: {self.help_url}"


class ConfigError(AmplitudeError):
    """Only a changed configuration helps."""


class InvalidConfigError(ConfigError):
    """Fields, options or files have the wrong form; each of ``problems`` begins with its field or option."""

    next_step = "Correct these values and run the command again."
    help_anchor = "invalid-configuration"

    def __init__(self, problems: tuple[str, ...]) -> None:
        is_about_options = all(each.startswith("--") for each in problems)
        intro = "" if is_about_options else f"The configuration has {counted(len(problems), 'problem')}: "
        super().__init__(intro + "; ".join(problems) + ".")
        self.problems = problems
        self.is_usage = is_about_options and not any(each.startswith(_FILE_OPTIONS) for each in problems)


class CredentialsRejectedError(ConfigError):
    """Amplitude does not accept the API keys in the configured region."""

    next_step = (
        "Check that api_key and secret_key are from the same project (Amplitude: Settings > Projects), "
        "and that data_region names the region where the project is stored."
    )
    help_anchor = "api-keys-rejected"


class OtherProjectError(ConfigError):
    """The saved state belongs to another project than the API keys."""

    next_step = (
        "Use the keys of the first project again. For another project, create a new connection (command line: another "
        "--state-file and another output). Do not use Clear data in Airbyte for this: it also deletes the first "
        "project's records from the destination."
    )
    help_anchor = "wrong-project"


class InvalidStateError(ConfigError):
    """The saved state has a form that no version of this source wrote."""

    next_step = (
        "Pass the state that a sync printed. Without a state, a sync reads everything from start_date (command line: "
        "leave out --state, or name a new --state-file). In Airbyte, Clear data resets the state and also deletes the "
        "stream's records from the destination."
    )
    help_anchor = "invalid-state"


class UnknownStreamError(ConfigError):
    """The catalog contains a stream that this source does not have."""

    next_step = (
        "Remove the stream from the catalog, or refresh the connection's schema. The other streams are not affected."
    )
    help_anchor = "unknown-stream"


class RequestRejectedError(ConfigError):
    """Amplitude responded with 400 and a reason."""

    next_step = (
        "Change the setting that Amplitude's reason is about (for a project without countries, turn off "
        "active_users_group_by_country), or deselect the stream. The other streams are not affected."
    )
    help_anchor = "request-rejected"


class NotFoundError(ConfigError):
    """Amplitude responded with 404 for a chart, a cohort or an API."""

    next_step = (
        "If a setting contains its id, correct or remove the id; else deselect the stream. The other streams are not "
        "affected."
    )
    help_anchor = "not-found"


class NotInPlanError(ConfigError):
    """Amplitude accepts the keys, and refuses this API."""

    next_step = (
        "If the project's plan does not include this API, deselect the stream. If it does, check the permissions of "
        "the keys. The other streams are not affected."
    )
    help_anchor = "not-in-your-plan"


class QuotaUsedUpError(ConfigError):
    """Another cohort download would exceed this month's quota."""

    next_step = (
        "Wait for the next month, shorten cohort_ids, or sync the stream less often. Downloaded cohorts are recorded."
    )
    help_anchor = "cohort-quota-used-up"


class MissingExtraError(ConfigError):
    """An optional library is not installed."""

    next_step = "Install the library and run the command again."
    help_anchor = "library-not-installed"


class StoreDeniedError(ConfigError):
    """The object store rejects the credentials, or the bucket, container or folder does not exist."""

    next_step = (
        "Check the name in --to and your credentials (docs/landing.md lists where each store's credentials are "
        "looked for). They need permission to read, list and write under the prefix."
    )
    help_anchor = "store-denies-access"


class OtherFormatError(ConfigError):
    """The destination already contains files of another format."""

    next_step = "Use the same --format, or another --to."
    help_anchor = "another-format"


class InvalidManifestError(ConfigError):
    """A manifest in the destination has a form that this version did not write."""

    next_step = (
        "Use the version of this program that wrote the manifest, or move the manifest out of the destination and land "
        "its hour again."
    )
    help_anchor = "invalid-manifest"


class RetryableError(AmplitudeError):
    """The same request may succeed later; the connector retries it."""

    next_step = "Run the sync again: it reads what is missing."


class RateLimitedError(RetryableError):
    """Amplitude responded with 429; ``retry_after_seconds`` is its Retry-After header, or None (the end is unknown)."""

    next_step = (
        "Wait an hour and run the sync again, or lower num_workers. All programs with the same keys share the limit."
    )
    help_anchor = "rate-limit-reached"

    def __init__(self, what: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(what)
        self.retry_after_seconds = retry_after_seconds
        self.is_end_known = retry_after_seconds is not None


class ServerFailureError(RetryableError):
    """Amplitude responded with a 5xx status."""

    help_anchor = "amplitude-server-error"


class NetworkError(RetryableError):
    """The connection failed, timed out, or ended before the whole response arrived."""

    help_anchor = "cannot-connect"


class CorruptArchiveError(RetryableError):
    """The body is not a complete zip archive, or a checksum in it is wrong."""

    help_anchor = "damaged-archive"


class ForeignResponseError(RetryableError):
    """The response is not in Amplitude's format: it is from a gateway, a proxy or a login page."""

    next_step = (
        "Check the proxy, the firewall, the login page and AMPLITUDE_API_URL between this machine and Amplitude, and "
        "run the command again: it reads what is missing."
    )
    help_anchor = "response-not-from-amplitude"


class EmptyArchiveError(RetryableError):
    """The response is a valid archive that does not contain a file of the requested hours."""

    help_anchor = "archive-without-the-requested-hours"


class GarbledResponseError(RetryableError):
    """The status is 200, and the body is not valid JSON: a gateway's page, or a response that is cut off."""

    help_anchor = "response-not-from-amplitude"


class NotReadyError(RetryableError):
    """Amplitude is still preparing a download after a long wait."""

    help_anchor = "download-not-ready"


class NotPublishedError(RetryableError):
    """Amplitude has not published the requested hours yet."""

    next_step = "Run the command again then, or leave out --end to land the published hours."
    help_anchor = "not-published-yet"


class StoreError(RetryableError):
    """The object store failed after its own retries."""

    next_step = "Run the command again: it continues with the missing hours."
    help_anchor = "store-fails"


class UnreachableError(AmplitudeError):
    """The host name has no address, or its certificate is not accepted."""

    next_step = (
        "Check the DNS, proxy and certificate settings of this machine. Amplitude's hosts are amplitude.com and "
        "analytics.eu.amplitude.com; for lookup tables data-api.amplitude.com and data-api.eu.amplitude.com."
    )
    help_anchor = "cannot-connect"


class ExportTooLargeError(AmplitudeError):
    """Amplitude cannot export this many hours at once: more than 4 GB (400), or a timeout (504)."""

    next_step = (
        "One hour cannot be split further. Use Amplitude's own S3 export for it "
        "(Amplitude: Data > Destinations > Amazon S3), or name the hour in accepted_gaps to continue without it."
    )
    help_anchor = "hour-too-large"


class ExportTooSlowError(ExportTooLargeError):
    """Amplitude responded with 504, as for very large exports; this does not prove that the hour has data."""


class UnexpectedResponseError(AmplitudeError):
    """The connector has no rule for this response."""

    next_step = "If it happens again, report it with this message. Nothing was recorded as read."
    help_anchor = "unexpected-response"


class StaleDateError(AmplitudeError):
    """The Date of Amplitude's responses is so far in the past that a sync would read nothing."""

    next_step = (
        "If a cache or a proxy stands between this machine and Amplitude, stop it from sending old responses. If this "
        "machine's clock or start_date is wrong, correct it. Then run the command again."
    )
    help_anchor = "wrong-date"


class UnknownShapeError(AmplitudeError):
    """The response is valid JSON of an undocumented shape; reading it could lose data."""

    next_step = "Report it with this message. Nothing of the response was emitted or recorded as read."
    help_anchor = "unexpected-response"


class MalformedLinesError(AmplitudeError):
    """Some lines of an archive are not JSON objects; all other lines were emitted."""

    next_step = (
        "Report the hour to Amplitude's support. With malformed_lines set to 'report' the next sync succeeds; with "
        "'skip' every sync succeeds; with 'fail' each sync fails until the hour is fixed."
    )
    help_anchor = "malformed-lines"


class HoursMissingError(AmplitudeError):
    """Some windows could not be read; everything else was read and recorded.

    Attributes:
        may_recover: Whether a later sync may succeed without a change by the user.
    """

    may_recover = False

    next_step = (
        "Run the sync again: it requests only the missing hours. An hour that stays missing can be named in "
        "accepted_gaps."
    )
    help_anchor = "missing-hours"


class StoppedError(AmplitudeError):
    """A signal (SIGTERM, Ctrl-C) stopped the process before everything was read."""

    next_step = "Run the same command to continue."
    help_anchor = "stopped"

    def __init__(
        self,
        what: str = "Stopped.",
        *,
        tried: str = "Progress is saved.",
        next_step: str | None = None,
    ) -> None:
        super().__init__(what, tried=tried, next_step=next_step)


class DiskFullError(AmplitudeError):
    """The disk has no space for an archive."""

    next_step = "Free disk space, set TMPDIR to a larger disk, or lower request_time_range."
    help_anchor = "disk-full"
