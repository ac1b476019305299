"""A plain client of the emulator for its tests, without retries."""

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
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)

    @property
    def tree(self) -> dict[str, Any]:
        """The body as a JSON object."""
        content = self.json
        assert isinstance(content, dict)
        return content

    @property
    def members(self) -> dict[str, bytes]:
        """The zip's members, with verified checksums."""
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
    ) -> Response:
        connection = http.client.HTTPConnection(self._address, timeout=self._timeout_seconds)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            try:
                return Response(response.status, dict(response.headers), response.read())
            finally:
                response.close()
        finally:
            connection.close()

    def get(self, path: str, project: Project | None = None) -> Response:
        """Send a GET with a project's keys; the path includes the region."""
        selected = project or self._emulator.project
        return self.request("GET", path, headers=basic(selected.api_key, selected.secret_key))

    def export(self, start: str, end: str | None = None, project: Project | None = None) -> Response:
        selected = project or self._emulator.project
        return self.get(f"/{selected.region}/api/2/export?start={start}&end={end or start}", selected)

    def upload(self, events: Sequence[object], path: str = "/us/2/httpapi", **body: object) -> Response:
        content = {"api_key": self._emulator.project.api_key, "events": events, **body}
        headers = {"Content-Type": "application/json"}
        return self.request("POST", path, json.dumps(content).encode(), headers)

    def control(self, method: str, path: str, content: object = None) -> Response:
        body = None if content is None else json.dumps(content).encode()
        return self.request(method, f"/_emulator/{path}", body)


def basic(api_key: str, secret_key: str) -> dict[str, str]:
    token = base64.b64encode(f"{api_key}:{secret_key}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def envelope(
    status: int, details: str, message: str = "Unspecified Error", error_type: str = "unspecified"
) -> dict[str, object]:
    """Return the error body of ``amplitude.com/api`` (reference 0.3)."""
    shown = {} if status == 403 else {"message": message}
    error = {"http_code": status, "type": error_type, **shown, "metadata": {"details": details}}
    return {"error": error}
