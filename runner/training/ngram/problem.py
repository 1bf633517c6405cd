"""Rows and labels in the form that the solvers need: one class against the others, or a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from data.splits import TokenSplit
from models.ngrams.pairs import PairOptions
from models.settings import ModelSettings
from runner.record.metrics import direction
from runner.tasks.base import Task
from runner.training.ngram.counting import Counted, count_grams, find_known
from runner.training.ngram.solve import Linear, Logistic, Ridge, Solver
from runner.training.ngram.weighting import NB, PRESENCE, TFIDF, column_scales

AUTO = "auto"


@dataclass(frozen=True)
class Problem:
    """Rows with labels, the settings of their n-grams, and the task that scores predictions."""

    task: Task
    settings: ModelSettings
    rows: TokenSplit  # to fit on
    pause: Callable[[], None]  # called between fits: other runs may be timing
    is_pair: bool = False  # does a row have two texts?
    is_symmetric: bool = False  # is their order irrelevant?
    known_counts: Counted | None = None  # the n-grams of the rows, if they are already counted
    # Replaces the labels: the share of each class in each row (rows, outputs), or numbers (rows,).
    targets: np.ndarray | None = None
    tell: Callable[[str], None] = lambda line: None  # shows a line to the user

    @property
    def is_number(self) -> bool:
        """Are the labels numbers?"""
        return np.issubdtype(np.asarray(self.rows.labels.values).dtype, np.floating)

    @property
    def outputs(self) -> int:
        """The number of outputs of the head."""
        return self.task.head().outputs

    @property
    def is_binary(self) -> bool:
        """Does one score decide between two classes?"""
        return self.task.head().deciding < self.outputs

    @cached_property
    def members(self) -> np.ndarray:
        """For each column of scores, which rows have its class or label, (columns, rows) bool; for a number all rows.

        With targets, the share of the class in each row, (columns, rows) float64.
        """
        if self.is_number:
            return np.ones((1, len(self.rows)), bool)
        if self.targets is not None:
            return self.targets.T[-1 if self.is_binary else 0 :]
        labels = np.asarray(self.rows.known_labels)
        if self.task.has_label_sets:
            return np.ascontiguousarray(labels.T > 0)
        return labels == np.arange(self.outputs)[-1 if self.is_binary else 0 :, None]

    @cached_property
    def counted(self) -> Counted:
        """The n-grams of the rows."""
        if self.known_counts is not None:
            return self.known_counts
        return count_grams(self.rows, self.settings.n, self.settings.min_df, self.pairs)

    @property
    def pairs(self) -> PairOptions | None:
        """How two texts are read; None for single texts. By default words are crossed if there are over two classes."""
        cross = self.settings.cross == "on" or (self.settings.cross == AUTO and self.outputs > 2)
        return PairOptions(self.settings.n, self.is_symmetric, cross) if self.is_pair else None

    @property
    def characters(self) -> tuple[int, int] | None:
        """The lengths of the shortest and the longest character n-gram; None without them."""
        wanted = self.settings.characters
        return (wanted[0], wanted[1]) if wanted else None

    def known(self, split: TokenSplit, hashes: np.ndarray) -> Counted:
        """Return which of the n-grams `hashes`, ascending, occur in the rows of another split."""
        return find_known(split, self.settings.n, hashes, self.pairs)

    @property
    def weightings(self) -> tuple[str, ...]:
        """The weightings to choose among, the preferred one first. Naive-Bayes ratios need classes."""
        if self.settings.weighting != AUTO:
            return (self.settings.weighting,)
        return (PRESENCE, TFIDF) if self.is_number else (NB, PRESENCE)

    @cached_property
    def solver(self) -> Solver:
        """The solver for these labels."""
        labels = np.asarray(self.rows.known_labels) if self.targets is None else self.targets
        if self.is_number:
            return Ridge(labels.astype(np.float64))
        return Logistic(self._weighed_members(), self.row_weights)

    def _weighed_members(self) -> np.ndarray:
        """Return `members` such that times `row_weights` a row counts for each class with its share x its weight."""
        weights, row_weights = self.task.facts.class_weights, self.row_weights
        if self.targets is None or weights is None or row_weights is None:
            return self.members
        counted = self.members * weights[-len(self.members) :, None]
        found: np.ndarray = np.divide(counted, row_weights, out=self.members.copy(), where=row_weights > 0)
        return found

    @property
    def row_weights(self) -> np.ndarray | None:
        """The weight of each row in the loss, (rows,), or (columns, rows) for sets of labels; None: all equal."""
        weights = self.task.facts.class_weights
        if weights is None:
            return None
        if self.task.has_label_sets:
            weighed: np.ndarray = 1 + self.members * (weights[:, None].astype(np.float64) - 1)
            return weighed
        if self.targets is not None:
            expected: np.ndarray = self.targets @ weights
            return expected
        return weights[np.asarray(self.rows.known_labels)]

    def scales(self, weighting: str, counted: Counted) -> np.ndarray:
        """Return the scales of the n-grams, (columns, F)."""
        return column_scales(weighting, counted.presence, self.members)

    def take(self, rows: np.ndarray) -> Problem:
        """Return the problem for some of the rows, ascending, without counting n-grams again."""
        if len(rows) == len(self.rows):
            return self
        counted = self.counted.take(rows).frequent(self.settings.min_df)
        targets = None if self.targets is None else self.targets[rows]
        return replace(self, rows=self.rows.take(rows), known_counts=counted, targets=targets)

    def outputs_of(self, fitted: Linear, counted: Counted) -> np.ndarray:
        """Return the outputs of the head for rows, (rows, outputs) float32; with two classes the first has output 0."""
        scores = fitted.scores(counted.presence).astype(np.float32)
        return np.hstack([np.zeros_like(scores), scores]) if self.is_binary else scores

    def score(self, outputs: np.ndarray, split: TokenSplit) -> float:
        """Return the first score of the task, negated if lower is better."""
        name = self.task.metrics[0]
        task = self.task.fitted(outputs, split)
        value = task.evaluate(task.answers(outputs, split), [name])[name]
        return -value if direction(f"{split.name}/{name}") == "lower" else value
