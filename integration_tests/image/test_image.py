from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration_tests.image.dockerfile import PROJECT, context_files, read_dockerfile
from integration_tests.image.image import AIRBYTE_UID
from integration_tests.image.linters import actionlint, hadolint

if TYPE_CHECKING:
    from amplitude_emulator import Emulator
    from integration_tests.image.image import CommandResult, Image

# The first test with the image builds it.
pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

CATALOG = PROJECT / "integration_tests" / "configured_catalog.json"


@pytest.fixture
def config(emulator: Emulator, tmp_path: Path) -> Path:
    """The folder mounted as /config, readable for all users."""
    project = emulator.project
    config = {"api_key": project.api_key, "secret_key": project.secret_key, "start_date": "2026-03-04T00:00:00Z"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "wrong.json").write_text(json.dumps(config | {"secret_key": "0" * 32}), encoding="utf-8")
    (tmp_path / "catalog.json").write_text(CATALOG.read_text(encoding="utf-8"), encoding="utf-8")
    tmp_path.chmod(0o755)
    return tmp_path


def messages(result: CommandResult, kind: str) -> list[dict[str, Any]]:
    assert not result.stderr
    return [each for each in map(json.loads, result.stdout.split("\n")[:-1]) if each["type"] == kind]


def test_entrypoint_prints_the_spec(image: Image, tmp_path: Path) -> None:
    spec = json.loads((PROJECT / "source_amplitude" / "spec.json").read_text(encoding="utf-8"))

    result = image.run("spec", config=tmp_path)

    assert (result.exit_code, messages(result, "SPEC")) == (0, [{"type": "SPEC", "spec": spec}])


def test_check_accepts_valid_keys_and_denies_invalid_ones(image: Image, emulator: Emulator, config: Path) -> None:
    environ = {"AMPLITUDE_API_URL": emulator.url}

    right = image.run("check", "--config", "/config/config.json", config=config, environ=environ)
    wrong = image.run("check", "--config", "/config/wrong.json", config=config, environ=environ)

    assert messages(right, "CONNECTION_STATUS")[-1]["connectionStatus"] == {"status": "SUCCEEDED"}
    assert messages(wrong, "CONNECTION_STATUS")[-1]["connectionStatus"]["status"] == "FAILED"


def test_discover_prints_the_catalog(image: Image, emulator: Emulator, config: Path) -> None:
    expected = json.loads((PROJECT / "unit_tests" / "golden" / "catalog.json").read_text(encoding="utf-8"))

    result = image.run(
        "discover", "--config", "/config/config.json", config=config, environ={"AMPLITUDE_API_URL": emulator.url}
    )

    assert messages(result, "CATALOG")[0]["catalog"] == expected["catalog"]


def test_read_needs_only_a_writable_tmp(image: Image, emulator: Emulator, config: Path) -> None:
    result = image.run(
        *("read", "--config", "/config/config.json", "--catalog", "/config/catalog.json"),
        config=config,
        environ={"AMPLITUDE_API_URL": emulator.url},
    )

    uuids = [message["record"]["data"]["uuid"] for message in messages(result, "RECORD")]
    assert result.exit_code == 0, result.stdout
    assert sorted(uuids) == sorted(json.loads(line)["uuid"] for line in emulator.store.lines())


def test_airbyte_entrypoint_works_in_any_folder(image: Image, tmp_path: Path) -> None:
    variable = image.dockerfile.environ["AIRBYTE_ENTRYPOINT"]

    result = image.shell('eval "$AIRBYTE_ENTRYPOINT spec"', config=tmp_path, workdir="/")

    assert image.dockerfile.entrypoint == [variable]
    assert Path(variable).is_absolute()
    assert len(messages(result, "SPEC")) == 1


def test_user_is_airbyte_and_can_write_only_to_tmp(image: Image, tmp_path: Path) -> None:
    places = f"/ /airbyte {image.dockerfile.workdir} /usr/local /config /tmp"

    result = image.shell(f"id -u; for at in {places}; do test -w $at && echo $at; done; true", config=tmp_path)

    assert image.dockerfile.user == "airbyte"
    assert result.stdout.split() == [str(AIRBYTE_UID), "/tmp"]  # noqa: S108 - the one inside


def test_installed_files_equal_the_source(image: Image) -> None:
    expected = {path: (PROJECT / path).read_bytes() for path in context_files(PROJECT) if len(path.parts) > 1}

    installed = {path: (image.packages / path).read_bytes() for path in expected}

    assert installed == expected


def test_image_holds_the_lock_and_nothing_else(image: Image, tmp_path: Path) -> None:
    locked = re.findall(
        r"^([a-z0-9-]+)==(\S+)", (PROJECT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE
    )

    listed = image.shell("/usr/local/bin/pip list --format json", config=tmp_path)
    checked = image.shell("/usr/local/bin/pip check", config=tmp_path)

    installed = {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in json.loads(listed.stdout)}
    assert installed.keys() - dict(locked).keys() == {"pip", "source-amplitude-ledger"}
    assert {name: installed.get(name) for name, _ in locked} == dict(locked)
    airbyte_cdk = f"airbyte-cdk {installed['airbyte-cdk']}"
    assert checked.stdout.splitlines() == [f"{airbyte_cdk} requires unidecode, which is not installed."]


def test_context_excludes_tests_and_keys() -> None:
    tops = {path.parts[0] for path in context_files(PROJECT)}

    files = {"LICENSE", "README.md", "pyproject.toml", "requirements.lock"}
    assert tops == {*files, "source_amplitude", "amplitude_emulator"}
    assert not any("__pycache__" in path.parts for path in context_files(PROJECT))


def test_unsupported_instruction_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE_IMAGE=x\nFROM ${BASE_IMAGE}\nADD a b\n", encoding="utf-8")

    with pytest.raises(ValueError, match="Dockerfile has ADD"):
        read_dockerfile(tmp_path / "Dockerfile")


@pytest.mark.usefixtures("linters")
def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /x && pip install y\n", encoding="utf-8")

    assert "DL3003" in hadolint(tmp_path / "Dockerfile")  # the linter works
    assert hadolint(PROJECT / "Dockerfile") == ""


@pytest.mark.usefixtures("linters")
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    wrong = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ githb.ref }}\n"
    (tmp_path / "wrong.yml").write_text(wrong, encoding="utf-8")

    assert "undefined variable" in actionlint(tmp_path / "wrong.yml")
    assert actionlint(*sorted((PROJECT / ".github" / "workflows").glob("*.yml"))) == ""
