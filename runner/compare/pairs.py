"""Tests two groups on the same examples: how large the difference is, and whether it could be chance.

Runs are paired seed by seed on their stored predictions. With one pair the test is McNemar's for accuracy and a paired
bootstrap over the examples for every other score. With several pairs, chance enters twice: by the examples and by the
seeds. Both are tested (McNemar with examples as clusters, or the bootstrap; a paired t test over seeds), and a
difference is significant only if both tests say so: the p-value is the larger one, the interval spans both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from data.settings import BINARY_SCORES
from runner.compare.groups import Group
from runner.compare.select import Run
from runner.record.metrics import direction
from runner.record.predictions import Predictions, read_predictions
from runner.statistics import paired as stats
from runner.statistics.intervals import bootstrap_confusion, bootstrap_rows, resample_rows
from runner.tasks import classification, regression
from runner.tasks.classification import confusion_of, of_confusion

ALPHA = 0.05  # significance level


@dataclass
class Paired:
    """The difference first - second of a metric; `p_holm` and `tests` are set once all tests of a table are made."""

    metric: str
    difference: float
    low: float
    high: float
    p_examples: float
    p_seeds: float | None
    test: str
    seeds: list[int]
    examples: int
    same_answers: bool
    p_holm: float | None = None
    tests: int = 1  # in the table, which p_holm corrects for

    @property
    def p(self) -> float:
        """The larger of the two p-values: a difference must be significant over examples and over seeds."""
        return max(self.p_examples, self.p_seeds or 0.0)

    @property
    def is_significant(self) -> bool:
        """Whether the difference is significant at the 5 % level, after the correction if there was one."""
        return (self.p if self.p_holm is None else self.p_holm) < ALPHA

    def in_words(self) -> str:
        """The verdict: better by, worse by, or not significant and why."""
        if not self.is_significant:
            return f"not significant{self._why()}"
        word = {"higher": ("better", "worse"), "lower": ("worse", "better")}.get(
            direction(self.metric), ("more", "less")
        )
        suffix = "" if self.p_seeds is not None else ", one seed"
        return f"{word[self.difference < 0]} by {abs(self.difference):.4f}{suffix}"

    def _why(self) -> str:
        if self.same_answers:
            return ": identical predictions"
        if self.p < ALPHA:
            return f" after correcting for {self.tests} comparisons"
        if self.p_seeds is None:
            return ": within the sampling error of the examples"
        if self.p_seeds >= ALPHA > self.p_examples:
            return ": the seeds vary as much"
        return ""


@dataclass
class Refused:
    """The reason why two groups were not compared."""

    reason: str

    def in_words(self) -> str:
        """The verdict: not compared, and why."""
        return f"not compared: {self.reason}"


def compare_groups(first: Group, second: Group, metric: str) -> Paired | Refused:
    """Test the difference of a metric between two groups, seed by seed on the same examples; or say why not."""
    common = [seed for seed in first.seeds if seed in second.seeds]
    if not common:
        seeds = [", ".join(map(str, group.seeds)) for group in (first, second)]
        return Refused(f"no seed in common ({seeds[0]} against {seeds[1]}), so there are no pairs")
    return compare_runs([(first.seeds[seed], second.seeds[seed]) for seed in common], metric)


def compare_runs(runs: list[tuple[Run, Run]], metric: str) -> Paired | Refused:
    """Test the mean difference of a metric over pairs of runs on the same examples; or say why not."""
    refusal = _refusal(runs, metric)
    if refusal:
        return Refused(refusal)
    split, _, score = metric.partition("/")
    predictions = _read_pairs(runs, split)
    if isinstance(predictions, str):
        return Refused(predictions)
    kind, positive = runs[0][0].record.data.task, runs[0][0].record.data.positive_index
    test, p_examples, over_examples = _over_examples(predictions, kind, score, positive)
    differences = [float(first.metrics[metric]) - float(second.metrics[metric]) for first, second in runs]
    found = stats.paired_seeds(differences)
    p_seeds, intervals = (None, [over_examples]) if found is None else (found[0], [over_examples, found[1]])
    return Paired(
        metric,
        float(np.mean(differences)),
        min(interval.low for interval in intervals),
        max(interval.high for interval in intervals),
        p_examples,
        p_seeds,
        test,
        [first.seed for first, _ in runs],
        len(predictions[0][0].labels),
        all(np.array_equal(mine.predicted, other.predicted) for mine, other in predictions),
    )


Pair = tuple[Predictions, Predictions]


def _read_pairs(runs: list[tuple[Run, Run]], split: str) -> list[Pair] | str:
    """The stored predictions of each pair of runs, or why they cannot be paired."""
    pairs: list[Pair] = []
    for first, second in runs:
        mine, other = read_predictions(first.folder, split), read_predictions(second.folder, split)
        if mine is None or other is None:
            run = first if mine is None else second
            return f"run {run.identity} (seed {run.seed}) has no readable predictions-{split}.parquet"
        if not np.array_equal(mine.labels, other.labels):
            return f"the labels of {split} differ between {first.identity} and {second.identity}"
        pairs.append((mine, other))
    return pairs


def _refusal(runs: list[tuple[Run, Run]], metric: str) -> str | None:
    split, _, score = metric.partition("/")
    if score not in _scores():
        return f"{metric} is not a score of single examples, so there is no paired test"
    for first, second in runs:
        mine, other = (run.record.data.examples(split) for run in (first, second))
        if mine != other:
            return f"other examples ({split} of data {mine[:8]} against {other[:8]})"
        for run in (first, second):
            if metric not in run.metrics:
                return f"run {run.identity} has no {metric}"
            if score in BINARY_SCORES and run.record.data.positive_index != runs[0][0].record.data.positive_index:
                return f"{score} is of another class in {run.identity} than in {runs[0][0].identity}"
    return None


def _scores() -> set[str]:
    return {*classification.OF_CONFUSION, *regression.OF_COUNTS}


def _over_examples(pairs: list[Pair], kind: str, score: str, positive: int) -> tuple[str, float, stats.Interval]:
    """The name of the test over examples, its p-value, and the interval of the difference over examples."""
    count = len(pairs[0][0].labels)
    over = f"bootstrap over {count} examples"
    if score == "accuracy":
        differences = np.mean([first.right - second.right for first, second in pairs], axis=0)
        interval = stats.quantile_interval(stats.resample_mean(differences), over)
        if len(pairs) == 1:
            only_first, only_second = int(np.sum(differences > 0)), int(np.sum(differences < 0))
            return "McNemar", stats.mcnemar_p(only_first, only_second), interval
        return "McNemar, examples as clusters", stats.clustered_mcnemar_p(differences), interval
    resampled = _resample(pairs, kind, score, positive)
    return "paired bootstrap", stats.bootstrap_p(resampled), stats.quantile_interval(resampled, over)


def _resample(pairs: list[Pair], kind: str, score: str, positive: int) -> np.ndarray:
    """Resample the rows, the same for all, and return the differences of a score, averaged over the pairs."""
    labels = pairs[0][0].labels
    if kind == "classification":
        firsts, seconds = ([pair[side].predicted for pair in pairs] for side in (0, 1))
        return stats.resample_confusions(labels, firsts, seconds, of_confusion(score, positive))
    targets = labels.astype(np.float64)
    scorers = [[regression.OF_COUNTS[score](p.predicted.astype(np.float64), targets) for p in pair] for pair in pairs]

    def difference(counts: np.ndarray) -> np.ndarray:
        return np.asarray(np.mean([first(counts) - second(counts) for first, second in scorers], axis=0))

    return resample_rows(len(labels), difference, resamples=stats.RESAMPLES)


def score_interval(found: Predictions, kind: str, score: str, positive: int = 1) -> stats.Interval | None:
    """The 95 % interval of a single run's score over its examples; None for a metric that is no score of examples."""
    count = len(found.labels)
    over = f"{count} examples, one seed"
    if kind == "classification":
        if score not in classification.OF_CONFUSION:
            return None
        confusion = confusion_of(found.labels, found.predicted)
        return stats.Interval(*bootstrap_confusion(confusion, of_confusion(score, positive)), over)
    if score not in regression.OF_COUNTS:
        return None
    scorer = regression.OF_COUNTS[score](found.predicted.astype(np.float64), found.labels.astype(np.float64))
    return stats.Interval(*bootstrap_rows(count, scorer), over)


def correct_for_all_tests(comparisons: Iterator[Paired | Refused | None]) -> int:
    """Correct the p-values of one table by Holm's method; return the number of its tests."""
    tested = [found for found in comparisons if isinstance(found, Paired)]
    for found, p in zip(tested, stats.holm_p_values([found.p for found in tested])):
        found.p_holm, found.tests = p, len(tested)
    return len(tested)
