from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from models.build import build
from models.compression.methods import make_stage
from models.compression.quantization.stage import QuantizationStage
from models.compression.settings import METHODS
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.measure.params import count_params
from tests.models.helpers import small


def test_counts_of_bert_tiny_equal_the_published_ones() -> None:
    model, _ = build(ModelSettings(family="bert"), head=HeadSpec(outputs=2), vocab_size=30522)
    counts = count_params(model)
    assert (counts.total, counts.trained) == (4_386_178, 4_386_178)
    assert counts.embeddings == (30_522 + 512 + 2) * 128


def test_counts_of_a_dsn_of_width_an_eighth_equal_the_published_ones() -> None:
    model, _ = build(
        ModelSettings(family="dsn", readout={"name": "sum"}, width=0.125), head=HeadSpec(outputs=2), vocab_size=30522
    )
    assert count_params(model).total == 496_642


def test_a_shared_table_is_counted_once() -> None:
    table, head = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
    head.weight = table.weight
    counts = count_params(nn.ModuleList([table, nn.Embedding.from_pretrained(torch.ones(2, 4)), head]))
    assert (counts.total, counts.embeddings) == (48, 48)
    assert counts.trained == 40, "from_pretrained freezes its table"


def test_pruned_weights_are_parameters_but_not_nonzero_ones() -> None:
    linear = nn.Linear(8, 2, bias=False)
    with torch.no_grad():
        linear.weight.fill_(1.0)
        linear.weight[:, :5] = 0.0
    counts = count_params(linear)
    assert (counts.total, counts.nonzero, counts.embeddings) == (16, 6, 0)


@pytest.mark.parametrize("method", ["weight_only", "ternary", "pq", "splitquant", "static_int8", "dynamic_int8"])
def test_a_quantized_model_has_as_many_parameters_as_before(method: str) -> None:
    network = small(vocab_size=4000)
    quantized, stage = deepcopy(network), make_stage(METHODS[method]())
    assert isinstance(stage, QuantizationStage) and stage.replace_layers(quantized)
    before, after = count_params(network), count_params(quantized)
    assert (after.total, after.deployed) == (before.total, before.deployed)
    assert (after.trained, after.embeddings) == (before.trained, before.embeddings)
