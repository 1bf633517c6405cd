"""Integer products: equal to the same arithmetic in floats, and independent of the batch where they should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.compression import settings
from models.compression.dynamic_int8 import DynamicInt8, DynamicLinear
from models.compression.quantization.integers import integer_product
from models.compression.static_int8 import RangeObserver, StaticInt8, StaticLinear, entropy_range, percentile_range
from models.errors import ModelError
from runner.measure.macs import count_macs
from runner.measure.params import count_params
from runner.measure.size import bytes_packed
from tests.models.compression.row_context import Rows, answers, applied, reopened
from tests.models.helpers import batch, small


def dynamic(**options: Any) -> tuple[Any, Rows]:
    return applied(DynamicInt8(settings.DynamicInt8(**options)), small())


def static(offered: Rows | None = None, **options: Any) -> tuple[Any, Rows]:
    return applied(StaticInt8(settings.StaticInt8(**options)), small(), offered)


def inputs(rows: int = 9, width: int = 48) -> Tensor:
    return torch.nn.functional.gelu(torch.randn(rows, width, generator=torch.Generator().manual_seed(1)))


def test_sums_of_integers_are_exact() -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randint(-127, 128, shape, generator=generator) for shape in ((9, 3072), (64, 3072)))
    found = integer_product(left.to(torch.int8), right.to(torch.int8))
    assert torch.equal(found.long(), left @ right.t())


def test_a_dynamic_layer_computes_the_formula() -> None:
    layer = nn.Linear(48, 20)
    made = DynamicLinear(layer)
    made.fill(layer.weight)
    given = inputs()
    step = given.abs().amax(1, keepdim=True) / 127
    expected = nn.functional.linear(torch.round(given / step) * step, made.decoded_weight(), layer.bias)
    torch.testing.assert_close(made(given), expected, atol=1e-5, rtol=1e-5)
    assert made(given.view(3, 3, 48)).shape == (3, 3, 20)


def test_a_static_layer_computes_the_formula_and_clamps_what_it_did_not_expect() -> None:
    layer = nn.Linear(48, 20)
    made = StaticLinear(layer)
    made.fill(layer.weight)
    made.set_input_range(-0.2, 1.5)
    given = inputs()
    assert given.max() > 1.5
    step = 1.7 / 255
    zero = round(0.2 / step) - 128
    codes = (torch.round(given / step) + zero).clamp(-128, 127)
    expected = nn.functional.linear((codes - zero) * step, made.decoded_weight(), layer.bias)
    torch.testing.assert_close(made(given), expected, atol=1e-5, rtol=1e-5)


def test_tokens_that_are_all_zeros_give_the_bias() -> None:
    made = DynamicLinear(layer := nn.Linear(48, 20))
    made.fill(layer.weight)
    torch.testing.assert_close(made(torch.zeros(2, 48)), layer.bias.detach().expand(2, 20))


def test_a_dynamic_answer_does_not_depend_on_the_batch() -> None:
    model, _ = dynamic()
    together = answers(model)
    longest = {name: value[:1] for name, value in batch().items()}  # the one row without padding
    torch.testing.assert_close(model(**longest), together[:1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["minmax", "percentile", "entropy"])
def test_static_ranges_are_near_the_float_model(kind: str) -> None:
    model, rows = static(range=kind)
    scale = float(answers(small()).abs().max())
    assert float((answers(model) - answers(small())).abs().max()) < 0.1 * scale
    assert rows.facts["quantize/kernel"] == 1 and "products of integers" in rows.said[0]


def test_the_ranges_come_from_the_calibration_rows() -> None:
    steps = [static(rows=count)[0].bert.encoder.layer[0].output.dense.input_step for count in (16, 48)]
    assert 0 < steps[0] < steps[1], "more rows hold larger values"


def test_percentiles_leave_out_the_outermost_values() -> None:
    counts = torch.ones(100)
    assert percentile_range(counts, 95.0) == (5, 95)


def test_entropy_cuts_a_lonely_outlier_off_and_keeps_an_even_spread() -> None:
    values = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    values[0] = 24.0
    first, last = (24.0 * place / 2048 for place in entropy_range(torch.histc(values, 2048, 0.0, 24.0).double()))
    assert first == 0.0 and 3.0 < last < 16.0
    assert entropy_range(torch.full((2048,), 10.0, dtype=torch.double)) == (0, 2048)


def test_what_was_seen_in_two_passes_makes_a_range() -> None:
    seen = RangeObserver()
    for part in inputs(64).split(16):
        seen.observe_extremes(part)
    for part in inputs(64).split(16):
        seen.observe_counts(part)
    low, high = seen.range("percentile", 99.0)
    assert seen.low <= low < 0 < high < seen.high
    assert RangeObserver().range("minmax", 99.0) == (0.0, 0.0)


def test_an_empty_calibration_set_is_refused() -> None:
    with pytest.raises(ModelError, match="no training rows"):
        static(Rows(0))


@pytest.mark.parametrize("make", [dynamic, static])
def test_the_saved_folder_gives_the_same_answers_bit_for_bit(tmp_path: Path, make: Any) -> None:
    model, _ = make()
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
