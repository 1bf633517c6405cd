"""Regression: one number per text or pair of texts. The output is used as it is: no argmax, no clipping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from data.inputs.request import Field
from models.heads.base import HeadSpec
from models.settings import COSINE_SCALE
from runner.schema import COSENT
from runner.statistics.answers import Answers, is_constant
from runner.statistics.correlation import NUMBER_SCORES, outputs_of
from runner.tasks.base import Task
from runner.tasks.cosines import cosent
from runner.tasks.finite import refuse_not_finite

if TYPE_CHECKING:
    from torch import Tensor

    from data.inputs.request import Asked
    from data.splits import TokenSplit


class Regression(Task):
    """A number for each row: squared error, of standardised targets if training standardises them."""

    name = "regression"
    target = "number"
    scores = NUMBER_SCORES
    cosine_losses = (COSENT, "squared")
    baseline_name = "mean-of-labels baseline"

    @classmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return both correlations, that of ranks first."""
        return ("spearman", "pearson")

    def head(self) -> HeadSpec:
        """Return a head with one output."""
        return HeadSpec("text", 1, "regression")

    def mean_loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return the mean squared error of outputs (B, 1), a scalar; in standard deviations of standardised targets.

        With train.loss=cosent, the loss of their order.
        """
        from torch.nn import functional

        if scale := self.facts.scale:
            output, labels = (output - scale.mean) / scale.sd, (labels - scale.mean) / scale.sd
        if self.facts.loss == COSENT:
            return cosent(COSINE_SCALE * output.float().squeeze(-1), labels)
        return functional.mse_loss(output.float().squeeze(-1), labels.float())

    def stage_loss(self, output: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        """Return the mean squared difference, in standard deviations: the mean of the targets loses no digits."""
        if self.facts.loss == COSENT:
            return self.loss(output, targets)
        return self._distance(output.squeeze(-1), targets["labels"].to(output.dtype))

    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Return the mean squared difference, in standard deviations of standardised targets."""
        return self._distance(student, teacher)

    def _distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        from models.compression.distillation.losses import regression_loss

        return regression_loss(found, wanted, self._sd)

    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return label and output of each row."""
        refuse_not_finite(kept, "outputs")
        return Answers({"label": np.asarray(split.labels.values), "prediction": kept[:, 0]})

    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return the mean squared error of outputs (rows, 1)."""
        import torch
        from torch.nn import functional

        labels = np.asarray(split.labels.values)
        if scale := self.facts.scale:
            kept, labels = (kept - scale.mean) / scale.sd, (labels - scale.mean) / scale.sd
        wanted = torch.from_numpy(np.array(labels, np.float32))  # a copy: torch needs writable arrays
        return float(functional.mse_loss(torch.from_numpy(kept).float().squeeze(-1), wanted))

    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return the score of always predicting the mean of the training labels."""
        return self.mean_answer(np.asarray(train.known_labels), np.asarray(split.labels.values), score)

    def mean_answer(self, seen: np.ndarray, labels: np.ndarray, score: str) -> float:
        """Return the score on `labels` of always predicting the mean of the labels `seen`."""
        answer = float(np.mean(seen, dtype=np.float64))
        return self.score(score).value(Answers({"label": labels, "prediction": np.full(len(labels), answer)}))

    def is_constant(self, answers: Answers) -> bool:
        """Return whether every row gets the same number, up to the rounding of float32."""
        return is_constant(outputs_of(answers))

    def diverged_answers(self, answers: Answers) -> bool:
        """Return whether every row gets the same number."""
        return self.is_constant(answers)

    def least_gain(self, score: str, share: float) -> float:
        """Return `share`, of a variance for squared errors."""
        return share * (self._sd**2 if score == "mse" else 1.0)

    @property
    def _sd(self) -> float:
        return self.facts.scale.sd if self.facts.scale else 1.0

    def answer_fields(self) -> tuple[Field, ...]:
        """Return the number."""
        return (Field("prediction", "number", "a number"),)

    def respond(self, kept: np.ndarray, asked: Asked) -> list[dict[str, Any]]:
        """Return the output of each row, (rows, 1)."""
        return [{"prediction": float(value)} for value in kept[:, 0]]

    def describe(self, train: TokenSplit) -> str:
        """Return a line with the range of the training labels."""
        labels = train.known_labels
        return f"task: regression, {labels.min()!s} to {labels.max()!s}"

    @classmethod
    def constant_sentence(cls, split: str) -> str:
        """Return a sentence about a model that gave every row of `split` the same number."""
        return f"the model gives every row of {split} the same number; its correlation is recorded as 0"
