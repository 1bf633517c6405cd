"""Training for unstructured pruning: masks that follow a schedule, and a penalty.

A method defines which mask a matrix gets, how masks are updated, and the penalty; see models/compression/magnitude.py.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.pruning.masks import (
    PLACE,
    PRUNED,
    Matrix,
    attach_mask,
    choose_matrices,
    cubic_schedule,
    densities,
    fold_mask,
    linear_layers,
    unmasked_weight,
)
from models.compression.settings.pruning import MaskedPruning
from models.compression.stage import Stage, StageContext, Targets, TrainingHook, zero_unless_finite
from models.json_types import JsonObject
from models.network import Network

CHECKED = 32  # rows whose logits are compared before and after folding


class PruningHook(TrainingHook):
    """Attaches masks to the chosen matrices during training, and folds them into the weights at the end."""

    first, last = 1.0, 1.0  # the schedule's value at its start and end
    scheduled = "prune/target_density"  # the metric that logs the schedule's value
    strength = 0.0  # weight of the penalty at the end of the schedule

    def __init__(self, options: MaskedPruning, matrices: dict[str, Matrix], context: StageContext) -> None:
        self.options, self.matrices, self.context = options, matrices, context
        self.model = nn.Module()
        self.masks: dict[str, Any] = {}  # by name of the matrix
        self.frozen: list[nn.Parameter] = []
        self.step, self.total, self.value = 0, 0, self.first
        self.sums = torch.zeros(3, device=context.device)  # task losses, penalties, batches

    def make_mask(self, weight: Tensor) -> nn.Module:
        """The mask of one matrix; each method has its own type."""
        raise NotImplementedError

    def make_ready(self, model: nn.Module) -> None:
        """Called after the masks are attached and before the first cut, to prepare what a method needs for it."""

    def cut(self) -> None:
        """Update the masks; a method may also act on the changes."""
        self.update_masks()

    def update_masks(self) -> None:
        """Set the masks for the schedule's current `value`."""

    def penalty(self) -> Tensor | None:
        """The penalty, a scalar, before its weight; None: no penalty."""
        return None

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Attach the masks, and freeze the embeddings if the settings say so."""
        weights = {id(unmasked_weight(matrix)) for matrix in self.matrices.values()}
        if self.options.freeze_embeddings:
            parts = cast(Network, model).bert.embedding_parts()
            tables = [p for part in parts for p in part.parameters()]
            below = [p for p in tables if id(p) not in weights]
            self.frozen = [p for p in below if p.requires_grad]
        for parameter in self.frozen:
            parameter.requires_grad_(False)
        for name, matrix in self.matrices.items():
            self.masks[name] = self.make_mask(unmasked_weight(matrix))
            attach_mask(matrix, self.masks[name])
        self.model, self.total, self.settled = model, total_steps, round(self.options.end * total_steps)
        self.make_ready(model)
        self._follow_schedule(0)

    def _follow_schedule(self, step: int) -> None:
        """Set the schedule to step `step`; masks are updated every `every` steps, and at its end."""
        self.step = step
        if step % self.options.every == 0 or step in (self.settled, self.total):
            start = round(self.options.start * self.total)
            self.value = cubic_schedule(step, self.first, self.last, start, self.settled or 0)
            self.cut()

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The task's loss plus the penalty, whose weight follows the schedule."""
        penalty = self.penalty()
        fined = self.sums.new_zeros(()) if penalty is None else penalty.detach()
        self.sums += zero_unless_finite(torch.stack([task_loss.detach(), fined, self.sums.new_ones(())]))
        return task_loss if penalty is None else task_loss + self.penalty_weight() * penalty

    def penalty_weight(self) -> float:
        """The weight of the penalty: proportional to the schedule's value, as in movement pruning's code."""
        return self.strength * self.value / self.last

    def after_step(self, step: int) -> None:
        """Update the masks for the next step."""
        self._follow_schedule(step + 1)

    def may_keep(self) -> bool:
        """Has the schedule ended?"""
        return self.settled is not None and self.step >= self.settled

    @torch.no_grad()
    def facts(self) -> dict[str, float]:
        """The schedule's value, the densities, and the mask flips and mean losses since the last evaluation."""
        kept = {name: mask.factor() != 0 for name, mask in self.masks.items()}
        flips = sum(self.masks[name].count_flips(places) for name, places in kept.items())
        task, fined, batches = self.sums.tolist()
        self.sums.zero_()
        found = {self.scheduled: self.value} | densities(self.model, kept)
        found["prune/mask_flip_rate"] = flips / sum(places.numel() for places in kept.values())
        if batches:
            found["prune/loss_task"] = task / batches
        if batches and self.strength:
            found |= {"prune/penalty": fined / batches, "prune/lambda": self.penalty_weight()}
        return found

    def state(self) -> dict[str, Tensor]:
        """The position in the schedule and the sums of losses; scores and masks are part of the model."""
        return {"place": torch.tensor([self.step, self.value], dtype=torch.float64), "sums": self.sums.clone()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore the position in the schedule and the sums."""
        step, self.value = state["place"].tolist()
        self.step = int(step)
        self.sums.copy_(state["sums"])

    @torch.no_grad()
    def end(self, model: nn.Module) -> None:
        """Fold the masks, and record the largest change of a logit, which should be a rounding error."""
        for parameter in self.frozen:
            parameter.requires_grad_(True)
        model.eval()
        inputs = next(iter(self.context.batches(rows=CHECKED, batch_size=CHECKED, split="select")))[0]
        masked = model(**inputs)
        for matrix in self.matrices.values():
            fold_mask(matrix)
        self.context.add_metrics({"prune/fold_error": float((model(**inputs) - masked).abs().max())})


class MaskingStage(Stage):
    """Choose the matrices, train with masks on them, and record the densities."""

    options: MaskedPruning
    hook_class: type[PruningHook]

    def matrices(self, model: nn.Module) -> dict[str, Matrix]:
        """The matrices to prune, by name; ModelError if there are none, or if a block has other weights."""
        return choose_matrices(model, self.options.matrices, f"compression.{self.name}.matrices")

    def check(self, model: nn.Module) -> None:
        """ModelError unless there are matrices to prune."""
        self.matrices(model)

    def identity_contents(self, model: nn.Module) -> dict[str, str]:
        """The names of the matrices, unless all of them have BERT's names."""
        found = self.matrices(model)
        return {} if self.options.matrices or all(map(PLACE.search, found)) else {"matrices": " ".join(found)}

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Train with masks; without training steps, only set and fold them."""
        options, matrices = self.options, self.matrices(model)
        pruning = self.hook_class(options, matrices, context)
        if options.is_trained:
            context.train(
                model, pruning, phase="prune", epochs=options.epochs or None, steps=options.steps, lr=options.lr,
                warmup=options.warmup, average=1,  # the mean of several masks would keep more weights than each of them
            )  # fmt: skip
        else:
            pruning.begin(model, 0)
            pruning.end(model)
        architecture: JsonObject = model.architecture  # type: ignore[assignment]
        architecture[PRUNED] = sorted({*architecture.get(PRUNED, ()), *matrices})
        found = densities(model, {name: matrix.weight != 0 for name, matrix in matrices.items()})
        context.add_metrics(found)
        context.say(
            f"{found['prune/density_prunable']:.1%} of the weights of {len(matrices)} matrices remain, "
            f"{found['prune/density_model']:.1%} of the whole model's{self._dense(model, matrices)}"
        )
        return model

    def _dense(self, model: nn.Module, matrices: dict[str, Matrix]) -> str:
        """A clause that names the encoder's linear layers without a mask; "" if all have one."""
        left = [] if self.options.matrices else [name for name in linear_layers(model) if name not in matrices]
        return f"; outside the blocks stay dense: {', '.join(left)}" if left else ""
