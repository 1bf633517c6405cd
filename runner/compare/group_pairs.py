"""Chooses the test of two groups: seed by seed on the same examples, or fold by fold.

Folds answer two questions. *Recipes*: would the first be better if trained again on other rows of this kind? Tested by
the corrected resampled t over folds. *These models*: do they answer the held-out rows better? Tested row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from runner.compare.folds import Fold, by_fold, held_out_answers, held_out_share, held_out_split
from runner.compare.groups import Group
from runner.compare.pairs import ALPHA, Pair, Paired, Refused, better_or_worse, compare_runs, refusal
from runner.compare.select import Run
from runner.statistics.paired import Interval
from runner.statistics.resampled import corrected_t
from runner.statistics.scores import as_rows
from runner.tasks.make import task_of_record

OVER = "corrected resampled t over folds"
FOR = "for models trained on rows like these"


@dataclass
class FoldPaired(Paired):
    """The difference of two recipes over folds; `p_examples` and the fields that begin with `models` are about these
    models.
    """

    folds: int = 0
    p_folds: float | None = None  # of the recipes; None for one fold, and if all folds differ by the same amount
    of_models: str = ""  # the test of these models
    models_difference: float = 0.0  # of the score of all rows held out, not of its mean over folds
    models_low: float = 0.0  # 95 % of the difference of these models
    models_high: float = 0.0

    @property
    def p(self) -> float:
        """The p-value of the verdict on recipes."""
        return 1.0 if self.p_folds is None else self.p_folds

    def in_words(self) -> str:
        """Return the verdict on the recipes."""
        if self.p_folds is None:
            why = "one fold" if self.folds == 1 else "every fold differs by the same amount"
            return f"recipes not tested: {why}"
        if self.is_significant:
            return f"{better_or_worse(self.metric, self.difference)} by {abs(self.difference):.4f}, {FOR}"
        why = f", after correcting for {self.tests} comparisons" if self.p < ALPHA else ""
        return f"no difference visible with {self.folds} folds, {FOR}{why}"

    def models_in_words(self) -> str:
        """Return the verdict on the models that were trained, on all rows held out."""
        rows = f"{self.examples:,} {as_rows(self.units)} held out"
        if self.same_answers:
            return f"the same answers to {rows}"
        if self.p_examples >= ALPHA:
            return f"no difference visible with {rows}"
        p = "<0.0001" if self.p_examples < 0.0001 else f"{self.p_examples:.2g}"
        return f"{better_or_worse(self.metric, self.models_difference)} on {rows}, p {p}"


def compare_groups(first: Group, second: Group, metric: str, *, any_threshold: bool = False) -> Paired | Refused:
    """Test the difference of a metric between two groups, pair by pair on the same examples; or return why not.

    any_threshold: as in `refusal`.
    """
    if first.is_folded != second.is_folded:
        return Refused("one of the groups has folds and the other has none, so they were trained on different rows")
    if first.is_folded:
        if metric.partition("/")[0] != held_out_split(first.runs[0]):
            return Refused(
                f"folds are repeats only for held-out rows, not for {metric}. Try: --metric {first.headline}"
            )
        return compare_folds(first, second, metric, any_threshold=any_threshold)
    common = [seed for seed in first.seeds if seed in second.seeds]
    if not common:
        seeds = [", ".join(map(str, group.seeds)) for group in (first, second)]
        return Refused(f"no seed in common ({seeds[0]} against {seeds[1]}), so there are no pairs")
    pairs = [(first.seeds[seed], second.seeds[seed]) for seed in common]
    return compare_runs(pairs, metric, any_threshold=any_threshold)


def compare_folds(
    first: Group, second: Group, metric: str, *, any_threshold: bool = False
) -> FoldPaired | Refused:  # fmt: skip
    """Test two recipes over the folds that both have, and their models on the rows held out; or return why not."""
    mine, other = by_fold(first.runs), by_fold(second.runs)
    pairs = {
        fold: {seed: (run, other[fold][seed]) for seed, run in runs.items() if seed in other[fold]}
        for fold, runs in mine.items()
        if fold in other
    }
    pairs = {fold: of_seeds for fold, of_seeds in pairs.items() if of_seeds}
    if not pairs:
        return Refused("no fold and seed in common, so there are no pairs")
    runs = [pair for of_seeds in pairs.values() for pair in of_seeds.values()]
    if why := refusal(runs, metric, any_threshold=any_threshold):
        return Refused(why)
    answers = _answers(pairs, metric.partition("/")[0])
    if isinstance(answers, str):
        return Refused(answers)
    differences = [
        fmean(float(a.metrics[metric]) - float(b.metrics[metric]) for a, b in of_seeds.values())
        for of_seeds in pairs.values()
    ]
    score = task_of_record(runs[0][0].record).score(metric.partition("/")[2])
    test, p_examples, of_models = score.compare(answers)
    found = corrected_t(differences, held_out_share([run for run, _ in runs]))
    interval = of_models if found is None else Interval(found.low, found.high, OVER)
    is_same = all(not a.differ_in(b, name) for a, b in answers for name in a.columns)
    p_folds = found.p if found else 1.0 if is_same else None
    return FoldPaired(
        metric, fmean(differences), lambda: interval, p_examples, None, OVER,
        sorted({seed for of_seeds in pairs.values() for seed in of_seeds}), len(answers[0][0]), is_same,
        folds=len(differences), p_folds=p_folds, of_models=test, models_low=of_models.low, models_high=of_models.high,
        models_difference=fmean(score.value(a) - score.value(b) for a, b in answers), units=score.units,
    )  # fmt: skip


def _answers(pairs: dict[Fold, dict[int, tuple[Run, Run]]], split: str) -> list[Pair] | str:
    """Return both groups' answers to all held-out rows, one pair per seed and repeat.

    Or the reason why there are none.
    """
    found: list[Pair] = []
    shared = set.intersection(*(set(of_seeds) for of_seeds in pairs.values()))
    for seed in sorted(shared):
        sides = [
            held_out_answers({fold: of_seeds[seed][side] for fold, of_seeds in pairs.items()}, split) for side in (0, 1)
        ]
        for side in sides:
            if isinstance(side, str):
                return side
        found += [(a, b) for a, b in zip(*sides) if not isinstance(a, str) and not isinstance(b, str)]
    return found or "no seed has all folds, so there are no answers to the same rows"
