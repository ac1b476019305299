"""``source-amplitude query``: run SQL on the landed events with DuckDB, or print the command that does."""

from __future__ import annotations

import argparse
import csv
import os
import shlex
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from source_amplitude.api.redaction import printable
from source_amplitude.commands.inspection import destination_of
from source_amplitude.commands.session import logs_on_stderr, print_error, store_parser
from source_amplitude.distribution import install_command
from source_amplitude.errors import AmplitudeError, InvalidConfigError, MissingExtraError, StoreError, counted
from source_amplitude.landing.duckdb_secrets import secret_statements
from source_amplitude.landing.event_view import CREATE_COUNTER, IS_LEFT_OUT, SUFFIXES, create_view, left_out, text
from source_amplitude.landing.inventory import recorded_format
from source_amplitude.landing.store import Store, require_land_extra
from source_amplitude.terminal.exit_codes import EXIT_FAILED, EXIT_OK, EXIT_SIGNALLED
from source_amplitude.terminal.signals import stops_on_signals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from source_amplitude.commands.session import Session
    from source_amplitude.landing.destination import Destination

_DESCRIPTION = """\
Runs SQL on the landed events of a folder with DuckDB (extra "query"). The view events has each event once, with the
columns of the events' schema, date and hour. The result is a table at a terminal, otherwise CSV. Without SQL, and for
s3, az and gs, the command prints a duckdb command with the same view.
"""
_ROWS_AT_TERMINAL = 200
_ROWS_AT_ONCE = 1000
_SECONDS_BETWEEN_LOOKS = 0.1


def query(arguments: Sequence[str], session: Session) -> int:
    """Run the command and return its exit code: 0, or 1 if the store or the SQL cannot be read."""
    made = store_parser("query", _DESCRIPTION, store_options=("--from", "--to"))
    example = "such as 'SELECT event_type, count(*) FROM events GROUP BY 1'"
    made.add_argument("sql", nargs="?", type=_filled, metavar="SQL", help=example)
    options = made.parse_args(arguments)
    with logs_on_stderr(options):
        try:
            return _query(options, session)
        except AmplitudeError as error:
            return print_error(error)


def _filled(sql: str) -> str:
    if not sql.strip():
        raise argparse.ArgumentTypeError("it is empty; check that the shell variable is set")
    return sql


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
    return _run(folder, format_, options.sql)


def _has_objects(folder: Path, format_: str) -> bool:
    return any(folder.joinpath("events").glob(f"date=*/hour=*/*{SUFFIXES[format_]}"))


def _run(folder: Path, format_: str, sql: str) -> int:
    """Run the SQL in a thread, because DuckDB does not look for signals in every query."""
    try:
        import duckdb  # noqa: PLC0415 - installed only with the extra [query]
    except ImportError as error:
        raise MissingExtraError(
            f"query needs duckdb, which cannot be imported ({error}).",
            next_step=f"Run {install_command('duckdb')} and then the command again.",
        ) from error
    with (
        TemporaryDirectory(prefix="source-amplitude-") as spill,
        duckdb.connect() as connection,
        stops_on_signals(threading.Event(), os._exit) as received,
        ThreadPoolExecutor(1, thread_name_prefix="query") as pool,
    ):
        running = pool.submit(_execute, connection, folder, format_, sql, spill)
        while not wait((running,), timeout=_SECONDS_BETWEEN_LOOKS).done:
            if received:
                connection.interrupt()
        try:
            running.result()
        except duckdb.Error as error:
            if not received:
                problem = printable(" ".join(str(error).split()))
                sys.stderr.write(f"source-amplitude: DuckDB cannot run the query: {problem}\n")
                return EXIT_FAILED
    return EXIT_SIGNALLED + received[0] if received else EXIT_OK


def _execute(connection: Any, folder: Path, format_: str, sql: str, spill: str) -> None:  # noqa: ANN401 - of duckdb
    connection.execute(f"SET temp_directory = {text(spill)}")
    connection.execute("SET TimeZone = 'UTC'")  # so that current_date is a day of the events
    connection.execute(CREATE_COUNTER)
    connection.execute(create_view(str(folder), format_, is_counting=True))
    _print(connection.execute(sql))
    if connection.execute(IS_LEFT_OUT).fetchall() == [(True,)]:
        sys.stdout.flush()
        lines, files, first = connection.execute(left_out(str(folder), format_)).fetchone()
        sys.stderr.write(
            f"source-amplitude: {counted(lines, 'line')} in {counted(files, 'file')} cannot be read by DuckDB as "
            f"events and are not in the view, the first one in {printable(Path(first).name)}. Destinations of --format "
            "jsonl and parquet contain the events of such lines that can be repaired.\n"
        )


def _print(result: Any) -> None:  # noqa: ANN401 - a connection of duckdb, or None for SQL that is only a comment
    """Print the rows of a result; a statement without a result prints nothing."""
    if result is None or not result.description:
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
    statements = [*secret_statements(destination.scheme, environ), create_view(str(destination), format_)]
    words = ["duckdb", "-cmd", "\n".join(statements), *(("-c", sql) if sql else ())]
    return shlex.join(words)
