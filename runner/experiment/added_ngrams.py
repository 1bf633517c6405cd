"""After the plain training: n-grams of the texts, fitted and added to the network (model.add=ngram)."""

from __future__ import annotations

from typing import cast

import numpy as np

from models.heads.linear import LinearHead
from runner.experiment.stage_context import RunStageContext
from runner.training.inference import predict
from runner.training.ngram.adding import add_ngrams


def add_fitted_ngrams(context: RunStageContext) -> None:
    """Add the n-grams to the run's network; print and record what they gain on the selection split."""
    prepared, settings = context.prepared, context.settings

    def outputs_of(network: LinearHead) -> np.ndarray:
        return predict(
            network, prepared.splits.select, batch_size=settings.train.eval_batch_size, device=prepared.device,
            precision=settings.train.precision, exclusive=prepared.exclusive, task=prepared.task,
        )  # fmt: skip

    found = add_ngrams(
        cast(LinearHead, prepared.model), prepared.splits, prepared.task, settings.model, outputs_of,
        prepared.exclusive.yield_to_timing, is_symmetric=settings.data.symmetric,
    )  # fmt: skip
    context.writer.add_notes(found.sentences())
    for sentence in found.sentences():
        context.say(sentence)
