"""Parse the options of a command with argparse, and report wrong ones in one line each."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import textwrap
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from source_amplitude.terminal.command_line import PROGRAM
from source_amplitude.terminal.exit_codes import EXIT_USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_LEAST_WIDTH = 20
_REQUIRED = re.compile(r"the following arguments are required: (.+)")
_UNKNOWN = "unrecognized arguments"
_NO_VALUE = re.compile(r"argument (\S+?): expected (?:one|at least one) argument")
_NOT_BOTH = re.compile(r"argument (\S+?): not allowed with argument (\S+?)")
_NO_FLAG_VALUE = re.compile(r"argument (\S+?): ignored explicit argument .*")


class Parser(argparse.ArgumentParser):
    """argparse's parser with short errors: the option and what is expected, one per line."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(prog=f"{PROGRAM} {command}", description=description, allow_abbrev=False)
        self._typed: Sequence[str] = ()

    def parse_args(self, args: Sequence[str], namespace: Any = None) -> argparse.Namespace:  # type: ignore[override]  # noqa: ANN401 - as argparse declares it
        """Return the options; exit with 2 if an option is wrong, missing or unknown."""
        self._typed = args
        known: tuple[argparse.Namespace, list[str]] = self.parse_known_args(args, namespace)
        if known[1]:
            self.error(f"{_UNKNOWN}: {' '.join(known[1])}")
        return known[0]

    def format_usage(self) -> str:
        return f"usage: {self._usage()}\n"

    def format_help(self) -> str:
        """Return the help; its usage shows required options only, since argparse cannot wrap groups."""
        self.usage = self._usage()
        return super().format_help()

    def _usage(self) -> str:
        required = (f"{each.option_strings[0]} {each.metavar}" for each in self._actions if each.required)
        positional = (f"[{each.metavar}]" for each in self._actions if not each.option_strings)
        width = shutil.get_terminal_size().columns - len("usage: ") - 2
        lines = textwrap.wrap(" ".join((self.prog, *positional, *required, "[OPTIONS]")), max(width, _LEAST_WIDTH))
        return "\n       ".join(lines)

    def error(self, message: str) -> NoReturn:
        unknown = [f"{each} is not an option{did_you_mean(each, self._names())}" for each in self._unknown_options()]
        if message.startswith(_UNKNOWN):
            problems = unknown or [f"{message.removeprefix(_UNKNOWN).strip(': ')!r} is not expected here"]
        else:
            problems = [*unknown, *self._problems(message)]
        sys.exit(print_usage_errors(problems, self.prog))

    def _names(self) -> list[str]:
        visible = (each for each in self._actions if each.help != argparse.SUPPRESS)
        return [name for each in visible for name in each.option_strings]

    def _unknown_options(self) -> Iterator[str]:
        for word in self._typed:
            if word == "--":
                return
            name = word.partition("=")[0]
            if name.startswith("-") and len(name) > 1 and name not in self._option_string_actions:
                yield name

    def _problems(self, message: str) -> Iterator[str]:
        if missing := _REQUIRED.fullmatch(message):
            for names in missing[1].split(", "):
                yield f"{names} is missing: {self._expected(names)}"
        elif found := _NO_VALUE.fullmatch(message):
            yield f"{found[1]} needs a value: {self._expected(found[1])}"
        elif found := _NOT_BOTH.fullmatch(message):
            yield f"{found[1]}: use either this or {found[2]}, not both"
        elif found := _NO_FLAG_VALUE.fullmatch(message):
            yield f"{found[1]} takes no value"
        else:
            yield message.removeprefix("argument ")

    def _expected(self, names: str) -> str:
        """Return what an option expects, from its help."""
        action = next(each for each in self._actions if names in ("/".join(each.option_strings), each.metavar))
        return str(action.help or action.metavar)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of an error sentence that suggests the most similar known word; empty if none is similar."""
    found = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def print_usage_errors(problems: Iterable[str], prog: str) -> int:
    """Print one line per problem and how to get help on stderr, and return the exit code."""
    from source_amplitude.api.redaction import printable  # noqa: PLC0415 - slow to import

    for each in problems:
        sys.stderr.write(f"{PROGRAM}: {printable(each)}\n")
    sys.stderr.write(f"Run {prog} --help for all options.\n")
    return EXIT_USAGE


def one_of(choices: Iterable[str]) -> Callable[[str], str]:
    """Return an option's type that accepts ``choices``, in upper or lower case."""
    known = list(choices)

    def choice(text: str) -> str:
        if text.lower() not in known:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(known)}")
        return text.lower()

    return choice


def file_name(text: str) -> str:
    """Return the file name of an option; raise an ArgumentTypeError if it is empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the file name is empty; check that the shell variable is set")
    return text
