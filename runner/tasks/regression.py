"""Regression: one number per text or pair of texts. The output is used as it is: no argmax, no clipping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from data.settings import SCORES
from runner.statistics.intervals import RESAMPLES, bootstrap_rows

if TYPE_CHECKING:
    from torch import Tensor

METRICS = SCORES["regression"]
ROUNDING = 8 * float(np.finfo(np.float32).eps)  # of the largest output: what batches of other shapes may differ by


def loss(logits: Tensor, labels: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Return the mean squared error, a scalar.

    logits: (B, 1) float; labels: (B,) numbers. ValueError for class_weights: numbers have no classes.
    """
    if class_weights is not None:
        raise ValueError("class weights need classes, this task is regression. Try: data.class_weights=none")
    from torch.nn import functional  # here: tables of scores are made without torch

    return functional.mse_loss(logits.float().squeeze(-1), labels.float())


def mean_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean loss of (N, C) logits, without class weights."""
    import torch

    return float(loss(torch.from_numpy(logits), torch.from_numpy(labels)))


def columns(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns to store for paired comparisons: label, prediction and output of each row."""
    kept = {"label": labels, "prediction": logits[:, 0]}
    return kept | {f"logit_{i}": logits[:, i] for i in range(logits.shape[1])}


def metrics(logits: np.ndarray, labels: np.ndarray, names: Sequence[str], *, positive: int = 1) -> dict[str, float]:
    """Return the named scores, in the order of `names`; correlations are 0 where either side is constant.

    logits: (N, 1) or (N,); labels: (N,); positive: unused, since numbers have no classes. KeyError for an unknown
    name; ValueError for outputs that are not finite.
    """
    outputs, targets = _outputs(logits), labels.astype(np.float64)
    return {name: _score(outputs, targets, name) for name in names}


def interval(
    logits: np.ndarray, labels: np.ndarray, name: str, *,
    positive: int = 1, resamples: int = RESAMPLES, seed: int = 0,
) -> tuple[float, float]:  # fmt: skip
    """Return the 95 % bootstrap interval (low, high) of a score."""
    outputs, targets = _outputs(logits), labels.astype(np.float64)
    _refuse_unknown(name)
    score = OF_COUNTS[name](outputs, targets)
    return bootstrap_rows(len(targets), score, resamples=resamples, seed=seed)


def majority(train_labels: np.ndarray, labels: np.ndarray, name: str, *, positive: int = 1) -> float:
    """Return the score on `labels` of always predicting the mean of the training labels."""
    answer = float(np.mean(train_labels, dtype=np.float64))
    return _score(np.full(len(labels), answer), labels.astype(np.float64), name)


def constant_predictions(logits: np.ndarray) -> bool:
    """Return whether every row gets the same number, up to the rounding of float32."""
    return _is_constant(_outputs(logits))


def _outputs(logits: np.ndarray) -> np.ndarray:
    outputs = logits.reshape(len(logits)).astype(np.float64)
    wrong = int((~np.isfinite(outputs)).sum())
    if wrong:
        raise ValueError(
            f"the outputs of {wrong} of {len(outputs)} rows are not finite: training diverged. "
            "Try: a smaller optimizer.lr"
        )
    return np.full_like(outputs, outputs[0]) if len(outputs) and _is_rounding(outputs) else outputs


def _is_rounding(outputs: np.ndarray) -> bool:
    """Return whether the outputs differ only by rounding: their order would correlate with anything."""
    return bool(np.ptp(outputs) <= ROUNDING * np.abs(outputs).max())


def _refuse_unknown(name: str) -> None:
    if name not in METRICS:
        raise KeyError(f"unknown score '{name}' for regression; known: {', '.join(METRICS)}")


def _is_constant(values: np.ndarray) -> bool:
    return len(values) == 0 or bool(np.all(values == values[0]))


def _score(outputs: np.ndarray, targets: np.ndarray, name: str) -> float:
    from scipy import stats
    from sklearn.metrics import mean_squared_error

    _refuse_unknown(name)
    if name == "mse":
        return float(mean_squared_error(targets, outputs))
    if _is_constant(outputs) or _is_constant(targets):
        return 0.0  # scipy gives NaN; `constant_predictions` says that this 0 stands for "undefined"
    return float((stats.pearsonr if name == "pearson" else stats.spearmanr)(outputs, targets).statistic)


Scorer = Callable[[np.ndarray], np.ndarray]


def _mse_of_counts(outputs: np.ndarray, targets: np.ndarray) -> Scorer:
    errors = (outputs - targets) ** 2
    return lambda counts: counts @ errors / len(errors)


def _pearson_of_counts(outputs: np.ndarray, targets: np.ndarray) -> Scorer:
    # Centred and scaled first, so that the sums below do not lose digits.
    x, y = _standardise(outputs), _standardise(targets)
    return lambda counts: _correlate(counts, x, y)


def _spearman_of_counts(outputs: np.ndarray, targets: np.ndarray) -> Scorer:
    rank_x, rank_y = _ranker(outputs), _ranker(targets)
    return lambda counts: _correlate(counts, rank_x(counts), rank_y(counts))


# Each takes outputs and targets (N,) and returns a function from counts (R, N) of drawn rows to (R,) scores.
OF_COUNTS = {"mse": _mse_of_counts, "pearson": _pearson_of_counts, "spearman": _spearman_of_counts}


def _standardise(values: np.ndarray) -> np.ndarray:
    return np.zeros_like(values) if _is_constant(values) else (values - values.mean()) / values.std()


def _ranker(values: np.ndarray) -> Scorer:
    """Return a function from counts (R, N) to the centred mid-ranks (R, N) of the drawn values."""
    order = np.argsort(values, kind="stable")
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    firsts = np.concatenate(([0], np.cumsum(sizes)[:-1]))

    def ranks(counts: np.ndarray) -> np.ndarray:
        drawn = np.add.reduceat(counts[:, order], firsts, axis=1)  # draws per distinct value, ascending
        middle = np.cumsum(drawn, axis=1) - (drawn - 1) / 2
        return np.asarray((middle - (counts.shape[1] + 1) / 2)[:, group])

    return ranks


def _correlate(counts: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the Pearson correlation (R,) of rows drawn `counts` (R, N) times; 0 where a side is constant."""
    rows = counts.sum(axis=1)
    sum_x, sum_y = (counts * x).sum(axis=1), (counts * y).sum(axis=1)
    covariance = (counts * x * y).sum(axis=1) - sum_x * sum_y / rows
    spread_x = (counts * x * x).sum(axis=1) - sum_x**2 / rows
    spread_y = (counts * y * y).sum(axis=1) - sum_y**2 / rows
    spread = np.sqrt(np.maximum(spread_x, 0) * np.maximum(spread_y, 0))
    return np.where(spread > 0, covariance / np.where(spread > 0, spread, 1.0), 0.0)
