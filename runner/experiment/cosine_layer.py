"""The last layer over a cosine: its direction before the training, its fit to the training rows after it.

Neither changes an order: a correlation of ranks is the same before and after. Answers are then in the labels' unit.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from models.checkpoints.read import HEAD
from models.heads.text import SequenceClassifier
from models.network import Network
from models.settings import compares_by_cosine
from runner.experiment.prepared import PreparedRun
from runner.experiment.stage_context import RunStageContext
from runner.tasks.cosines import first_layer
from runner.training.few_labels.head import STRENGTHS, FittedHead, fit_head, put_into
from runner.training.few_labels.vectors import text_vectors

START_ROWS, MOST_ROWS = 500, 20_000  # training rows that are read before and after the training
FLATTEST = 0.02  # of a fitted slope, in ranges of the labels: below it float32 rounds different cosines to one answer


def start_cosine_layer(prepared: PreparedRun, network: Network) -> None:
    """Give a fresh last layer over a cosine the sign that a few training rows show; do nothing for other models.

    network: the run's model before its first step, or one that a search trains in its place.
    """
    is_kept = prepared.before or any(name.startswith(HEAD) for name in prepared.weights.loaded)
    if prepared.settings.finished or is_kept or not _is_fitted(prepared):
        return
    model = cast(SequenceClassifier, network)
    cosines, labels = _cosines(prepared, model, START_ROWS)
    weights, bias = first_layer(cosines[:, 0], labels, prepared.task.head().outputs)
    model.start_from(bias.astype(np.float32))
    model.classifier.weight.data.copy_(model.classifier.weight.new_tensor(weights))


def fit_cosine_layer(context: RunStageContext) -> None:
    """Fit scale and shift to the training rows, by ridge or logistic regression; print and record a note on it."""
    prepared = context.prepared
    if not _is_fitted(prepared):
        return
    model = cast(SequenceClassifier, prepared.model)
    cosines, labels = _cosines(prepared, model, MOST_ROWS)
    weights, scale = prepared.task.facts.class_weights, prepared.task.facts.scale
    found = fit_head(
        cosines, labels, prepared.task.head().outputs, lambda _: 0.0, strengths=STRENGTHS[-1:],
        row_weights=None if weights is None else weights[labels], pause=prepared.exclusive.yield_to_timing,
    )  # fmt: skip
    if scale and abs(float(found.weights[0, 0])) < FLATTEST * scale.sd:
        return
    put_into(model, found)
    told = _sentence(found, len(labels))
    context.writer.add_notes([told])
    context.say(told)


def _is_fitted(prepared: PreparedRun) -> bool:
    """Does the model compare by cosine, and does each row have a class or a number to fit it to?"""
    facts = prepared.task.facts
    return compares_by_cosine(prepared.settings.model) and bool(facts.scale or facts.names)


def _cosines(prepared: PreparedRun, model: SequenceClassifier, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cosines (rows, 1) and the labels (rows,) of at most so many training rows, evenly spaced."""
    train, count = prepared.splits.train, min(most, len(prepared.splits.train))
    rows = np.linspace(0, len(train) - 1, count).round().astype(np.int64)
    vectors = text_vectors(model, train.take(rows), prepared.device, prepared.exclusive.yield_to_timing)
    return vectors, np.asarray(train.labels.values)[rows]


def _sentence(found: FittedHead, rows: int) -> str:
    """Return a line about the fit.

    For a number: scale and shift. For two classes: the cosine at which both are equally likely.
    """
    said = f"last layer fitted to {rows:,} training rows"
    if len(found.bias) == 1:
        return f"{said}: {found.weights[0, 0]:.3f} x cosine {found.bias[0]:+.3f}"
    slope, shift = found.weights[1, 0] - found.weights[0, 0], found.bias[1] - found.bias[0]
    return f"{said}: both classes are equally likely at a cosine of {-shift / slope:.2f}"
