"""The command that runs, in the words that it was typed in, for the hints that repeat it."""

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
        program: Its words before the command: ``source-amplitude``, or ``python main.py``.
    """

    program: tuple[str, ...] = (PROGRAM,)
    arguments: tuple[str, ...] = ()

    @classmethod
    def of_process(cls) -> TypedCommand:
        return cls(program_of(sys.argv, sys.orig_argv), tuple(sys.argv[1:]))

    def without(self, option: str) -> TypedCommand:
        """Return the command without an option that has a value."""
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
        """Return the command for a shell; what came from ``<(...)`` cannot be repeated and is shown as that."""
        words = (_SUBSTITUTION if _DESCRIPTOR.fullmatch(word) else shlex.quote(word) for word in self.arguments)
        return " ".join((shlex.join(self.program), *words))


def program_of(argv: Sequence[str], orig_argv: Sequence[str]) -> tuple[str, ...]:
    """Return how the program was called, by ``sys.argv`` and ``sys.orig_argv``, which has the interpreter's options.

    A script that the shell found on its ``PATH`` is in both with its whole path.
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
