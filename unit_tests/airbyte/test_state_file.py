"""The state file is always complete, and contains only states that were printed."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from source_amplitude.airbyte.source import SourceAmplitude
from source_amplitude.airbyte.state_file import StateFile
from source_amplitude.errors import InvalidConfigError, InvalidStateError

if TYPE_CHECKING:
    from pathlib import Path


def message(name: str, state: object, **descriptor: object) -> dict[str, Any]:
    stream = {"stream_descriptor": {"name": name, **descriptor}, "stream_state": state}
    return {"type": "STREAM", "stream": stream}


def line(name: str, state: object) -> str:
    return json.dumps({"type": "STATE", "state": message(name, state)}, separators=(",", ":"))


def content(path: Path) -> object:
    return json.loads(path.read_text())


def test_a_missing_file_is_created_with_the_first_state(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    with StateFile(str(path)).locked() as kept:
        before = kept.initial, path.exists()
        kept.update(line("events", {"a": 1}))
        kept.update(line("events", {"a": 2}))

    assert before == ([], False)
    assert content(path) == [message("events", {"a": 2})]
    assert sorted(each.name for each in tmp_path.iterdir()) in (
        ["state.json"],
        ["state.json", "state.json.lock"],
    )


@pytest.mark.parametrize(
    "saved",
    [
        [message("cohorts", {"c": 3}), message("events", {"a": 1})],
        {"cohorts": {"c": 3}, "events": {"a": 1}},
        [message("cohorts", {"c": 3}, namespace=None), message("events", {"a": 1}, namespace=None)],
    ],
    ids=["messages", "legacy", "null namespaces"],
)
def test_states_of_other_streams_are_kept(tmp_path: Path, saved: object) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps(saved))

    with StateFile(str(path)).locked() as kept:
        initial = kept.initial
        kept.update(line("events", {"a": 2}))

    states = [each["stream"] for each in json.loads(path.read_text())]
    assert [each.stream and each.stream.stream_descriptor.name for each in initial] == ["cohorts", "events"]
    assert [(each["stream_descriptor"]["name"], each["stream_state"]) for each in states] == [
        ("cohorts", {"c": 3}),
        ("events", {"a": 2}),
    ]


def test_state_lines_of_a_read_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(f"{line('events', {'a': 1})}\n{line('events', {'a': 2})}\n{line('cohorts', {'c': 3})}\n")

    with StateFile(str(path)).locked() as kept:
        kept.update(line("cohorts", {"c": 4}))

    assert content(path) == [message("events", {"a": 2}), message("cohorts", {"c": 4})]


def test_the_option_state_accepts_a_state_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with StateFile(str(path)).locked() as kept:
        kept.update(line("events", {"a": 1}))
        kept.update(line("cohorts", {"c": 3}))

    states = SourceAmplitude.read_state(str(path))

    assert [each.stream and each.stream.stream_descriptor.name for each in states] == ["events", "cohorts"]


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ('[{"type": "STR', InvalidConfigError, "is not valid JSON (Unterminated string"),
        ("", InvalidConfigError, "is not valid JSON (Expecting value"),
        ("\x00\x00\x00", InvalidConfigError, "is not valid JSON"),
        ("[1]", InvalidStateError, "does not contain state messages (a state has the type int, not object)"),
        ('"text"', InvalidStateError, "does not contain state messages (a state has the type str, not object)"),
        (
            '{"events": 5}',
            InvalidStateError,
            "does not contain state messages (the state of the stream 'events' has the type int, not object)",
        ),
        (
            '[{"type": "STATE"}]',
            InvalidStateError,
            "does not contain state messages (a state has the type NoneType, not object)",
        ),
    ],
    ids=["torn", "empty", "zeros", "numbers", "text", "invalid legacy", "no state"],
)
def test_an_invalid_file_is_reported_and_not_changed(
    tmp_path: Path, text: str, kind: type[Exception], problem: str
) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)

    with pytest.raises(kind) as raised, StateFile(str(path)).locked():
        pass

    assert (problem in str(raised.value), str(path) in str(raised.value)) == (True, True)
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["[]", "{}", "null"])
def test_a_file_without_states_starts_from_the_beginning(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)

    with StateFile(str(path)).locked() as kept:
        initial = kept.initial
        kept.update(line("events", {"a": 1}))

    assert (initial, content(path)) == ([], [message("events", {"a": 1})])


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    os.mkfifo(path)

    with pytest.raises(InvalidConfigError) as raised, StateFile(str(path)).locked():
        pass

    assert raised.value.problems == (f"--state-file: {path} is a pipe and cannot be updated; use --state for a pipe",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_every_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps([message("events", {"a": 1})]), encoding=encoding)

    with StateFile(str(path)).locked() as kept:
        kept.update(line("cohorts", {"c": 4}))

    assert content(path) == [message("events", {"a": 1}), message("cohorts", {"c": 4})]


def test_a_locked_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    with FileLock(f"{path}.lock"), pytest.raises(InvalidConfigError) as raised, StateFile(str(path)).locked():
        pass

    assert raised.value.problems == (f"--state-file: {path} is in use by another run",)


def test_a_file_in_a_read_only_folder_is_refused() -> None:
    with pytest.raises(InvalidConfigError) as raised, StateFile("/proc/state.json").locked():
        pass

    assert raised.value.problems[0].startswith("--state-file: /proc/state.json cannot be locked (")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError) as raised, StateFile(str(tmp_path)).locked():
        pass

    assert raised.value.problems == (f"--state-file: {tmp_path} cannot be read (Is a directory)",)


def test_a_link_stays_a_link_and_its_target_is_locked(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    link.symlink_to(target)

    with StateFile(str(link)).locked() as kept:
        kept.update(line("events", {"a": 1}))
        with pytest.raises(InvalidConfigError), StateFile(str(target)).locked():
            pass

    assert (link.is_symlink(), content(target)) == (True, [message("events", {"a": 1})])


def test_the_file_mode_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("[]")
    path.chmod(0o640)

    with StateFile(str(path)).locked() as kept:
        kept.update(line("events", {"a": 1}))

    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("before", [None, b'[ {"type":"STREAM","stream":{"stream_descriptor":{"name":"x"}}} ]\n'])
def test_restore_undoes_all_updates(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "state.json"
    if before is not None:
        path.write_bytes(before)

    with StateFile(str(path)).locked() as kept:
        kept.update(line("events", {"a": 1}))
        kept.restore()

    assert (path.read_bytes() if path.exists() else None) == before


def test_discard_removes_only_the_named_streams(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with StateFile(str(path)).locked() as kept:
        kept.update(line("events", {"a": 1}))
        kept.update(line("cohorts", {"c": 3}))

        kept.discard({"cohorts", "nonsense"})

    assert content(path) == [message("events", {"a": 1})]


def test_a_concurrent_reader_sees_a_complete_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    seen: set[int] = set()
    stop = threading.Event()
    failures: list[Exception] = []

    def look() -> None:
        try:
            while not stop.is_set():
                seen.add(json.loads(path.read_text())[0]["stream"]["stream_state"]["number"])
        except Exception as error:  # noqa: BLE001 - compared below
            failures.append(error)

    with StateFile(str(path)).locked() as kept:
        kept.update(line("events", {"number": 0}))
        reader = threading.Thread(target=look)
        reader.start()
        for number in range(150):
            kept.update(line("events", {"number": number, "padding": "x" * 50_000}))
        stop.set()
        reader.join()

    assert (failures, len(seen) > 1) == ([], True)
