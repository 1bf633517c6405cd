"""Sets of labels: a row has any number of C labels, each a decision of its own by a sigmoid.

A label is part of the answer if its probability reaches its threshold: 0.5, or one fitted to the selection split
(data.threshold). The main scores are always recorded both at 0.5 and with fitted thresholds: that choice may change F1
more than the model does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from data.inputs.request import Field
from data.json_types import JsonObject
from data.settings import AT_LEAST_ONE, ONE, PER_LABEL, THRESHOLDS
from data.targets.class_weights import positive_weights
from models.heads.base import HeadSpec
from runner.sanitize import short
from runner.statistics.answers import Answers
from runner.statistics.label_set_scores import LABEL_SET_SCORES, matrix
from runner.statistics.probabilities import sigmoid
from runner.statistics.tag_counts import per_kind
from runner.statistics.thresholds import HALF, one_threshold, sets_of, threshold_of_each
from runner.tasks.base import LabelFacts, Task
from runner.tasks.finite import refuse_not_finite

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from data.inputs.request import Asked
    from data.splits import TokenSplit

MOST_NAMED = 6  # labels in a line
LEAST_SHARE = 1e-4  # least and most share of a label, for the bias that training starts from
LONGEST = 0.111111  # a threshold with all its digits
MOVES = 1e-3  # logits that vary less than this over the rows of a split do not distinguish them
AT_HALF, TUNED = "at_half", "tuned"  # endings of the scores that are recorded at both kinds of thresholds


class MultiLabel(Task):
    """Any number of C labels for each row: binary cross entropy of each, micro F1."""

    name = "multilabel"
    target = "label_set"
    scores = LABEL_SET_SCORES
    stored = ("label", "prediction", "logit")
    weighs_classes = True
    has_label_sets = True
    decided_by = ("data.threshold",)
    undecided = ("map_labels", "lrap")
    output_name = "a model of label sets"
    baseline_name = "most frequent label for every row"
    always_scored = ("f1_micro", "f1_macro")

    def __init__(self, facts: LabelFacts | None = None) -> None:
        super().__init__(facts)
        self._weights: dict[torch.device, Tensor] = {}  # of true labels, on each device

    @classmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return micro F1, which selects, macro F1 and the share of sets that are right as a whole."""
        return ("f1_micro", "f1_macro", "subset_accuracy")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores of a run; `accuracy` is that of whole sets."""
        named = ["subset_accuracy" if name == "accuracy" else name for name in super().metrics]
        return tuple(dict.fromkeys(named))

    @property
    def always_recorded(self) -> tuple[str, ...]:
        """Every score."""
        return tuple(self.scores)

    @classmethod
    def class_weights_of(cls, kind: str, labels: np.ndarray, classes: int) -> np.ndarray:
        """Return the weight of a true label in the loss, (C,) float32."""
        return positive_weights(kind, labels)

    def head(self) -> HeadSpec:
        """Return a head with one output a label."""
        return HeadSpec("text", max(1, len(self.facts.names)), "multi_label_classification")

    def output_bias(self, train: TokenSplit) -> np.ndarray:
        """Return the logits of the labels' shares, so that a fresh head starts from how rare they are."""
        shares = np.clip(np.mean(train.known_labels, axis=0, dtype=np.float64), LEAST_SHARE, 1 - LEAST_SHARE)
        return np.asarray(np.log(shares / (1 - shares)))

    # Training

    @property
    def _factor(self) -> int:
        """How often a mean over labels counts: once, or as a sum over them."""
        return len(self.facts.names) if self.facts.loss_reduction == "sum_labels" else 1

    def mean_loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return the mean binary cross entropy of a label, or the mean over rows of its sum over labels; a scalar.

        output: (rows, C) logits; labels: (rows, C), 0 and 1 or shares.
        """
        import torch
        from torch.nn import functional

        weights, device = self.facts.class_weights, labels.device
        if weights is not None and device not in self._weights:
            self._weights[device] = torch.from_numpy(weights).to(device)
        loss = functional.binary_cross_entropy_with_logits(
            output.float(), labels.float(), pos_weight=self._weights.get(device)
        )
        return loss * self._factor

    def weight(self, targets: Mapping[str, np.ndarray], known: np.ndarray | None = None) -> float:
        """Return the rows of a part of a batch: weights of true labels change no divisor."""
        return self.items(targets, known)

    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Return the cross entropy of the softened probabilities of each label, or T^2 times their divergence."""
        from torch.nn import functional

        wanted = (teacher / temperature).sigmoid()
        loss = functional.binary_cross_entropy_with_logits(student / temperature, wanted)
        if soft == "kl":  # less the teacher's own entropy, which has no gradient
            loss = temperature**2 * (loss - functional.binary_cross_entropy_with_logits(teacher / temperature, wanted))
        return loss * self._factor

    # Thresholds

    @property
    def thresholds(self) -> np.ndarray:
        """The thresholds of the labels, (C,): those that were fitted, else the same number for all."""
        if self.facts.thresholds:
            return np.asarray(self.facts.thresholds)
        rule = self.facts.threshold
        return np.full(max(1, len(self.facts.names)), HALF if rule in THRESHOLDS else float(rule))

    def fitted(self, kept: np.ndarray, split: TokenSplit) -> Self:
        """Return the task with thresholds fitted to logits (rows, C) of the selection split, if that is asked for."""
        rule = self.facts.threshold
        if rule not in (ONE, PER_LABEL):
            return self
        probabilities, labels = sigmoid(kept), np.asarray(split.labels.values)
        fit = one_threshold(probabilities, labels) if rule == ONE else threshold_of_each(probabilities, labels)[0]
        return type(self)(replace(self.facts, thresholds=tuple(fit.tolist())))

    def variants(self, kept: np.ndarray, split: TokenSplit) -> dict[str, Self]:
        """Return the task at 0.5, and with the thresholds that logits of the selection split give each label."""
        tuned = self if self.facts.threshold == ONE and self.facts.thresholds else self._with(PER_LABEL)
        return {AT_HALF: self._with(str(HALF)), TUNED: tuned.fitted(kept, split)}

    def _with(self, rule: str) -> Self:
        return type(self)(replace(self.facts, threshold=rule, thresholds=()))

    def reader_facts(self, *, are_fitted: bool = False) -> JsonObject:
        """Return the thresholds, and whether the most probable label is always answered."""
        is_open = are_fitted and self.facts.threshold in (ONE, PER_LABEL) and not self.facts.thresholds
        own: dict[str, Any] = {"thresholds": [LONGEST] * len(self.thresholds) if is_open else self.thresholds.tolist()}
        return own | ({"at_least_one": True} if self.facts.threshold == AT_LEAST_ONE else {})

    def unfitted(self, split: TokenSplit) -> list[str]:
        """Return the labels that keep 0.5 because no row of the selection split has them."""
        counts = np.asarray(split.labels.values).sum(axis=0, dtype=np.int64)
        return [name for name, count in zip(self.facts.names, counts) if not count]

    # Evaluation

    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return label, prediction and logit of each label of each row; kept: (rows, C) logits."""
        refuse_not_finite(kept, "logits")
        sets = sets_of(sigmoid(kept), self.thresholds, at_least_one=self.facts.threshold == AT_LEAST_ONE)
        return self._answered(np.asarray(split.labels.values), sets, kept)

    def _answered(self, labels: np.ndarray, sets: np.ndarray, logits: np.ndarray) -> Answers:
        """Return answers from labels, predictions and logits, (rows, C) each."""
        columns = {"label": labels.astype(np.int8), "prediction": sets.astype(np.int8), "logit": np.float32(logits)}
        offsets = np.arange(len(labels) + 1) * labels.shape[1]
        return Answers({name: np.ascontiguousarray(found).ravel() for name, found in columns.items()}, offsets)

    def named(self, answers: Answers) -> Answers:
        """Return the answers as they are: their columns hold 0 and 1, no ids of classes."""
        return answers

    def columns_to_store(self, kept: np.ndarray, answers: Answers) -> dict[str, np.ndarray]:
        """Return label, prediction and logit of each label."""
        return dict(answers.columns)

    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return the mean binary cross entropy of logits (rows, C), without weights."""
        import torch

        labels = torch.from_numpy(np.array(split.labels.values))  # a copy: torch needs writable arrays
        return float(self.unweighted().mean_loss(torch.from_numpy(kept), labels))

    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return the score of the most frequent training label for every row; labels are ranked by their shares."""
        labels, rows = np.asarray(split.labels.values), len(split.labels)
        bias = self.output_bias(train)
        sets = np.zeros((rows, len(bias)), np.int8)
        sets[:, int(bias.argmax())] = 1
        return self.score(score).value(self._answered(labels, sets, np.tile(bias, (rows, 1))))

    def is_constant(self, answers: Answers) -> bool:
        """Return whether every row gets the same set."""
        sets = matrix(answers, "prediction")
        return bool((sets == sets[:1]).all())

    def diverged_answers(self, answers: Answers) -> bool:
        """Return whether the logits are the same for all rows."""
        return float(np.ptp(matrix(answers, "logit"), axis=0).max(initial=0.0)) < MOVES

    def report(self, answers: Answers) -> dict[str, Any] | None:
        """Return support, predicted, precision, recall and F1 of each label; no confusion matrix."""
        labels, sets = matrix(answers, "label") > 0, matrix(answers, "prediction") > 0
        actual, predicted = labels.sum(axis=0), sets.sum(axis=0)
        each = per_kind(np.stack([(labels & sets).sum(axis=0), predicted, actual]))
        return {
            "classes": list(self.facts.names), "support": actual.tolist(), "predicted": predicted.tolist(),
            **{name: values.tolist() for name, values in each.items()}, "confusion": None,
        }  # fmt: skip

    # Deployment

    def answer_fields(self) -> tuple[Field, ...]:
        """Return the labels as a text and as a list, and the probability of each."""
        names = self.facts.names
        return (
            Field("prediction", "text", "the labels of the text, the likeliest first"),
            Field("predicted_labels", "labels", "the same as a list", names),
            Field("probabilities", "shares", "the probability of each label, which do not add up to 1", names),
        )

    def respond(self, kept: np.ndarray, asked: Asked) -> list[dict[str, Any]]:
        """Return the answer to each row from its logits (rows, C)."""
        names, shares = self.facts.names, sigmoid(kept)
        sets = sets_of(shares, self.thresholds, at_least_one=self.facts.threshold == AT_LEAST_ONE)
        found = []
        for row, chosen in zip(shares, sets):
            labels = [names[place] for place in np.argsort(-row, kind="stable") if chosen[place]]
            share_of = dict(zip(names, map(float, row)))
            found.append({"prediction": ", ".join(labels), "predicted_labels": labels, "probabilities": share_of})
        return found

    def describe(self, train: TokenSplit) -> str:
        """Return a line with the labels and their training rows."""
        labels, names = np.asarray(train.known_labels), self.facts.names
        counts = labels.sum(axis=0, dtype=np.int64)
        order = np.argsort(-counts, kind="stable")[: MOST_NAMED if len(names) <= MOST_NAMED else MOST_NAMED - 1]
        named = [f"{short(names[place])} {counts[place]:,}" for place in order]
        left = [f"{len(names) - len(order):,} more"] if len(names) > len(order) else []
        many = counts.sum() / max(1, len(labels))
        return f"task: sets of {len(names):,} labels, {many:.2f} a row ({', '.join([*named, *left])})"

    @classmethod
    def constant_sentence(cls, split: str) -> str:
        """Return a sentence about a model that gave every row of `split` the same set."""
        return f"the model gives every row of {split} the same set of labels, or none"
