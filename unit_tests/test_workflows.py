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

PINNED = re.compile(r"\./\.github/workflows/\w+\.yml|[\w.-]+/[\w./-]+@(v\d+|release/v\d+|[0-9a-f]{40})")
WRITERS = {
    ("release.yml", "pypi"): {"id-token": "write"},
    ("release.yml", "image"): {"contents": "read", "packages": "write"},
}
"""The permissions of the publishing jobs; all other jobs may only read."""


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


def test_only_publishing_jobs_have_write_permissions() -> None:
    tops = {path.name: load(path)["permissions"] for path in WORKFLOWS}
    others = {(file, name): job["permissions"] for file, name, job in jobs() if "permissions" in job}

    assert tops == {path.name: {"contents": "read"} for path in WORKFLOWS}
    assert others == WRITERS


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
    assert needs["pypi"] == needs["image"] == ["test", "wheel"]
    assert release["test"]["uses"] == "./.github/workflows/test.yml"


def test_every_action_is_pinned() -> None:
    used = {step["uses"] for _, step in steps() if "uses" in step}
    used |= {job["uses"] for _, _, job in jobs() if "uses" in job}

    assert [name for name in sorted(used) if not PINNED.fullmatch(name)] == []


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

    assert sorted(targets) == ["test-image", "test-spark", "test-upstream"]
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
