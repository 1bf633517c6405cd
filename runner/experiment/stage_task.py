"""The task of a run as compression stages see it (TaskView of models/compression/stage.py)."""

from __future__ import annotations

from torch import Tensor

from models.compression.stage import Targets
from runner.tasks.base import Task


class StageTask:
    """The task without class weights; numbers are compared in units of their standard deviation."""

    def __init__(self, task: Task) -> None:
        self.task = task.unweighted()

    def loss(self, output: Tensor, targets: Targets) -> Tensor:
        """Return the task's mean loss over the items, a scalar."""
        return self.task.stage_loss(output, targets)

    def match(self, student: Tensor, teacher: Tensor, targets: Targets, *, soft: str, temperature: float) -> Tensor:
        """Return the distance of two sets of outputs (items, C), a scalar; targets: of the batch."""
        return self.task.match(student, teacher, targets, soft=soft, temperature=temperature)
