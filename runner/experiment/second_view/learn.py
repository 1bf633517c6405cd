"""The training of a run with a second view: from the codes first, then the task, with all weights.

It is a stage of several phases, so an interrupted run goes on with the phase that it was in.
"""

from __future__ import annotations

from typing import cast

from torch import nn

from data.splits import Splits
from data.views import all_with_codes, shuffled
from models.heads.linear import LinearHead
from models.views.settings import BOTH, DCCA, DISTIL, TEXT
from models.views.two_views import CodeReader
from runner.experiment.divergence import learning_metrics
from runner.experiment.recipe import recipe_of
from runner.experiment.second_view.correlate import correlate, two_views
from runner.experiment.second_view.teach import code_reader, learn_answers, train_teacher
from runner.experiment.stage_context import RunStageContext


def learn_with_codes(context: RunStageContext) -> None:
    """Train the run's network, or a classifier that is a bound for it, and record the findings."""
    view, splits = context.settings.view, context.prepared.splits
    assert splits.paired is not None, "loaded with codes"
    if view.shuffle:
        splits.paired = shuffled(splits.paired, context.seed)
    if view.reads != TEXT:
        _train_bound(context, splits)
    else:
        _train_text(context, splits)
    context.writer.add_metrics(learning_metrics(context.prepared))


def _train_text(context: RunStageContext, splits: Splits) -> None:
    """Correlate, learn a teacher's answers, or one after the other; no part of the codes is left in the model."""
    view, network = context.settings.view, cast(LinearHead, context.prepared.model)
    teaches, reader = view.method in (DISTIL, BOTH), None
    if teaches:
        reader = code_reader(context, splits)
    both = nn.ModuleDict({"text": network} | ({"teacher": reader} if reader else {}))
    found, done = context.load_progress(), 0
    if found:
        both.load_state_dict(found[0])
        done = found[1]["phases"]
    if view.method in (DCCA, BOTH) and done < 1:
        _count_trained(context, network, correlate(context, splits))
        context.save_progress(both, {"phases": 1})
    if reader is None:
        context.train(network, phase="labels")
        return
    if done < 2:
        train_teacher(context, splits, reader)
        _count_trained(context, network, sum(one.numel() for one in reader.parameters()))
        context.save_progress(both, {"phases": 2})
    learn_answers(context, splits, reader)


def _count_trained(context: RunStageContext, network: nn.Module, view: int) -> None:
    """Add the view's parameters to those that the run trains, which begin with the network's own."""
    own = sum(one.numel() for one in network.parameters() if one.requires_grad)
    so_far = context.metrics.get("cost/params_trained", own)
    context.add_metrics({"cost/params_trained": so_far + view})


def _train_bound(context: RunStageContext, splits: Splits) -> None:
    """Train a classifier that reads codes, or texts and codes, on the labels; it takes the network's place."""
    prepared, view = context.prepared, context.settings.view
    rows = all_with_codes(splits, texts=view.reads == BOTH)
    if view.reads == BOTH:
        context.draw_from("weights of the code encoder")
        encoder = two_views(cast(LinearHead, prepared.model), splits, view)
        reader = CodeReader(encoder, encoder.width, prepared.task.head().outputs).to(context.device)
    else:
        reader = code_reader(context, splits)
    context.train_by(recipe_of(context.settings), reader, phase="bound", splits=rows)
    prepared.model, prepared.splits = reader, rows  # type: ignore[assignment]  # scored as a network is, never saved
