"""The compact vocabulary: the arrangement of a word table, and the models that must keep theirs whole."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from data.inputs.maxmatch_dropout import MaxMatchDropout
from data.splits import Splits
from runner.schema import OptimizerSettings
from runner.training.compact_vocabulary import CompactTable, find_compact_table, order_by_use
from tests.runner.training.test_flat_optimizer import BERT, built, settings_of


def test_used_rows_come_first_and_the_arrangement_can_be_undone() -> None:
    table = nn.Embedding(10, 3, padding_idx=2)
    before = table.weight.detach().clone()
    order, used = order_by_use(np.array([7, 4, 7, 9], np.uint16), 10, 2)
    assert order[:used].tolist() == [2, 4, 7, 9] and sorted(order) == list(range(10))
    compact = CompactTable(table, "weight", order, used)
    compact.arrange()
    ids = np.array([7, 2, 0])
    assert torch.equal(table(torch.from_numpy(compact.lookup[ids])), before[ids])
    assert table.padding_idx == compact.lookup[2] == 0
    assert torch.equal(compact.by_token(table.weight), before)
    compact.restore()
    assert torch.equal(table.weight, before) and table.padding_idx == 2


class Hashed(nn.Module):
    """Stands for an embedding without a table."""


def tie(model: nn.Module) -> None:
    model.decoder = nn.Linear(16, 300, bias=False)
    model.decoder.weight = model.bert.embeddings.word_embeddings.weight  # type: ignore[union-attr,assignment]


def hash_embeddings(model: nn.Module) -> None:
    model.bert.embeddings.word_embeddings = Hashed()  # type: ignore[union-attr,assignment]


def prune(model: nn.Module) -> None:
    from torch.nn.utils import prune

    prune.l1_unstructured(model.bert.embeddings.word_embeddings, "weight", 0.5)  # type: ignore[union-attr,arg-type]


def foreign(model: nn.Module) -> None:
    model.bert = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (tie, r"tied to decoder\.weight"),
        (hash_embeddings, "hash embeddings"),
        (prune, "a compression stage works on the word table"),
        (foreign, "another library's"),
    ],
)
def test_a_table_that_something_else_touches_is_refused_by_name(splits: Splits, change: object, reason: str) -> None:
    model = built(settings_of(BERT, decay=0.0, clip=1.0), splits)
    change(model)  # type: ignore[operator]
    found = find_compact_table(model, splits.train, OptimizerSettings())
    assert isinstance(found, str)
    assert re.search(reason, found)


def test_sgd_with_decay_is_refused_because_its_untouched_rows_move(splits: Splits) -> None:
    model = built(settings_of(BERT, decay=0.0, clip=1.0), splits)
    found = find_compact_table(model, splits.train, OptimizerSettings(name="sgd", weight_decay=0.1))
    assert isinstance(found, str) and "moves every row" in found
    assert isinstance(
        find_compact_table(model, splits.train, OptimizerSettings(name="sgd", weight_decay=0.0)), CompactTable
    )


def test_texts_that_are_split_in_another_way_in_every_epoch_need_the_whole_table(splits: Splits) -> None:
    model = built(settings_of(BERT, decay=0.0, clip=1.0), splits)
    varied = MaxMatchDropout(splits.tokenizer, share=0.1, seed=0, max_length=128)
    found = find_compact_table(model, replace(splits.train, augment=varied), OptimizerSettings())
    assert isinstance(found, str) and "any row of the table may be needed" in found
