"""Predictions: every row once and in its own place, whatever batches it went through."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from data.splits import Splits, TokenSplit
from runner.schema import Settings
from runner.tasks.base import LabelFacts
from runner.tasks.make import task_of
from runner.tasks.multilabel import MultiLabel
from runner.tasks.rank import Rank
from runner.training.inference import autocast, predict, score, score_selection, unpack_states
from tests.data.helpers import split_of, tagged_split
from tests.models.helpers import tagger
from tests.runner.tasks.splits import split_of as labels_alone

CPU = torch.device("cpu")


class FirstTokens(nn.Module):
    """Logits that name the row: the sum of its token ids, and its length."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        return torch.stack([(input_ids * mask).sum(1), mask.sum(1)], 1).float()


def predicted(splits: Splits, batch_size: int, **more: Any) -> np.ndarray:
    return predict(FirstTokens(), splits.train, batch_size=batch_size, device=CPU, precision="fp32", **more)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_answers_are_in_the_order_of_the_rows(splits: Splits, batch_size: int) -> None:
    train = splits.train
    sums = np.add.reduceat(np.asarray(train.tokens, np.float64), train.offsets[:-1])
    found = predicted(splits, batch_size)
    assert found.dtype == np.float32
    assert found[:, 0].tolist() == sums.tolist() and found[:, 1].tolist() == train.lengths.tolist()


@pytest.mark.parametrize("batch_size", [2, 100])
def test_outputs_of_several_words_a_row_are_in_the_order_of_the_words(batch_size: int) -> None:
    model, split = tagger(), tagged_split()
    found = predict(model, split, batch_size=batch_size, device=CPU, precision="fp32")
    alone = [
        predict(model, split.take(np.array([row])), batch_size=1, device=CPU, precision="fp32")
        for row in range(len(split))
    ]
    assert found.shape == (int((np.asarray(split.labels.places) >= 0).sum()), 3)
    np.testing.assert_allclose(found, np.concatenate(alone), atol=1e-5)


def test_a_rearranged_word_table_is_looked_up(splits: Splits) -> None:
    lookup = np.arange(splits.tokenizer.vocab_size)[::-1].copy()
    found, plain = predicted(splits, 8, lookup=lookup), predicted(splits, 8)
    assert np.allclose(found[:, 0] + plain[:, 0], plain[:, 1] * (len(lookup) - 1))


@pytest.mark.parametrize("is_training", [True, False])
def test_the_model_keeps_its_mode(splits: Splits, is_training: bool) -> None:
    model = FirstTokens().train(is_training)
    predict(model, splits.select, batch_size=8, device=CPU, precision="fp32")
    assert model.training is is_training


class Dropped(FirstTokens):
    """Loses half of its logits while it is training."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return nn.functional.dropout(super().forward(input_ids, attention_mask), 0.5, self.training)


def test_nothing_is_dropped_from_predictions_in_the_middle_of_a_training(splits: Splits) -> None:
    model = Dropped().train()
    found = predict(model, splits.train, batch_size=8, device=CPU, precision="fp32")
    assert model.training and np.array_equal(found, predicted(splits, 8))


def test_scores_are_those_of_the_run_those_always_needed_and_further_ones(splits: Splits) -> None:
    settings = Settings()
    settings.data.metrics = ["f1"]
    task, kept = task_of(splits, settings), np.random.default_rng(0).normal(size=(len(splits.select), 2))
    found = score(task, splits.select, kept.astype(np.float32), ["mcc", "f1"])
    assert list(found) == [f"val/{name}" for name in ("f1", "accuracy", "balanced_accuracy", "mcc", "loss")]


@pytest.mark.parametrize("rule", ["one", "per_label"])
def test_an_epoch_is_scored_with_the_thresholds_that_fit_its_outputs(rule: str) -> None:
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
    split = labels_alone(labels)
    outputs = np.where(labels > 0, -1.0, -3.0).astype(np.float32)  # in order, but never above one half
    plain, fitted = MultiLabel(LabelFacts(("a", "b"))), MultiLabel(LabelFacts(("a", "b"), threshold=rule))
    assert score_selection(plain, split, outputs)["test/f1_micro"] == 0.0
    assert score_selection(fitted, split, outputs)["test/f1_micro"] == 1.0


def test_scores_are_named_by_their_split(splits: Splits) -> None:
    right = np.eye(2, dtype=np.float32)[np.asarray(splits.select.labels.values)] * 20
    found = score(task_of(splits, Settings()), splits.select, right)
    assert found["val/accuracy"] == 1.0 and found["val/loss"] < 1e-6
    assert all(name.startswith("val/") for name in found)


def test_products_are_in_bf16_only_where_asked() -> None:
    for precision, expected in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(CPU, precision):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected


def test_states_stored_as_bits_of_bf16_are_unpacked() -> None:
    states = torch.randn(2, 5, 3, 4)  # rows, tokens, layers, width
    assert torch.equal(unpack_states(states), states.permute(2, 0, 1, 3))
    stored = states.to(torch.bfloat16)
    assert torch.equal(unpack_states(stored.view(torch.int16)), stored.float().permute(2, 0, 1, 3))


class TwoPlacesOfLongRows(nn.Module):
    """Answers the first token of every row, and of rows of more than three tokens also the second, with their ids."""

    def forward(self, input_ids: torch.Tensor, places: torch.Tensor, **others: torch.Tensor) -> torch.Tensor:
        return input_ids.reshape(-1)[places][:, None]


def test_several_outputs_of_a_row_come_in_the_order_of_the_rows() -> None:
    def places_of(split: TokenSplit, rows: np.ndarray, inputs: dict[str, np.ndarray], epoch: int) -> dict[str, Any]:
        width = inputs["input_ids"].shape[1]
        own = [[0, 1] if split.lengths[row] > 3 else [0] if split.lengths[row] > 1 else [] for row in rows]
        inputs["places"] = np.array([place * width + at for place, some in enumerate(own) for at in some], np.int64)
        return {"labels": inputs["places"]}

    rows = [[7, 8], [10, 11, 12, 13], [99], [20, 21, 22, 23, 24], [30, 31]]
    split = replace(split_of(rows), target=cast(Any, SimpleNamespace(collate=places_of)))
    found = predict(TwoPlacesOfLongRows(), split, batch_size=2, device=CPU, precision="fp32")
    assert found[:, 0].tolist() == [7, 10, 11, 20, 21, 30], "the row of one token answers nothing"


class Products(nn.Module):
    """One score a row, a product whose last digits bf16 does not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.layer.weight)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return self.layer(1 + input_ids[:, :1] / 4096)  # type: ignore[no-any-return]


def test_rankings_are_evaluated_without_rounding_scores_to_bf16() -> None:
    split = split_of([[number] for number in range(8)])
    for task, distinct in ((Rank(), 8), (None, 1)):
        found = predict(Products(), split, batch_size=4, device=CPU, precision="bf16", task=task)
        assert len(np.unique(found)) == distinct
