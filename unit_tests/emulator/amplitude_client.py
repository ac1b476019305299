"""A plain client of the emulator for its tests: no retries, nothing hidden."""

from __future__ import annotations

import base64
import gzip
import http.client
import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amplitude_emulator import Emulator, Project


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)

    @property
    def tree(self) -> dict[str, Any]:
        """A JSON object whose parts a test looks into."""
        content = self.json
        assert isinstance(content, dict)
        return content

    @property
    def members(self) -> dict[str, bytes]:
        """The zip's members, each read with its checksum."""
        with zipfile.ZipFile(io.BytesIO(self.body)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    @property
    def lines(self) -> list[bytes]:
        """All raw lines in the archive's order."""
        return [
            line
            for name, data in self.members.items()
            if name.endswith(".gz")
            for line in gzip.decompress(data).removesuffix(b"\n").split(b"\n")
        ]


class AmplitudeClient:
    def __init__(self, emulator: Emulator, timeout_seconds: float = 10) -> None:
        self._emulator = emulator
        self._address = urlsplit(emulator.url).netloc
        self._timeout_seconds = timeout_seconds

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(self._address, timeout=self._timeout_seconds)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            try:
                return Answer(response.status, dict(response.headers), response.read())
            finally:
                response.close()
        finally:
            connection.close()

    def get(self, path: str, project: Project | None = None) -> Answer:
        """GET with a project's keys; the path is given as it is, region included."""
        asked = project or self._emulator.project
        return self.request("GET", path, headers=basic(asked.api_key, asked.secret_key))

    def export(self, start: str, end: str | None = None, project: Project | None = None) -> Answer:
        asked = project or self._emulator.project
        return self.get(f"/{asked.region}/api/2/export?start={start}&end={end or start}", asked)

    def upload(self, events: Sequence[object], path: str = "/us/2/httpapi", **body: object) -> Answer:
        content = {"api_key": self._emulator.project.api_key, "events": events, **body}
        headers = {"Content-Type": "application/json"}
        return self.request("POST", path, json.dumps(content).encode(), headers)

    def control(self, method: str, path: str, order: object = None) -> Answer:
        body = None if order is None else json.dumps(order).encode()
        return self.request(method, f"/_emulator/{path}", body)


def basic(api_key: str, secret_key: str) -> dict[str, str]:
    token = base64.b64encode(f"{api_key}:{secret_key}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def envelope(
    status: int, details: str, message: str = "Unspecified Error", error_type: str = "unspecified"
) -> dict[str, object]:
    """The error body of ``amplitude.com/api`` as section 0.3 of the reference shows it."""
    shown = {} if status == 403 else {"message": message}
    error = {"http_code": status, "type": error_type, **shown, "metadata": {"details": details}}
    return {"error": error}
