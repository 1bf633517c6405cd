"""Deep canonical correlation: the text encoder and a code encoder learn outputs that correlate (Andrew et al. 2013).

Labels are not used until the end: the last layer then starts from a logistic regression on the correlated outputs.
These are linear in the vectors of the texts, so both maps fold into that layer, and no part of the view is left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from data.splits import Splits, TokenSplit
from data.views import pairs_of
from models.heads.linear import LinearHead
from models.heads.text import SequenceClassifier
from models.views.code_encoder import make_code_encoder
from models.views.correlation import projections
from models.views.settings import ViewSettings
from models.views.two_views import TextEncoder, TwoViews, fold_map
from runner.experiment.recipe import recipe_of
from runner.experiment.stage_context import RunStageContext
from runner.record.metrics import CORRELATION, VIEW
from runner.schema import OptimizerSettings, ScheduleSettings, Settings
from runner.training.few_labels.head import fit_head
from runner.training.few_labels.vectors import text_vectors
from runner.training.inference import predict
from runner.training.recipe import TrainingRecipe
from runner.training.two_views.correlation_task import CorrelationTask


def correlate(context: RunStageContext, splits: Splits) -> int:
    """Train the run's network on the pairs and start its last layer; returns how many parameters are left behind.

    Records the correlations of training and held-out rows.
    """
    view, network = context.settings.view, cast(SequenceClassifier, context.prepared.model)
    pairs = pairs_of(splits, VIEW)
    context.draw_from("weights of the code encoder")
    model = two_views(network, splits, view).to(context.device)
    width = model.texts.width
    task = CorrelationTask(width, min(view.k, width), view.ridge)
    context.say(
        f"codes: {len(pairs.train):,} pairs of a text and codes, {task.k} correlations, {view.epochs:g} epochs of "
        f"{batches_of(len(pairs.train), view.batch_size)} batches"
    )
    context.train_by(
        correlation_recipe(context.settings, len(pairs.train)), model, phase="correlate", splits=pairs, task=task
    )
    outputs = {part.name: _outputs(context, model, part) for part in (pairs.train, pairs.select)}
    held_out = task.evaluate(task.answers(outputs[VIEW], pairs.select), task.metrics)
    context.add_metrics({
        "view/corr_train": float(task.correlations(outputs["train"]).sum()),
        "view/corr_val": held_out[CORRELATION],
        "view/dimensions": held_out["dimensions"],
    })  # fmt: skip
    _start_head(context, network, model.texts.map, torch.from_numpy(outputs["train"]), task)
    left = [*model.codes.parameters(), *([] if model.texts.map is None else model.texts.map.parameters())]
    return sum(parameter.numel() for parameter in left)


def two_views(network: LinearHead, splits: Splits, view: ViewSettings) -> TwoViews:
    """Put a fresh code encoder beside the network's encoder."""
    return TwoViews(TextEncoder(network, view.width), code_encoder(splits, view), view.width)


def code_encoder(splits: Splits, view: ViewSettings) -> nn.Module:
    """Make a fresh code encoder for the tree of the codes."""
    assert splits.paired is not None, "loaded with codes"
    codes = splits.paired.codes
    return make_code_encoder(view, codes.num_nodes, torch.from_numpy(codes.edges))


def batches_of(rows: int, batch_size: int) -> int:
    """Return how many batches of at least `batch_size` rows an epoch has, 1 if there are fewer rows."""
    return max(1, rows // batch_size)


def correlation_recipe(settings: Settings, rows: int) -> TrainingRecipe:
    """Return the training of the two views: Adam at a constant rate, without the run's own schedule.

    Batches are of equal size, at least view.batch_size, so that none is too small to correlate anything in.
    """
    view, recipe = settings.view, recipe_of(settings)
    size = -(-rows // batches_of(rows, view.batch_size))
    train = replace(
        recipe.train, epochs=view.epochs, steps=None, batch_size=size, token_budget=None, accumulate=1, evals=None,
        patience=None, keep_best=True, average=1, clip_norm=0.0, precision="fp32", r_drop=0.0,
    )  # fmt: skip
    optimizer = OptimizerSettings(lr=view.lr, weight_decay=recipe.optimizer.weight_decay)
    schedule = ScheduleSettings(name="constant", warmup=0.0)
    return replace(recipe, train=train, optimizer=optimizer, schedule=schedule, pause_at=None)


def _outputs(context: RunStageContext, model: nn.Module, split: TokenSplit) -> np.ndarray:
    """Return the outputs of both encoders for all rows of a split, (rows, width of both), without dropout."""
    size = context.settings.train.eval_batch_size
    return predict(model, split, batch_size=size, device=context.device, precision="fp32", exclusive=context.exclusive)


def _start_head(
    context: RunStageContext, network: SequenceClassifier, first: nn.Linear | None, outputs: Tensor,
    task: CorrelationTask,
) -> None:  # fmt: skip
    """Start the last layer from a logistic regression of the labels on the numbers that correlate.

    first: the map of wide vectors, None if there is none; outputs: of both encoders for all pairs.
    """
    prepared, splits = context.prepared, context.prepared.splits
    second, _ = projections(outputs[:, : task.width], outputs[:, task.width :], task.k, task.ridge)

    def numbers(split: TokenSplit) -> np.ndarray:
        vectors = torch.from_numpy(text_vectors(network, split, context.device, context.exclusive.yield_to_timing))
        with torch.no_grad():
            mapped = vectors if first is None else first.cpu()(vectors)
            return np.asarray(second(mapped).numpy())

    labels, run_task = np.asarray(splits.train.known_labels), prepared.task
    select, name, weights = numbers(splits.select), run_task.metrics[0], run_task.facts.class_weights
    found = fit_head(
        numbers(splits.train), labels, run_task.head().outputs,
        lambda head: run_task.evaluate(run_task.answers(head.outputs(select), splits.select), [name])[name],
        row_weights=None if weights is None else weights[labels], pause=context.exclusive.yield_to_timing,
    )  # fmt: skip
    map_ = None if first is None else first.to(network.classifier.weight.device)
    fold_map(
        network.classifier, map_, second.to(network.classifier.weight.device),
        torch.from_numpy(found.weights), torch.from_numpy(found.bias),
    )  # fmt: skip
