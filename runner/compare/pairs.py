"""Tests two groups on the same examples: how large the difference is, and whether it could be due to chance.

Runs are paired seed by seed on their stored predictions. With one pair the test is McNemar's for accuracy and a paired
bootstrap over the examples for every other score. With several pairs there are two sources of chance: the examples and
the seeds. Both are tested (McNemar with examples as clusters, or the bootstrap; a paired t test over seeds), and a
difference is significant only if both tests find it: the p-value is the larger one, the interval spans both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import isfinite

import numpy as np

from runner.compare.select import Run
from runner.record.metrics import direction
from runner.record.predictions import read_answers
from runner.statistics import paired as stats
from runner.statistics.answers import Answers
from runner.statistics.score_table import OF_ONE_CLASS
from runner.statistics.scores import EXAMPLES, Score
from runner.tasks import TASKS, task_class
from runner.tasks.base import Task
from runner.tasks.make import task_of_record

ALPHA = 0.05  # significance level


def better_or_worse(metric: str, difference: float) -> str:
    """Return in a word what a difference of a metric means: better or worse; more or less if neither direction is
    better.
    """
    words = {"higher": ("better", "worse"), "lower": ("worse", "better")}.get(direction(metric), ("more", "less"))
    return words[difference < 0]


@dataclass
class Paired:
    """The difference first - second of a metric; `p_holm` and `tests` are set once all tests of a table are made."""

    metric: str
    difference: float
    find_interval: Callable[[], stats.Interval]  # called when a table shows it: a bootstrap takes longer than the test
    p_examples: float
    p_seeds: float | None
    test: str
    seeds: list[int]
    examples: int
    same_answers: bool
    p_holm: float | None = None
    tests: int = 1  # in the table, which p_holm corrects for
    units: str = EXAMPLES  # the word for what `examples` counts

    @cached_property
    def interval(self) -> stats.Interval:
        """The 95 % interval of the difference."""
        return self.find_interval()

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.interval.low

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.interval.high

    @property
    def p(self) -> float:
        """The larger of the two p-values: a difference must be significant over examples and over seeds."""
        return max(self.p_examples, self.p_seeds or 0.0)

    @property
    def is_significant(self) -> bool:
        """Whether the difference is significant at the 5 % level, after the correction if there was one."""
        return (self.p if self.p_holm is None else self.p_holm) < ALPHA

    def in_words(self) -> str:
        """Return the verdict: better by, worse by, or not significant and why."""
        if not self.is_significant:
            return f"not significant{self._why()}"
        alone = ", one seed" if len(self.seeds) == 1 else ", the same with every seed"
        suffix = "" if self.p_seeds is not None else alone
        return f"{better_or_worse(self.metric, self.difference)} by {abs(self.difference):.4f}{suffix}"

    def _why(self) -> str:
        if self.same_answers:
            return ": identical predictions"
        if self.p < ALPHA:
            return f" after correcting for {self.tests} comparisons"
        if not self.low <= 0 <= self.high:  # the interval and the p-value come from two methods
            return ": borderline, the interval excludes 0 but the test is not significant"
        if self.p_seeds is None:
            return ": within the sampling error of the examples"
        if self.p_seeds >= ALPHA > self.p_examples:
            return ": the seeds vary by as much"
        return ""


@dataclass
class Refused:
    """The reason why two groups were not compared."""

    reason: str

    def in_words(self) -> str:
        """Return the verdict: not compared, and why."""
        return f"not compared: {self.reason}"


def compare_runs(runs: list[tuple[Run, Run]], metric: str, *, any_threshold: bool = False) -> Paired | Refused:
    """Test the mean difference of a metric over pairs of runs on the same examples; or return why not.

    any_threshold: may answers have been decided in different ways?
    """
    if why := refusal(runs, metric, any_threshold=any_threshold):
        return Refused(why)
    split, _, score = metric.partition("/")
    predictions = _read_pairs(runs, split)
    if isinstance(predictions, str):
        return Refused(predictions)
    tested = task_of(runs[0][0]).score(score)
    test, p_examples, over_examples = tested.test(predictions)
    differences = [float(first.metrics[metric]) - float(second.metrics[metric]) for first, second in runs]
    found = stats.paired_seeds(differences)
    return Paired(
        metric,
        float(np.mean(differences)),
        over_examples if found is None else lambda: spanning(over_examples(), found[1]),
        p_examples,
        None if found is None else found[0],
        test,
        [first.seed for first, _ in runs],
        len(predictions[0][0]),
        not any(_answers_differ(mine, other) for mine, other in predictions),
        units=tested.units,
    )


def ratio_over_examples(runs: list[tuple[Run, Run]], metric: str) -> stats.Interval | Refused:
    """Return the interval over the examples of a score's mean ratio first / second over pairs of runs; or why not."""
    if why := refusal(runs, metric):
        return Refused(why)
    split, _, score = metric.partition("/")
    predictions = _read_pairs(runs, split)
    if isinstance(predictions, str):
        return Refused(predictions)
    found = task_of(runs[0][0]).score(score)
    ratios, over = found.resampled_ratios(predictions), found.count(predictions[0][0])
    return stats.quantile_interval(ratios, over, found.tested_units(predictions))


def spanning(first: stats.Interval, second: stats.Interval) -> stats.Interval:
    """Return the interval from the lower of two low ends to the higher of two high ones."""
    over = f"{first.over}, and {second.over}"
    return stats.Interval(min(first.low, second.low), max(first.high, second.high), over)


Pair = tuple[Answers, Answers]


def _read_pairs(runs: list[tuple[Run, Run]], split: str) -> list[Pair] | str:
    """Return the stored answers of each pair of runs, or why they cannot be paired."""
    truth = task_of(runs[0][0]).truth
    pairs: list[Pair] = []
    for first, second in runs:
        found = [(run, read_answers(run.folder, split, task_of(run), run.cache)) for run in (first, second)]
        for run, answers in found:
            if answers is None:
                return f"run {run.identity} (seed {run.seed}) has no readable predictions-{split}.parquet"
        mine, other = (answers for _, answers in found)
        assert mine is not None and other is not None
        if any(mine.differ_in(other, name) for name in truth):
            return f"the labels of {split} differ between {first.identity} and {second.identity}"
        pairs.append((mine, other))
    return pairs


def _answers_differ(mine: Answers, other: Answers) -> bool:
    return any(mine.differ_in(other, name) for name in mine.columns)


def refusal(runs: list[tuple[Run, Run]], metric: str, *, any_threshold: bool = False) -> str | None:
    """Return why two groups cannot be tested on this metric, before any answers are read; None if they can.

    any_threshold: may answers have been decided in different ways?
    """
    split, _, score = metric.partition("/")
    tasks = {run.record.data.task for pair in runs for run in pair}
    if len(tasks) > 1:
        return f"the runs have different tasks ({', '.join(sorted(tasks))})"
    if any(task not in TASKS or score not in task_class(task).scores for task in tasks):
        return f"{metric} is not a score of single examples, so there is no paired test"
    if not any_threshold and (why := other_decisions(runs, score)):
        return why
    for first, second in runs:
        mine, other = (run.record.data.examples(split) for run in (first, second))
        if mine != other:
            return f"different examples ({split} of data {mine[:8]} against {other[:8]})"
        for run in (first, second):
            if metric not in run.metrics:
                return f"run {run.identity} has no {metric}"
            if not isfinite(run.metrics[metric]):
                value = f"{metric} {run.metrics[metric]}"
                return f"run {run.identity} (seed {run.seed}) has {value}, and so has the mean. Try: another seed"
            if score in OF_ONE_CLASS and run.record.data.positive_index != runs[0][0].record.data.positive_index:
                return f"{score} is for different classes in {run.identity} and {runs[0][0].identity}"
    return None


def other_decisions(runs: list[tuple[Run, Run]], score: str) -> str | None:
    """Return why answers that were decided in different ways cannot be compared by a score; None if they can."""
    task = task_class(runs[0][0].record.data.task)
    for key in () if score in task.undecided else task.decided_by:
        values = {str(run.record.settings.get(key)) for pair in runs for run in pair}
        if len(values) > 1:
            return (
                f"different {key} ({', '.join(sorted(values))}), which may change a score more than the model does. "
                f"Try: --metric test/{task.undecided[0]}, or --any-threshold"
            )
    return None


@lru_cache(maxsize=64)  # the baseline's are asked for by every group
def task_of(run: Run) -> Task:
    """Return the task of a run; raise KeyError for one that this version does not know."""
    return task_of_record(run.record)


def scores_of(run: Run) -> Mapping[str, Score]:
    """Return the scores of a run's task by name; none of a task that this version does not know."""
    task = run.record.data.task
    return task_class(task).scores if task in TASKS else {}


def score_interval(run: Run, metric: str) -> stats.Interval | None:
    """Return the 95 % interval of a single run's score over its examples.

    It is the recorded one, if there is one, else computed from the stored answers.

    None for a metric that is no score of examples, and where no answers are stored.
    """
    split, _, score = metric.partition("/")
    scores = scores_of(run)
    units = scores[score].units if score in scores else EXAMPLES
    if f"{metric}_low" in run.metrics and (units == EXAMPLES or f"{split}/{units}" in run.metrics):
        count = int(run.metrics.get(f"{split}/{units}", 0))
        return stats.Interval(run.metrics[f"{metric}_low"], run.metrics[f"{metric}_high"], f"{count} {units}")
    if split not in run.record.data.rows or score not in scores:
        return None
    found = read_answers(run.folder, split, task_of(run), run.cache)
    if found is None:
        return None
    return stats.Interval(*scores[score].interval(found), scores[score].count(found))


def correct_for_all_tests(comparisons: Iterator[Paired | Refused | None]) -> int:
    """Correct the p-values of one table by Holm's method; return the number of its tests."""
    tested = [found for found in comparisons if isinstance(found, Paired)]
    for found, p in zip(tested, stats.holm_p_values([found.p for found in tested])):
        found.p_holm, found.tests = p, len(tested)
    return len(tested)
