"""The training of two views before the task itself: it makes their outputs correlate (Andrew et al. 2013).

It replaces the run's task in the ordinary training loop, so that steps, checkpoints and the choice of the best epoch
work as usual. No labels are used. Only the correlation on held-out rows is meaningful: within a batch even independent
views seem to correlate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from models.heads.base import HeadSpec
from models.views.correlation import canonical_correlations, correlation_loss
from runner.record.metrics import CORRELATION
from runner.statistics.answers import Answers
from runner.statistics.scores import Score
from runner.tasks.base import Task

if TYPE_CHECKING:
    from torch import Tensor

    from data.splits import TokenSplit

CLEAR = 0.5  # a dimension with a larger correlation counts as shared


class CorrelationTask(Task):
    """The sum of the k largest canonical correlations between both parts of an output (B, width + other)."""

    name = "correlation"
    target = ""
    scores: ClassVar[Mapping[str, Score]] = {}
    needs_label = False
    is_deployed = False
    output_name = "two encoders"

    def __init__(self, width: int, k: int, ridge: float) -> None:
        """width: of the first view, in columns of the output."""
        super().__init__()
        self.width, self.k, self.ridge = width, k, ridge

    @classmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return the held-out correlation, which selects the best epoch, and the number of dimensions above CLEAR."""
        return (CORRELATION, "dimensions")

    def items(self, targets: Mapping[str, np.ndarray], known: np.ndarray | None = None, soft: str = "kl") -> float:
        """Return 1: a correlation is one number for all rows of a batch."""
        return 1.0

    def loss(self, output: Tensor, targets: Mapping[str, Tensor], known: np.ndarray | None = None) -> Tensor:
        """Return minus the sum of the correlations of a batch."""
        return correlation_loss(output[:, : self.width], output[:, self.width :], self.k, self.ridge)

    def correlations(self, kept: np.ndarray) -> np.ndarray:
        """Return the k largest correlations of outputs (rows, width + other), the largest first."""
        import torch

        outputs = torch.from_numpy(kept)
        found = canonical_correlations(outputs[:, : self.width], outputs[:, self.width :], self.ridge)
        return found[: self.k].numpy()

    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return the correlations of all rows of the split."""
        return Answers({"correlation": self.correlations(kept)})

    def evaluate(self, answers: Answers, names: Sequence[str]) -> dict[str, float]:
        """Return the sum of the correlations, and how many are above CLEAR."""
        found = answers.columns["correlation"]
        return {CORRELATION: float(found.sum()), "dimensions": float((found > CLEAR).sum())}

    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return minus the sum of the correlations."""
        return -float(self.correlations(kept).sum())

    def head(self) -> HeadSpec:
        """Refuse: the encoders' outputs are compared directly."""
        raise TypeError("two views have no head")

    def mean_loss(self, output: Tensor, labels: Tensor) -> Tensor:
        """Refuse: there are no labels."""
        raise TypeError("two views have no labels")

    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Refuse: there is no teacher."""
        raise TypeError("two views have no teacher")

    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return 0: independent views have no correlation."""
        return 0.0
