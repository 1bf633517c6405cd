"""Contrastive fine-tuning of an encoder on pairs of texts: cosine 1 within a class, 0 between classes.

Source: SetFit (Tunstall et al. 2022, arXiv 2209.11055): squared error on the cosine of mean vectors. It uses the steps
of the training loop, so interrupted tuning resumes bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from data.splits import Splits
from models.compression.stage import Inputs, Targets, TrainingHook
from models.heads.text import SequenceClassifier
from runner.machine.exclusive import Exclusive
from runner.tasks.base import Task
from runner.training.checkpoint import Checkpoints
from runner.training.few_labels.pairs import Pairs
from runner.training.few_labels.vectors import encode
from runner.training.loop import Report, restore_weights, train_epoch
from runner.training.nonfinite import NonFiniteGuard, NotFinite
from runner.training.plan import BatchPlan
from runner.training.recipe import TrainingRecipe
from runner.training.state import TrainingResult
from runner.training.trainer import Trainer


class PairPlan(BatchPlan):
    """The steps of the tuning: batches of rows, each row followed by the row that is drawn for it."""

    def __init__(self, splits: Splits, recipe: TrainingRecipe) -> None:
        super().__init__(splits.train.lengths, recipe.train, recipe.seed)
        self.pairs = Pairs(np.asarray(splits.train.known_labels), recipe.seed)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Return the batches of one round, each an array of row numbers, (2 pairs,)."""
        others = self.pairs.round(epoch)
        return [np.stack([rows, others[rows]], 1).ravel() for rows in super().batches(epoch)]


class PairHook(TrainingHook):
    """Replaces the task's loss with that of pairs; expects batches from PairPlan."""

    def __init__(self, model: SequenceClassifier) -> None:
        self.model = model
        self._cosines = torch.zeros(0)

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """Return the outputs (2 pairs, C) of the rows; keeps the cosine of each pair's vectors."""
        vectors = encode(self.model, inputs)
        self._cosines = functional.cosine_similarity(vectors[0::2], vectors[1::2])
        return self.model.score(vectors.detach())

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """Return the mean squared error of the cosines, a scalar."""
        labels = targets["labels"]
        wanted = (labels[0::2] == labels[1::2]).to(self._cosines)
        return (self._cosines - wanted).square().mean()


def pair_recipe(recipe: TrainingRecipe, pairs: int) -> TrainingRecipe:
    """Return the recipe of the tuning: each epoch of the run makes 2 R passes over the rows, with R = `pairs`."""
    epochs = recipe.train.epochs * 2 * pairs
    train = replace(recipe.train, epochs=epochs, evals=None, patience=None, keep_best=False, accumulate=1)
    return replace(recipe, train=train)


def tune_on_pairs(
    model: SequenceClassifier,
    splits: Splits,
    task: Task,
    recipe: TrainingRecipe,
    *,
    device: torch.device,
    checkpoints: Checkpoints,
    on_point: Report,
    exclusive: Exclusive | None = None,
) -> TrainingResult:
    """Fine-tune the encoder in place, with a recipe from `pair_recipe`; the head is left for `fit_head`.

    on_point: called about 200 times with the training metrics. There is no evaluation, as the head is not trained yet.
    Raises NotFinite.
    """
    hook = PairHook(model)
    saved = restore_weights(model, hook, checkpoints)
    trainer = Trainer(model, splits, task, recipe, device, hook, None, exclusive)
    trainer.plan = PairPlan(splits, recipe)
    if saved:
        trainer.resume(*saved)
    state, resumed_from = trainer.state, trainer.state.step
    guard = NonFiniteGuard(
        recipe.train, recipe.optimizer.lr, splits, checkpoints.run_folder, checkpoints.identity, trainer.plan.total
    )
    started = trainer.exclusive.clock() - state.seconds
    model.train()
    try:
        while state.epoch < trainer.plan.epochs:
            for values in train_epoch(trainer, guard, checkpoints, started):
                on_point(state, values)
            state.epoch, state.batch = state.epoch + 1, 0
            state.seconds = trainer.exclusive.clock() - started
            if checkpoints.due():
                trainer.save(checkpoints)
    except NotFinite:
        trainer.optimizer.release()
        raise
    trainer.optimizer.apply_pending_decay()
    return trainer.finish(resumed_from, wants_moments=False)
