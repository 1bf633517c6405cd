"""The kinds of models that are tried: one YAML of conf/best/ each, with what it needs and its settings.

    for kind in read_portfolio():
        for variant in kind.variants: ...

A kind is data alone, so that a user adds one with a file. conf/best/ngram.yaml explains the keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from runner.best.types import Budget, Facts
from runner.config.compose import PORTFOLIO, portfolio_files
from runner.config.folders import ours
from runner.config.read_yaml import read_yaml
from runner.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Made = TypeVar("Made", bound="DataclassInstance")
# What a kind or a variant needs, as YAML has it: each key of NEEDS with its value; `any`: a list of such conditions.
Needs: TypeAlias = "Mapping[str, str | int | float | bool | list[Needs]]"

UNAVAILABLE = "weights unavailable: "  # how a reason begins; the hub id follows
WORK = ("sparse", "embedding", "dense")  # the rates of a machine that times are estimated by


@dataclass(frozen=True)
class Variant:
    """One shape of a kind: overrides, and what it needs beside what the kind needs."""

    name: str  # the name that distinguishes it from the other variants
    words: tuple[str, ...] = ()
    needs: Needs = field(default_factory=dict)
    rates: tuple[float, ...] = ()  # peak learning rates, each a candidate; (): those of the kind
    epochs: tuple[int, ...] = ()  # as of the kind; (): those of the kind
    tokens: int = 0  # as of the kind; 0: those of the kind
    vocabularies: tuple[str | int, ...] = ()  # values for {vocabulary}, of which one is tried: candidates.py
    pairs: int = 20  # where the kind is trained on pairs of texts: of each sort for a row, at most


@dataclass(frozen=True)
class Kind:
    """A kind of candidates."""

    name: str  # the stem of its file
    description: str
    place: int  # kinds are tried by their cost; those of the same cost in this order
    work: str  # of WORK: what its time is made of
    words: tuple[str, ...] = ()  # overrides of all variants
    variants: tuple[Variant, ...] = ()  # the most wanted first
    take: int = 1  # how many of those that fit are tried
    needs: Needs = field(default_factory=dict)
    rates: tuple[float, ...] = ()
    epochs: tuple[int, ...] = ()  # of the recipe; optimizer steps for which few rows get more; most. (): the recipe's
    tokens: int = 0  # of long texts that it reads, where data.max_length is less
    passes: float = 0.0  # over the texts beside those of training epochs: of a fit, or of a frozen encoder
    stages: float = 0.0  # passes over the texts that its compression takes after the training
    fastest: float = 1.0  # share of the time of all layers and tokens that its fastest answers take
    in_pairs: bool = False  # trained on pairs of texts, as SetFit is
    has_cut: bool = False  # trained in epochs: one cut at a third of its steps, ranked within its kind
    # Kinds of small models for a cascade: the best answers where it is confident, the teacher the rest.
    small: tuple[str, ...] = ()
    is_ceiling: bool = False  # tried above the cap too: shown beside the winner, and a teacher
    teacher: str | None = None  # the kind that must be done first; its run is {teacher} in the overrides


def read_portfolio() -> tuple[Kind, ...]:
    """Return the kinds in their order; raise ConfigError for a file that cannot be understood."""
    return _kinds(tuple(portfolio_files().items()))


@cache
def _kinds(files: tuple[tuple[str, Path], ...]) -> tuple[Kind, ...]:
    kinds = sorted((read_kind(name, path) for name, path in files), key=lambda kind: (kind.place, kind.name))
    paths = dict(files)
    for kind in kinds:
        if kind.teacher and kind.teacher not in paths:
            raise ConfigError(f"{_shown(paths[kind.name])}: teacher: no kind is named {kind.teacher}. Fix it")
        if unknown := [name for name in kind.small if name not in paths]:
            raise ConfigError(f"{_shown(paths[kind.name])}: small: no kind is named {unknown[0]}. Fix it")
    return tuple(kinds)


def _shown(path: Path) -> str:
    """Return a path as messages show it: one of ours from conf/ on, one of the user's in full."""
    return str(path.relative_to(ours().parent) if path.is_relative_to(ours()) else path)


def portfolio_digest() -> str:
    """Return a hash of all kinds; comments and descriptions in their files change nothing."""
    kinds = [replace(kind, description="") for kind in read_portfolio()]
    return hashlib.sha256(repr(kinds).encode()).hexdigest()


def read_kind(name: str, path: Path) -> Kind:
    """Return the kind that a file describes; raise ConfigError for unknown keys or invalid values."""
    import yaml

    where = _shown(path)
    try:
        content = read_yaml(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{where} cannot be read ({' '.join(str(error).split())}). Fix that YAML") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{where}: keys and values are expected. Copy conf/{PORTFOLIO}/ngram.yaml")
    variants = tuple(_made(Variant, one, where) for one in content.pop("variants", None) or ({"name": ""},))
    kind = _made(Kind, content | {"name": name, "variants": variants}, where)
    if kind.work not in WORK:
        raise ConfigError(f"{where}: work: {kind.work} is not one of {', '.join(WORK)}. Fix it")
    for needs in (kind.needs, *(variant.needs for variant in kind.variants)):
        check_needs(needs, where)
    for epochs in (kind.epochs, *(variant.epochs for variant in kind.variants)):
        if epochs and len(epochs) != 3:
            raise ConfigError(f"{where}: epochs: {list(epochs)} is not [least, steps, most]. Fix it")
    return kind


def _made(cls: type[Made], content: object, where: str) -> Made:
    """Return the dataclass that a mapping of YAML describes; lists become tuples."""
    known = [one.name for one in fields(cls)]
    if not isinstance(content, dict) or not set(content) <= set(known):
        raise ConfigError(f"{where}: {content!r:.80} has keys other than {', '.join(known)}. Fix them")
    try:
        return cls(**{key: _typed(key, value) for key, value in content.items()})
    except TypeError as error:
        raise ConfigError(f"{where}: {error}. Copy conf/{PORTFOLIO}/ngram.yaml") from error


def _typed(key: str, value: object) -> object:
    """Return a value of YAML as the dataclasses have it: overrides in one text as a tuple, lists as tuples."""
    if key == "words":
        return tuple(str(value).split())
    return tuple(value) if isinstance(value, list) else value


# What a kind or a variant may need: each function returns a sentence if it is not met, "" if it is.

Need = Callable[[Any, Facts, Budget, "Hub"], str]
Hub = Callable[[str], bool]  # are the weights of a hub id available here?


def _rows(least: float, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    return f"needs {least:,} rows, has {facts.rows:,}" if facts.rows < least else ""


def _smallest_class(least: float, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    if facts.classes is None:
        return "only for classes"
    found = facts.smallest_class or 0
    return f"needs {least:,} rows in each class, one has {found:,}" if found < least else ""


def _rows_below(most: float, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    return f"for fewer than {most:,} rows, has {facts.rows:,}" if facts.rows >= most else ""


def _words_below(most: float, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    found = round(facts.train_rows * facts.words_mean)
    return f"for fewer than {most:,} words, has {found:,}" if found >= most else ""


def _student_words_below(most: float, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    found = round((facts.train_rows + facts.unlabelled_rows) * facts.words_mean)
    return f"for fewer than {most:,} words with unlabelled texts, has {found:,}" if found >= most else ""


def _text_words(least: float, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    found = facts.words_median
    return f"for texts of {least:,} words or more, half have {found:,.0f} or fewer" if found < least else ""


def _reads_more(tokens: int, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    return "" if facts.exceeded_by(tokens) else f"for texts longer than data.max_length, where that is below {tokens:,}"


def _kb(least: float, _facts: Facts, budget: Budget, _hub: Hub) -> str:
    return f"needs {least:,} KB or more, cap {budget.max_kb:,g} KB" if (budget.max_kb or least) < least else ""


def _us(_wanted: bool, _facts: Facts, budget: Budget, _hub: Hub) -> str:
    return "" if budget.max_us else "for a cap on the time of an answer (max_us)"


def _texts(count: int, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    has = "pairs" if facts.is_pair else "single texts"
    return "" if facts.is_pair == (count == 2) else f"for {'pairs' if count == 2 else 'single texts'}, has {has}"


def _labels(wanted: str, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    return "" if (wanted == "classes") == (facts.classes is not None) else f"only for {wanted}"


def _new_words(least: float, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    return f"for texts with {least:.0%} new words, has {facts.new_words:.1%}" if facts.new_words < least else ""


def _spaces(wanted: bool, facts: Facts, _budget: Budget, _hub: Hub) -> str:
    has = "with" if facts.has_spaces else "without"
    return "" if facts.has_spaces == wanted else f"for scripts {'with' if wanted else 'without'} spaces, has one {has}"


def _unlabelled(_wanted: bool, facts: Facts, budget: Budget, _hub: Hub) -> str:
    return "" if budget.unlabelled and facts.unlabelled_rows else "needs unlabelled=<a file of further texts>"


def _weights(source: str, _facts: Facts, _budget: Budget, hub: Hub) -> str:
    return "" if hub(str(source)) else f"{UNAVAILABLE}{source}"


NEEDS: dict[str, Need] = {
    "rows": _rows,
    "rows_below": _rows_below,
    "words_below": _words_below,
    "student_words_below": _student_words_below,
    "smallest_class": _smallest_class,
    "text_words": _text_words,
    "reads_more": _reads_more,
    "kb": _kb,
    "us": _us,
    "texts": _texts,
    "labels": _labels,
    "new_words": _new_words,
    "spaces": _spaces,
    "unlabelled": _unlabelled,
    "weights": _weights,
}


def check_needs(needs: Needs, where: str) -> None:
    """Raise ConfigError for an unknown condition."""
    for key, value in needs.items():
        if key == "any" and isinstance(value, list):
            for one in value:
                check_needs(one, where)
        elif key not in NEEDS:
            raise ConfigError(f"{where}: needs: {key} is not one of {', '.join([*NEEDS, 'any'])}. Fix it")


def unmet_need(needs: Needs, facts: Facts, budget: Budget, hub: Hub) -> str:
    """Return a sentence on the first condition that is not met, "" if all are.

    `any` holds a list of conditions of which one is enough.
    """
    for key, value in needs.items():
        if key == "any" and isinstance(value, list):
            reasons = [unmet_need(one, facts, budget, hub) for one in value]
            if all(reasons):
                return "; ".join(reasons)
        elif reason := NEEDS[key](value, facts, budget, hub):
            return reason
    return ""
