"""Static int8: the formula, ranges from calibration rows, a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from models.compression import settings
from models.compression.static_int8 import RangeObserver, StaticInt8, StaticLinear, entropy_range, percentile_range
from models.errors import ModelError
from tests.models.compression.layer_inputs import inputs
from tests.models.compression.row_context import Rows, answers, applied, reopened
from tests.models.helpers import small


def static(offered: Rows | None = None, **options: Any) -> tuple[Any, Rows]:
    return applied(StaticInt8(settings.StaticInt8(**options)), small(), offered)


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


def test_the_saved_folder_gives_the_same_answers_bit_for_bit(tmp_path: Path) -> None:
    model, _ = static()
    assert torch.equal(answers(reopened(model, tmp_path / "model")), answers(model))
