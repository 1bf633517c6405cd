"""Scores of probabilities (n, C) against labels (n,): calibration, proper scores, and how well they rank the rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from runner.statistics.ece import ece, ece_debiased, ece_equal_width, ece_floor

Ranking = Callable[[np.ndarray, np.ndarray], float | None]  # from (which rows are positive, their values) to a score

LEAST = 2.2e-16  # smallest probability in a log loss: a 0 costs 36.05 nats, not infinity


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities (rows, C) in float64, so that they sum to 1 even when rounded to a few digits."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    shares: np.ndarray = shifted / shifted.sum(1, keepdims=True)
    return shares


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return the independent probability of each output, in the shape of the logits, float64."""
    powers = np.exp(-np.abs(logits.astype(np.float64)))
    return np.asarray(np.where(logits >= 0, 1.0, powers) / (1 + powers))


def brier(shares: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over rows of the squared distance to the one-hot label, summed over classes: 0 to 2.

    With two classes it is twice the value of definitions that use only one of them.
    """
    wanted = np.zeros_like(shares)
    wanted[np.arange(len(labels)), labels] = 1.0
    return float(((shares - wanted) ** 2).sum(1).mean())


def log_loss(shares: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative logarithm of the label's probability, in nats; probabilities are at least LEAST."""
    return float(log_losses(shares, labels).mean())


def log_losses(shares: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the negative logarithm of each label's probability, (n,), as `log_loss` averages it."""
    return np.asarray(-np.log(np.maximum(shares[np.arange(len(labels)), labels], LEAST)))


def auroc(is_positive: np.ndarray, values: np.ndarray) -> float | None:
    """Return the chance that a positive row has a larger value than a negative one; ties count half.

    None if all rows are positive, or none.
    """
    positives = int(np.count_nonzero(is_positive))
    negatives = len(is_positive) - positives
    if not positives or not negatives:
        return None
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = counts.cumsum() - (counts - 1) / 2  # the rank of each value, from 1; equal ones share theirs
    ranks = float(middle[places[np.asarray(is_positive, bool)]].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def average_precision(is_positive: np.ndarray, values: np.ndarray) -> float | None:
    """Return the sum over distinct thresholds of the gain in recall times precision, without interpolation.

    None if all rows are positive, or none.
    """
    order = np.argsort(-np.asarray(values, np.float64), kind="stable")
    ordered, hits = np.asarray(values)[order], np.asarray(is_positive, bool)[order].cumsum()
    if not 0 < hits[-1] < len(hits):
        return None
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    found, precision = hits[ends], hits[ends] / (ends + 1)
    return float((np.diff(found, prepend=0) * precision).sum() / hits[-1])


def auroc_of(shares: np.ndarray, labels: np.ndarray, positive: int = 1) -> float | None:
    """Return the AUROC of the positive class of two; with more classes the mean of each class against the rest.

    Classes with no rows, or all rows, are left out; None if no class is left.
    """
    return _mean_of_classes(auroc, shares, labels, positive)


def average_precision_of(shares: np.ndarray, labels: np.ndarray, positive: int = 1) -> float | None:
    """Return the average precision of the positive class of two; with more classes the mean, as in `auroc_of`."""
    return _mean_of_classes(average_precision, shares, labels, positive)


def _mean_of_classes(score: Ranking, shares: np.ndarray, labels: np.ndarray, positive: int) -> float | None:
    classes = [positive] if shares.shape[1] == 2 else range(shares.shape[1])
    found = [score(labels == label, shares[:, label]) for label in classes]
    known = [one for one in found if one is not None]
    return sum(known) / len(known) if known else None


def probability_scores(shares: np.ndarray, labels: np.ndarray, positive: int = 1) -> dict[str, float]:
    """Return all scores of probabilities by their names in a record; undefined ones are left out.

    shares: (n, C); labels: (n,); positive: the positive class of two, for the ranking scores.
    """
    confidence, is_right = shares.max(1), shares.argmax(1) == labels
    error, floor = ece(confidence, is_right), ece_floor(confidence)
    found = {
        "ece": error, "ece_floor": floor.mean, "ece_floor_95": floor.high,
        "ece_debiased": ece_debiased(error, floor.mean), "ece_equal_width": ece_equal_width(confidence, is_right),
        "brier": brier(shares, labels), "log_loss": log_loss(shares, labels),
        "auroc": auroc_of(shares, labels, positive),
        "average_precision": average_precision_of(shares, labels, positive),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def uncalibrated_scores(shares: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the scores that calibration changes, computed before it, by their names in a record."""
    found = {
        "ece": ece(shares.max(1), shares.argmax(1) == labels), "brier": brier(shares, labels),
        "log_loss": log_loss(shares, labels),
    }  # fmt: skip
    return {f"{name}_uncalibrated": value for name, value in found.items()}
