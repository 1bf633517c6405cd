"""Out-of-fold predictions of linear n-gram models: one model for each fold, fitted on the rows outside it.

The n-grams are counted once for all folds. They are weighted by naive-Bayes ratios and not pruned, as no model is
saved. The penalty's strength is chosen on a sample of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.splits import TokenSplit
from models.ngrams.pairs import PairOptions
from runner.statistics.probabilities import softmax
from runner.statistics.temperature import fit_temperature, negative_log_likelihood
from runner.training.ngram.counting import Counted, count_grams, find_known
from runner.training.ngram.solve import Linear, Logistic
from runner.training.ngram.weighting import NB, column_scales

N = 2  # words in the longest n-gram
ROWS_A_GRAM = 2500  # an n-gram counts if one row in 2,500 has it, but at least LEAST_ROWS rows
LEAST_ROWS = 2
STRENGTHS = (0.1, 1.0)  # C of the penalty, to choose from: 0.1 for long texts, 1 for SST-2
CHOOSING_ROWS = 5000
TOLERANCE = 1e-3  # of a fit: 1e-4, as for saved models, takes twice as long for the same answers


@dataclass(frozen=True)
class FoldAnswers:
    """Probabilities of the classes."""

    held_out: np.ndarray  # (rows, C) float64, each row by the model fitted without its fold; nan for rows in no fold
    other: np.ndarray | None  # (other rows, C), for further rows that no model was fitted on: the mean of all models


@dataclass(frozen=True)
class _Rows:
    """The rows with a label, their n-grams and their folds."""

    counted: Counted
    labels: np.ndarray  # (rows,) class ids
    classes: int
    fold: np.ndarray  # (rows,); below 0: every model is fitted on the row

    @property
    def folds(self) -> list[int]:
        """The folds that have rows."""
        return np.unique(self.fold[self.fold >= 0]).tolist()

    def fit(self, fold: int, strength: float) -> Linear:
        """Fit a model on the rows outside a fold."""
        train = np.flatnonzero(self.fold != fold)
        columns = np.arange(self.classes)[-1 if self.classes == 2 else 0 :]  # two classes need one score
        members, presence = self.labels[train] == columns[:, None], self.counted.take(train).presence
        return Logistic(members).fit(presence, column_scales(NB, presence, members), strength, TOLERANCE)

    def held_out(self, fitted: Linear, fold: int) -> np.ndarray:
        """Return the outputs (rows of the fold, C) of its model."""
        return _outputs(fitted, self.counted.take(np.flatnonzero(self.fold == fold)))

    def choose(self) -> float:
        """Return the strength with the least log loss on the first fold of a sample of the rows."""
        drawn = np.sort(np.random.default_rng(0).permutation(len(self.labels))[:CHOOSING_ROWS])
        part = _Rows(self.counted.take(drawn), self.labels[drawn], self.classes, self.fold[drawn])
        if not part.folds:
            return STRENGTHS[0]
        fold = part.folds[0]
        outputs = [part.held_out(part.fit(fold, strength), fold) for strength in STRENGTHS]
        losses = [negative_log_likelihood(found, part.labels[part.fold == fold]) for found in outputs]
        return STRENGTHS[int(np.argmin(losses))]


def answer_by_folds(
    split: TokenSplit, labels: np.ndarray, fold: np.ndarray, classes: int, *, pairs: PairOptions | None = None,
    other: TokenSplit | None = None,
) -> FoldAnswers | None:  # fmt: skip
    """Return out-of-fold predictions; None if no n-gram is in enough rows.

    split: the rows, with labels (rows,) and folds (rows,), of which at least one is 0 or more. pairs: how two texts are
    read; None for single texts. other: further rows.
    """
    counted = count_grams(split, N, max(LEAST_ROWS, len(split) // ROWS_A_GRAM), pairs)
    if not len(counted.hashes):
        return None
    rows = _Rows(counted, labels, classes, fold)
    strength = rows.choose()
    models = {number: rows.fit(number, strength) for number in rows.folds}
    logits = np.full((len(split), classes), np.nan)
    for number, model in models.items():
        logits[fold == number] = rows.held_out(model, number)
    is_held = fold >= 0
    temperature = fit_temperature(logits[is_held], labels[is_held]).value
    if other is None:
        return FoldAnswers(softmax(logits / temperature), None)
    known = find_known(other, N, counted.hashes, pairs)
    shares = [softmax(_outputs(model, known) / temperature) for model in models.values()]
    return FoldAnswers(softmax(logits / temperature), np.mean(shares, axis=0))


def _outputs(fitted: Linear, counted: Counted) -> np.ndarray:
    """Return an output for each class, (rows, C) float64; with two classes the first has output 0."""
    scores = fitted.scores(counted.presence)
    return np.hstack([np.zeros_like(scores), scores]) if scores.shape[1] == 1 else scores
