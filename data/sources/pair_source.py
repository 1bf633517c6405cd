"""Where minimal pairs come from: a dataset of the hub with a configuration a paradigm, or a file of the user's.

Standard library only, since a command is checked with it before anything heavy is imported.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from data.errors import DataError

SHOWN = 5  # row numbers, or names, in a message


@dataclass(frozen=True)
class PairSource:
    """Where pairs come from, as conf/blimp/*.yaml and the command say."""

    name: str
    good: str = "good"  # column of the acceptable sentence
    bad: str = "bad"
    description: str = ""
    id: str | None = None  # of the hub; None: a file
    split: str = "train"
    paradigms: tuple[str, ...] = ()  # the configurations of the hub's dataset
    groups: tuple[str, ...] = ()  # columns that have one value in a paradigm; paradigms are averaged by them
    same: dict[str, str] = field(default_factory=dict)  # of those values: another spelling, and the one that is shown
    path: str | None = None
    group: str | None = None  # column that tells the paradigms of a file apart; None: the file is one
    encoding: str = "utf-8"
    delimiter: str = "auto"
    quoting: str = "auto"


def chosen_paradigms(source: PairSource, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the paradigms to read, all of a source without a choice; DataError for unknown names."""
    return tuple(source.paradigms) if not wanted else checked_names(source.name, source.paradigms, wanted)


def checked_names(where: str, known: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the wanted names, each once; DataError with the nearest names for one that is unknown."""
    unknown = [name for name in wanted if name not in known]
    if not unknown:
        return tuple(dict.fromkeys(wanted))
    near = difflib.get_close_matches(unknown[0], known, n=3, cutoff=0.4)
    shown = near or [*known[:SHOWN], *(["..."] if len(known) > SHOWN else [])]
    raise DataError(
        f"paradigms: {where} has no {unknown[0]!r}; {'the nearest of' if near else 'there are'} its {len(known)}: "
        f"{', '.join(shown)}. Try: 'paradigms=[{shown[0]}]'"
    )
