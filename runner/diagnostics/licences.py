"""Reads the licences of the packages that Bertier needs from their metadata, and finds those that are restrictive.

Permissive licences allow use in closed products. MPL-2.0 is accepted too: it covers only its own files,
which are used unchanged. A package that bundles a library under another licence may state that only in a separate file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import cast

ROOT = "bertier"
ACCEPTED = re.compile(
    r"\b(MIT|0?BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|BSL-1\.0|CNRI-Python|Unlicense|"
    r"MPL-2\.0|Mozilla Public License 2\.0)\b",
    re.IGNORECASE,
)
REFUSED = re.compile(r"GPL|GNU|SSPL|proprietary|commercial|commons clause", re.IGNORECASE)
# Their metadata name no licence; their LICENSE files say this.
READ = {"huey": "MIT", "skops": "MIT"}
# Libraries inside wheels that the metadata do not name: separate files, loaded unchanged, which may be replaced.
CARRIED = {"soundfile": "libsndfile in its wheel: LGPL-2.1, a separate library that may be replaced"}


@dataclass(frozen=True)
class Licence:
    """The licence of one installed package, as its metadata give it."""

    package: str
    version: str
    text: str  # "" if the metadata name none

    @property
    def is_accepted(self) -> bool:
        """Whether the licence is accepted: each part of an AND, and one choice of each OR."""
        return all(any(map(_is_known, part.split(" OR "))) for part in self.text.split(" AND "))


def _is_known(text: str) -> bool:
    return bool(ACCEPTED.search(text)) and not REFUSED.search(text)


def installed_licences() -> list[Licence]:
    """Return the licence of each installed package that Bertier needs, directly or not, with all extras; by name."""
    found = {}
    for package in _needed(ROOT, {"dev"}, {}):
        found[package.name.lower()] = Licence(package.name, package.version, _licence(package))
    return [found[name] for name in sorted(found)]


def _needed(name: str, extras: set[str], seen: dict[str, set[str]]) -> Iterator[Distribution]:
    """Yield the package and all that it needs; packages that are not installed are skipped."""
    from packaging.requirements import Requirement

    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen and extras <= seen[key]:
        return
    seen[key] = seen.get(key, set()) | extras
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return
    yield package
    for line in package.requires or []:
        need = Requirement(line)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in {"", *seen[key]}):
            yield from _needed(need.name, need.extras, seen)


def _licence(package: Distribution) -> str:
    """Return the SPDX expression of a package, else its classifiers, else the first line of its licence text."""
    said = cast(Message, package.metadata)
    if expression := said.get("License-Expression"):
        return expression
    names = [line.split(" :: ")[-1] for line in said.get_all("Classifier") or [] if line.startswith("License :: ")]
    if named := [name for name in names if name not in ("OSI Approved", "DFSG approved")]:
        return " AND ".join(named)
    return (said.get("License") or "").strip().split("\n")[0] or READ.get(package.name, "")
