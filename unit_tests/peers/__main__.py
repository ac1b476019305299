"""A store for manual tests: ``python -m unit_tests.peers s3`` (or ``azure``) serves until it is interrupted."""

from __future__ import annotations

import argparse
import shlex
import sys
from contextlib import ExitStack, suppress
from threading import Event

from unit_tests.peers.azure import azure_account
from unit_tests.peers.s3 import make_bucket, s3_peer, s3_server


def main() -> None:
    """Print the URL and environment variables of a new bucket or container, and serve."""
    parser = argparse.ArgumentParser(prog="python -m unit_tests.peers", description=__doc__)
    parser.add_argument("cloud", choices=["s3", "azure"])
    cloud = parser.parse_args().cloud
    with ExitStack() as servers, suppress(KeyboardInterrupt):
        if cloud == "s3":
            address = servers.enter_context(s3_server())
            peer = s3_peer(address, make_bucket(address))
        else:
            account = servers.enter_context(azure_account())
            peer = account.peer(account.make_container())
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in peer.environ.items()]
        sys.stdout.write(f"{''.join(lines)}# {peer.url}\n")
        sys.stdout.flush()
        Event().wait()


if __name__ == "__main__":
    main()
