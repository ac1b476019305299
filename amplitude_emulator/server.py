"""The emulator as an object: assembles all parts and serves them from its own thread."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from aiohttp import web

from amplitude_emulator.application import ServerContext, make_application
from amplitude_emulator.archive_writer import ArchiveCache
from amplitude_emulator.blobs import DirectoryBlobs, MemoryBlobs
from amplitude_emulator.clock import EmulatorClock
from amplitude_emulator.content_control_api import ContentControlApi
from amplitude_emulator.control_api import ControlApi
from amplitude_emulator.event_intake import EventIntake
from amplitude_emulator.export_api import DEFAULT_PUBLISH_DELAY_HOURS, ExportApi, ExportOptions
from amplitude_emulator.faults import Faults
from amplitude_emulator.ingestion_api import IngestionApi
from amplitude_emulator.project import DEFAULT_PROJECT_ID, Project, Region, make_project
from amplitude_emulator.request_log import RequestLog, RequestSeen
from amplitude_emulator.rest.access import RestApis
from amplitude_emulator.rest.content import ProjectContent
from amplitude_emulator.rest.storage import Storage
from amplitude_emulator.store import HourStore
from amplitude_emulator.workspace import Workspace, Workspaces

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

SHUTDOWN_SECONDS = 0.2


class Emulator:
    """A local Amplitude on a loopback port. Thread-safe.

    Args:
        now: The time at which the clock is stopped; None for the system's running clock.
        publish_delay_hours: How many hours after its start an hour can be exported.
        project_id: The id of the first project; its keys are derived from it and the seed.
        region: The region of the first project.
        seed: The seed of keys, uuids, amplitude ids and partitions, for reproducible runs.
        data_dir: The folder for the members; None keeps them in memory.
        host: The loopback address to listen on.
        port: The port to listen on; 0 for a free one.

    Example:
        >>> with Emulator() as emulator:
        ...     emulator.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        *,
        now: datetime | None = None,
        publish_delay_hours: float = DEFAULT_PUBLISH_DELAY_HOURS,
        project_id: int = DEFAULT_PROJECT_ID,
        region: Region = "us",
        seed: int = 7,
        data_dir: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        _require_loopback(host)
        self.clock = EmulatorClock(now)
        self.faults = Faults()
        self.seed = seed
        self._start = now
        self._options = ExportOptions(publish_delay_hours)
        self._data_dir = data_dir
        self._address = (host, port)
        self._log = RequestLog()
        self._workspaces = Workspaces()
        self._archives = ArchiveCache()
        self._storage = Storage(self.clock)
        self._export = ExportApi(self._workspaces, self.clock, self._archives, self._options)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._url = ""
        self.project = self.add_project(project_id=project_id, region=region)

    @property
    def url(self) -> str:
        """The base URL without a trailing slash; Amplitude's regions are ``/us`` and ``/eu`` below it."""
        if not self._url:
            raise RuntimeError("The emulator is not running; use it as a context manager or call start().")
        return self._url

    @property
    def store(self) -> HourStore:
        """The stored hours of the first project."""
        return self.store_of(self.project)

    @property
    def content(self) -> ProjectContent:
        """The lists, cohorts, settings and budgets of the first project."""
        return self.content_of(self.project)

    @property
    def requests(self) -> list[RequestSeen]:
        """A copy of the requests to Amplitude's paths so far, without the control routes."""
        return self._log.snapshot()

    @property
    def options(self) -> ExportOptions:
        """The options of exports; assign a changed copy (`dataclasses.replace`) to change them."""
        return self._export.options

    @options.setter
    def options(self, options: ExportOptions) -> None:
        self._export.options = options

    def add_project(self, *, project_id: int | None = None, region: Region = "us") -> Project:
        """Add a project, by default with the next free id, and return it with its keys.

        Raises:
            ValueError: The id is in use.
        """
        if project_id is None:
            project_id = max(project.project_id for project in self.projects) + 1
        project = make_project(project_id, region, self.seed)
        blobs = MemoryBlobs() if self._data_dir is None else DirectoryBlobs(self._data_dir)
        store = HourStore(project_id, blobs)
        intake = EventIntake(project_id, store, self.clock, self.seed)
        content = ProjectContent(project, self.clock, self.seed)
        self._workspaces.add(Workspace(project, store, intake, content))
        return project

    @property
    def projects(self) -> list[Project]:
        """All projects, in the order they were added."""
        return [workspace.project for workspace in self._workspaces.all()]

    def store_of(self, project: Project) -> HourStore:
        """Return the stored hours of a project."""
        return self._workspaces.get(project.project_id).store

    def content_of(self, project: Project) -> ProjectContent:
        """Return the lists, cohorts, settings and budgets of a project."""
        return self._workspaces.get(project.project_id).content

    def clear_requests(self) -> None:
        """Clear the request log."""
        self._log.clear()

    def reset(self) -> None:
        """Return to the initial state, so that tests can share one emulator.

        Members (also on disk), users, faults, requests and options are cleared. Lists, cohorts and settings
        are the sample ones again, budgets are full, and the clock is set to ``now``. Projects, the port and
        open connections stay.
        """
        for workspace in self._workspaces.all():
            workspace.store.clear()
            workspace.intake.clear()
            workspace.content.reset()
        self._storage.clear()
        self.faults.clear()
        self._log.clear()
        self._archives.clear()
        self._export.options = self._options
        if self._start is not None:
            self.clock.set(self._start)

    def start(self) -> None:
        """Listen, and return once connections are accepted. Raise OSError if the port is in use."""
        started: Future[str] = Future()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(started),), name="amplitude-emulator", daemon=True
        )
        self._thread.start()
        try:
            self._url = started.result()
        finally:
            if not self._url:  # the thread ends by itself; stop() is not needed
                self._thread.join()
                self._thread = None

    def stop(self) -> None:
        """Close all connections and end the thread. A stopped emulator cannot be started again."""
        if self._thread is not None and self._loop is not None and self._closing is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()
            self._thread = None
        self._archives.close()
        self._url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _serve(self, started: Future[str]) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        runner = self._make_runner(self._closing)
        await runner.setup()
        try:
            host, port = self._address
            await web.TCPSite(runner, host, port).start()
            address = runner.addresses[0]
            shown = f"[{address[0]}]" if ":" in address[0] else address[0]
            started.set_result(f"http://{shown}:{address[1]}")
            await self._closing.wait()
        except OSError as error:
            started.set_exception(error)
        finally:
            started.cancel()  # start() must not wait forever after another error
            await runner.cleanup()

    def _make_runner(self, closing: asyncio.Event) -> web.AppRunner:
        context = ServerContext(self.clock, self.faults, self._log, closing)
        ingestion = IngestionApi(self._workspaces)
        control = ControlApi(self._workspaces, self.clock, self.faults, self._log, self.reset)
        content_control = ContentControlApi(self._workspaces)
        rest = RestApis(self._workspaces, self.clock, self._storage)
        application = make_application(context, self._export, ingestion, rest, [control, content_control])
        # Keep-alive connections of idle clients must not delay the end of a test.
        return web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)


def _require_loopback(host: str) -> None:
    """Refuse addresses that other machines can reach: the control routes have no authentication."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(f"{host} is not a loopback address. The emulator accepts local connections only.")
