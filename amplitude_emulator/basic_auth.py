"""HTTP Basic authentication with a project's key pair, for all of ``amplitude.com/api`` (reference 0.2)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from amplitude_emulator.errors import FORBIDDEN, INVALID_API_KEY, INVALID_KEY_COMBINATION, RequestRefusedError

if TYPE_CHECKING:
    from amplitude_emulator.project import Region
    from amplitude_emulator.workspace import Workspace, Workspaces


def authorised_workspace(workspaces: Workspaces, authorization: str, region: Region) -> Workspace:
    """Return the project of an ``Authorization`` header.

    Raises:
        RequestRefusedError: The key is unknown in this region, or the secret key does not match (403).
    """
    api_key, secret_key = _read_basic(authorization)
    workspace = workspaces.with_api_key(api_key, region)
    if workspace is None:
        raise RequestRefusedError(FORBIDDEN, INVALID_API_KEY)
    if workspace.project.secret_key != secret_key:
        raise RequestRefusedError(FORBIDDEN, INVALID_KEY_COMBINATION)
    return workspace


def _read_basic(authorization: str) -> tuple[str, str]:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    api_key, _, secret_key = text.partition(":")
    return api_key, secret_key
