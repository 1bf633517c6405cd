"""Runs the plain training; under SGD it is repeated once at half the rate if its numbers are not finite.

Those are the loss and the gradient of a batch, and the outputs in an evaluation: finite steps may still be so long that
the scores of other rows overflow.

AdamW divides a gradient by its own magnitude, so there the rate alone does not explain a loss that is not finite.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

from torch import Tensor

from data.splits import Splits
from runner.experiment.stage_context import RunStageContext
from runner.tasks.finite import NotFiniteOutputs
from runner.training.checkpoint import Checkpoints
from runner.training.nonfinite import NotFinite
from runner.training.recipe import TrainingRecipe
from runner.training.state import RandomState, TrainingResult
from runner.tune.trial_pruning import Watch

HALF = "half-rate"  # the owner of the second training's checkpoints, beside the run's identity


def fit_or_halve(
    context: RunStageContext, recipe: TrainingRecipe, splits: Splits, watch: Watch | None
) -> TrainingResult:
    """Train the model of a run; a note in the record states what was done at half the rate.

    An interrupted run resumes the training that it was in. Raises NotFinite, also for the outputs in an
    evaluation; after two trainings, that of the second.
    """
    prepared, every_s = context.prepared, context.settings.checkpoint.every_s
    first = Checkpoints(prepared.folder, prepared.identity, every_s)
    if recipe.optimizer.name == "adamw":
        return context.fit(prepared.model, recipe, first, splits=splits, watch=watch)
    second = Checkpoints(prepared.folder, f"{prepared.identity}/{HALF}", every_s)
    start, random = _copy(prepared.model.state_dict()), _copy(RandomState().state())
    if second.newest() is None:
        try:
            return context.fit(prepared.model, recipe, first, splits=splits, watch=watch)
        except (NotFinite, NotFiniteOutputs) as error:
            context.say(f"{error}; trying again at half the rate")
        shutil.rmtree(first.folder, ignore_errors=True)
        context.writer.forget_points()
        prepared.model.load_state_dict(start)
        RandomState().load(random)
    slower = replace(recipe, optimizer=replace(recipe.optimizer, lr=recipe.optimizer.lr / 2))
    try:
        trained = context.fit(prepared.model, slower, second, splits=splits, watch=watch)
    except (NotFinite, NotFiniteOutputs) as error:
        raise NotFinite(f"a learning rate of {recipe.optimizer.lr:g} failed, and so did half of it: {error}") from error
    told = (
        f"trained at a learning rate of {slower.optimizer.lr:g}, half of optimizer.lr={recipe.optimizer.lr:g}, "
        "at which a loss, a gradient or an output was not finite"
    )
    context.writer.add_notes([told])
    context.say(f"note: {told}")
    return trained


def _copy(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}
