"""The command line as the user typed it, for hints such as the next command to run."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "source-amplitude"

_DESCRIPTOR = re.compile(r"/dev/fd/\d+|/proc/self/fd/\d+")
_SUBSTITUTION = "<(...)"


@dataclass(frozen=True)
class TypedCommand:
    """A command line.

    Attributes:
        program: The words before the command: ``source-amplitude``, or ``python main.py``.
        arguments: The command and its options.
    """

    program: tuple[str, ...] = (PROGRAM,)
    arguments: tuple[str, ...] = ()

    @classmethod
    def of_process(cls) -> TypedCommand:
        return cls(program_of(sys.argv, sys.orig_argv), tuple(sys.argv[1:]))

    def without(self, option: str) -> TypedCommand:
        """Return the command line without an option and its value."""
        kept, words = [], iter(self.arguments)
        for word in words:
            if word == option:
                next(words, None)
            elif not word.startswith(f"{option}="):
                kept.append(word)
        return TypedCommand(self.program, tuple(kept))

    def with_words(self, *words: str) -> TypedCommand:
        return TypedCommand(self.program, (*self.arguments, *words))

    def __str__(self) -> str:
        """Return the command line quoted for a shell; a process substitution is shown as ``<(...)``."""
        words = (_SUBSTITUTION if _DESCRIPTOR.fullmatch(word) else shlex.quote(word) for word in self.arguments)
        return " ".join((shlex.join(self.program), *words))


def program_of(argv: Sequence[str], orig_argv: Sequence[str]) -> tuple[str, ...]:
    """Return how the program was called, from ``sys.argv`` and ``sys.orig_argv`` (with the interpreter's options).

    Both contain the absolute path of a script that the shell found on ``PATH``.
    """
    script = Path(argv[0])
    if script.name.removesuffix(".exe") == PROGRAM:
        found = shutil.which(PROGRAM)
        is_found = found is not None and script.exists() and Path(found).samefile(script)
        return (PROGRAM,) if is_found else (argv[0],)
    if script.name == "-c":
        return (PROGRAM,)
    count = len(argv) - 1
    before = tuple(orig_argv[: len(orig_argv) - count])
    return before if before and list(orig_argv[len(before) :]) == list(argv[1:]) else (PROGRAM,)
