"""The image without a Docker engine: run the Dockerfile's steps, and the result, in a folder as root directory.

The folder has this machine's ``/usr``, an empty virtual environment as ``/usr/local``, and a Python. Only the base
image differs from Airbyte's.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from integration_tests.image.dockerfile import PROJECT, context_files, read_dockerfile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration_tests.image.dockerfile import Dockerfile

AIRBYTE_UID = 1000
"""The user id in Airbyte's base image."""

BASE_PYTHON = (3, 13)
PYTHON_VARIABLE = "IMAGE_PYTHON"
_ENTER = Path(__file__).with_name("enter.sh")
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_FOLDERS = ("usr", "etc", "proc", "dev", "tmp", "opt", "root", "config", "airbyte")
_LINKS = ("bin", "sbin", "lib", "lib64")
_BUILD_VARIABLES = ("PIP_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
_STEP_SECONDS, _RUN_SECONDS = 900, 120


class NoNamespaceError(RuntimeError):
    """This machine does not allow mounts, even in a private namespace."""


class NoBasePythonError(RuntimeError):
    """This machine does not have the base image's Python, for which ``requirements.lock`` was made."""


@dataclass(frozen=True)
class CommandResult:
    """The exit code and the output of a command."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Image:
    """A folder created by `build`."""

    folder: Path
    python: Path
    dockerfile: Dockerfile

    @property
    def workdir(self) -> Path:
        """The image's working directory, as a path of this machine."""
        return self.folder / "root" / self.dockerfile.workdir.lstrip("/")

    @property
    def packages(self) -> Path:
        """The folder of the installed packages."""
        return next((self.folder / "local" / "lib").glob("python3.*")) / "site-packages"

    def run(self, *arguments: str, config: Path, environ: Mapping[str, str] | None = None) -> CommandResult:
        """Run the entrypoint like ``docker run --read-only --tmpfs /tmp -v config:/config:ro``."""
        return self.shell(shlex.join([*self.dockerfile.entrypoint, *arguments]), config=config, environ=environ)

    def shell(
        self, command: str, *, config: Path, environ: Mapping[str, str] | None = None, workdir: str | None = None
    ) -> CommandResult:
        """Run a shell command as the image's user; everything except ``/tmp`` is read-only."""
        variables = self.dockerfile.environ | dict(environ or {})
        rights = ["--reuid", str(AIRBYTE_UID), "--regid", str(AIRBYTE_UID), "--clear-groups"]
        rights += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
        line = f"cd {shlex.quote(workdir or self.dockerfile.workdir)} && {command}"
        return self._enter("ro", config, variables | {"HOME": "/nonexistent"}, ["setpriv", *rights, "sh", "-c", line])

    def step(self, command: str, environ: Mapping[str, str]) -> CommandResult:
        """Run a shell command as root in the working directory; changes are kept."""
        line = f"cd {shlex.quote(self.dockerfile.workdir)} && {command}"
        return self._enter("rw", self.folder / "empty", {**environ, "HOME": "/root"}, ["sh", "-c", line])

    def _enter(self, mode: str, config: Path, environ: Mapping[str, str], command: list[str]) -> CommandResult:
        variables = [f"{name}={value}" for name, value in {"PATH": _PATH, **environ}.items()]
        inside = ["/usr/bin/env", "-i", *variables, *command]
        arguments = [str(_ENTER), str(self.folder), str(self.python), mode, str(config), *inside]
        done = subprocess.run(
            [*unshare(), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_STEP_SECONDS if mode == "rw" else _RUN_SECONDS,
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)


def build(folder: Path) -> Image:
    """Build the image in an empty folder; installs from the package index.

    Raises:
        NoBasePythonError: This machine does not have the base image's Python.
        NoNamespaceError: This machine does not allow mounts.
        RuntimeError: A step failed; the text is its output.
    """
    image = Image(folder, base_python(), read_dockerfile(PROJECT / "Dockerfile"))
    require_namespace()
    _make_base(image)
    environ = {name: value for name, value in os.environ.items() if name.startswith(_BUILD_VARIABLES)}
    # The base image has no compiler, so a dependency that needs one must fail here too.
    environ |= image.dockerfile.environ | {"PIP_ONLY_BINARY": ":all:"}
    _require(image.step(f"{image.python}/bin/python3 -m venv /usr/local", environ))
    for word, rest in image.dockerfile.steps:
        if word == "COPY":
            _copy(rest.split(), image.workdir)
        else:
            _require(image.step(rest, environ))
    return image


def base_python() -> Path:
    """Return the folder of a Python of the base image's version.

    Raises:
        NoBasePythonError: Neither ``IMAGE_PYTHON``, nor the running Python, nor ``~/.pyenv`` has this version.
    """
    named = os.environ.get(PYTHON_VARIABLE)
    if named:
        return Path(named)
    if sys.version_info[:2] == BASE_PYTHON:
        return Path(sys.base_prefix)
    version = ".".join(map(str, BASE_PYTHON))
    found = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}*"))
    if not found:
        raise NoBasePythonError(f"The image needs Python {version}; name its folder in {PYTHON_VARIABLE}.")
    return found[0]


def unshare() -> list[str]:
    """Return the command for a private mount namespace; if not root, with a user namespace."""
    return ["unshare", "--mount", "--fork", "--pid", *([] if os.getuid() == 0 else ["--user", "--map-auto", "-r"])]


def require_namespace() -> None:
    """Verify that this machine allows mounts in a private namespace.

    Raises:
        NoNamespaceError: It does not.
    """
    try:
        test = subprocess.run(
            [*unshare(), "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False, text=True
        )
    except OSError as error:
        raise NoNamespaceError(f"Cannot run unshare: {error}") from error
    if test.returncode:
        raise NoNamespaceError(f"Cannot mount: {test.stderr.strip()}")


def _make_base(image: Image) -> None:
    root = image.folder / "root"
    for name in _FOLDERS:
        (root / name).mkdir(parents=True)
    for name in _LINKS:
        (root / name).symlink_to(f"usr/{name}")
    for name in ("local", "empty"):
        (image.folder / name).mkdir()
    _make_etc(root / "etc")
    os.chown(root / "airbyte", AIRBYTE_UID, AIRBYTE_UID)
    image.workdir.mkdir(parents=True)
    if not image.python.is_relative_to("/opt"):
        (root / image.python.relative_to("/")).mkdir(parents=True, exist_ok=True)
    for path in (image.folder, root):
        path.chmod(0o755)


def _make_etc(etc: Path) -> None:
    (etc / "passwd").write_text(
        f"root:x:0:0:root:/root:/bin/sh\nairbyte:x:{AIRBYTE_UID}:{AIRBYTE_UID}::/nonexistent:/usr/sbin/nologin\n"
    )
    (etc / "group").write_text(f"root:x:0:\nairbyte:x:{AIRBYTE_UID}:\n")
    for name in ("hosts", "resolv.conf", "nsswitch.conf", "pip.conf", "ld.so.cache", "ld.so.conf", "localtime"):
        if (Path("/etc") / name).is_file():
            shutil.copy(Path("/etc") / name, etc / name)
    if Path("/etc/ssl").is_dir():
        shutil.copytree("/etc/ssl/certs", etc / "ssl" / "certs", ignore_dangling_symlinks=True)


def _copy(names: list[str], workdir: Path) -> None:
    """Copy the files of a COPY instruction from the build context; a folder's content goes into the target."""
    *sources, target = names
    for source in sources:
        for path in context_files(PROJECT):
            if path == Path(source) or Path(source) in path.parents:
                inner = path.name if path == Path(source) else path.relative_to(source)
                place = workdir / target / inner
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / path, place)


def _require(result: CommandResult) -> None:
    if result.exit_code:
        raise RuntimeError(f"A build step failed with exit code {result.exit_code}:\n{result.stdout}\n{result.stderr}")
