"""Classification of a text or a pair of texts: one of C classes.

The predicted class has the largest logit; on ties the first one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from data.inputs.request import Field
from models.heads.base import HeadSpec
from runner.sanitize import short
from runner.schema import COSENT
from runner.statistics.answers import Answers
from runner.statistics.auroc_first import AurocFirst, margins_of
from runner.statistics.confusion import CLASS_SCORES, class_table, confusion_of
from runner.statistics.intervals import wilson_interval
from runner.statistics.probabilities import softmax
from runner.statistics.score_table import OF_ONE_CLASS
from runner.statistics.scores import Score
from runner.tasks.base import LabelFacts, Task
from runner.tasks.cosines import cosent
from runner.tasks.finite import refuse_not_finite

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from data.inputs.request import Asked
    from data.splits import TokenSplit

MOST_NAMED = 6  # classes in a line
LARGEST_REPORT = 200  # classes in a recorded confusion matrix, which then takes 300 kB
NEAR_MAJORITY = 0.01  # a lead in accuracy over the majority class that does not count as learning
NEAR_GUESSING = 0.05  # balanced accuracy above 1/classes that is not learning yet; guesses on few rows scatter by that
AUROC = "auroc_first"
NEAR_CHANCE = 0.02  # nats below ln(classes) that do not count as learning


class Classification(Task):
    """One of C classes for each row: cross entropy, accuracy."""

    name = "classification"
    target = "class_label"
    scores: ClassVar[Mapping[str, Score]] = {**CLASS_SCORES, AUROC: AurocFirst(AUROC)}
    weighs_classes = True
    smooths_labels = True
    has_probabilities = True
    cosine_losses = ("auto", COSENT)
    baseline_name = "majority-class baseline"
    always_scored = ("accuracy", "balanced_accuracy")  # by these scores a run is judged to have learned

    def __init__(self, facts: LabelFacts | None = None) -> None:
        super().__init__(facts)
        self._weights: dict[torch.device, Tensor] = {}  # the class weights on each device
        if AUROC in self.facts.metrics:
            self.stored = (*type(self).stored, "margin")

    @classmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return accuracy, and F1 of the positive class of two or the mean of all."""
        return ("accuracy", "f1" if classes == 2 else "f1_macro")

    @property
    def always_recorded(self) -> tuple[str, ...]:
        """Return accuracies, macro F1, and of two classes the scores of the positive one."""
        return (*self.always_scored, "f1_macro", *(OF_ONE_CLASS if len(self.facts.names) == 2 else ()))

    def head(self) -> HeadSpec:
        """Return a head with one output a class."""
        return HeadSpec("text", max(1, len(self.facts.names)))

    def mean_loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return the mean cross entropy, a scalar; with class weights the mean over the weights of the labels.

        labels: (items,) int64, or the share of each class, (items, C) float32.
        With train.loss=cosent the loss of the order of both classes, which has no class weights.
        """
        import torch
        from torch.nn import functional

        if self.facts.loss == COSENT:
            return cosent((output[:, 1] - output[:, 0]).float(), labels)
        weights = self.facts.class_weights
        if weights is not None and labels.device not in self._weights:
            self._weights[labels.device] = torch.from_numpy(weights).to(labels.device)
        own, smoothing = self._weights.get(labels.device), self.facts.label_smoothing
        loss = functional.cross_entropy(output.float(), labels, weight=own, label_smoothing=smoothing)
        if own is None or labels.dim() == 1:
            return loss
        return loss * len(labels) / (labels @ own).sum()  # of shares torch takes the mean over items, not over weights

    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Return the divergence, or the cross entropy, of the softened probabilities."""
        from models.compression.distillation.losses import soft_cross_entropy, soft_divergence

        loss = soft_divergence if soft == "kl" else soft_cross_entropy
        return loss(student, teacher, temperature)

    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return label and predicted class of each row, and for auroc_first the margin."""
        refuse_not_finite(kept, "logits")
        columns = {"label": np.asarray(split.labels.values), "prediction": np.asarray(kept.argmax(1))}
        columns |= {"margin": margins_of(kept)} if AUROC in self.facts.metrics else {}
        return Answers(columns, positive=self.facts.positive, names=self.facts.names)

    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return the mean cross entropy of logits (rows, C), without class weights, whatever loss the training has.

        A loss of the order of all pairs would grow with the rows of the split, and its memory with their square.
        """
        import torch
        from torch.nn import functional

        labels = torch.from_numpy(np.array(split.labels.values))  # a copy: torch needs writable arrays
        return float(functional.cross_entropy(torch.from_numpy(kept).float(), labels))

    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return the score of always predicting the training majority class (lowest id on ties)."""
        return self.majority(np.asarray(train.known_labels), np.asarray(split.labels.values), score)

    def majority(self, seen: np.ndarray, labels: np.ndarray, score: str) -> float:
        """Return the score on `labels` of always predicting the majority class of the labels `seen`."""
        classes = int(max(seen.max(), labels.max())) + 1
        answer = int(np.bincount(seen, minlength=classes).argmax())
        columns = {"label": labels, "prediction": np.full(len(labels), answer), "margin": np.zeros(len(labels))}
        return self.score(score).value(Answers(columns, positive=self.facts.positive))

    def is_constant(self, answers: Answers) -> bool:
        """Return whether every row gets the same class: such a model has learned at most the majority class."""
        return len(np.unique(answers["prediction"])) <= 1

    def report(self, answers: Answers) -> dict[str, Any] | None:
        """Return support, predicted, precision, recall and F1 of each class, and the confusion matrix (row = label).

        The matrix is None for more than LARGEST_REPORT classes; the stored predictions have the same information.
        """
        names = self.facts.names
        if not names:
            return None
        confusion = confusion_of(answers["label"], answers["prediction"], len(names))
        matrix = confusion.tolist() if len(names) <= LARGEST_REPORT else None
        return {"classes": list(names), **class_table(confusion), "confusion": matrix}

    def diverged(
        self, train: TokenSplit, select: TokenSplit, scores: Mapping[str, float], loss: float | None
    ) -> bool | None:
        """Return whether a classifier learned nothing, whatever it is scored by."""
        if "accuracy" not in scores or loss is None:
            return None
        majority = self.baseline(train, select, "accuracy")
        balanced, present = scores.get("balanced_accuracy"), len(np.unique(np.asarray(select.labels.values)))
        above_chance = None if balanced is None else balanced - 1 / present
        classes = max(1, len(self.facts.names))
        reason = why_diverged(
            accuracy=scores["accuracy"], majority=majority, loss=loss, classes=classes, above_chance=above_chance,
            is_of_order=self.facts.loss == COSENT, rows=len(select.labels.values),
        )  # fmt: skip
        return reason is not None

    def answer_fields(self) -> tuple[Field, ...]:
        """Return the predicted class and the probability of each."""
        names = self.facts.names
        prediction = Field("prediction", "label", "the most probable label", names)
        return prediction, Field("probabilities", "shares", "the probability of each label", names)

    def respond(self, kept: np.ndarray, asked: Asked) -> list[dict[str, Any]]:
        """Return the answer to each row from its logits (rows, C)."""
        names = self.facts.names
        return [
            {"prediction": names[int(row.argmax())], "probabilities": dict(zip(names, map(float, row)))}
            for row in softmax(kept)
        ]

    def describe(self, train: TokenSplit) -> str:
        """Return a line with the classes and their training rows."""
        names = self.facts.names
        counts = np.bincount(train.known_labels, minlength=len(names))
        most = MOST_NAMED if len(names) <= MOST_NAMED else MOST_NAMED - 1
        named = [f"{short(name)} {count:,}" for name, count in zip(names[:most], counts)]
        left = [f"{len(names) - most:,} more"] if len(names) > most else []
        return f"task: classification, {len(names):,} classes ({', '.join([*named, *left])})"


def why_diverged(
    *, accuracy: float, majority: float, loss: float, classes: int, above_chance: float | None = None,
    is_of_order: bool = False, rows: int = 0,
) -> str | None:  # fmt: skip
    """Return why a finished classifier learned nothing, or None.

    accuracy: on the selection split; loss: of training, nats; above_chance: the balanced accuracy there, less that of
    one answer for all, None if unknown; is_of_order: is the loss that of all pairs of a batch, which has no level of
    guessing? rows: of the selection split, 0 if unknown. A short training, or one with smoothed labels, may get most
    rows right while its loss is still about that of guessing, so an accuracy beyond chance counts more. If one class
    has nearly all rows, accuracy can hardly exceed that class's share, and only balanced accuracy shows whether the
    model knows the others.
    """
    if not math.isfinite(loss):
        return "the loss is not finite"
    knows_others = above_chance is not None and above_chance > NEAR_GUESSING
    if accuracy <= majority + NEAR_MAJORITY and not knows_others:
        return f"accuracy {accuracy:.3f} is within a point of the majority class ({majority:.3f})"
    beats_chance = rows > 0 and wilson_interval(accuracy, rows)[0] > majority
    if not is_of_order and not beats_chance and loss >= math.log(classes) - NEAR_CHANCE:
        return f"the training loss {loss:.3f} is about that of guessing among {classes} classes"
    return None
