"""Classification of a text or a pair of texts: one of C classes.

A prediction is the class of the largest logit; the first wins ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from runner.tasks.intervals import RESAMPLES, bootstrap_confusion, wilson

if TYPE_CHECKING:
    from torch import Tensor

METRICS = ("accuracy", "f1", "f1_macro", "mcc")


def loss(logits: Tensor, labels: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Return the mean cross entropy, a scalar.

    logits: (B, C) float; labels: (B,) class ids; class_weights: (C,) float on the same device, or None.
    With weights the mean is over the weights of the batch's labels, as in torch.
    """
    from torch.nn import functional  # here: tables of scores are made without torch

    return functional.cross_entropy(logits, labels, weight=class_weights)


def metrics(logits: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Return the named scores, in the order of `names`.

    logits: (N, C); labels: (N,) class ids. KeyError for an unknown name; ValueError for logits that are
    not finite and for `f1` with other than two classes.
    """
    predictions = _predict(logits)
    return {name: _score(predictions, labels, name, logits.shape[1]) for name in names}


def interval(
    logits: np.ndarray, labels: np.ndarray, name: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval (low, high) of a score: Wilson for accuracy, else bootstrap."""
    predictions = _predict(logits)
    if name == "accuracy":
        return wilson(float(np.mean(predictions == labels)), len(labels))
    _refuse_unknown(name, logits.shape[1])
    size = max(logits.shape[1], int(labels.max()) + 1)
    confusion = np.bincount(labels * size + predictions, minlength=size * size).reshape(size, size)
    return bootstrap_confusion(confusion, OF_CONFUSION[name], resamples=resamples, seed=seed)


def majority(train_labels: np.ndarray, labels: np.ndarray, name: str) -> float:
    """Return the score on `labels` of always answering the commonest training label (lowest id on ties)."""
    classes = int(max(train_labels.max(), labels.max())) + 1
    answer = int(np.bincount(train_labels, minlength=classes).argmax())
    return _score(np.full(len(labels), answer), labels, name, max(2, classes))


def constant_predictions(logits: np.ndarray) -> bool:
    """Return whether every row gets the same class: such a model has learnt at most the majority."""
    return len(np.unique(_predict(logits))) <= 1


def _predict(logits: np.ndarray) -> np.ndarray:
    wrong = int((~np.isfinite(logits)).any(axis=1).sum())
    if wrong:
        raise ValueError(
            f"the logits of {wrong} of {len(logits)} rows are not finite: training diverged. "
            "Try: a smaller optimizer.lr"
        )
    return np.asarray(logits.argmax(axis=1))


def _refuse_unknown(name: str, classes: int) -> None:
    if name not in METRICS:
        raise KeyError(f"unknown score '{name}' for classification; known: {', '.join(METRICS)}")
    if name == "f1" and classes != 2:
        raise ValueError(f"f1 is defined for two classes, here are {classes}. Try: data.metrics=[f1_macro]")


def _score(predictions: np.ndarray, labels: np.ndarray, name: str, classes: int) -> float:
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

    _refuse_unknown(name, classes)
    if name == "accuracy":
        return float(accuracy_score(labels, predictions))
    if name == "f1":
        return float(f1_score(labels, predictions, pos_label=1, zero_division=0))
    if name == "f1_macro":
        return float(f1_score(labels, predictions, average="macro", zero_division=0))
    return float(matthews_corrcoef(labels, predictions))


def _f1_per_class(confusions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F1 (R, C) and which classes occur (R, C), among labels or predictions, of (R, C, C) counts."""
    seen = confusions.sum(axis=1) + confusions.sum(axis=2)
    right = np.diagonal(confusions, axis1=1, axis2=2)
    return 2 * right / np.maximum(seen, 1), seen > 0


def _f1(confusions: np.ndarray) -> np.ndarray:
    return _f1_per_class(confusions)[0][:, 1]


def _f1_macro(confusions: np.ndarray) -> np.ndarray:
    scores, occurs = _f1_per_class(confusions)
    return np.asarray((scores * occurs).sum(axis=1) / occurs.sum(axis=1))


def _mcc(confusions: np.ndarray) -> np.ndarray:
    """Return the multi-class Matthews correlation (R,), 0 where a marginal is constant (Gorodkin 2004)."""
    counts = confusions.astype(np.float64)
    total = counts.sum(axis=(1, 2))
    answered, actual = counts.sum(axis=1), counts.sum(axis=2)
    covariance = np.trace(counts, axis1=1, axis2=2) * total - (answered * actual).sum(axis=1)
    spread = (total**2 - (answered**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
    return np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1.0)), 0.0)


def _accuracy(confusions: np.ndarray) -> np.ndarray:
    return np.asarray(np.trace(confusions, axis1=1, axis2=2) / confusions.sum(axis=(1, 2)))


# Each takes (R, C, C) counts, row = label, column = prediction, and returns (R,) scores.
OF_CONFUSION = {"accuracy": _accuracy, "f1": _f1, "f1_macro": _f1_macro, "mcc": _mcc}
