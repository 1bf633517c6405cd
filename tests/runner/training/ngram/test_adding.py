"""N-grams added to a trained network: the weights of the two parts are those that the selection split wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from data.inputs.text import Text
from data.inputs.tokenizer import train_tokenizer
from data.labels import Labels
from data.splits import DataTask, Splits, TokenSplit
from data.targets.class_label import ClassLabel
from data.targets.number import Number
from models.build import build
from models.heads.target_scale import TARGETS, attach_target_scale
from models.settings import ModelSettings
from runner.tasks.base import LabelFacts, Task
from runner.tasks.classification import Classification
from runner.tasks.regression import Regression
from runner.training.inference import predict
from runner.training.ngram.adding import AddedFit, Weights, add_ngrams, choose_weights, weighted

CPU = torch.device("cpu")
MODEL = ModelSettings(
    name="dsn", family="dsn", hidden=4, readout={"name": "pair", "norm": "none", "size": None, "dropout": 0.0},
    add="ngram", max_kb=None,
)  # fmt: skip
NAMES = ("no", "yes")


def pair_splits(*, numbers: bool = False) -> Splits:
    """Pairs of texts that share a noun, or do not: that is the label, or a number of it, in four rows of five."""
    words = [f"noun{place}" for place in range(12)]
    parts, own = [], Text(train_tokenizer([" ".join(words)] * 3, 100), is_pair=True)
    for seed, (name, count) in enumerate({"train": 300, "val": 100}.items()):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, count)
        first = [random.choice(words, 3, replace=False) for _ in range(count)]
        second = [
            [row[0] if label else next(w for w in words if w not in row), "x"] for row, label in zip(first, labels)
        ]
        cells = {"text": [" ".join(row) for row in first], "text_pair": [" ".join(row) for row in second]}
        found = own.encode(cells, 50)
        offsets = np.concatenate([[0], np.cumsum(found.lengths)])
        labels = np.where(random.random(count) < 0.2, 1 - labels, labels)
        values = (labels * 4.0 + 10).astype(np.float32) if numbers else labels
        parts.append(TokenSplit(
            name, found.tokens.astype(np.uint32), offsets, found.segment_starts, Labels(values), 0, own,
            Number() if numbers else ClassLabel(NAMES),
        ))  # fmt: skip
    names = () if numbers else NAMES
    return Splits(DataTask("number" if numbers else "class_label", names, True), *parts, (), own.tokenizer, "")


def added(task: Task, splits: Splits, network: Any) -> AddedFit:
    def outputs_of(model: Any) -> np.ndarray:
        return predict(model, splits.select, batch_size=64, device=CPU, precision="fp32", task=task)

    before = outputs_of(network)
    found = add_ngrams(network, splits, task, MODEL, outputs_of)
    assert not np.allclose(outputs_of(network), before)
    return found


@pytest.mark.parametrize("numbers", [False, True])
def test_ngrams_help_a_network_that_has_learned_nothing(numbers: bool) -> None:
    splits = pair_splits(numbers=numbers)
    task: Task = Regression() if numbers else Classification(LabelFacts(NAMES))
    torch.manual_seed(0)
    network, _ = build(MODEL, task.head(), vocab_size=splits.tokenizer.vocab_size, pad_id=splits.tokenizer.pad_id)
    if numbers:
        attach_target_scale(network, {"mean": 12.0, "sd": 2.0})  # type: ignore[arg-type]
    found = added(task, splits, network)
    assert found.weights.share > 0.5 and found.both >= found.ngrams - 0.02 > found.network
    kept = predict(network, splits.select, batch_size=64, device=CPU, precision="fp32", task=task)
    metric = task.metrics[0]
    score = task.evaluate(task.answers(kept, splits.select), [metric])[metric]
    assert score == pytest.approx(found.both, abs=1e-3), "the network answers as the weighted sum"
    assert ("n-grams of pieces: " in found.sentences()[0]) and f"sum {found.both:.4f}" in found.sentences()[1]
    if numbers:
        assert abs(kept.mean() - 12) < 0.5 and network.architecture[TARGETS]["sd"] == 2.0


def outputs_for(labels: np.ndarray, right: float, seed: int) -> np.ndarray:
    """Logits of which this share is right."""
    random = np.random.default_rng(seed)
    told = np.where(random.random(len(labels)) < right, labels, 1 - labels)
    return np.eye(2, dtype=np.float32)[told] * 2


@pytest.mark.parametrize(("network", "ngrams"), [(0.9, 0.5), (0.5, 0.9), (0.8, 0.8)])
def test_a_part_that_knows_nothing_has_about_no_weight(network: float, ngrams: float) -> None:
    splits = pair_splits()
    labels = np.asarray(splits.select.known_labels)
    parts = np.stack([outputs_for(labels, network, 1), outputs_for(labels, ngrams, 2)])
    task = Classification(LabelFacts(NAMES))
    found = choose_weights(parts, 0.0, splits.select, task)
    low, high = {0.9: (0, 0.2), 0.5: (0.8, 1), 0.8: (0.3, 0.7)}[network]
    assert low <= found.share <= high
    losses = [task.evaluated_loss(weighted(parts, 0.0, pair), splits.select) for pair in (found, Weights(1, 1))]
    assert losses[0] <= losses[1]


def test_what_is_said_where_one_part_is_left_out() -> None:
    splits = pair_splits()
    task = Classification(LabelFacts(NAMES))
    network, _ = build(MODEL, task.head(), vocab_size=splits.tokenizer.vocab_size, pad_id=splits.tokenizer.pad_id)
    found = added(task, splits, network)
    assert "n-grams left out" in replace(found, weights=Weights(1.0, 0.0)).sentences()[1]
    assert "Try: model=ngram" in replace(found, weights=Weights(0.0, 1.0)).sentences()[1]
