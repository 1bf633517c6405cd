"""How a pruning of single weights trains: masks that follow a schedule, a penalty, a teacher if there is one.

A method says which mask a matrix gets, how a cut is made and what is fined; see models/compression/magnitude.py.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.pruning.masks import PLACE, PRUNED, Matrix, choose, cubic, densities, fold, original, put_on
from models.compression.settings.pruning import MaskedPruning
from models.compression.stage import Stage, StageContext, TrainingHook, zero_unless_finite
from models.network import Network

CHECKED = 32  # rows on which the folded model is compared with the masked one


class Pruning(TrainingHook):
    """Masks over the chosen matrices for the time of a training; folded into the weights at its end."""

    first, last = 1.0, 1.0  # the ends of the schedule
    scheduled = "prune/target_density"  # what it is of
    strength = 0.0  # of the penalty at its end

    def __init__(self, options: MaskedPruning, matrices: dict[str, Matrix], context: StageContext) -> None:
        self.options, self.matrices, self.context = options, matrices, context
        self.model = nn.Module()
        self.masks: dict[str, Any] = {}  # by the matrix's name
        self.frozen: list[nn.Parameter] = []
        self.step, self.total, self.value = 0, 0, self.first
        self.sums = torch.zeros(3, device=context.device)  # of the task's loss, of the penalty, and of the batches

    def mask(self, weight: Tensor) -> nn.Module:
        """The mask of one matrix; each method has its own."""
        raise NotImplementedError

    def cut(self) -> None:
        """Set the masks by the schedule's `value`."""

    def penalty(self) -> Tensor | None:
        """What is fined, a scalar, before its weight; None for nothing."""
        return None

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Put the masks on, and freeze the embeddings if asked to."""
        weights = {id(original(matrix)) for matrix in self.matrices.values()}
        if self.options.freeze_embeddings:
            parts = cast(Network, model).bert.embedding_parts()
            tables = [p for part in parts for p in part.parameters()]
            below = [p for p in tables if id(p) not in weights]
            self.frozen = [p for p in below if p.requires_grad]
        for parameter in self.frozen:
            parameter.requires_grad_(False)
        for name, matrix in self.matrices.items():
            self.masks[name] = self.mask(original(matrix))
            put_on(matrix, self.masks[name])
        self.model, self.total, self.settled = model, total_steps, round(self.options.end * total_steps)
        self._follow(0)

    def _follow(self, step: int) -> None:
        """Be where the schedule is before step `step`; cuts are made every few steps, and when it ends."""
        self.step = step
        if step % self.options.every == 0 or step in (self.settled, self.total):
            start = round(self.options.start * self.total)
            self.value = cubic(step, self.first, self.last, start, self.settled or 0)
            self.cut()

    def loss(self, task_loss: Tensor, logits: Tensor, labels: Tensor, rows: np.ndarray) -> Tensor:
        """The task's loss, and the penalty at the weight that the schedule has come to."""
        penalty = self.penalty()
        fined = self.sums.new_zeros(()) if penalty is None else penalty.detach()
        self.sums += zero_unless_finite(torch.stack([task_loss.detach(), fined, self.sums.new_ones(())]))
        return task_loss if penalty is None else task_loss + self.weight() * penalty

    def weight(self) -> float:
        """Of the penalty: in proportion to the schedule's value, as in movement pruning's code."""
        return self.strength * self.value / self.last

    def after_step(self, step: int) -> None:
        """The masks that the next step, or an evaluation before it, computes with."""
        self._follow(step + 1)

    def may_keep(self) -> bool:
        """Only once the schedule has ended."""
        return self.settled is not None and self.step >= self.settled

    @torch.no_grad()
    def facts(self) -> dict[str, float]:
        """Where the schedule is, what is left, what changed, and the means of the losses since the last time."""
        kept = {name: mask.factor() != 0 for name, mask in self.masks.items()}
        flips = sum(self.masks[name].flipped(places) for name, places in kept.items())
        task, fined, batches = self.sums.tolist()
        self.sums.zero_()
        found = {self.scheduled: self.value} | densities(self.model, kept)
        found["prune/mask_flip_rate"] = flips / sum(places.numel() for places in kept.values())
        if batches:
            found["prune/loss_task"] = task / batches
        if batches and self.strength:
            found |= {"prune/penalty": fined / batches, "prune/lambda": self.weight()}
        return found

    def state(self) -> dict[str, Tensor]:
        """The place in the schedule, and the sums behind the next facts; scores and masks are the model's."""
        return {"place": torch.tensor([self.step, self.value], dtype=torch.float64), "sums": self.sums.clone()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Put them back."""
        step, self.value = state["place"].tolist()
        self.step = int(step)
        self.sums.copy_(state["sums"])

    @torch.no_grad()
    def end(self, model: nn.Module) -> None:
        """Fold the masks, and say by how much that moved any logit: by rounding, if at all."""
        for parameter in self.frozen:
            parameter.requires_grad_(True)
        model.eval()
        inputs = next(iter(self.context.batches(rows=CHECKED, batch_size=CHECKED, split="select")))[0]
        masked = model(**inputs)
        for matrix in self.matrices.values():
            fold(matrix)
        self.context.add_metrics({"prune/fold_error": float((model(**inputs) - masked).abs().max())})


class MaskingStage(Stage):
    """Choose the matrices, train with masks over them, and say what is left."""

    options: MaskedPruning
    pruning: type[Pruning]

    def matrices(self, model: nn.Module) -> dict[str, Matrix]:
        """What is pruned, by name; ModelError where that is nothing or not all of the blocks."""
        return choose(model, self.options.matrices, f"compression.{self.name}.matrices")

    def check(self, model: nn.Module) -> None:
        """There must be such matrices."""
        self.matrices(model)

    def identity_contents(self, model: nn.Module) -> dict[str, str]:
        """The matrices of the blocks, unless all have BERT's names."""
        found = self.matrices(model)
        return {} if self.options.matrices or all(map(PLACE.search, found)) else {"matrices": " ".join(found)}

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Without epochs the cut alone."""
        options, matrices = self.options, self.matrices(model)
        pruning = self.pruning(options, matrices, context)
        if options.epochs:
            context.train(model, pruning, phase="prune", epochs=options.epochs, lr=options.lr, warmup=options.warmup)
        else:
            pruning.begin(model, 0)
            pruning.end(model)
        architecture: dict[str, Any] = model.architecture  # type: ignore[assignment]
        architecture[PRUNED] = sorted({*architecture.get(PRUNED, ()), *matrices})
        found = densities(model, {name: matrix.weight != 0 for name, matrix in matrices.items()})
        context.add_metrics(found)
        context.say(
            f"{found['prune/density_prunable']:.1%} of the weights of {len(matrices)} matrices are left, "
            f"{found['prune/density_model']:.1%} of the whole model's"
        )
        return model
