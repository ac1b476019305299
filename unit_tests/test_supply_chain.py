"""The lock of the image fits pyproject.toml, and ``make audit`` refuses licences that do not fit MIT."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from source_amplitude.distribution import DISTRIBUTION

ROOT = Path(__file__).parents[1]
LICENCES = ROOT / ".ci" / "licences.py"
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

NAMES_OF_EXCEPTIONS = ("rich-click", "unidecode")
LEFT_OUT = "unidecode"
PROCESSORS = ("x86_64", "aarch64")


class Package(TypedDict):
    """An entry of ``pip-licenses --format json``."""

    Name: str
    Version: str
    License: str


def locked() -> dict[str, tuple[Version, list[str]]]:
    """Return the version and the hashes of each package in the lock."""
    entries = re.findall(r"^([^\s#=]+)==(\S+) \\\n((?: +--hash=\S+(?: \\)?\n)+)", LOCK, re.MULTILINE)
    return {name: (Version(version), re.findall(r"sha256:([0-9a-f]{64})\b", lines)) for name, version, lines in entries}


def required_by_the_image() -> dict[str, Requirement]:
    """Return what the package and its build require, extras left out."""
    build = re.findall(r'^requires = \["(.*)"\]$', PYPROJECT, re.MULTILINE)
    runtime = metadata.requires(DISTRIBUTION) or []
    requirements = [Requirement(text) for text in (*build, *runtime)]
    return {canonicalize_name(each.name): each for each in requirements if "extra ==" not in str(each.marker)}


def audit(*packages: Package) -> tuple[int, str, list[str]]:
    done = subprocess.run(
        [sys.executable, str(LICENCES)], input=json.dumps(packages), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


def accepted() -> list[Package]:
    """Return the packages that have an exception."""
    return [Package(Name=name, Version="1", License="GPL-2.0-or-later") for name in NAMES_OF_EXCEPTIONS]


def test_lock_satisfies_every_requirement() -> None:
    versions = {name: version for name, (version, _) in locked().items()}

    unsatisfied = {
        name: str(requirement)
        for name, requirement in required_by_the_image().items()
        if name not in versions or not requirement.specifier.contains(versions[name], prereleases=True)
    }

    assert unsatisfied == {}
    assert {"airbyte-cdk", "requests", "poetry-core"} <= versions.keys()


@pytest.mark.parametrize("processor", PROCESSORS)
def test_lock_holds_for_every_processor_of_the_image(processor: str) -> None:
    environment = {"platform_machine": processor, "sys_platform": "linux", "python_version": "3.13"}

    ignored = [
        name for name, each in required_by_the_image().items() if each.marker and not each.marker.evaluate(environment)
    ]

    assert ignored == []
    assert processor in (ROOT / ".ci" / "lock").read_text(encoding="utf-8")


def test_every_line_of_the_lock_is_a_pin_with_hashes() -> None:
    pins = [line for line in LOCK.splitlines() if line[:1] not in ("", " ", "#")]

    assert [line.partition("==")[0] for line in pins] == list(locked())
    assert [name for name, (_, hashes) in locked().items() if not hashes] == []


def test_image_installs_only_from_the_lock() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")

    installs = [" ".join(line.split()) for line in re.findall(r"pip install ([^&\n]+)", text)]

    assert installs == [
        "--no-cache-dir --no-deps --require-hashes --only-binary :all: --requirement requirements.lock",
        "--no-cache-dir --no-deps --no-index --no-build-isolation .",
    ]


def test_package_that_the_image_leaves_out_is_never_imported() -> None:
    spec = find_spec("airbyte_cdk")
    assert spec is not None
    assert spec.origin is not None
    sources = Path(spec.origin).parent.rglob("*.py")

    importing = [str(path) for path in sources if LEFT_OUT in path.read_text(encoding="utf-8")]

    assert importing == []
    assert LEFT_OUT not in locked()


def test_audit_covers_every_extra_that_users_install() -> None:
    extras = set(metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or [])
    audited = re.findall(r"^RUNTIME := '\.\[(.*)\]'$", MAKEFILE, re.MULTILINE)

    assert [set(names.split(",")) for names in audited] == [extras - {"dev"}]


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "MIT License",
        "Apache-2.0 OR GPL-3.0-only",
        "MPL-2.0 AND (Apache-2.0 OR MIT)",
        "Apache Software License; BSD License",
    ],
)
def test_audit_accepts_licences_that_fit(licence: str) -> None:
    exit_code, table, found = audit(*accepted(), Package(Name="Some_Lib", Version="2.1", License=licence))

    assert (exit_code, found) == (0, [])
    assert f"some_lib                             2.1                {licence}" in table.splitlines()


@pytest.mark.parametrize(
    "licence",
    [
        "UNKNOWN",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "MIT License; Other/Proprietary License",
        "Apache-2.0 WITH LLVM-exception",
        "AND",
    ],
)
def test_audit_refuses_other_licences(licence: str) -> None:
    result = audit(*accepted(), Package(Name="other", Version="2.1", License=licence))

    assert (result[0], result[2]) == (1, [f"other 2.1: the licence {licence} is not allowed."])


def test_audit_refuses_an_empty_licence() -> None:
    result = audit(*accepted(), Package(Name="other", Version="2.1", License=""))

    assert (result[0], result[2]) == (1, ["other 2.1: the licence UNKNOWN is not allowed."])


def test_audit_refuses_an_exception_that_is_not_needed() -> None:
    free = Package(Name="rich-click", Version="2", License="MIT")

    result = audit(free, accepted()[1])

    assert (result[0], result[2]) == (1, ["The exception for rich-click is not needed; remove it."])


def test_audit_of_no_packages_fails() -> None:
    assert audit() == (1, "", ["pip-licenses listed no packages."])
