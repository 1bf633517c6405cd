"""A score: one definition gives its value, its interval and the paired test.

    score.value(answers)                            # 0.81
    score.interval(answers)                         # (0.78, 0.84)
    score.compare([(mine, other)])                  # ("paired bootstrap", 0.012, Interval)

Bootstraps resample units (a row, a sentence, a block of text), so items of one unit are never treated as independent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from runner.statistics import paired
from runner.statistics.answers import Answers, is_constant
from runner.statistics.intervals import RESAMPLES, bootstrap_rows, resample_rows, wilson_interval
from runner.statistics.score_table import SCORE_TABLE, is_share

OfCounts = Callable[[np.ndarray], np.ndarray]  # from how often each unit was drawn, (R, N), to scores (R,)
Compared = tuple[str, float, paired.Interval]  # the test's name, the p-value, the interval of the difference
Tested = tuple[str, float, Callable[[], paired.Interval]]  # the same with an interval that is computed when called
SMALLEST = float(np.finfo(np.float64).tiny)
EXAMPLES = "examples"
NO_WIDTH = 1e-9  # of an interval; sums of equal numbers differ by rounding


class Score(ABC):
    """A score of the answers to a split; in every score 0/0 counts as 0."""

    name: str
    units: ClassVar[str] = EXAMPLES  # the word for what is resampled, in the plural

    @abstractmethod
    def over(self, answers: Answers) -> OfCounts:
        """Return a function from how often each unit was drawn, (R, N), to the score of those draws, (R,)."""

    def value(self, answers: Answers) -> float:
        """Return the score of the answers."""
        return float(self.over(answers)(np.ones((1, len(answers))))[0])

    def contributions(self, answers: Answers) -> np.ndarray | None:
        """Return the value of each unit if the score is a mean over units, (N,) float64; None for other scores."""
        return None

    def interval(self, answers: Answers, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
        """Return the 95 % interval (low, high) over the units.

        Wilson's for a share of them, for other scores a bootstrap unless overridden. A bootstrap of units
        that are all right has no width, however few they are: a score of 0..1 then has Wilson's interval too.
        """
        parts = self.contributions(answers) if is_share(self.name) else None
        if parts is not None and np.isin(parts, (0.0, 1.0)).all():
            return wilson_interval(float(parts.mean()), len(parts))
        scored = self.scored_rows(answers)  # 500 sentences of which five have an entity are like five sentences
        drawn = answers if scored is None or not scored.any() else answers.take(np.flatnonzero(scored))
        ends = bootstrap_rows(len(drawn), self.over(drawn), resamples=resamples, seed=seed)
        return self.with_width(ends, answers)

    def with_width(self, ends: tuple[float, float], answers: Answers) -> tuple[float, float]:
        """Return the ends of a bootstrap interval; where all resamples are equal, Wilson's for a score of 0..1.

        A correlation with labels that are all the same is not known: its interval is -1 to 1.
        """
        low, high = ends
        unit = SCORE_TABLE[self.name].unit if self.name in SCORE_TABLE else ""
        if high - low > NO_WIDTH:
            return ends
        if unit == "-1..1":
            return (-1.0, 1.0) if is_constant(answers["label"]) else ends
        return wilson_interval(min(max(low, 0.0), 1.0), self.scored_units(answers)) if unit == "share" else ends

    def count(self, answers: Answers) -> str:
        """Return the number of units that an interval is over, with their name, such as "872 examples"."""
        return f"{len(answers)} {self.units}"

    def scored_rows(self, answers: Answers) -> np.ndarray | None:
        """Return which units have something to score, such as an entity, (N,) bool; the others change no score.

        None: all units may change the score.
        """
        return None

    def scored_units(self, answers: Answers) -> int:
        """Return how many units have something to score."""
        scored = self.scored_rows(answers)
        return len(answers) if scored is None else int(np.count_nonzero(scored))

    def compare(self, pairs: Sequence[tuple[Answers, Answers]]) -> Compared:
        """Test the difference first - second, averaged over pairs of answers to the same units, against chance.

        Return the name of the test, its p-value, and the 95 % interval of the difference.
        """
        name, p, interval = self.test(pairs)
        return name, p, interval()

    def test(self, pairs: Sequence[tuple[Answers, Answers]]) -> Tested:
        """Test as `compare` does, but compute the interval only on demand, for tables of thousands of tests.

        A paired bootstrap over the units unless a subclass overrides it.
        """
        resampled, units = self.resampled_differences(pairs), self.tested_units(pairs)
        interval = paired.quantile_interval(resampled, f"bootstrap over {self.count(pairs[0][0])}", units)
        return "paired bootstrap", paired.bootstrap_p(resampled, units), lambda: interval

    def tested_units(self, pairs: Sequence[tuple[Answers, Answers]]) -> int:
        """Return how many units of the pairs have something to score, in the answers of either model."""
        return max(self.scored_units(answers) for pair in pairs for answers in pair)

    def resampled_differences(self, pairs: Sequence[tuple[Answers, Answers]]) -> np.ndarray:
        """Return differences (R,) first - second, averaged over the pairs; all models get the same draws of units."""
        return self._resampled(pairs, np.subtract)

    def resampled_ratios(self, pairs: Sequence[tuple[Answers, Answers]]) -> np.ndarray:
        """Return ratios (R,) first / second, geometric means over the pairs; all models get the same draws of units.

        A score of 0 or below counts as the smallest positive number.
        """

        def log_ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
            return np.log(np.maximum(first, SMALLEST)) - np.log(np.maximum(second, SMALLEST))

        with np.errstate(over="ignore"):
            return np.exp(self._resampled(pairs, log_ratio))

    def _resampled(
        self, pairs: Sequence[tuple[Answers, Answers]], combine: Callable[[np.ndarray, np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Return the mean (R,) over the pairs of a combination of both scores, on resampled units."""
        scorers = [(self.over(first), self.over(second)) for first, second in pairs]

        def mean(counts: np.ndarray) -> np.ndarray:
            return np.asarray(np.mean([combine(first(counts), second(counts)) for first, second in scorers], axis=0))

        return resample_rows(len(pairs[0][0]), mean, resamples=paired.RESAMPLES)


def as_rows(units: str) -> str:
    """Return the word for units in a sentence about rows: queries stay queries."""
    return "rows" if units == EXAMPLES else units


class SumScore(Score):
    """A score computed from sums over units: perplexity, entity F1, exact match."""

    @abstractmethod
    def parts(self, answers: Answers) -> np.ndarray:
        """Return what each unit adds, (N, K) float64."""

    @abstractmethod
    def of_sums(self, sums: np.ndarray) -> np.ndarray:
        """Return the scores (R,) of sums (R, K)."""

    def over(self, answers: Answers) -> OfCounts:
        """Return the score as a function of how often each unit was drawn."""
        columns = self.parts(answers).T
        return lambda counts: self.of_sums(np.stack([counts @ column for column in columns], axis=1))

    def scored_rows(self, answers: Answers) -> np.ndarray | None:
        """Return which units add anything to the sums, (N,) bool."""
        return np.asarray(self.parts(answers).any(axis=1))
