from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from models.build import build
from models.compression.structured.layer_widths import cut_sublayer
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.measure.inputs import draw_batch
from runner.measure.macs import count_macs
from tests.data.helpers import split_of

SPLIT = split_of([np.arange(5, 900)])


def bert_macs(layers: int, hidden: int, length: int, labels: int, *, heads: int | None = None) -> int:
    """12 H^2 T for the products with weights and 2 T^2 H for attention; then pooler and head, once a text.

    heads: when the last layer computes the state of one token only: its products with keys and values are then taken
    on that token's side, 2 T H a head, and everything else of the layer is 12 H^2 once.
    """
    layer = 12 * hidden**2 * length + 2 * length**2 * hidden
    last = 12 * hidden**2 + 2 * heads * length * hidden if heads else layer
    return (layers - 1) * layer + last + hidden**2 + hidden * labels


@pytest.mark.parametrize("length", [17, 128, 200])  # both sides of the encoder's switch to fused attention
def test_bert_tiny_costs_what_the_formula_says(length: int) -> None:
    model, _ = build(ModelSettings(family="bert"), head=HeadSpec(outputs=3), vocab_size=1000)
    assert count_macs(model, draw_batch(SPLIT, 1, length)) == bert_macs(2, 128, length, 3, heads=2)


def test_a_readout_over_all_tokens_costs_the_whole_last_layer() -> None:
    model, _ = build(ModelSettings(family="bert", readout={"name": "mean"}), head=HeadSpec(outputs=3), vocab_size=1000)
    # No pooler's product, but the mean is one with the mask.
    assert count_macs(model, draw_batch(SPLIT, 1, 50)) == bert_macs(2, 128, 50, 3) - 128**2 + 50 * 128


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_fused_attention_of_other_libraries_is_not_left_out(attention: str) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=1000, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=256
    )
    model = BertForSequenceClassification._from_config(config, attn_implementation=attention)
    assert count_macs(model, draw_batch(SPLIT, 1, 100)) == bert_macs(2, 64, 100, 2)


def test_a_dsn_costs_its_head_and_its_pooling() -> None:
    model, _ = build(
        ModelSettings(family="dsn", readout={"name": "sum"}, width=0.125), head=HeadSpec(outputs=2), vocab_size=1000
    )
    assert count_macs(model, draw_batch(SPLIT, 1, 50)) == 16 * 2 + 50 * 16


def test_counting_leaves_training_flags_and_gradients_alone() -> None:
    model, _ = build(ModelSettings(family="bert"), head=HeadSpec(outputs=2), vocab_size=1000)
    model.train()
    model.bert.embeddings.eval()  # type: ignore[union-attr]
    count_macs(model, draw_batch(SPLIT, 1, 8))
    assert model.training and not model.bert.embeddings.training  # type: ignore[union-attr]
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


def test_a_removed_block_costs_nothing() -> None:
    model, _ = build(ModelSettings(family="bert"), head=HeadSpec(outputs=2), vocab_size=1000)
    whole = count_macs(model, draw_batch(SPLIT, 1, 50))
    layer = model.bert.encoder.layer[0]  # type: ignore[union-attr]
    cut_sublayer(layer, "ffn", [], torch.zeros(128, 0), layer.output.dense.bias.detach())
    assert whole - count_macs(model, draw_batch(SPLIT, 1, 50)) == 2 * 128 * 512 * 50


def test_a_model_of_lookups_alone_costs_nothing() -> None:
    class Lookup(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(1000, 2)

        def forward(self, input_ids, attention_mask, token_type_ids=None):  # type: ignore[no-untyped-def]
            return self.table(input_ids).sum(1)

    assert count_macs(Lookup(), draw_batch(SPLIT, 1, 8)) == 0
