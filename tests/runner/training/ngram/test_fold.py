"""Vectors of n-grams: what SGD learns of them, and the linear model that they become."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from data.splits import Splits
from models.build import build
from models.heads.linear import LinearHead
from models.packed.facts import Facts
from models.packed.ngram import pack_ngrams
from models.packed.pack import write_packed
from models.settings import ModelSettings
from runner.deploy.bundle.predict import Model
from runner.experiment.recipe import recipe_of
from runner.schema import ROW_SGD, Settings
from runner.tasks.base import Task
from runner.training.inference import predict
from runner.training.ngram.fold import fold, fold_rows
from runner.training.ngram.found_rows import keep_frequent, with_found_rows
from runner.training.trainer import Trainer
from tests.runner.training.ngram.rows import review_splits, review_texts

CPU = torch.device("cpu")
MODEL = ModelSettings(
    name="ngram-vectors", family="ngram_vectors", hidden=8, dropout=0.0, readout={"name": "mean"}, max_kb=None
)


def trained(splits: Splits, task: Task, *, batch_size: int = 32, epochs: int = 10, rate: float = 0.5) -> LinearHead:
    """A network over vectors of n-grams, trained by plain SGD."""
    settings = Settings(model=MODEL)
    settings.optimizer.name, settings.optimizer.lr = ROW_SGD, rate
    settings.train.batch_size, settings.train.epochs, settings.train.clip_norm = batch_size, epochs, 0.0
    torch.manual_seed(0)
    model, _ = build(MODEL, task.head(), vocab_size=1 << 32)
    keep_frequent(model.bert, splits.train, 2)  # type: ignore[arg-type]
    found = with_found_rows(model.bert, splits)  # type: ignore[arg-type]
    loop = Trainer(model, found, task, recipe_of(settings), CPU)
    model.train()
    for epoch in range(loop.plan.epochs):
        loop.state.epoch = epoch
        for rows in loop.plan.batches(epoch):
            loop.step(rows)
    loop.optimizer.release()
    assert isinstance(model, LinearHead)
    return model.eval()


def outputs(network: LinearHead, splits: Splits, part: str = "report") -> np.ndarray:
    split = splits.report[0] if part == "report" else getattr(splits, part)
    return predict(network, split, batch_size=64, device=CPU, precision="fp32")


def accuracy(network: LinearHead, splits: Splits, part: str) -> float:
    split = splits.report[0] if part == "report" else splits.train
    return float((outputs(network, splits, part).argmax(1) == np.asarray(split.labels.values)).mean())


def test_a_rate_of_one_half_a_text_learns_200_rows_at_any_batch_size() -> None:
    splits, task = review_splits()
    few = replace(splits, train=splits.train.take(np.arange(200)))
    one, many = (trained(few, task, batch_size=size) for size in (1, 32))
    assert accuracy(one, few, "train") == accuracy(many, few, "train") == 1.0
    assert abs(accuracy(one, few, "report") - accuracy(many, few, "report")) < 0.05  # of 400 rows


@pytest.mark.parametrize("classes", [2, 3])
def test_the_folded_model_answers_as_its_vectors_and_as_its_file(tmp_path: Path, classes: int) -> None:
    splits, task = review_splits(classes)
    network = trained(splits, task, epochs=1)
    with torch.no_grad():  # numbers of 1 to 2, so that none is rounded to nothing
        network.bert.rows.weight.uniform_(0.5, 1).mul_(torch.randint(0, 2, network.bert.rows.weight.shape) * 2 - 1)  # type: ignore[union-attr, operator]
        network.classifier.weight.copy_(torch.eye(classes, 8) * 2)
        network.classifier.weight[:, :2] += torch.tensor([[-2.0, 0.0], [2.0, -2.0], [0.0, 0.0]])[:classes]
    folded = fold(network, MODEL, splits, lambda model: outputs(model, splits, "select"))
    temperature = folded.architecture["ngram"]["temperature"]
    before, after = outputs(network, splits), outputs(folded, splits) * temperature
    centred, others = (found - found.mean(1, keepdims=True) for found in (before, after))
    assert np.abs(centred).max() > 0.1 and np.abs(centred - others).max() < 4 / 127, "one byte a class"
    assert write_packed(folded, tmp_path, Facts(splits.task.label_names, 99)) == ""
    texts, _ = review_texts(400, classes, seed=2)
    scores = Model(tmp_path).scores([*texts, "", "xyzzy"])
    assert np.allclose(scores[:400], outputs(folded, splits), atol=1e-5)
    assert np.array_equal(scores[400], scores[401])


def test_the_longest_rows_stay_and_the_file_is_no_larger_than_it_may_be() -> None:
    splits, task = review_splits()
    network, labels = trained(splits, task, epochs=3), splits.task.label_names
    whole, small = fold_rows(network, labels, None), fold_rows(network, labels, 1)
    assert len(pack_ngrams(small, labels)) <= 1000 < len(pack_ngrams(whole, labels)) and small.mean
    assert len(small.prints) > 50 and np.abs(small.rows).min() >= np.quantile(np.abs(whole.rows), 0.5)
