"""Runs that differ only in the seed, or in the fold, form one group, named by the settings that tell groups apart.

Runs of the same config with other code, data, tokenizer or weights are never pooled: their fingerprints are part of
what makes a group.
"""

from __future__ import annotations

import marshal
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean

from data.json_types import Json, JsonObject
from runner.compare.folds import (
    LIMIT,
    by_fold,
    has_own_folds,
    held_out_metric,
    held_out_split,
    is_fold,
    labelled_rows,
    recipe_settings,
    reports_the_rows_of,
)
from runner.compare.own_runs import OF_START, START, recipes_of
from runner.compare.select import Run
from runner.record.run_names import FILES, FINGERPRINTS, distinguish, ranked_keys, varying

TIMED = "measure.enabled"


@dataclass
class Group:
    """The runs of one config, one for each seed, or for each fold and seed.

    `settings` is flat and holds the fingerprints too, but neither seed nor fold.
    """

    settings: JsonObject
    runs: list[Run] = field(default_factory=list)
    name: str = ""

    @cached_property
    def is_folded(self) -> bool:
        """Are the runs folds of one data set, and so repeats of one recipe?"""
        return is_fold(self.runs[0])

    @property
    def members(self) -> list[Run]:
        """The runs, once for each seed, or for each fold and seed, in their order."""
        if self.is_folded:
            return [run for of_seeds in by_fold(self.runs).values() for run in of_seeds.values()]
        return list(self.seeds.values())

    @property
    def headline(self) -> str:
        """The score that the group is compared by: of the reported rows, or of those that its folds held out."""
        return held_out_metric(self.runs[0]) if self.is_folded else self.runs[0].primary

    def examples(self, split: str) -> str:
        """Return the fingerprint of the rows of a split; of a split that differs between folds, that of the first fold.

        The rows held out by all folds together are the same in every repeat.
        """
        if self.is_folded and split == held_out_split(self.runs[0]):
            return f"folds of {self.settings['data.fingerprint']}"
        return self.members[0].record.data.examples(split)  # of the folds not the oldest run, which may be any

    @cached_property
    def seeds(self) -> dict[int, Run]:
        """The run of each seed, in the order of the seeds."""
        return {run.seed: run for run in sorted(self.runs, key=lambda run: run.seed)}

    def values(self, metric: str) -> list[float]:
        """Return the metric of each run that has it, in the order of the seeds; for folds, the mean of each fold over
        seeds.

        A score of reported rows is that of the folds that report the same rows as the first one.
        """
        if self.is_folded:
            by_seed = list(by_fold(self.runs).values())
            first = next(iter(by_seed[0].values()))
            folds = (
                [run for run in runs.values() if metric in run.metrics and reports_the_rows_of(first, run, metric)]
                for runs in by_seed
            )
            return [fmean(float(run.metrics[metric]) for run in runs) for runs in folds if runs]
        return [float(run.metrics[metric]) for run in self.seeds.values() if metric in run.metrics]

    def mean(self, metric: str) -> float | None:
        """Return the mean over the seeds, None if no run has the metric."""
        values = self.values(metric)
        return sum(values) / len(values) if values else None


def make_groups(runs: list[Run]) -> list[Group]:
    """Return the groups of the runs, in order of first appearance, each with a unique name."""
    found: dict[bytes, Group] = {}
    # Cached by the whole config as well: flattening one takes as long as reading a record.
    known: dict[tuple[bytes | int, ...], Group] = {}
    for run in runs:
        whole = _as_recorded(run)
        if whole not in known:
            settings = recipe_settings(run)
            known[whole] = found.setdefault(_key(settings, FILES), Group(settings))
        known[whole].runs.append(run)
    groups = join_own_runs(join_untimed_folds(list(found.values())))
    commands = [group.runs[0].record.overrides for group in groups]
    for group, name in zip(groups, distinguish([group.settings for group in groups], commands)):
        group.name = name
    return groups


def join_untimed_folds(groups: Sequence[Group]) -> list[Group]:
    """Return the groups, with the untimed folds of a recipe in the group of its timed fold.

    `run best` times only the first fold and reports few rows on the others, which changes no score of the rows held
    out. Fewer reported rows have another fingerprint. Where several groups could belong to a timed fold, or several are
    timed, the data may have changed in between, so none is joined.
    """
    same: dict[tuple[bytes, int], list[Group]] = defaultdict(list)
    for group in groups:
        if group.is_folded and not has_own_folds(group.runs[0]):
            unlike = [key for key in group.settings if key.startswith("measure.")]
            key = _key(group.settings, (LIMIT, "data.fingerprint", *FILES, *unlike))
            same[key, labelled_rows(group.runs[0])].append(group)
    joined = set[int]()
    for alike in same.values():
        timed, untimed = (
            [one for one in alike if bool(one.settings.get(TIMED)) is is_timed] for is_timed in (True, False)
        )
        few = [one for one in untimed if one.settings.get(LIMIT) is not None]
        if len(timed) != 1 or timed[0].settings.get(LIMIT) is not None:
            continue
        prints = timed[0].settings["data.fingerprint"]
        for one in untimed:
            if one.settings["data.fingerprint"] == prints or few == [one]:
                timed[0].runs[:0] = one.runs  # of two runs of one fold and seed the last counts
                joined.add(id(one))
    return [group for group in groups if id(group) not in joined]


def join_own_runs(groups: Sequence[Group]) -> list[Group]:
    """Return the groups, those joined whose runs build on runs of one recipe, each on the one of its own seed."""
    alike: dict[bytes, list[Group]] = defaultdict(list)
    for group in groups:
        recipes = {} if group.is_folded else recipes_of(group.runs)
        if recipes:
            left_out = {*recipes, *FILES, *(OF_START if recipes.keys() & set(START) else ())}
            alike[_key(group.settings, left_out) + _key(recipes, ())].append(group)
    joined = set[int]()
    for first, *others in alike.values():
        seeds = {run.seed for run in first.runs}
        for other in others:
            if not seeds & other.seeds.keys():  # else one was made again, from other weights
                first.runs += other.runs
                seeds |= other.seeds.keys()
                joined.add(id(other))
    return [group for group in groups if id(group) not in joined]


def _as_recorded(run: Run) -> tuple[bytes | int, ...]:
    """Return a key; two runs with the same key have the same `recipe_settings`.

    Records that were read together share equal parts, so the identity of these objects stands for their content.
    """
    record = run.record
    config = {key: value for key, value in record.config.items() if key != "seed"}
    parts = (record.data, record.tokenizer, record.weights, record.environment)
    return marshal.dumps(config, 2), *map(id, parts)


def _key(settings: Mapping[str, Json], left_out: Iterable[str]) -> bytes:
    """Return bytes that are the same for equal settings only; marshal writes them in a fifth of the time of repr."""
    names = sorted(settings.keys() - left_out)
    return marshal.dumps([names, [settings[name] for name in names]], 2)  # later versions refer to equal texts


def varying_settings(groups: list[Group]) -> list[str]:
    """Return the settings that differ between groups, sorted."""
    return varying([group.settings for group in groups])


def ranked_settings(groups: list[Group]) -> list[str]:
    """Return the settings that differ between groups, in the order in which names take them."""
    return ranked_keys([group.settings for group in groups], [group.runs[0].record.overrides for group in groups])


def explain_separate_groups(groups: list[Group]) -> list[str]:
    """Return one sentence for each set of groups that share a config but not code, data, tokenizer or weights."""
    by_config: dict[bytes, list[Group]] = {}
    for group in groups:
        by_config.setdefault(_key(group.settings, (*FINGERPRINTS, *FILES)), []).append(group)
    sentences = []
    for same in by_config.values():
        if len(same) > 1:
            why = ", ".join(key for key in varying_settings(same))
            names = "; ".join(group.name for group in same)
            sentences.append(f"not pooled, since {why} differ although the settings are the same: {names}")
    return sentences
