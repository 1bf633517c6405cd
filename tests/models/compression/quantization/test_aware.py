"""Training for quantization: what is trained is what the codes give back, and zeros of a pruning stay."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from models.compression.quantization.aware import AwareHook, RoundedWeight
from models.compression.quantization.coded import CodedLinear, CodedTable
from models.compression.quantization.grid import Grid, decode, encode
from models.compression.settings.quantization import Ternary as TernaryOptions
from models.compression.settings.quantization import WeightOnly as Options
from models.compression.stage import StageContext
from models.compression.ternary import Ternary
from models.compression.weight_only import WeightOnly
from tests.models.compression.row_context import Rows, answers
from tests.models.helpers import batch, small


class Training(Rows):
    """Trains 40 steps on one batch; the model must answer each row with its number modulo 3."""

    lr = 3e-3

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def train(self, model: nn.Module, hook: Any, *, phase: str, epochs: float, lr: float) -> None:
        hook.begin(model, 40)
        model.eval()
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
        for _ in range(40):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(**batch(12)), torch.arange(12) % 3)
            loss.backward()
            optimizer.step()
            self.losses.append(float(loss.detach()))
        self.rounded: Tensor = model(**batch()).detach()
        hook.end(model)


@pytest.mark.parametrize(
    "stage",
    [
        WeightOnly(Options(bits=4, scheme="affine", per="group", group=16, qat=True)),
        WeightOnly(Options(bits=3, qat=True, embedding_bits=4, embedding_block=5, block=2)),
        Ternary(TernaryOptions(group=16, embedding_form="ternary", qat=True)),
    ],
    ids=["int4", "int3 in blocks", "ternary"],
)
def test_the_quantized_model_is_the_one_that_was_trained(stage: Any) -> None:
    context = Training()
    model = stage.run(small(), cast(StageContext, context))
    assert context.losses[-1] < 0.5 * context.losses[0]
    torch.testing.assert_close(answers(model), context.rounded, atol=1e-4, rtol=1e-4)
    assert any(isinstance(module, CodedTable) for module in model.modules())
    assert not any(is_parametrized(module) for module in model.modules())


@pytest.mark.parametrize("grid", [Grid(4), Grid(4, "symmetric", "group", 16, block=3), Grid(2, "ternary", block=4)])
def test_at_the_start_it_rounds_as_the_codes_do(grid: Grid) -> None:
    weight = torch.randn(13, 40, generator=torch.Generator().manual_seed(0))
    rounded = RoundedWeight(weight, grid, 1e-3)(weight)
    torch.testing.assert_close(rounded, decode(*encode(weight, grid), grid), atol=1e-6, rtol=0)


def test_gradients_are_those_of_straight_through_and_of_lsq() -> None:
    weight = torch.tensor([[0.9, -0.3, 3.0]], requires_grad=True)
    rounding = RoundedWeight(torch.tensor([[7.0, 0.0, 0.0]]), Grid(4, "symmetric"), 1e-3)  # step 1, levels -7 .. 7
    with torch.no_grad():
        rounding.first_step.fill_(0.4)
    out = rounding(weight)
    torch.testing.assert_close(out.detach(), torch.tensor([[0.8, -0.4, 2.8]]), atol=1e-6, rtol=0)
    out.sum().backward()
    assert weight.grad is not None and weight.grad.tolist() == [[1.0, 1.0, 0.0]], "clipped weights have none"
    code = torch.tensor([0.9, -0.3]) / 0.4
    expected = 0.4 * (float((code.round() - code).sum()) + 7)  # times the step: of its logarithm
    assert rounding.growth.grad is not None and float(rounding.growth.grad) == pytest.approx(expected, abs=1e-5)


def test_zeros_of_a_pruned_weight_stay_zero() -> None:
    layer = nn.Linear(16, 4)
    with torch.no_grad():
        layer.weight[:, ::2] = 0
    hook = AwareHook({"layer": (layer, Grid(4))}, 1e-3)
    hook.begin(layer, 1)
    assert not layer.weight[:, ::2].any()
    hook.end(layer)
    assert not layer.weight[:, ::2].any() and set(hook.ranges) == {"layer"}
    assert not isinstance(layer, CodedLinear)
