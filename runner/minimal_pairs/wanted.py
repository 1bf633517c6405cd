"""The choices of `run blimp`. Nothing heavy is imported: a command is checked with this module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from data.sources.pair_source import PairSource
from runner.config.compose import pair_files
from runner.config.read_yaml import read_yaml
from runner.errors import ConfigError

SCORES = {
    "pll": "each piece of a word is masked by itself",
    "word_l2r": "each piece is masked with the later pieces of its word",
    "word": "all pieces of a word are masked together",
    "mean": "pll divided by the number of pieces",
}
QUICK = 200  # pairs of each paradigm, unless the command says otherwise
ALL = "all"  # by=all: every grouping; max_pairs=all: every pair
PARADIGM = "paradigm"  # the grouping that always exists
FILES = "files"  # data=files: the user's own


@dataclass(frozen=True)
class Wanted:
    """One evaluation as a command requests it."""

    source: PairSource
    score: str = "pll"
    most: int | None = QUICK  # pairs of a paradigm, the first ones; None: all
    paradigms: tuple[str, ...] = ()  # none: all
    compression: str = "none"  # weights rounded as compression=[...] of that name rounds them
    device: str = "auto"
    threads: int | None = None  # None: as a run of the model would choose

    @property
    def name(self) -> str:
        """The name of its result: blimp_pll, turblimp_word_l2r_int8."""
        path = self.source.path
        data = "".join(c if c.isalnum() else "_" for c in Path(path).stem.lower()) if path else self.source.name
        return "_".join([data, self.score, *([] if self.compression == "none" else [self.compression])])


def pair_source(name: str) -> PairSource:
    """Return the source that conf/blimp/<name>.yaml describes.

    Raises ConfigError for keys or values that mean nothing.
    """
    import yaml

    path = pair_files()[name]
    try:
        content = read_yaml(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read ({' '.join(str(error).split())}). Fix that YAML") from error
    known = {one.name: one.type for one in fields(PairSource)}
    if not isinstance(content, dict) or not set(content) <= set(known):
        raise ConfigError(f"{path}: {content!r:.80} has keys other than {', '.join(known)}. Fix them")
    wrong = [key for key, value in content.items() if not _fits(value, str(known[key]))]
    if wrong:
        raise ConfigError(f"{path}: {wrong[0]}: {content[wrong[0]]!r:.80} is not a {known[wrong[0]]}. Fix it")
    typed: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
    return PairSource(**(typed | {"name": name}))


def _fits(value: object, kind: str) -> bool:
    """Is a value of YAML what a field of PairSource takes?"""
    checks: dict[str, Callable[[Any], bool]] = {
        "tuple": lambda found: isinstance(found, list) and all(isinstance(one, str) for one in found),
        "dict": lambda found: isinstance(found, dict) and all(isinstance(one, str) for one in found.values()),
        "str": lambda found: isinstance(found, str) or (found is None and "None" in kind),
    }
    return next(check for start, check in checks.items() if kind.startswith(start))(value)
