from __future__ import annotations

import io
import re
import shutil
import struct
import subprocess
import zipfile
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplitude_emulator.archive_writer import write_archive
from amplitude_emulator.generated_archives import open_generated_archive
from amplitude_emulator.hours import MemberName
from amplitude_emulator.repeated_members import Repetition, repeat_line
from source_amplitude.archive import layout_check, open_archive
from source_amplitude.archive.end_records import Span
from source_amplitude.errors import CorruptArchiveError
from unit_tests.arbitrary_values import examples
from unit_tests.archive.zip_builder import DEFLATED, DESCRIPTORS, STORED, File, Zip, gz

if TYPE_CHECKING:
    from pathlib import Path

NINE = datetime(2024, 3, 1, 9, tzinfo=timezone.utc)
SIGNATURES = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"]
HIDDEN_RECORD = "The archive has a record that its directory does not list, at byte "
ANY_SIGNATURE = re.compile(b"|".join(map(re.escape, SIGNATURES)))

UNEXPLAINED = st.sampled_from([b"", b"", b"", b"\0", b"PK", b"PK\x07\x08", b"PK00", b"padding " * 9])


def name(partition: int) -> str:
    return f"100200/100200_2024-03-01_9#{partition}.json.gz"


def file(partition: int = 0, **fields: Any) -> File:  # noqa: ANN401 - the fields of `File`
    return File(name(partition), gz(b'{"a":%d}\n' % partition), **fields)


@st.composite
def files(draw: st.DrawFn, partition: int) -> File:
    """Return a listed file of any valid form."""
    return File(
        name(partition),
        gz(draw(st.binary(max_size=40))),
        method=draw(st.sampled_from([STORED, DEFLATED])),
        descriptor=draw(st.sampled_from(DESCRIPTORS)),
        zip64=draw(st.booleans()),
    )


@st.composite
def archives(draw: st.DrawFn) -> Zip:
    """Return an archive of any valid form without unexplained bytes."""
    partitions = draw(st.lists(st.integers(0, 99), max_size=5, unique=True))
    return Zip(
        tuple(draw(files(partition)) for partition in partitions),
        comment=draw(st.sampled_from([b"", b"a comment", b"PK"])),
        zip64=draw(st.booleans()),
    )


def read(data: bytes) -> tuple[dict[str, bytes], list[Span]]:
    """Return the gzip files of an archive and its unexplained bytes."""
    with open_archive(io.BytesIO(data)) as archive:
        members = {}
        for member in archive.members:
            with archive.packed(member) as packed:
                members[member.text] = packed.read()
        return members, archive.unexplained.spans


def error(data: bytes) -> str:
    with pytest.raises(CorruptArchiveError) as caught:
        open_archive(io.BytesIO(data))
    return caught.value.what


def members_or_error(data: bytes) -> dict[str, bytes] | None:
    try:
        return read(data)[0]
    except CorruptArchiveError:
        return None


@given(archives())
@settings(deadline=None)
def test_any_valid_form_is_read_without_unexplained_bytes(archive: Zip) -> None:
    assert read(archive.to_bytes()) == (archive.listed(), [])


@given(archives(), st.data())
@settings(deadline=None, max_examples=examples(200))
def test_members_outside_of_the_directory_are_an_error(archive: Zip, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(archive.files)))
    hidden = replace(data.draw(files(100)), listed=False)
    with_hidden = replace(archive, files=(*archive.files[:position], hidden, *archive.files[position:]))

    assert HIDDEN_RECORD in error(with_hidden.to_bytes())


@given(archives(), archives(), UNEXPLAINED)
@settings(deadline=None)
def test_two_archives_in_one_body_are_an_error(first: Zip, second: Zip, between: bytes) -> None:
    assert error(first.to_bytes() + between + second.to_bytes())


@given(archives(), archives(), st.sampled_from(["archive", "end record"]))
@settings(deadline=None)
def test_an_end_record_inside_the_comment_is_an_error(archive: Zip, fewer: Zip, part: str) -> None:
    inner = fewer.to_bytes() if part == "archive" else replace(fewer, comment=b"").to_bytes()[-22:]

    assert error(replace(archive, comment=inner).to_bytes())
    assert error(replace(archive, comment=inner + b"more").to_bytes())


def test_a_second_directory_with_fewer_entries_is_an_error() -> None:
    archive = Zip((file(1), file(2)))
    whole = archive.to_bytes()
    start = len(b"".join(each.local_bytes() for each in archive.files))
    fewer = file(1).directory_bytes(0)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(fewer), len(whole), 0)

    assert error(whole + fewer + end) == f"{HIDDEN_RECORD}{len(file(1).local_bytes()):,}."
    assert error(whole[:start] + fewer + whole[start:]).startswith("The archive")


@given(archives(), st.data())
@settings(deadline=None)
def test_other_unexplained_bytes_are_located(archive: Zip, data: st.DataObject) -> None:
    drawn = [data.draw(UNEXPLAINED) for _ in archive.files]
    with_gaps = replace(
        archive,
        files=tuple(replace(each, before=before) for each, before in zip(archive.files, drawn, strict=True)),
        before_directory=data.draw(UNEXPLAINED),
        before_end=data.draw(UNEXPLAINED),
        after_end=data.draw(UNEXPLAINED),
    )
    prefix = data.draw(UNEXPLAINED) if not with_gaps.before_end else b""
    raw = prefix + with_gaps.to_bytes()

    with open_archive(io.BytesIO(raw)) as opened:
        assert {member.text for member in opened.members} == set(archive.listed())
        unexplained = opened.unexplained

    parts = (prefix, *drawn, with_gaps.before_directory, with_gaps.before_end, with_gaps.after_end)
    assert unexplained.total_bytes == sum(map(len, parts))
    assert all(not ANY_SIGNATURE.search(raw[span.start : span.end]) for span in unexplained.spans)


@pytest.mark.parametrize("signature", SIGNATURES, ids=repr)
@pytest.mark.parametrize("place", ["before", "between", "before_directory", "before_end", "comment", "after_end"])
def test_a_signature_in_unexplained_bytes_is_an_error(signature: bytes, place: str) -> None:
    for gap in (signature, b"PK" + signature, b"x" * 99 + signature + b"y" * 99):
        archive = {
            "before": Zip((file(1, before=gap), file(2))),
            "between": Zip((file(1), file(2, before=gap))),
            "before_directory": Zip((file(1), file(2)), before_directory=gap),
            "before_end": Zip((file(1), file(2)), before_end=gap),
            "comment": Zip((file(1), file(2)), comment=gap),
            "after_end": Zip((file(1), file(2)), after_end=gap),
        }[place]

        assert error(archive.to_bytes())


def test_unexplained_bytes_are_counted_and_the_first_named() -> None:
    archive = Zip(tuple(file(number, before=b"x" * (number + 1)) for number in range(7)))

    with open_archive(io.BytesIO(archive.to_bytes())) as opened:
        unexplained = opened.unexplained

    assert (unexplained.places, unexplained.total_bytes) == (7, 28)
    assert str(unexplained).startswith("1 byte at 0, 2 bytes at ")
    assert str(unexplained).endswith(" and 2 more places")


@pytest.mark.parametrize("chunk_bytes", [4, 5, 7, 100])
def test_signatures_across_chunks_are_found(chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_check, "_CHUNK_BYTES", chunk_bytes)
    for before in range(20):
        archive = Zip((file(1), file(2, before=b"P" * before + SIGNATURES[1] + b"rest")))

        expected = len(file(1).local_bytes()) + before
        assert error(archive.to_bytes()) == f"{HIDDEN_RECORD}{expected:,}."


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"local": {"name": name(8).encode()}}, f"The member {name(7)} has another name in its local header."),
        ({"local": {"crc32": 1}}, f"The local header of {name(7)} contradicts the archive's directory."),
        ({"local": {"stored_bytes": 999}}, f"The local header of {name(7)} contradicts the archive's directory."),
        ({"local": {"file_bytes": 999}}, f"The local header of {name(7)} contradicts the archive's directory."),
        ({"local": {"method": 8}}, f"The compression method of {name(7)} is unknown or contradictory (0 and 8)."),
        ({"method": 12}, f"The compression method of {name(7)} is unknown or contradictory (12 and 12)."),
        ({"local": {"flags": 1}}, f"The member {name(7)} is encrypted."),
        ({"extra": Zip().to_bytes()}, f"The extra fields or the comment of {name(7)} contain a record."),
    ],
    ids=["name", "checksum", "stored size", "size", "method", "bzip2", "encrypted", "extra field"],
)
def test_a_contradicting_local_header_is_an_error(fields: dict[str, Any], what: str) -> None:
    assert error(Zip((file(7, **fields), file(9))).to_bytes()) == what


def test_a_local_zip64_size_that_differs_is_an_error() -> None:
    extra = struct.pack("<2H2Q", 1, 16, 999, 999)
    local = {"stored_bytes": 0xFFFFFFFF, "file_bytes": 0xFFFFFFFF}

    what = f"The local header of {name(7)} contradicts the archive's directory."
    assert error(Zip((file(7, local=local, extra=extra),)).to_bytes()) == what


def test_local_headers_without_sizes_are_read() -> None:
    archive = Zip((file(7, local={"crc32": 0, "stored_bytes": 0, "file_bytes": 0}),))

    assert read(archive.to_bytes()) == (archive.listed(), [])


def test_an_entry_without_a_name_is_an_error() -> None:
    assert error(Zip((File("", b"x"),)).to_bytes()) == "The archive's directory lists an entry without a name."


def test_a_folder_with_content_is_an_error() -> None:
    assert error(Zip((File("100200/", b"x"),)).to_bytes()) == "The folder 100200/ has content."


def test_overlapping_entries_are_an_error() -> None:
    outer = File(name(1), gz(b"1\n") + file(2).local_bytes())
    offset = len(outer.local_bytes()) - len(file(2).local_bytes())
    body = outer.local_bytes()
    directory = outer.directory_bytes(0) + file(2).directory_bytes(offset)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), len(body), 0)

    assert error(body + directory + end) == f"The member {name(2)} overlaps the one before it."


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_bytes_after_the_compressed_data_are_an_error(method: int) -> None:
    class Longer(File):
        @property
        def stored(self) -> bytes:
            return super().stored + file(2).local_bytes()

    assert error(Zip((Longer(name(1), gz(b"1\n"), method),)).to_bytes()).startswith(f"The member {name(1)} ")


def test_a_descriptor_that_differs_is_unexplained_bytes() -> None:
    raw = Zip((file(1, descriptor="signed 32"),)).to_bytes()
    at = raw.index(b"PK\x07\x08")
    changed = raw[: at + 4] + b"\0\0\0\0" + raw[at + 8 :]

    assert read(changed) == ({name(1): file(1).data}, [Span(at, at + 16)])


@given(archives().filter(lambda archive: len(archive.files) > 1), st.data())
@settings(deadline=None, max_examples=examples(300))
def test_any_change_is_an_error_or_leaves_all_members(archive: Zip, data: st.DataObject) -> None:
    raw = archive.to_bytes()
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(raw)), st.integers(0, len(raw)))))
    at = data.draw(st.integers(0, len(raw)))
    piece = raw[start:end]
    changed = {
        "removed": raw[:start] + raw[end:],
        "moved": raw[:start] + raw[end:][:at] + piece + raw[end:][at:],
        "repeated": raw[:at] + piece + raw[at:],
        "zeroed": raw[:start] + bytes(end - start) + raw[end:],
        "number": raw[:at] + data.draw(st.binary(min_size=1, max_size=8)) + raw[at + 8 :],
    }[data.draw(st.sampled_from(["removed", "moved", "repeated", "zeroed", "number"]))]

    assert members_or_error(changed) in (None, archive.listed())


@given(st.binary(max_size=200), st.sampled_from(SIGNATURES))
@settings(deadline=None)
def test_any_bytes_are_an_error_or_an_empty_archive(data: bytes, signature: bytes) -> None:
    for raw in (data, signature + data, data + Zip().to_bytes()):
        assert members_or_error(raw) in (None, {})


class Pipe(io.RawIOBase):
    """A file that cannot seek, so that `zipfile` writes data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]
        return len(bytes(data))  # type: ignore[call-overload]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("is_zip64", [False, True])
@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_zipfile_writes_has_no_unexplained_bytes(method: int, *, is_zip64: bool, is_streamed: bool) -> None:
    out: Any = Pipe() if is_streamed else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        made.comment = b"a comment"
        made.writestr("100200/", b"")
        for partition in (1, 2):
            with made.open(name(partition), "w", force_zip64=is_zip64) as member:
                member.write(file(partition).data)

    raw = bytes(out.data) if is_streamed else out.getvalue()
    assert read(raw) == ({name(partition): file(partition).data for partition in (1, 2)}, [])


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP's zip is not installed")
@pytest.mark.parametrize("options", [["-0"], ["-9"], ["-fd"], ["-fz"], ["-fd", "-fz"], ["-X"]], ids=" ".join)
def test_what_info_zip_writes_has_no_unexplained_bytes(options: list[str], tmp_path: Path) -> None:
    for partition in (1, 2):
        path = tmp_path / name(partition)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(file(partition).data)
    for output in ("out.zip", "-"):
        result = subprocess.run(
            ["zip", "-r", *options, output, "100200"],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
        raw = result.stdout if output == "-" else (tmp_path / output).read_bytes()

        assert read(raw) == ({name(partition): file(partition).data for partition in (1, 2)}, [])


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("directory_entry", [False, True])
def test_archives_of_the_emulator_have_no_unexplained_bytes(
    tmp_path: Path, *, deflated: bool, directory_entry: bool
) -> None:
    names = [MemberName(100200, NINE, partition) for partition in (1, 2)]
    contents = [(each, gz(b"{}\n")) for each in names]
    path = tmp_path / "archive.zip"

    write_archive(path, contents, deflated=deflated, directory_entry=directory_entry)
    parts = [(each, Repetition(data)) for each, data in contents]
    with open_generated_archive(parts, directory_entry=directory_entry) as generated:
        archives_read = [read(path.read_bytes()), read(generated.read())]

    assert archives_read == [({str(each): data for each, data in contents}, [])] * 2


def test_an_archive_of_more_than_65535_members_is_read() -> None:
    content = Repetition(gz(b"{}\n"))
    contents = [(MemberName(100200, NINE, partition), content) for partition in range(66_000)]

    with open_archive(io.BytesIO(open_generated_archive(contents).read())) as archive:
        assert len(archive.members) == len(contents)
        assert (archive.members[-1].text, archive.unexplained.places) == (name(65_999), 0)


def test_a_member_of_more_than_4_gb_is_read() -> None:
    line = repeat_line(b'{"a":"' + b"x" * 1_000_000 + b'"}', 5_000)
    contents = [(MemberName(100200, NINE, 1), line.packed), (MemberName(100200, NINE, 2), Repetition(gz(b"{}\n")))]

    with open_archive(open_generated_archive(contents)) as archive:
        assert [member.packed_bytes > 2**32 for member in archive.members] == [True, False]
        assert archive.unexplained.places == 0
