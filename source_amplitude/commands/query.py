"""``source-amplitude query``: run SQL on the landed events with DuckDB, or print the command that does."""

from __future__ import annotations

import csv
import shlex
import sys
from itertools import islice
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from source_amplitude.api.redaction import printable
from source_amplitude.commands.inspection import destination_of
from source_amplitude.commands.session import logs_on_stderr, print_error, store_parser
from source_amplitude.distribution import install_command
from source_amplitude.errors import AmplitudeError, InvalidConfigError, MissingExtraError, StoreError
from source_amplitude.landing.event_view import SUFFIXES, create_view, text
from source_amplitude.landing.inventory import recorded_format
from source_amplitude.landing.store import Store, require_land_extra
from source_amplitude.terminal.exit_codes import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from source_amplitude.commands.session import Session
    from source_amplitude.landing.destination import Destination

_DESCRIPTION = """\
Runs SQL on the landed events of a folder with DuckDB (extra "query"). The view events has each event once, with the
columns of the events' schema, date and hour. The result is a table at a terminal, otherwise CSV. Without SQL, and for
s3, az and gs, the command prints a duckdb command with the same view.
"""
_ROWS_AT_TERMINAL = 200
_ROWS_AT_ONCE = 1000


def query(arguments: Sequence[str], session: Session) -> int:
    """Run the command and return its exit code: 0, or 1 if the store or the SQL cannot be read."""
    made = store_parser("query", _DESCRIPTION, store_options=("--from", "--to"))
    made.add_argument(
        "sql", nargs="?", metavar="SQL", help="such as 'SELECT event_type, count(*) FROM events GROUP BY 1'"
    )
    options = made.parse_args(arguments)
    with logs_on_stderr(options):
        try:
            return _query(options, session)
        except AmplitudeError as error:
            return print_error(error)


def _query(options: argparse.Namespace, session: Session) -> int:
    require_land_extra()
    destination = destination_of(options)
    if "?" in str(destination):
        problem = "contains a question mark, which DuckDB cannot have in the path of partitioned files"
        raise InvalidConfigError((f"{options.to_option}: {options.to!r} {problem}",))
    format_ = recorded_format(Store(destination, session.store_limits, create=False))
    folder = destination.folder
    if format_ not in SUFFIXES or (folder is not None and not _has_objects(folder, format_)):
        raise StoreError(
            f"Nothing has been landed in {printable(str(destination))}.", next_step="Run land with it first."
        )
    if folder is None or options.sql is None:
        sys.stdout.write(f"{_duckdb_command(destination, format_, options.sql, session.environ)}\n")
        return EXIT_OK
    return _run(create_view(str(folder), format_), options.sql)


def _has_objects(folder: Path, format_: str) -> bool:
    return any(folder.joinpath("events").glob(f"date=*/hour=*/*{SUFFIXES[format_]}"))


def _run(view: str, sql: str) -> int:
    try:
        import duckdb  # noqa: PLC0415 - installed only with the extra [query]
    except ImportError as error:
        raise MissingExtraError(
            f"query needs duckdb, which cannot be imported ({error}).",
            next_step=f"Run {install_command('duckdb')} and then the command again.",
        ) from error
    with TemporaryDirectory(prefix="source-amplitude-") as spill, duckdb.connect() as connection:
        connection.execute(f"SET temp_directory = {text(spill)}")
        try:
            connection.execute(view)
            _print(connection.execute(sql))
        except duckdb.Error as error:
            sys.stderr.write(f"source-amplitude: DuckDB cannot run the query: {printable(str(error))}\n")
            return EXIT_FAILED
    return EXIT_OK


def _print(result: Any) -> None:  # noqa: ANN401 - a connection of duckdb, which is optional
    """Print the rows of a result; a statement without a result prints nothing."""
    if not result.description:
        return
    names = [str(column[0]) for column in result.description]
    if sys.stdout.isatty():
        _print_table(names, result.fetchmany(_ROWS_AT_TERMINAL + 1))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    while rows := result.fetchmany(_ROWS_AT_ONCE):
        writer.writerows(rows)


def _print_table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table()
    for name in names:
        table.add_column(Text(printable(name)))
    for row in islice(rows, _ROWS_AT_TERMINAL):
        table.add_row(*(Text("" if value is None else printable(str(value))) for value in row))
    console = Console(highlight=False)
    console.print(table)
    if len(rows) > _ROWS_AT_TERMINAL:
        console.print(f"Only {_ROWS_AT_TERMINAL} rows are shown. For all rows add: > result.csv", markup=False)


def _duckdb_command(destination: Destination, format_: str, sql: str | None, environ: Mapping[str, str]) -> str:
    """Return the shell command that creates the view in DuckDB's command line, and runs ``sql`` if given."""
    secret = {"s3": _s3_secret, "az": _azure_secret, "gs": _gcs_secret}.get(destination.scheme)
    statements = [*(secret(environ) if secret else ()), create_view(str(destination), format_)]
    words = ["duckdb", "-cmd", "\n".join(statements), *(("-c", sql) if sql else ())]
    return shlex.join(words)


def _s3_secret(environ: Mapping[str, str]) -> list[str]:
    settings = ["TYPE s3", "PROVIDER credential_chain"]
    if region := environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"):
        settings.append(f"REGION {text(region)}")
    if endpoint := environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL"):
        scheme, _, host = endpoint.rpartition("://")
        settings += [f"ENDPOINT {text(host.rpartition('@')[2].rstrip('/'))}", "URL_STYLE 'path'"]
        settings += ["USE_SSL false"] if scheme == "http" else []
    return ["INSTALL httpfs; LOAD httpfs; INSTALL aws; LOAD aws;", f"CREATE OR REPLACE SECRET ({', '.join(settings)});"]


def _azure_secret(environ: Mapping[str, str]) -> list[str]:
    account = environ.get("AZURE_STORAGE_ACCOUNT_NAME") or environ.get("AZURE_STORAGE_ACCOUNT") or "YOUR_ACCOUNT"
    return [
        "INSTALL azure; LOAD azure;",
        f"CREATE OR REPLACE SECRET (TYPE azure, PROVIDER credential_chain, ACCOUNT_NAME {text(account)});",
    ]


def _gcs_secret(_: Mapping[str, str]) -> list[str]:
    return [
        "INSTALL httpfs; LOAD httpfs;",
        "CREATE OR REPLACE SECRET (TYPE gcs, KEY_ID 'YOUR_HMAC_KEY_ID', SECRET 'YOUR_HMAC_SECRET');",
    ]
