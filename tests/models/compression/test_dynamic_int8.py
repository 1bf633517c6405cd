"""Dynamic int8: the formula, independent of the batch, sizes and products, a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.compression import settings
from models.compression.dynamic_int8 import DynamicInt8, DynamicLinear
from runner.measure.macs import count_macs
from runner.measure.params import count_params
from runner.measure.size import bytes_packed
from tests.models.compression.layer_inputs import inputs
from tests.models.compression.row_context import Rows, answers, applied, reopened
from tests.models.helpers import batch, small


def dynamic(**options: Any) -> tuple[Any, Rows]:
    return applied(DynamicInt8(settings.DynamicInt8(**options)), small())


def test_a_dynamic_layer_computes_the_formula() -> None:
    layer = nn.Linear(48, 20)
    made = DynamicLinear(layer)
    made.fill(layer.weight)
    given = inputs()
    step = given.abs().amax(1, keepdim=True) / 127
    expected = nn.functional.linear(torch.round(given / step) * step, made.decoded_weight(), layer.bias)
    torch.testing.assert_close(made(given), expected, atol=1e-5, rtol=1e-5)
    assert made(given.view(3, 3, 48)).shape == (3, 3, 20)


def test_tokens_that_are_all_zeros_give_the_bias() -> None:
    made = DynamicLinear(layer := nn.Linear(48, 20))
    made.fill(layer.weight)
    torch.testing.assert_close(made(torch.zeros(2, 48)), layer.bias.detach().expand(2, 20))


def test_a_dynamic_answer_does_not_depend_on_the_batch() -> None:
    model, _ = dynamic()
    together = answers(model)
    longest = {name: value[:1] for name, value in batch().items()}  # the one row without padding
    torch.testing.assert_close(model(**longest), together[:1], atol=1e-6, rtol=0)


def test_the_saved_folder_gives_the_same_answers_bit_for_bit(tmp_path: Path) -> None:
    model, _ = dynamic()
    assert torch.equal(answers(reopened(model, tmp_path / "model")), answers(model))


def test_sizes_parameters_and_products_are_those_of_the_model() -> None:
    whole, inputs_ = small(), batch(1)
    model, _ = dynamic(embeddings=False)
    layers = [m for m in model.modules() if isinstance(m, DynamicLinear)]
    weights = sum(layer.codes.numel() for layer in layers)
    steps = sum(layer.out_features for layer in layers)
    assert bytes_packed(model) == bytes_packed(whole) - 4 * weights + weights + 4 * steps
    assert count_params(model).total == count_params(whole).total
    last = 2 * 32 * 32 * 17  # keys and values of the last layer, which a float layer need not make for every token
    assert 0 <= count_macs(model, inputs_) - count_macs(whole, inputs_) <= last  # type: ignore[arg-type]
