"""Every parser of text or JSON from outside accepts any value, or raises one of its own errors."""

from __future__ import annotations

import base64
import io
import json
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from source_amplitude.airbyte.input_files import read_catalog, read_states
from source_amplitude.airbyte.state_file import StateFile
from source_amplitude.api.endpoints import UnsafeRedirectError, base_url, require_safe_redirect
from source_amplitude.api.proxies import require_usable_proxy
from source_amplitude.api.redaction import printable, without_addresses
from source_amplitude.api.responses import (
    ErrorResponse,
    Response,
    date_from_header,
    export_error,
    is_error_envelope,
    is_export_envelope,
    quoted,
    reason_from_body,
    rest_error,
    says_no_files,
)
from source_amplitude.commands.session import moment
from source_amplitude.config import Keys, Region, parse_config
from source_amplitude.config.file import read_raw_config
from source_amplitude.config.json_text import parse_json
from source_amplitude.config.yaml_values import parse_yaml
from source_amplitude.encoding import encode_line_by_line
from source_amplitude.errors import (
    CorruptArchiveError,
    GarbledResponseError,
    InvalidConfigError,
    InvalidStateError,
    UnknownShapeError,
)
from source_amplitude.export import newest_end, not_published_error
from source_amplitude.export.probe import first_member, has_members
from source_amplitude.ledger import ledger_from_state, state_from_ledger
from source_amplitude.ledger.member_codec import decode_members
from source_amplitude.members import may_be_stray, parse_member_name
from source_amplitude.records.datetimes import normalise_datetime
from source_amplitude.rows.csv_files import CohortFile, chart_rows
from source_amplitude.rows.dashboards import Matrix, by_bin, revenue_rows
from source_amplitude.rows.days import DaySpan, Interval, parse_day, plan_days
from source_amplitude.rows.shapes import annotation, annotation_category, deletions, items
from source_amplitude.spark.offsets import ledger_at, partition_between
from source_amplitude.spark.options import OPTION_NAMES, parse_options
from source_amplitude.spark.partitions import narrow
from source_amplitude.terminal.command_line import TypedCommand
from source_amplitude.windows import HOUR, HourSet, HourWindow, hour_window, parse_moment
from unit_tests.arbitrary_values import ANY_JSON, BYTES, HUGER, SCALARS, TEXTS, examples, objects_with, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)
WINDOW = HourWindow(NOON, NOON + HOUR)
SPAN = DaySpan(NOON.date(), NOON.date() + timedelta(days=9))
NEEDED = {"api_key": "key", "secret_key": "secret", "start_date": "2026-03-04T00:00:00Z"}

FIELDS = (
    *("api_key", "secret_key", "data_region", "start_date", "end_date", "request_time_range", "recheck_hours"),
    *("accepted_gaps", "malformed_lines", "num_workers", "num_processes", "project_time_zone", "cohort_ids"),
    *("active_users_group_by_country", "dashboard_lookback_days", "export_delay_hours", "chart_ids"),
)
LEDGER = objects_with(
    *("version", "server_upload_time", "settled", "open", "landed", "project", "newest_landed", "working_hours")
)
FULL_LEDGER = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "server_upload_time": st.just("20260304T12"),
        "settled": st.lists(st.lists(TEXTS, max_size=3), max_size=2) | st.just([["20260301T00", "20260304T12"]]),
        "open": st.just([]) | ANY_JSON,
        "landed": st.dictionaries(
            st.just("20260304T11") | TEXTS,
            objects_with("read_at", "packed", "named", "malformed", values=ANY_JSON | st.just("2026-03-04T13:00:00Z")),
            max_size=2,
        ),
    },
    optional={"project": ANY_JSON, "newest_landed": TEXTS, "working_hours": st.lists(SCALARS, max_size=2) | ANY_JSON},
)
EVENTS_STATES = st.one_of(
    objects_with("server_upload_time", "event_time", "ledger", "slices", "state_type"),
    st.fixed_dictionaries({"server_upload_time": TEXTS, "ledger": LEDGER}),
    st.fixed_dictionaries({"server_upload_time": st.just("20260304T12"), "ledger": FULL_LEDGER}),
)
STATE_OBJECTS = objects_with(
    *("type", "stream", "global", "data", "state", "stateType", "streamState", "globalState"),
    *("streamDescriptor", "stream_descriptor", "stream_state", "shared_state", "stream_states"),
)


@st.composite
def state_messages(draw: st.DrawFn, levels: int = 3) -> object:
    """Return state messages of all forms, nested in each other."""
    if levels == 0:
        return draw(STATE_OBJECTS)
    inside = draw(state_messages(levels - 1))
    forms = [
        [inside],
        {"type": "STATE", "state": inside},
        {"type": "GLOBAL", "global": {"stream_states": inside}},
        {"type": "LEGACY", "data": inside},
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": "events"}, "stream_state": inside}},
        {"stream": inside},
        {"stateType": "global", "globalState": {"streamStates": inside}},
        {"stream_descriptor": {"name": "events"}, "stream_state": inside},
        {"events": inside},
        inside,
    ]
    return forms[draw(st.integers(0, len(forms) - 1))]


STATE_MESSAGES = state_messages()
CATALOGS = ANY_JSON | st.fixed_dictionaries(
    {"streams": st.lists(objects_with("stream", "sync_mode", "destination_sync_mode", "cursor_field"), max_size=2)}
)
PACKED = st.fixed_dictionaries(
    {"packed": st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode()) | ANY_JSON},
    optional={"named": ANY_JSON | st.dictionaries(TEXTS, st.lists(SCALARS, max_size=3)), "malformed": ANY_JSON},
)
DASHBOARDS = ANY_JSON | st.fixed_dictionaries(
    {
        "data": objects_with(
            "series", "xValues", "seriesLabels", "seriesMeta", values=ANY_JSON | st.lists(st.lists(SCALARS, max_size=3))
        )
    }
)
ERRORS = st.builds(
    ErrorResponse, st.integers(100, 599), TEXTS, st.none() | TEXTS, st.none() | TEXTS.map(date_from_header), TEXTS
)
MOMENTS = st.datetimes() | st.datetimes(timezones=st.timezones()) | TEXTS


class EqualTo:
    """A filter as Spark passes it; the connector recognizes its class by name."""

    attribute = ("server_upload_time",)

    def __init__(self, value: object) -> None:
        self.value = value


KINDS = [type(name, (EqualTo,), {}) for name in ("EqualTo", "GreaterThan", "LessThan", "LessThanOrEqual", "In", "Not")]
FILTERS = st.tuples(st.sampled_from(KINDS), MOMENTS | st.lists(MOMENTS, max_size=2).map(tuple)).map(
    lambda pair: pair[0](pair[1])
)


def in_file(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """Return a function that reads bytes through a file."""

    def call(content: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            path.write_bytes(content)
            return read(str(path))

    return call


def load_state_file(path: str) -> None:
    with StateFile(path).locked():
        pass


def read_ledger(state: dict[str, Any]) -> None:
    ledger = ledger_from_state(state, export_delay_hours=2).ledger
    json.dumps(state_from_ledger(ledger, start=NOON, accepted_gaps=HourSet()))
    _ = ledger.newest_settled


def read_error(response: ErrorResponse) -> None:
    for error in (export_error(response, WINDOW, "EU"), rest_error(response, "the list", "EU")):
        assert printable(error.message).isprintable()


def read_body(body: bytes) -> None:
    for read in (reason_from_body, says_no_files, is_error_envelope, is_export_envelope):
        read(body)
    quoted(200, "text/html", body, Keys("key", "secret"))


def read_dashboard(body: object) -> None:
    matrix = Matrix.of(body)
    matrix.first_cut_day(SPAN)
    for read in (matrix.by_label, lambda: matrix.one_value("x"), lambda: by_bin(body, SPAN)):
        read()


def read_cohort(content: bytes) -> None:
    list(CohortFile(io.BytesIO(content), "7", "2026-03-04T00:00:00Z").rows())


def read_lists(body: object) -> None:
    for item in items(body, "data"):
        annotation(item)
        annotation_category(item)


def use_config(raw: dict[str, Any]) -> None:
    config = parse_config(raw)
    for interval in Interval:
        list(plan_days(config.start.date(), NOON.date(), interval, 360))
    ledger = ledger_from_state({}, export_delay_hours=2).ledger
    state_from_ledger(ledger, start=min(config.start, NOON), accepted_gaps=config.accepted_gaps)


def use_time(text: str) -> None:
    hours = hour_window(moment("--start", text, NOON))
    assert printable(not_published_error(hours, 48).message).isprintable()


def use_proxy(proxy: str) -> None:
    require_usable_proxy("https://amplitude.com/api", {"https": proxy})


CONFIG = parse_config(NEEDED)


@dataclass(frozen=True)
class Parser:
    """A parser, values for it, and the errors that it may raise."""

    call: Callable[[Any], object]
    values: st.SearchStrategy[Any]
    errors: tuple[type[Exception], ...] = ()


PARSERS = {
    "configuration": Parser(use_config, objects_with(*FIELDS, values=ANY_JSON | HUGER), (InvalidConfigError,)),
    "one field of a configuration": Parser(
        lambda pair: use_config(NEEDED | {pair[0]: pair[1]}),
        st.tuples(st.sampled_from(FIELDS), ANY_JSON | HUGER | st.lists(SCALARS, max_size=3)),
        (InvalidConfigError,),
    ),
    "configuration file": Parser(in_file(read_raw_config), BYTES, (InvalidConfigError,)),
    "configuration in JSON": Parser(
        in_file(read_raw_config), objects_with(*FIELDS).map(text_of).map(str.encode), (InvalidConfigError,)
    ),
    "name of a configuration file": Parser(read_raw_config, TEXTS, (InvalidConfigError,)),
    "key from the environment": Parser(
        lambda value: in_file(lambda path: read_raw_config(path, {"KEY": value}))(b'{"api_key": "${KEY}"}'),
        TEXTS,
        (InvalidConfigError,),
    ),
    "YAML": Parser(parse_yaml, TEXTS | st.tuples(TEXTS, TEXTS).map(": ".join), (ValueError, InvalidConfigError)),
    "JSON": Parser(parse_json, TEXTS | ANY_JSON.map(text_of), (ValueError,)),
    "--state": Parser(in_file(read_states), BYTES, (InvalidConfigError, InvalidStateError)),
    "--state in JSON": Parser(
        in_file(read_states), STATE_MESSAGES.map(text_of).map(str.encode), (InvalidConfigError, InvalidStateError)
    ),
    "--state-file": Parser(
        in_file(load_state_file), STATE_MESSAGES.map(text_of).map(str.encode), (InvalidConfigError, InvalidStateError)
    ),
    "--catalog": Parser(in_file(read_catalog), CATALOGS.map(text_of).map(str.encode), (InvalidConfigError,)),
    "state of events": Parser(read_ledger, EVENTS_STATES, (InvalidStateError,)),
    "members of a state": Parser(
        lambda saved: decode_members(saved, project="100200", hour=NOON),
        PACKED,
        (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError),
    ),
    "name of a member": Parser(lambda text: (parse_member_name(text), may_be_stray(text)), TEXTS),
    "time": Parser(parse_moment, ANY_JSON),
    "day": Parser(parse_day, ANY_JSON),
    "datetime of an event": Parser(normalise_datetime, ANY_JSON),
    "--start and --end": Parser(use_time, TEXTS, (InvalidConfigError,)),
    "words of a command line": Parser(lambda words: str(TypedCommand(arguments=tuple(words))), st.lists(TEXTS)),
    "Date header": Parser(lambda text: newest_end(date_from_header(text) or NOON, 48), TEXTS),
    "error response": Parser(read_error, ERRORS),
    "body of an error": Parser(read_body, BYTES | ANY_JSON.map(text_of).map(str.encode)),
    "Location header": Parser(
        lambda target: require_safe_redirect("https://amplitude.com/x", target), TEXTS, (UnsafeRedirectError,)
    ),
    "body of a REST response": Parser(lambda body: Response(200, body).json("list"), BYTES, (GarbledResponseError,)),
    "list of objects": Parser(read_lists, ANY_JSON | objects_with("data"), (UnknownShapeError,)),
    "deletion jobs": Parser(deletions, ANY_JSON | st.lists(objects_with("amplitude_ids")), (UnknownShapeError,)),
    "dashboard": Parser(read_dashboard, DASHBOARDS, (UnknownShapeError,)),
    "revenue": Parser(lambda body: revenue_rows(body, SPAN), DASHBOARDS, (UnknownShapeError,)),
    "CSV of a chart": Parser(
        lambda text: chart_rows({"data": f"\n{text}\n"}, "7"), ANY_JSON | TEXTS, (UnknownShapeError,)
    ),
    "cohort file": Parser(
        read_cohort, BYTES | BYTES.map(lambda row: b"amplitude_id,x\n" + row), (CorruptArchiveError, UnknownShapeError)
    ),
    "line of an event": Parser(
        lambda line: encode_line_by_line(line, lambda record: record),
        BYTES | objects_with().map(text_of).map(str.encode),
    ),
    "beginning of an archive": Parser(
        lambda body: (has_members(body), first_member(body)),
        BYTES | BYTES.map(lambda body: b"PK\x03\x04" + body),
        (CorruptArchiveError,),
    ),
    "options of Spark": Parser(
        parse_options, st.dictionaries(st.sampled_from(OPTION_NAMES) | TEXTS, TEXTS), (InvalidConfigError,)
    ),
    "one option of Spark": Parser(
        lambda pair: parse_options(NEEDED | {pair[0]: pair[1]}),
        st.tuples(st.sampled_from(OPTION_NAMES), TEXTS),
        (InvalidConfigError,),
    ),
    "offset of Spark": Parser(
        lambda pair: (ledger_at(pair[0], CONFIG), partition_between({}, pair[0] | {"seen": pair[1]}, CONFIG)),
        st.tuples(EVENTS_STATES, ANY_JSON | st.lists(TEXTS, max_size=2)),
        (InvalidStateError,),
    ),
    "filters of Spark": Parser(lambda filters: narrow(WINDOW, filters), st.lists(FILTERS, max_size=3)),
    "AMPLITUDE_API_URL": Parser(
        lambda text: base_url(Region.EU, text), TEXTS | TEXTS.map("http://127.0.0.1".__add__), (InvalidConfigError,)
    ),
    "HTTPS_PROXY": Parser(use_proxy, TEXTS | TEXTS.map("http://".__add__), (InvalidConfigError,)),
    "text of an error": Parser(lambda text: printable(without_addresses(text)), TEXTS),
}
MOST_MESSAGE_CHARS = 30_000


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
def test_a_parser_raises_only_its_own_errors(name: str, data: st.DataObject) -> None:
    parser = PARSERS[name]
    value = data.draw(parser.values)

    message = ""
    try:
        parser.call(value)
    except parser.errors as error:
        message = str(error)

    assert len(message) < MOST_MESSAGE_CHARS
