"""Multiply-adds by formula: published configurations, and the running model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.backbones.lengths import Lengths
from models.compression.dendrite.module import attach_dendrites
from models.compression.lengths.costs import EncoderShape, TextCosts
from models.compression.structured.blocks import ATTENTION, FFN, linear_of
from models.compression.structured.layer_widths import Sublayer, cut_sublayer, encoder_of, layer_of
from runner.measure.macs import count_macs
from tests.models.helpers import batch, small

MINILM = EncoderShape.uniform(6, 384, 1536, gathers_early=False)


@pytest.mark.parametrize(
    ("shape", "kept", "gmacs"),
    [
        (EncoderShape.uniform(12, 768, 3072), None, 35.33),
        (EncoderShape.uniform(6, 768, 3072), None, 17.67),
        (MINILM, None, 4.756),
        (MINILM, (269, 253, 252, 202, 104, 34), 2.484),
        (MINILM, (315, 251, 242, 159, 142, 33), 2.545),
    ],
)
def test_published_multiply_adds_at_384_tokens(shape: EncoderShape, kept: tuple[int, ...] | None, gmacs: float) -> None:
    assert shape.macs(384, kept) / 1e9 == pytest.approx(gmacs, abs=6e-3 if gmacs > 10 else 6e-4)


def test_bert_mini_at_128_tokens_takes_half_of_the_flops_that_torch_counts() -> None:
    assert EncoderShape.uniform(4, 256, 1024).macs(128) == 872_415_232 // 2


@pytest.mark.parametrize(("layers", "length", "share"), [(12, 384, 0.333), (6, 384, 0.529), (2, 128, 0.791)])
def test_smallest_published_configuration_has_its_share(layers: int, length: int, share: float) -> None:
    hidden = {12: 768, 6: 768, 2: 128}[layers]
    shape = EncoderShape.uniform(layers, hidden, 4 * hidden, gathers_early=False)
    costs = TextCosts(shape, np.array([length]))
    assert costs.share(Lengths((0.8,) * layers)) == pytest.approx(share, abs=0.006)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(kept=st.lists(st.integers(2, 128), min_size=6, max_size=6), layer=st.integers(0, 5))
def test_a_layer_that_keeps_fewer_tokens_never_costs_more(kept: list[int], layer: int) -> None:
    lengths = sorted(kept, reverse=True)
    fewer = [*lengths[:layer], *(min(count, lengths[layer] - 1) for count in lengths[layer:])]
    shape = EncoderShape.uniform(6, 384, 1536)
    assert shape.macs(128, fewer) < shape.macs(128, lengths) <= shape.macs(128)


def test_share_is_the_mean_over_texts_each_alone() -> None:
    shape, lengths = EncoderShape.uniform(2, 128, 512), Lengths((0.5, 0.5))
    costs = TextCosts(shape, np.array([10, 10, 200]))
    whole = 2 * shape.macs(10) + shape.macs(200)
    kept = 2 * shape.macs(10, [5, 3]) + shape.macs(200, [100, 50])
    assert costs.share(lengths) == pytest.approx(kept / whole)
    assert costs.share(None) == 1.0


def cut(model: Any, layer: int, part: str, kept: list[int]) -> None:
    """Cut a sublayer of a model with heads of 8 values to its first heads or neurons."""
    one = layer_of(model, Sublayer(layer, part))
    output, columns = linear_of(one, part), len(kept) * (8 if part == ATTENTION else 1)
    cut_sublayer(one, part, kept, output.weight[:, :columns], output.bias)


@pytest.mark.parametrize("readout", ["cls", "mean"])
@pytest.mark.parametrize("kind", ["whole", "cut", "last layer not plain"])
def test_the_formula_counts_what_a_running_model_multiplies(readout: str, kind: str) -> None:
    model: Any = small(layers=3, readout={"name": readout}).eval()
    if kind == "cut":
        cut(model, 0, ATTENTION, [0, 1])
        cut(model, 2, FFN, list(range(5)))
        cut(model, 1, FFN, [])
    if kind == "last layer not plain":
        attach_dendrites(model, ["bert.encoder.layer.2.attention.self.key"])
    shape = EncoderShape.of(model)
    assert shape.reorders == (kind != "last layer not plain")
    inputs = {name: value for name, value in batch(1, 20).items() if name != "attention_mask"}
    head = 32 * 3 + (32 * 32 if readout == "cls" else 0)  # the classifier, and BERT's own layer before it
    for lengths in (None, Lengths((0.8, 0.5, 1.0))):
        encoder_of(model).lengths = lengths
        kept = None if lengths is None else lengths.kept_of(20)
        assert count_macs(model, inputs) == shape.macs(20, kept) + head


def test_a_layer_without_heads_and_a_last_layer_that_needs_one_state_have_no_lengths_to_search() -> None:
    model = small(layers=3)
    cut(model, 1, ATTENTION, [])
    shape = EncoderShape.of(model)
    assert (shape.searched, shape.without_heads) == (2, {1})
    assert EncoderShape.of(small(layers=3, readout={"name": "mean"})).searched == 3
