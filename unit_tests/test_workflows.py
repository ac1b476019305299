"""The GitHub workflows match the project, have minimal permissions and use no secrets."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CHECK_VERSION = ROOT / ".ci" / "check_version.py"
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

PINS = {
    "actions/checkout": "11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2",
    "actions/download-artifact": "d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0",
    "actions/setup-java": "c5195efecf7bdfc987ee8bae7a71cb8b11521c00 # v4.7.1",
    "actions/setup-node": "49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0",
    "actions/setup-python": "a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0",
    "actions/upload-artifact": "ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2",
    "docker/build-push-action": "263435318d21b8e681c14492fe198d362a7d2c83 # v6.18.0",
    "docker/login-action": "74a5d142397b4f367a81961eba4e8cd7edddf772 # v3.4.0",
    "docker/setup-buildx-action": "e468171a9de216ec08956ac3ada2f0791b6bd435 # v3.11.1",
    "pypa/gh-action-pypi-publish": "76f52bc884231f62b9a034ebfe128415bbaabdfc # v1.12.4",
}
"""Commits that were compared with several public sources. Compare all 40 digits of a new one before it is added."""

OTHER_PERMISSIONS = {
    ("release.yml", "install"): {},
    ("release.yml", "pypi"): {"id-token": "write"},
    ("release.yml", "image"): {"contents": "read", "packages": "write"},
}
"""The jobs that do not only read the code. All with a right to write publish."""


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - YAML 1.1 would parse the key "on" as true
    return loaded


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path.name, name, job) for path in WORKFLOWS for name, job in load(path)["jobs"].items()]


def steps() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{file} {name}", step) for file, name, job in jobs() for step in job.get("steps", [])]


def scripts() -> list[tuple[str, str]]:
    return [(where, step["run"]) for where, step in steps() if "run" in step]


def test_workflows_exist_for_tests_images_and_releases() -> None:
    assert [path.name for path in WORKFLOWS] == ["docker.yml", "release.yml", "test.yml"]


def test_ci_runs_on_every_supported_python() -> None:
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)
    lowest = re.findall(r'^requires-python = ">=(3\.\d+),', PYPROJECT, re.MULTILINE)

    job = load(ROOT / ".github/workflows/test.yml")["jobs"]["test"]

    assert job["strategy"]["matrix"]["python"] == named == ["3.10", "3.11", "3.12", "3.13"]
    assert lowest == named[:1]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_each_job_gets_only_the_permissions_it_needs() -> None:
    tops = {path.name: load(path)["permissions"] for path in WORKFLOWS}
    granted = {(file, name): job.get("permissions") for file, name, job in jobs()}

    assert tops == {path.name: {} for path in WORKFLOWS}
    assert granted == {job: {"contents": "read"} for job in granted} | OTHER_PERMISSIONS


def test_jobs_that_write_run_in_an_environment() -> None:
    writers = {name: job for _, name, job in jobs() if "write" in job["permissions"].values()}
    environments = {name: job["environment"] for _, name, job in jobs() if "environment" in job}

    assert environments == {"pypi": "pypi", "image": "ghcr"}
    assert writers.keys() == environments.keys()


def test_only_a_tag_publishes() -> None:
    starts = {path.name: load(path)["on"] for path in WORKFLOWS}
    pushing = [where for where, step in steps() if step.get("with", {}).get("push") == "true"]

    assert starts["release.yml"] == {"push": {"tags": ["v*"]}}
    assert all("pull_request_target" not in start and "workflow_run" not in start for start in starts.values())
    assert pushing == ["release.yml image"]


def test_a_release_is_tested_before_it_is_published() -> None:
    release = load(ROOT / ".github/workflows/release.yml")["jobs"]

    needs = {name: job.get("needs") for name, job in release.items()}

    assert needs["test"] == needs["wheel"] == "version"
    assert needs["install"] == "wheel"
    assert needs["pypi"] == needs["image"] == ["test", "install"]
    assert release["test"]["uses"] == "./.github/workflows/test.yml"


def test_every_action_is_pinned_to_a_compared_commit() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    used = {step["uses"] for _, step in steps() if "uses" in step}
    called = {job["uses"] for _, _, job in jobs() if "uses" in job}

    written = re.findall(r"^ *(?:- )?uses: ([^.].*)$", text, re.MULTILINE)

    assert set(written) == {f"{action}@{pin}" for action, pin in PINS.items()}
    assert used == {line.partition(" ")[0] for line in written}
    assert called == {"./.github/workflows/test.yml"}


def test_a_release_builds_with_packages_of_the_lock() -> None:
    wheel = load(ROOT / ".github/workflows/release.yml")["jobs"]["wheel"]["steps"]

    commands = [line for step in wheel for line in step.get("run", "").splitlines()]

    assert [line for line in commands if "install" in line] == [
        "python -m pip install --no-deps --require-hashes --only-binary :all: --requirement requirements.lock"
    ]


def test_no_secret_is_used_and_no_token_is_persisted() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in WORKFLOWS}
    checkouts = [step for _, step in steps() if step.get("uses", "").startswith("actions/checkout@")]

    assert [name for name, text in texts.items() if "secrets." in text] == []
    assert {step["with"]["persist-credentials"] for step in checkouts} == {"false"}


def test_every_job_has_a_timeout() -> None:
    assert [name for _, name, job in jobs() if "uses" not in job and "timeout-minutes" not in job] == []


@pytest.mark.parametrize(("where", "script"), scripts())
def test_every_script_is_valid_shell_without_expressions(where: str, script: str) -> None:
    parsed = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)

    assert (parsed.returncode, parsed.stderr) == (0, ""), where
    assert "${{" not in script  # a branch name must not become shell code


def test_every_make_target_and_file_in_workflows_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = "\n".join(script for _, script in scripts())

    targets = re.findall(r"\bmake ([a-z-]+)", commands)
    files = re.findall(r"\.ci/[\w.]+", commands)

    assert sorted(targets) == ["audit", "test-image", "test-spark", "test-upstream"]
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
    assert [file for file in files if not (ROOT / file).is_file()] == []


def check_version(tag: str, folder: Path) -> tuple[int, list[str]]:
    program = folder / ".ci" / CHECK_VERSION.name
    done = subprocess.run([sys.executable, str(program), tag], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of all files that contain the version, set to 2.3.4."""
    for folder in (".ci", "source_amplitude"):
        (tmp_path / folder).mkdir()
    shutil.copy(CHECK_VERSION, tmp_path / ".ci")
    for name, pattern in {
        "pyproject.toml": r'(?m)^(version = ")[^"]+',
        "source_amplitude/distribution.py": r'(?m)^(VERSION = ")[^"]+',
        "metadata.yaml": r"(?m)^(  dockerImageTag: )\S+",
        "CHANGELOG.md": r"(?m)^(## \[)\d[^\]]+",
    }.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(re.sub(pattern, r"\g<1>2.3.4", text, count=1), encoding="utf-8")
    return tmp_path


def test_a_matching_tag_is_accepted(project: Path) -> None:
    assert check_version("v2.3.4", project) == (0, [])


@pytest.mark.parametrize("tag", ["2.3.4", "v2.3", "vnext", "v2.3.4; true"])
def test_a_tag_that_is_not_a_version_is_refused(project: Path, tag: str) -> None:
    assert check_version(tag, project) == (1, [f"{tag} is not a version such as v1.0.0."])


def test_every_mismatched_version_is_reported(project: Path) -> None:
    places = ("pyproject.toml", "source_amplitude/distribution.py", "metadata.yaml", "CHANGELOG.md")
    assert check_version("v2.3.5", project) == (1, [f"{name} contains 2.3.4, but the tag is 2.3.5." for name in places])


def test_an_undated_changelog_entry_is_refused(project: Path) -> None:
    (project / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", encoding="utf-8")

    assert check_version("v2.3.4", project) == (1, ["CHANGELOG.md contains no version, but the tag is 2.3.4."])
