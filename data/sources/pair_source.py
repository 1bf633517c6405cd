"""Where minimal pairs come from: a hub dataset with one configuration per paradigm, or a local file.

Standard library only, since checking a command uses it before anything heavy is imported.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from data.errors import DataError

SHOWN = 5  # row numbers, or names, in a message


@dataclass(frozen=True)
class PairSource:
    """The source of pairs, as set in conf/blimp/*.yaml and on the command line."""

    name: str
    good: str = "good"  # column of the acceptable sentence
    bad: str = "bad"
    description: str = ""
    id: str | None = None  # of the hub; None: a file
    split: str = "train"
    paradigms: tuple[str, ...] = ()  # the configurations of the hub dataset
    groups: tuple[str, ...] = ()  # columns that are constant within a paradigm; scores are averaged by their values
    same: dict[str, str] = field(default_factory=dict)  # maps other spellings of these values to the one that is shown
    path: str | None = None
    group: str | None = None  # column that identifies the paradigms of a file; None: the file is one paradigm
    encoding: str = "utf-8"
    delimiter: str = "auto"
    quoting: str = "auto"


def chosen_paradigms(source: PairSource, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the paradigms to read, all of them if `wanted` is empty; DataError for unknown names."""
    return tuple(source.paradigms) if not wanted else checked_names(source.name, source.paradigms, wanted)


def checked_names(where: str, known: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the wanted names, each once; DataError, with similar names, for an unknown one."""
    unknown = [name for name in wanted if name not in known]
    if not unknown:
        return tuple(dict.fromkeys(wanted))
    if not known:
        raise DataError(f"paradigms: {where} names no paradigms, so none of them can be chosen. Leave paradigms= out")
    near = difflib.get_close_matches(unknown[0], known, n=3, cutoff=0.4)
    shown = near or [*known[:SHOWN], *(["..."] if len(known) > SHOWN else [])]
    raise DataError(
        f"paradigms: {where} has no {unknown[0]!r}; {'the nearest of' if near else 'some of'} its {len(known)}: "
        f"{', '.join(shown)}. Try: 'paradigms=[{shown[0]}]'"
    )
