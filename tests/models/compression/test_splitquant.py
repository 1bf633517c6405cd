"""SplitQuant: an exact partition, the same function before rounding, and less error after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.compression.quantization.coded import CodedLinear, Codes
from models.compression.quantization.grid import Grid
from models.compression.settings.quantization import Splitquant as Options
from models.compression.splitquant import ClusterCodes, Exact, SplitLinear, Splitquant, split_weight
from models.errors import ModelError
from runner.measure.macs import count_macs
from runner.measure.params import count_params
from runner.measure.size import bytes_packed
from tests.models.compression.row_context import answers, applied, reopened
from tests.models.helpers import batch, small


def weights(outliers: bool = False, shape: tuple[int, int] = (512, 128)) -> Tensor:
    """Gaussian with deviation 0.04, and with outliers one in a thousand from deviation 1."""
    generator = torch.Generator().manual_seed(0)
    found = torch.randn(shape, generator=generator) * 0.04
    if outliers:
        wild = torch.rand(shape, generator=generator) < 0.001
        found = torch.where(wild, torch.randn(shape, generator=generator), found)
    return found


def rounded(weight: Tensor, form: str, bits: int, per: str = "tensor") -> Tensor:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    made: Any = Splitquant(Options(form=form, bits=bits, per=per, group=16)).make_linear(layer)
    made.fill(weight)
    found: Tensor = made.decoded_weight()
    return found


def mse(weight: Tensor, form: str, bits: int, per: str = "tensor") -> float:
    return float((rounded(weight, form, bits, per) - weight).square().mean())


@pytest.mark.parametrize("outliers", [False, True])
def test_the_parts_add_up_to_the_weight_bit_by_bit(outliers: bool) -> None:
    weight = weights(outliers)
    lower, middle, upper = split_weight(weight)
    assert torch.equal(lower + middle + upper, weight)
    assert int(((lower != 0).int() + (middle != 0).int() + (upper != 0).int()).max()) == 1
    assert lower.max() <= 0 <= upper.min(), "the outer clusters lie on their sides of zero"


@pytest.mark.parametrize("values", [[0.3] * 6, [0.0] * 6, [0.1, 0.2] * 3])
@pytest.mark.parametrize("form", ["dense", "packed"])
@pytest.mark.parametrize("bits", [2, 8])
def test_one_or_two_distinct_values_are_kept(values: list[float], form: str, bits: int) -> None:
    weight = torch.tensor(values).view(3, 2)
    assert torch.equal(sum(split_weight(weight)), weight)  # type: ignore[arg-type]
    exact = {"atol": 0, "rtol": 0} if form == "packed" else {"atol": 1e-7, "rtol": 1e-6}
    torch.testing.assert_close(rounded(weight, form, bits), weight, **exact)


def test_weights_that_are_not_numbers_are_refused() -> None:
    weight = weights()
    weight[0, 0] = torch.nan
    for form in ("dense", "packed", "whole"):
        with pytest.raises(ModelError, match="diverged"):
            rounded(weight, form, 2)


def test_splitting_alone_does_not_change_the_function() -> None:
    model, whole = small(), small()
    with torch.no_grad():
        model.bert.encoder.layer[0].output.dense.bias.zero_()  # such layers are split like any other
        whole.load_state_dict(model.state_dict())
    Exact(Options()).replace_layers(model)
    assert sum(isinstance(m, SplitLinear) for m in model.modules()) == 2 * 6 + 2
    torch.testing.assert_close(answers(model), answers(whole), atol=1e-6, rtol=0)


@pytest.mark.parametrize("outliers", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_splitting_lowers_the_error_and_packing_lowers_it_further(bits: int, outliers: bool) -> None:
    weight = weights(outliers)
    plain, dense, packed = (mse(weight, form, bits) for form in ("whole", "dense", "packed"))
    assert packed <= dense <= plain


def test_at_equal_bits_it_depends_on_outliers_who_wins() -> None:
    """Packed INT2 takes 4 bits a weight: plain INT4 is better without outliers and worse with them."""
    assert mse(weights(), "whole", 4) < mse(weights(), "packed", 2)
    assert mse(weights(True), "whole", 4) > mse(weights(True), "packed", 2)


def test_clipping_helps_at_two_bits_and_destroys_the_tail_at_eight() -> None:
    def clipped(bits: int) -> float:
        codes = Codes(512, 128, Grid(bits, per="tensor", clip=1.0))
        codes.fill(weight)
        return float((codes.decode() - weight).square().mean())

    weight = weights(outliers=True)
    assert clipped(2) < mse(weight, "whole", 2)
    assert clipped(8) > 10 * mse(weight, "whole", 8)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_the_padding_of_the_dense_form_decodes_to_zero(bits: int) -> None:
    layer: Any = Splitquant(Options(bits=bits)).make_linear(nn.Linear(128, 512))
    weight = weights(outliers=True)
    layer.fill(weight)
    for part, own in zip(layer.parts, split_weight(weight)):
        assert not part.weight[own == 0].any()


@pytest.mark.parametrize(("form", "copies", "ids"), [("dense", 3, 0), ("packed", 1, 2), ("whole", 1, 0)])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_the_stored_bits_are_those_of_the_formula(form: str, copies: int, ids: int, bits: int) -> None:
    made: Any = Splitquant(Options(form=form, bits=bits)).make_linear(nn.Linear(128, 512, bias=False))
    ranges = {"dense": 3 * (32 + 8), "packed": 3 * (32 + 32), "whole": 32 + 8}[form]  # packed: a lowest value, a step
    assert bytes_packed(made) * 8 == 512 * 128 * (copies * bits + ids) + ranges


@pytest.mark.parametrize("per", ["tensor", "row", "group"])
def test_packed_ranges_of_rows_and_groups_fit_closer(per: str) -> None:
    weight = weights(outliers=True, shape=(96, 40))
    assert mse(weight, "packed", 2, per) <= mse(weight, "packed", 2, "tensor")
    codes = ClusterCodes(96, 40, Grid(2, "affine", per, 16))
    codes.fill(weight)
    assert codes.low.shape == (*Grid(2, "affine", per, 16).ranges(96, 40), 3)


@pytest.mark.parametrize("form", ["dense", "packed", "whole"])
def test_the_saved_folder_gives_the_same_answers_bit_for_bit(tmp_path: Path, form: str) -> None:
    model, _ = applied(Splitquant(Options(form=form, bits=2, embeddings=True)), small())
    assert torch.equal(answers(reopened(model, tmp_path / "model")), answers(model))


def test_a_head_of_two_rows_stays_whole_and_one_of_six_is_split() -> None:
    for labels, kind in ((2, CodedLinear), (6, SplitLinear)):
        model, _ = applied(Splitquant(Options()), small(num_labels=labels))
        assert type(model.classifier) is kind


def test_the_dense_form_triples_the_products_and_counts_each_weight_once() -> None:
    before, plain = count_params(small()), count_macs(small(), batch(1))  # type: ignore[arg-type]
    model, rows = applied(Splitquant(Options(form="dense")), small())
    assert count_params(model).total == before.total
    assert 2.5 * plain < count_macs(model, batch(1)) < 3.5 * plain  # type: ignore[arg-type]
    assert 0 < rows.facts["quantize/split_difference"] < 1e-6
    assert 6 < rows.facts["quantize/bits_per_weight"] < 6.5


def test_the_packed_form_of_a_pruned_model_is_refused() -> None:
    model = small()
    model.architecture["pruned"] = ["bert.encoder.layer.0.output.dense"]
    with pytest.raises(ModelError, match=r"compression=\[s\]: .* is pruned\. Try: compression\.s\.form=dense"):
        applied(Splitquant(Options(form="packed"), "s"), model)
    Splitquant(Options(form="dense"), "s").check(model)
