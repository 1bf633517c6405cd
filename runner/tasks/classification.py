"""Classification of a text or a pair of texts: one of C classes.

The predicted class has the largest logit; on ties the first one. F1, precision and recall are those of one of two
classes, `positive`: 1 by default (data/targets/positive_class.py). In every score 0/0 counts as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from data.settings import BINARY_SCORES, SCORES
from runner.statistics.intervals import RESAMPLES, bootstrap_confusion, wilson_interval

if TYPE_CHECKING:
    from torch import Tensor

METRICS = SCORES["classification"]
MOST_SHOWN = 200  # classes in a recorded confusion matrix, which then takes 300 kB


def loss(logits: Tensor, labels: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Return the mean cross entropy, a scalar.

    logits: (B, C) float; labels: (B,) class ids; class_weights: (C,) float on the same device, or None.
    With weights the mean is over the weights of the batch's labels, as in torch.
    """
    from torch.nn import functional  # not at the top: scores are computed without torch

    return functional.cross_entropy(logits.float(), labels, weight=class_weights)


def mean_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean loss of (N, C) logits, without class weights."""
    import torch

    return float(loss(torch.from_numpy(logits), torch.from_numpy(labels)))


def columns(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns to store for paired comparisons: label, prediction and logits of each row."""
    kept = {"label": labels, "prediction": logits.argmax(1)}
    return kept | {f"logit_{i}": logits[:, i] for i in range(logits.shape[1])}


def metrics(logits: np.ndarray, labels: np.ndarray, names: Sequence[str], *, positive: int = 1) -> dict[str, float]:
    """Return the named scores, in the order of `names`.

    logits: (N, C); labels: (N,) class ids. KeyError for an unknown name; ValueError for logits that are
    not finite and for `f1`, `precision` and `recall` with other than two classes.
    """
    predictions = _predict(logits)
    return {name: _score(predictions, labels, name, logits.shape[1], positive) for name in names}


def interval(
    logits: np.ndarray, labels: np.ndarray, name: str, *,
    positive: int = 1, resamples: int = RESAMPLES, seed: int = 0,
) -> tuple[float, float]:  # fmt: skip
    """Return the 95 % interval (low, high) of a score: Wilson for accuracy, else bootstrap."""
    predictions = _predict(logits)
    if name == "accuracy":
        return wilson_interval(float(np.mean(predictions == labels)), len(labels))
    _refuse_unknown(name, logits.shape[1])
    confusion = confusion_of(labels, predictions, logits.shape[1])
    return bootstrap_confusion(confusion, of_confusion(name, positive), resamples=resamples, seed=seed)


def majority(train_labels: np.ndarray, labels: np.ndarray, name: str, *, positive: int = 1) -> float:
    """Return the score on `labels` of always predicting the training majority class (lowest id on ties)."""
    classes = int(max(train_labels.max(), labels.max())) + 1
    answer = int(np.bincount(train_labels, minlength=classes).argmax())
    return _score(np.full(len(labels), answer), labels, name, max(2, classes), positive)


def report(logits: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Return the scores of each class for the record, and the confusion matrix (row = label); `names` are in id order.

    For each class: support (rows with this label), predicted (rows predicted as this class), precision, recall, F1.
    The matrix is None for more than MOST_SHOWN classes; the stored predictions have the same information.
    """
    confusion = confusion_of(labels, _predict(logits), len(names))
    right = np.diagonal(confusion)
    support, predicted = confusion.sum(1), confusion.sum(0)
    return {
        "classes": list(names),
        "support": support.tolist(),
        "predicted": predicted.tolist(),
        "precision": _ratio(right, predicted).tolist(),
        "recall": _ratio(right, support).tolist(),
        "f1": _ratio(2 * right, support + predicted).tolist(),
        "confusion": confusion.tolist() if len(names) <= MOST_SHOWN else None,
    }


def confusion_of(labels: np.ndarray, predictions: np.ndarray, classes: int = 2) -> np.ndarray:
    """Return counts (C, C), row = label, column = prediction, of at least `classes` classes."""
    size = max(classes, int(labels.max(initial=0)) + 1, int(predictions.max(initial=0)) + 1)
    return np.bincount(labels * size + predictions, minlength=size * size).reshape(size, size)


def constant_predictions(logits: np.ndarray) -> bool:
    """Return whether every row gets the same class: such a model has learned at most the majority class."""
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
    if name in BINARY_SCORES and classes != 2:
        raise ValueError(f"{name} is defined for two classes, here are {classes}. Try: data.metrics=[f1_macro]")


def _score(predictions: np.ndarray, labels: np.ndarray, name: str, classes: int, positive: int) -> float:
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

    _refuse_unknown(name, classes)
    if name == "accuracy":
        return float(accuracy_score(labels, predictions))
    if name == "f1":
        return float(f1_score(labels, predictions, pos_label=positive, zero_division=0))
    if name == "f1_macro":
        return float(f1_score(labels, predictions, average="macro", zero_division=0))
    if name == "mcc":
        return float(matthews_corrcoef(labels, predictions))
    return float(of_confusion(name, positive)(confusion_of(labels, predictions, classes)[None])[0])


def _ratio(some: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(some / np.maximum(whole, 1))  # 0/0 is 0


def _f1_per_class(confusions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F1 (R, C) and which classes occur (R, C), among labels or predictions, of (R, C, C) counts."""
    seen = confusions.sum(axis=1) + confusions.sum(axis=2)
    right = np.diagonal(confusions, axis1=1, axis2=2)
    return 2 * right / np.maximum(seen, 1), seen > 0


def _f1(confusions: np.ndarray) -> np.ndarray:
    return _f1_per_class(confusions)[0][:, 1]


def _precision(confusions: np.ndarray) -> np.ndarray:
    return _ratio(confusions[:, 1, 1], confusions[:, :, 1].sum(axis=1))


def _recall(confusions: np.ndarray) -> np.ndarray:
    return _ratio(confusions[:, 1, 1], confusions[:, 1, :].sum(axis=1))


def _balanced_accuracy(confusions: np.ndarray) -> np.ndarray:
    """Return the mean recall (R,) of the classes that occur among the labels."""
    support = confusions.sum(axis=2)
    recalls = _ratio(np.diagonal(confusions, axis1=1, axis2=2), support)
    return np.asarray(recalls.sum(axis=1) / np.maximum((support > 0).sum(axis=1), 1))


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


# Each takes (R, C, C) counts, row = label, column = prediction, and returns (R,) scores; the positive class is 1.
OF_CONFUSION: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "precision": _precision,
    "recall": _recall,
    "f1_macro": _f1_macro,
    "mcc": _mcc,
}


def of_confusion(name: str, positive: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    """Return the score of OF_CONFUSION for a positive class; where that is 0, the two classes change places."""
    score = OF_CONFUSION[name]
    return score if positive == 1 else lambda confusions: score(confusions[:, ::-1, ::-1])
