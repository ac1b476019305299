"""Print the licences of installed packages and fail on one that does not fit MIT: ``make audit``.

Reads the JSON of ``pip-licenses`` from standard input. A licence is an SPDX expression or the name of a classifier.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, TypedDict

from license_expression import ExpressionError, Licensing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Permissive licences. MPL-2.0 covers changes to its own files only, and the connector changes none of them.
ALLOWED = frozenset(
    {
        *("0BSD", "BSD-2-Clause", "BSD-3-Clause", "BSD License", "3-Clause BSD License"),
        *("Apache-2.0", "Apache Software License"),
        *("CC0-1.0", "CNRI-Python", "Zlib"),
        *("ISC", "ISC License (ISCL)"),
        *("MIT", "MIT-0", "MIT License"),
        *("MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)"),
        *("PSF-2.0", "Python Software Foundation License"),
    }
)
EXCEPTIONS = {
    "rich-click": "MIT, but its metadata has the text instead of the name.",
    "unidecode": "GPL-2.0-or-later. airbyte-cdk requires it and never imports it; the image leaves it out.",
}
"""Packages that are accepted in spite of what their metadata say, with the reason."""

_LICENSING = Licensing()


class Package(TypedDict):
    """An entry of ``pip-licenses --format json``."""

    Name: str
    Version: str
    License: str


def problems(packages: Sequence[Package], exceptions: Mapping[str, str]) -> list[str]:
    """Return a sentence for each package with another licence, and for each exception without such a package."""
    others = {_normalized(package["Name"]): package for package in packages if not fits(package["License"])}
    refused = [
        f"{package['Name']} {package['Version']}: the licence {_first_line(package['License'])} is not allowed."
        for name, package in others.items()
        if name not in exceptions
    ]
    return refused + [
        f"The exception for {name} is not needed; remove it." for name in exceptions if name not in others
    ]


def fits(licence: str) -> bool:
    """Return whether a licence is allowed; several classifiers ("A; B") have to be allowed each."""
    return all(part in ALLOWED or _expression_fits(part) for part in licence.split("; "))


def _expression_fits(text: str) -> bool:
    try:
        expression = _LICENSING.parse(text)
    except ExpressionError:
        return False
    if expression is None:
        return False
    values = {each: _LICENSING.TRUE if each.render() in ALLOWED else _LICENSING.FALSE for each in expression.symbols}
    return bool(expression.subs(values, simplify=True) == _LICENSING.TRUE)


def _table(packages: Sequence[Package]) -> str:
    rows = sorted((_first_line(each["License"]), each["Name"].lower(), each["Version"]) for each in packages)
    reasons = {name: f"  ({EXCEPTIONS[name]})" for _, name, _ in rows if name in EXCEPTIONS}
    return "".join(f"{name:36} {version:18} {text}{reasons.get(name, '')}\n" for text, name, version in rows)


def _first_line(licence: str) -> str:
    return licence.partition("\n")[0] or "UNKNOWN"


def _normalized(name: str) -> str:
    return name.lower().replace("_", "-")


def main() -> int:
    """Return 0 if every package's licence is allowed."""
    packages: list[Package] = json.load(sys.stdin)
    found = problems(packages, EXCEPTIONS) if packages else ["pip-licenses listed no packages."]
    sys.stdout.write(_table(packages))
    sys.stderr.write("".join(f"{each}\n" for each in found))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
