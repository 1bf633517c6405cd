"""The task of a run as compression stages see it (TaskView of models/compression/stage.py)."""

from __future__ import annotations

from torch import Tensor

from data.splits import DataTask
from models.compression.distillation.losses import regression_loss, soft_cross_entropy, soft_divergence
from models.compression.stage import Targets
from runner.tasks import task_module


class StageTask:
    """The task without class weights; numbers are compared in units of their standard deviation."""

    def __init__(self, task: DataTask) -> None:
        self.task = task

    def loss(self, output: Tensor, targets: Targets) -> Tensor:
        """The task's mean loss over the items, a scalar."""
        if not self.task.label_names:
            return regression_loss(output.squeeze(-1), targets["labels"].to(output.dtype), self.task.scale)
        loss: Tensor = task_module(self.task.kind).loss(output, targets["labels"])
        return loss

    def match(self, student: Tensor, teacher: Tensor, *, soft: str, temperature: float) -> Tensor:
        """The distance of two sets of outputs (items, C), a scalar."""
        if not self.task.label_names:
            return regression_loss(student, teacher, self.task.scale)
        loss = soft_divergence if soft == "kl" else soft_cross_entropy
        return loss(student, teacher, temperature)
