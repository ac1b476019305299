"""The quick way: decode the lines of a batch into structs and check them together.

A line in Amplitude's usual form becomes a struct of `event_structs`. Any doubt about a line sends it to the slow way,
line by line through `records`, which handles every odd form. Both ways make the same record: equal as JSON values, with
the last of duplicate keys and the decimal value of numbers.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, groupby, islice, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec import Raw

from source_amplitude.encoding.encoded import Encoded, encode_line_by_line, split_lines
from source_amplitude.encoding.event_structs import ABSENT, NULL, EventStructs, type_of
from source_amplitude.records import (
    DATETIME_FIELDS,
    Findings,
    Oddity,
    OddityKind,
    misfits,
    normalise_datetimes,
    normalise_plain_datetimes,
)
from source_amplitude.records.declared import FIELDS, fits
from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from source_amplitude.encoding.event_structs import EventStruct, RawFields
    from source_amplitude.records import Record

    Events = Sequence[Any]

T = TypeVar("T")
P = TypeVar("P")

_BETWEEN = b"\n" * 16  # no line contains it, and a long needle is found faster
_BETWEEN_OBJECTS = b"}" + _BETWEEN + b"{"
_TO_ZERO = bytes.maketrans(b"123456789.+E", b"00000000000e")
_LONG_EXPONENT = b"0e000"
_LONG_NUMBER_BYTES = 200
_SAMPLED_EVERY = 20
_LONG_NUMBER = b"0" * _LONG_NUMBER_BYTES
_SAMPLED_LONG_NUMBER = b"0" * (_LONG_NUMBER_BYTES // _SAMPLED_EVERY)
_LARGE_EXPONENT = re.compile(rb"[\[:,\s]-?\d[\d.]*[eE]\+?\d{3}")

_PART_BYTES = 8 * 1024
_SPACED, _FIRST_BYTES = b'": ', 256

_structs = EventStructs()
_encode, _encode_lines = msgspec.json.Encoder().encode, msgspec.json.Encoder().encode_lines
_get_datetimes = attrgetter(*DATETIME_FIELDS)


@dataclass(frozen=True)
class QuickBatch(Generic[T]):
    """The records of a batch of lines: events of lines in the usual form, and records of the other lines.

    Attributes:
        struct: The type of ``events``.
        events: The events in order, with normalised datetimes.
        others: The results of the records of the other lines, by their positions among all records.
        lines: Number of lines.
        malformed: Positions of lines that are not JSON objects.
        findings: Oddities of all lines.
        has_plain_datetimes: Whether all datetimes of ``events`` were in Amplitude's form.
    """

    struct: EventStruct
    events: Events
    others: Mapping[int, T]
    lines: int
    malformed: tuple[int, ...]
    findings: Findings
    has_plain_datetimes: bool

    @property
    def records(self) -> int:
        return len(self.events) + len(self.others)

    def merged(self, values: list[P], others: Mapping[int, P]) -> list[P]:
        """Return the values of the events, with those of the other records at their positions."""
        if not others:
            return values
        rest = iter(values)
        return [others[at] if at in others else next(rest) for at in range(self.records)]

    def encoded(self, payload: P) -> Encoded[P]:
        return Encoded(payload, self.records, self.lines, self.malformed, self.findings)


def read_quickly(body: bytes, finish_record: Callable[[Record], T]) -> QuickBatch[T]:
    """Read each record of each line, as `encode_line_by_line` does.

    Args:
        body: The lines.
        finish_record: Returns the result of a record of a line that is not in the usual form.
    """
    decoded = decode_batch(body)
    findings = Findings(dict(decoded.odd)) if decoded.odd else NO_FINDINGS
    if not decoded.slow:
        return QuickBatch(
            decoded.struct, decoded.events, {}, len(decoded.events), (), findings, decoded.has_plain_datetimes
        )
    lines, slow = split_lines(body), frozenset(decoded.slow)
    others: dict[int, T] = {}
    malformed: list[int] = []
    position = record = 0
    for is_slow, run in groupby(range(len(lines)), slow.__contains__):
        count = len([*run])
        if is_slow:
            encoded = encode_line_by_line(b"\n".join([*lines[position : position + count], b""]), finish_record)
            others.update(enumerate(encoded.payload, record))
            malformed += [position + each for each in encoded.malformed]
            findings = findings.followed_by(encoded.findings, lines_before=position)
            record += encoded.records
        else:
            record += count
        position += count
    return QuickBatch(
        decoded.struct, decoded.events, others, len(lines), tuple(malformed), findings, decoded.has_plain_datetimes
    )


def dump_events(events: Events) -> list[bytes]:
    """Return each event as a record in JSON."""
    return [*map(_encode, events)]


def dump_lines(events: Events) -> bytes:
    """Return the events as records in JSON, each with a line feed."""
    return _encode_lines(events)


@dataclass(frozen=True)
class DecodedBatch:
    """The lines of a batch in the usual form.

    Attributes:
        struct: The type of ``events``.
        events: Their events, with normalised datetimes.
        slow: The positions of the other lines, in order.
        odd: The oddities of ``events``.
        has_plain_datetimes: Whether all of their datetimes were in Amplitude's form.
    """

    struct: EventStruct
    events: Events
    slow: Sequence[int]
    odd: Counter[Oddity]
    has_plain_datetimes: bool


def decode_batch(body: bytes) -> DecodedBatch:
    """Decode the lines of a batch."""
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    if _SPACED in body[:_FIRST_BYTES]:
        body = b"".join(map(_without_spaces, BytesIO(body)))
    while (decoded := _decode(body, struct := _structs.current)) is None:
        pass
    events, slow = decoded
    are_objects, is_readable = _check_raw_values(struct, events)
    if not is_readable:
        events = _without(
            [at for at, each in enumerate(events) if not _check_raw_values(struct, [each])[1]], events, slow
        )
    unread = _normalise_datetimes(events)
    odd = Counter(unread)
    odd.update(chain(_checked_misfits(struct, events), _inner_misfits(struct, events)))
    if not are_objects:
        odd.update(_object_misfits(struct, events))
    return DecodedBatch(struct, events, slow, odd, unread is None)


def _decode(body: bytes, struct: EventStruct) -> tuple[list[Any], list[int]] | None:
    """Return the events, and the positions of other lines; None if a line has extended the struct type."""
    decode = _decode_without_carriage_return(struct.decode) if b"\r" in body else struct.decode
    events: list[Any] = []
    slow: list[int] = []
    lines = BytesIO(body)
    while True:
        try:
            events.extend(map(decode, lines))  # keeps the events before an error
        except (msgspec.MsgspecError, RecursionError) as error:
            end = lines.tell()
            is_json = isinstance(error, msgspec.ValidationError)
            if is_json and _structs.learn(body[body.rfind(b"\n", 0, end - 1) + 1 : end]):
                return None
            slow.append(len(events) + len(slow))
        else:
            return events, slow


def _without_spaces(line: bytes) -> bytes:
    """Return a line without spaces between its JSON tokens, which raw values would keep; Amplitude writes none."""
    try:
        return msgspec.json.format(line, indent=-1) + b"\n"
    except (msgspec.MsgspecError, RecursionError):
        return line


def _decode_without_carriage_return(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Return a decoder that rejects carriage returns. Raw values would keep them, and many readers end a line there."""

    def decode_line(line: bytes) -> Any:  # noqa: ANN401 - a struct
        if b"\r" in line:
            raise msgspec.DecodeError("a carriage return")
        return decode(line)

    return decode_line


def _without(positions: Sequence[int], events: list[Any], slow: list[int]) -> list[Any]:
    """Return the other events, and add the lines of the events at ``positions`` to ``slow``."""
    if not positions:
        return events
    left_out, known_slow = frozenset(positions), frozenset(slow)
    lines = [number for number in range(len(events) + len(slow)) if number not in known_slow]
    slow.extend(lines[position] for position in positions)
    slow.sort()
    return [event for position, event in enumerate(events) if position not in left_out]


def _check_raw_values(struct: EventStruct, events: Events) -> tuple[bool, bool]:
    """Return whether all declared objects are objects or absent, and whether strict readers accept all raw values.

    msgspec checks neither UTF-8 nor the range of numbers in them. Nulls are replaced, because msgspec would write them.
    """
    objects = _raw_values(struct.objects, events)
    text = _BETWEEN.join((ABSENT, *objects, ABSENT))
    are_objects = text.count(_BETWEEN_OBJECTS) == len(objects) + 1
    if struct.unknown.names:
        text += _BETWEEN.join([b"", *_raw_values(struct.unknown, events)])
    return are_objects, _is_readable(text)


def _raw_values(fields: RawFields, events: Events) -> list[Raw]:
    """Return all raw values but nulls, which become `ABSENT` in the events."""
    found: list[Raw] = []
    for attribute, values in zip(fields.attributes, zip(*map(fields.get, events), strict=True), strict=False):
        if NULL in values:
            owners = [event for event, value in zip(events, values, strict=True) if value == NULL]
            deque(map(setattr, owners, repeat(attribute), repeat(ABSENT)), maxlen=0)
            found += [value for value in values if value != NULL]
        else:
            found += values
    return found


def _is_readable(text: bytes) -> bool:
    """Return whether a text is UTF-8 and has no number that a strict reader may reject."""
    if not text.isascii() and not _is_utf8(text):
        return False
    zeros = text.translate(_TO_ZERO)
    # Searched from its end, because the letter is rarer than digits. A sample finds long numbers.
    if _SAMPLED_LONG_NUMBER in zeros[::_SAMPLED_EVERY] and _LONG_NUMBER in zeros:
        return False
    return zeros.rfind(_LONG_EXPONENT) < 0 or _LARGE_EXPONENT.search(text) is None


def _is_utf8(text: bytes) -> bool:
    """Return whether joined values are UTF-8. Short parts are faster, because large allocations are slow."""
    start = 0
    try:
        while start < len(text):
            end = text.find(b"\n", start + _PART_BYTES) + 1 or len(text)
            text[start:end].decode()
            start = end
    except UnicodeDecodeError:
        return False
    return True


def _normalise_datetimes(events: Events) -> Counter[Oddity] | None:
    """Normalise the events' datetimes.

    Return None if all were in Amplitude's form, else the oddities of texts that are not datetimes, which are unchanged.
    """
    columns = [*zip(*map(_get_datetimes, events), strict=True)]
    texts = [*filter(None, chain.from_iterable(columns))]
    normal = normalise_plain_datetimes(texts)
    rest = iter(normalise_datetimes(texts) if normal is None else normal)
    changed = [_aligned(column, rest) for column in columns]
    # Seven statements are faster than a loop over the fields.
    for event, a, b, c, d, e, f, g in zip(events, *changed, strict=False):
        event.client_event_time = a
        event.client_upload_time = b
        event.event_time = c
        event.processed_time = d
        event.server_received_time = e
        event.server_upload_time = f
        event.user_creation_time = g
    if normal is not None:
        return None
    return Counter(
        Oddity(OddityKind.UNREAD_DATETIME, name)
        for name, before, after in zip(DATETIME_FIELDS, columns, changed, strict=False)
        for one, other in zip(before, after, strict=True)
        if one is other is not None
    )


def _aligned(texts: Sequence[str | None], rest: Iterator[str]) -> list[str | None]:
    """Return the next of ``rest`` for each text, and None for null and empty ones."""
    if all(texts):
        return [*islice(rest, len(texts))]
    return [next(rest) if text else None for text in texts]


def _checked_misfits(struct: EventStruct, events: Events) -> Iterator[Oddity]:
    """Yield the oddity of each misfit in a field that msgspec does not check."""
    for field in struct.checked:
        values = [*map(field.get, events)]
        if field.fitting.issuperset(map(type, values)):
            continue
        for kind, count in Counter(map(type, values)).items():
            if kind is Raw and kind not in field.fitting:
                numbers = (float(bytes(value)) for value in values if type(value) is Raw)
                yield from (field.declared.oddity(float) for number in numbers if not fits(field.declared, number))
            elif kind not in field.fitting:
                yield from repeat(field.declared.oddity(kind), count)


def _object_misfits(struct: EventStruct, events: Events) -> Iterator[Oddity]:
    for event in events:
        for name, value in zip(struct.objects.names, struct.objects.get(event), strict=True):
            found = type_of(value)
            if found is not dict:
                yield FIELDS[name].oddity(found)


def _inner_misfits(struct: EventStruct, events: Events) -> Iterator[Oddity]:
    """Yield the misfits in objects with declared inner fields. Many events have the same object."""
    for name in struct.inner:
        values = [*map(struct.getters[name], events)]
        if values.count(ABSENT) == len(values):
            continue
        for text, count in Counter(map(bytes, values)).items():
            if text[:1] == b"{":
                yield from chain.from_iterable(repeat([*misfits(json.loads(text), FIELDS[name].fields)], count))
