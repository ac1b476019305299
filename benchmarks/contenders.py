"""The measured programs: names, versions and command lines."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import environments
from benchmarks.archives import utc_text
from benchmarks.environments import Environment
from benchmarks.measuring import ANY_LINE, Command
from integration_tests.environments import NoSuitablePythonError
from integration_tests.upstream import environment as published
from integration_tests.upstream.connectors import EVENTS_CATALOG, TRUST
from integration_tests.upstream.differences import Difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.archives import Archives, Read
    from unit_tests.peers.peer import Peer

HERE = Path(__file__).parent
_EMPTY_TEXT = frozenset({Difference.EMPTY_DATETIME})
_FULL_SECOND = _EMPTY_TEXT | {Difference.NO_FRACTION}


@dataclass(frozen=True)
class Contender:
    """A measured program.

    Attributes:
        name: The name for ``--only``.
        title: The name in tables.
        versions: The installed versions.
        read: Returns the command of a read; the path is a folder for its files.
        start: Returns the command that measures its start: ``spec``, or a read of an empty range.
        start_title: The description of `start`.
        differences: The allowed differences of its records from ours.
        emits_records: Whether it prints Airbyte messages instead of raw lines.
        actions: Returns all commands by name; only for our connector.
    """

    name: str
    title: str
    versions: str
    read: Callable[[Archives, Read, Path], Command]
    start: Callable[[Archives, Path], Command]
    start_title: str = "spec"
    differences: frozenset[Difference] = field(default_factory=frozenset)
    emits_records: bool = True
    actions: Callable[[Archives, Path], dict[str, Command]] | None = None


def make_contenders(only: Sequence[str], others: Iterable[Path] = ()) -> tuple[list[Contender], list[str]]:
    """Create the environments of the requested contenders; return them, and notes about the omitted ones.

    Args:
        only: The names, in the order of the tables; all if empty.
        others: More checkouts of our connector, to compare versions.
    """
    notes = []
    found = []
    for name, make in MAKERS.items():
        if only and name not in only:
            continue
        try:
            found.append(make())
        except NoSuitablePythonError as reason:
            notes.append(f"{name} is omitted: {reason}")
    found += [_ours(path.resolve(), path.resolve().name) for path in others]
    return found, notes


def _ours(project: Path = environments.PROJECT, name: str = "ours") -> Contender:
    environment = environments.make_ours(project, name)
    program = str(environment.command("source-amplitude"))

    def run(archives: Archives, read: Read, folder: Path, action: str) -> Command:
        config = _config(archives, read) | {"end_date": utc_text(read.end)}
        numbers = {"num_workers": read.workers, "num_processes": read.processes}
        config |= {name: value for name, value in numbers.items() if value is not None}
        files = _files(folder, config) if action == "read" else _files(folder, config)[:2]
        return Command((program, action, *files), {"AMPLITUDE_API_URL": archives.served.url})

    def actions(archives: Archives, folder: Path) -> dict[str, Command]:
        quick = {action: Command((program, action)) for action in ("spec", "--version", "--help")}
        read = archives.read_of_nothing()
        return quick | {action: run(archives, read, folder, action) for action in ("check", "discover", "read")}

    return Contender(
        name,
        name,
        environment.versions("source-amplitude-ledger", "airbyte-cdk", "isal", "msgspec", "orjson", "requests"),
        lambda archives, read, folder: run(archives, read, folder, "read"),
        lambda *_: Command((program, "spec")),
        actions=actions,
    )


def _published() -> Contender:
    published.ENVIRONMENT.make()
    program = str(published.COMMAND)
    environment = Environment(published.ENVIRONMENT.folder)

    def read(archives: Archives, read: Read, folder: Path) -> Command:
        variables = {
            "HTTPS_PROXY": archives.served.proxy_url,
            "REQUESTS_CA_BUNDLE": archives.served.certificate,
            "PYTHONPATH": str(TRUST),
        }
        return Command((program, "read", *_files(folder, _config(archives, read))), variables)

    return Contender(
        "0.6.19",
        _with_space(published.ENVIRONMENT.requirement),
        environment.versions(published.PACKAGE, "airbyte-cdk", "requests"),
        read,
        lambda *_: Command((program, "spec")),
        differences=_FULL_SECOND | {Difference.TOP_LEVEL_NULL},
    )


def _declarative() -> Contender:
    environment = environments.make_declarative()
    program = str(environment.command("source-declarative-manifest"))
    manifest = HERE / "declarative"
    paths = ("--manifest-path", str(manifest / "manifest.yaml"), "--components-path", str(manifest / "datetimes.py"))
    variables = {"AIRBYTE_ENABLE_UNSAFE_CODE": "true"}

    def read(archives: Archives, read: Read, folder: Path) -> Command:
        config = _config(archives, read) | {"api_url": f"{archives.served.url}/us"}
        return Command((program, "read", *_files(folder, config), *paths), variables, manifest)

    return Contender(
        "declarative",
        "source-declarative-manifest",
        environment.versions("airbyte-cdk", "requests"),
        read,
        lambda *_: Command((program, "spec"), variables),
        differences=_FULL_SECOND,
    )


def _bare(name: str, title: str, *options: str, module: str = "bare_script") -> Contender:
    environment = environments.make_bare()

    def read(archives: Archives, read: Read, _: Path) -> Command:
        served = archives.served
        hours = f"{read.start:%Y%m%dT%H}", f"{read.end:%Y%m%dT%H}", str(read.window_hours)
        script = str(environment.python), "-m", f"benchmarks.{module}"
        arguments = f"{served.url}/us", served.api_key, served.secret_key, *hours, *options
        return Command((*script, *arguments), folder=environments.PROJECT)

    versions = environment.versions(*(package.partition("==")[0] for package in environments.BARE_PACKAGES))
    return Contender(name, title, versions, read, _reading_nothing(read), "no window", differences=_EMPTY_TEXT)


def _curl() -> Contender:
    def read(archives: Archives, read: Read, _: Path) -> Command:
        served = archives.served
        keys = f"{served.api_key}:{served.secret_key}"
        windows = (f"{first}-{last}" for first, last in read.windows)
        return Command((str(HERE / "curl_pipeline.sh"), f"{served.url}/us", keys, *windows), needle=ANY_LINE)

    return Contender(
        "curl",
        "curl, unzip, zcat",
        _versions_of_the_system(),
        read,
        _reading_nothing(read),
        "no window",
        emits_records=False,
    )


MAKERS: dict[str, Callable[[], Contender]] = {
    "ours": _ours,
    "0.6.19": _published,
    "declarative": _declarative,
    "bare": lambda: _bare("bare", "bare script"),
    "structs": lambda: _bare("structs", "bare script with structs", module="bare_struct_script"),
    "wide": lambda: _bare("wide", "bare script, 1 MB pipe", "wide"),
    "curl": _curl,
}


def _reading_nothing(read: Callable[[Archives, Read, Path], Command]) -> Callable[[Archives, Path], Command]:
    return lambda archives, folder: read(archives, archives.read_of(0), folder)


def _config(archives: Archives, read: Read) -> dict[str, Any]:
    return {
        "api_key": archives.served.api_key,
        "secret_key": archives.served.secret_key,
        "start_date": utc_text(read.start),
        "request_time_range": read.window_hours,
    }


def _files(folder: Path, config: dict[str, Any]) -> tuple[str, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    arguments = []
    for name, content in {"config": config, "catalog": EVENTS_CATALOG}.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        arguments += [f"--{name}", str(path)]
    return tuple(arguments)


def landing_command(archives: Archives, read: Read, folder: Path, destination: Peer, format_: str = "raw") -> Command:
    """Return our command ``land`` for a read's archives.

    Args:
        archives: The emulator.
        read: The hours to land.
        folder: The folder for the configuration.
        destination: The destination.
        format_: The format.
    """
    program = str(environments.make_ours().command("source-amplitude"))
    config = _files(folder, _config(archives, read))[:2]
    hours = "--start", f"{read.start:%Y-%m-%dT%H}", "--end", f"{read.end:%Y-%m-%dT%H}"
    variables = {**destination.environ, "AMPLITUDE_API_URL": archives.served.url}
    return Command(
        (program, "land", *config, "--to", destination.url, *hours, "--format", format_), variables, needle=ANY_LINE
    )


def our_download(archives: Archives, read: Read, folder: Path) -> Command:
    """Return a command that downloads and verifies a read's archives with our code, without a destination."""
    program = str(environments.make_ours().python), str(HERE / "our_download.py")
    config = _files(folder, _config(archives, read))[1]
    hours = f"{read.start:%Y-%m-%dT%H}", f"{read.end:%Y-%m-%dT%H}"
    return Command((*program, config, *hours), {"AMPLITUDE_API_URL": archives.served.url}, needle=ANY_LINE)


def _versions_of_the_system() -> str:
    """Return the versions of curl, unzip and gzip; some print them on the second line."""
    found = []
    for command in (("curl", "--version"), ("unzip", "-v"), ("gzip", "--version")):
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        found.append(" ".join(answer.stdout.split()[:2]))
    return ", ".join(found)


def _with_space(requirement: str) -> str:
    return requirement.replace("==", " ")


def plain_connector(action: str, folder: Path) -> Command:
    """Return a command of the minimal CDK connector, with the same CDK as ours."""
    python = str(environments.make_ours().python)
    files = () if action == "spec" else _files(folder, {})[:2]
    return Command((python, str(HERE / "plain_connector.py"), action, *files))


def by_the_cdks_entrypoint(command: Command) -> Command:
    """Return a command of our connector, run by the CDK's entrypoint instead of our command line."""
    program = (
        "import sys; from airbyte_cdk.entrypoint import launch; from source_amplitude import SourceAmplitude; "
        "launch(SourceAmplitude(), sys.argv[1:])"
    )
    return replace(command, arguments=(str(environments.make_ours().python), "-c", program, *command.arguments[1:]))


def cdk_import() -> Command:
    """Return a command that imports only what every CDK connector imports."""
    return Command((str(environments.make_ours().python), "-c", "import airbyte_cdk.entrypoint"))


def inner_loop(member: Path, times: int) -> Command:
    """Return a command that runs the bare script's inner loop on one compressed member."""
    python = str(environments.make_bare().python)
    return Command((python, "-m", "benchmarks.inner_loop", str(member), str(times)), folder=environments.PROJECT)
