"""A project and its keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, get_args

Region = Literal["us", "eu"]
REGIONS: tuple[Region, ...] = get_args(Region)

DEFAULT_PROJECT_ID = 100200


@dataclass(frozen=True)
class Project:
    """One Amplitude project with its key pair, which belongs to exactly one region (reference 0.1)."""

    project_id: int
    api_key: str
    secret_key: str
    region: Region


def make_project(project_id: int = DEFAULT_PROJECT_ID, region: Region = "us", seed: int = 7) -> Project:
    """Return a project with keys derived from the seed, the same in every run.

    Keys look like Amplitude's: 32 lower-case hexadecimal characters.
    """
    return Project(
        project_id=project_id,
        api_key=_key(f"{seed}/{project_id}/api"),
        secret_key=_key(f"{seed}/{project_id}/secret"),
        region=region,
    )


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
