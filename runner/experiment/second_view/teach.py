"""Distillation from codes: a classifier that reads codes learns the labels, then answers for every pair.

The text's network learns from its answers on all pairs, and from the labels where there are any, with the losses of
compression=[distil]. For a class that is rare among the labelled rows, the nodes above its codes help.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from data.splits import Splits, TokenSplit
from data.views import all_with_codes, with_codes
from models.compression.distil import DistilHook, Pair
from models.compression.settings.learn import Distil, DistilLosses
from models.views.two_views import CodeReader
from runner.experiment.recipe import phase_recipe, recipe_of
from runner.experiment.second_view.correlate import code_encoder
from runner.experiment.stage_context import RunStageContext
from runner.record.metrics import VIEW
from runner.training.inference import predict

LOSSES = DistilLosses(soft=1.0, hard=1.0)
TEMPERATURE = 1.0  # the teacher is a small network trained on few labels, and not over-confident


@dataclass
class CodeTeacher:
    """The teacher as a distillation sees it."""

    network: nn.Module
    score: float  # on the selection split; higher is better
    seconds: float  # of its training
    rows_answered: int


def code_reader(context: RunStageContext, splits: Splits) -> CodeReader:
    """Make a fresh classifier of codes for the run's task."""
    context.draw_from("weights of the classifier of codes")
    view = context.settings.view
    reader = CodeReader(code_encoder(splits, view), view.width, context.prepared.task.head().outputs)
    return reader.to(context.device)


def train_teacher(context: RunStageContext, splits: Splits, reader: CodeReader) -> None:
    """Train the classifier of codes on the labelled rows; its scores are recorded as those of the view."""
    view = context.settings.view
    rows = all_with_codes(splits, texts=False)
    rows = replace(rows, select=replace(rows.select, name=VIEW), report=())
    recipe = phase_recipe(recipe_of(context.settings), {"epochs": view.epochs, "lr": view.lr})
    recipe = replace(recipe, train=replace(recipe.train, steps=None, token_budget=None), pause_at=None)
    trained = context.train_by(recipe, reader, phase="teacher", splits=rows)
    context.add_metrics({"distil/teacher_score": trained.metric, "time/teacher_s": trained.seconds})


def learn_answers(context: RunStageContext, splits: Splits, reader: CodeReader) -> None:
    """Train the run's network on the teacher's answers to all pairs, and on the labels."""
    paired, network = splits.paired, context.prepared.model
    assert paired is not None, "loaded with codes"
    train = context.prepared.splits.train
    others = np.arange(len(paired.labelled), len(paired.texts))
    parts = [with_codes(train, paired.train, texts=False)]
    parts += [with_codes(paired.texts.take(others), paired.codes.take(others), texts=False)] if len(others) else []
    answers = [_answers(context, reader, part) for part in parts]
    context.learn_with(np.concatenate(answers), paired.texts.take(others) if len(others) else None)
    score = context.metrics["distil/teacher_score"]
    teacher = CodeTeacher(reader, score, context.metrics["time/teacher_s"], len(train) + len(others))
    options = Distil(temperature=TEMPERATURE)
    context.train(network, DistilHook(LOSSES, Pair(network, teacher, context, options)), phase="answers")
    found = {"distil/rows_added": float(len(others)), "distil/teacher_rows": float(teacher.rows_answered)}
    context.add_metrics(found | ({"distil/retained": context.score(network) / score} if score > 0 else {}))


def _answers(context: RunStageContext, reader: CodeReader, split: TokenSplit) -> np.ndarray:
    size = context.settings.train.eval_batch_size
    unread = replace(split, target=None)
    return predict(
        reader, unread, batch_size=size, device=context.device, precision="fp32", exclusive=context.exclusive
    )
