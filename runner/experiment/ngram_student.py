"""A model over n-grams that learns a teacher's answers: it is fitted on them, not trained step by step."""

from __future__ import annotations

import numpy as np

from models.compression.settings.learn import Distil
from runner.experiment.stage_context import RunStageContext
from runner.statistics.probabilities import sigmoid, softmax


def teacher_targets(context: RunStageContext, options: Distil) -> np.ndarray:
    """Return the targets of the training rows, after the unlabelled ones have joined them.

    Shares of classes or of labels, (rows, C): the teacher's probabilities at the stage's temperature, and where a row
    has a label, that as well, by the weights of the losses. Of a regression numbers, (rows,).
    """
    if added := context.add_unlabelled():
        context.say(f"{added:,} rows without labels join the training rows")
        context.add_metrics({"distil/rows_added": added})
    train, losses = context.splits.train, next(iter(options.phases.values())).losses
    logits = context.teacher_logits(np.arange(len(train))).cpu().numpy().astype(np.float64)
    labels, known = np.asarray(train.known_labels), slice(0, len(train) - train.num_unlabelled)
    if not context.splits.task.label_names:
        found = logits[:, 0]
        own = labels.astype(np.float64)
    elif labels.ndim == 2:  # sets of labels
        found = sigmoid(logits / options.temperature)
        own = labels.astype(np.float64)
    else:
        found = softmax(logits / options.temperature)
        own = np.eye(found.shape[1])[labels]
    share = losses.hard / (losses.hard + losses.soft)
    found[known] = share * own + (1 - share) * found[known]
    return found


def record_retained(context: RunStageContext) -> None:
    """Record the teacher's score, and the share of it that the student has."""
    teacher = context.teacher()
    context.add_metrics({"distil/teacher_score": teacher.score, "distil/teacher_rows": teacher.rows_answered})
    context.add_metrics({"time/teacher_s": teacher.seconds})
    if teacher.score > 0:  # a negative score, an error, has no share
        context.add_metrics({"distil/retained": context.score(context.prepared.model) / teacher.score})
