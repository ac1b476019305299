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
from itertools import chain, compress, groupby, islice, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Raw

from source_amplitude.encoding.encoded import Encoded, encode_line_by_line, split_lines
from source_amplitude.encoding.event_structs import ABSENT, NULL, EventStructs, type_of
from source_amplitude.records import DATETIME_FIELDS, Findings, misfits, normalise_plain_datetimes
from source_amplitude.records.declared import FIELDS, fits
from source_amplitude.records.findings import NO_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from source_amplitude.encoding.event_structs import EventStruct, RawFields
    from source_amplitude.records import Oddity, Record

    Events = Sequence[Any]

T = TypeVar("T")

_BETWEEN = b"\n" * 8  # no line contains it, and a long needle is found faster
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
_encode = msgspec.json.Encoder().encode
_get_datetimes = attrgetter(*DATETIME_FIELDS)


@dataclass(frozen=True)
class QuickBatch:
    """A batch of lines.

    Attributes:
        struct: The type of ``events``.
        events: The events of the lines in the usual form, with normalised datetimes.
        slow: The positions of the other lines, in order.
        odd: The misfits of ``events``.
    """

    struct: EventStruct
    events: Events
    slow: Sequence[int]
    odd: Counter[Oddity]


def encode_quickly(
    body: bytes, finish: Callable[[EventStruct, Events], list[T]], finish_record: Callable[[Record], T]
) -> Encoded[list[T]]:
    """Return the results of each record of each line, as `encode_line_by_line` does.

    Args:
        body: The lines.
        finish: Returns the result of each event.
        finish_record: Returns the result of a record of a line that is not in the usual form.
    """
    batch = decode_batch(body)
    finished = finish(batch.struct, batch.events)
    findings = Findings(dict(batch.odd)) if batch.odd else NO_FINDINGS
    if not batch.slow:
        return Encoded(finished, len(finished), len(finished), (), findings)
    quick, lines, slow = iter(finished), split_lines(body), frozenset(batch.slow)
    merged: list[T] = []
    malformed: list[int] = []
    position = 0
    for is_slow, run in groupby(range(len(lines)), slow.__contains__):
        positions = [*run]
        if is_slow:
            encoded = encode_line_by_line(
                b"\n".join([*lines[position : position + len(positions)], b""]), finish_record
            )
            merged += encoded.payload
            malformed += [position + each for each in encoded.malformed]
            findings = findings.followed_by(encoded.findings, lines_before=position)
        else:
            merged += islice(quick, len(positions))
        position += len(positions)
    return Encoded(merged, len(merged), len(lines), tuple(malformed), findings)


def dump_events(_: EventStruct, events: Events) -> list[bytes]:
    """Return each event as a record in JSON."""
    return [*map(_encode, events)]


def decode_batch(body: bytes) -> QuickBatch:
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
    odd = [*_checked_misfits(struct, events), *_inner_misfits(struct, events)]
    if not are_objects:
        odd += _object_misfits(struct, events)
    unread = _normalise_datetimes(events)
    events = _without(unread, events, slow)
    left_out = frozenset(unread)
    return QuickBatch(struct, events, slow, Counter(oddity for at, oddity in odd if at not in left_out))


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


def _normalise_datetimes(events: Events) -> list[int]:
    """Normalise the events' datetimes; return the positions of events with other texts, which are unchanged."""
    columns = [*zip(*map(_get_datetimes, events), strict=True)]
    normal = normalise_plain_datetimes([*filter(None, chain.from_iterable(columns))])
    if normal is None:
        are_plain = [*map(_has_plain_datetimes, events)]
        _normalise_datetimes([*compress(events, are_plain)])
        return [at for at, is_plain in enumerate(are_plain) if not is_plain]
    rest = iter(normal)
    # Seven statements are faster than a loop over the fields.
    for event, a, b, c, d, e, f, g in zip(events, *(_aligned(texts, rest) for texts in columns), strict=False):
        event.client_event_time = a
        event.client_upload_time = b
        event.event_time = c
        event.processed_time = d
        event.server_received_time = e
        event.server_upload_time = f
        event.user_creation_time = g
    return []


def _aligned(texts: Sequence[str | None], rest: Iterator[str]) -> Iterable[str | None]:
    """Return the next of ``rest`` for each text, and None for null and empty ones."""
    if all(texts):
        return [*islice(rest, len(texts))]
    return [next(rest) if text else None for text in texts]


def _has_plain_datetimes(event: Any) -> bool:  # noqa: ANN401 - a struct
    return normalise_plain_datetimes([text for text in _get_datetimes(event) if text]) is not None


def _checked_misfits(struct: EventStruct, events: Events) -> Iterator[tuple[int, Oddity]]:
    """Yield the position and oddity of each misfit in a field that msgspec does not check."""
    for field in struct.checked:
        values = [*map(field.get, events)]
        if field.fitting.issuperset(map(type, values)):
            continue
        for at, value in enumerate(values):
            plain = float(bytes(value)) if isinstance(value, Raw) else value
            if not fits(field.declared, plain):
                yield at, field.declared.oddity(type(plain))


def _object_misfits(struct: EventStruct, events: Events) -> Iterator[tuple[int, Oddity]]:
    for at, event in enumerate(events):
        for name, value in zip(struct.objects.names, struct.objects.get(event), strict=True):
            found = type_of(value)
            if found is not dict:
                yield at, FIELDS[name].oddity(found)


def _inner_misfits(struct: EventStruct, events: Events) -> Iterator[tuple[int, Oddity]]:
    """Yield the misfits in objects with declared inner fields. Many events have the same object."""
    for name in struct.inner:
        values = [*map(struct.getters[name], events)]
        if values.count(ABSENT) == len(values):
            continue
        texts = [*map(bytes, values)]
        odd = {text: [*misfits(json.loads(text), FIELDS[name].fields)] for text in {*texts} if text[:1] == b"{"}
        if any(odd.values()):
            yield from ((at, oddity) for at, text in enumerate(texts) for oddity in odd.get(text, ()))
