"""Training for quantization: what is trained is what the codes give back, and zeros of a pruning stay."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from models.compression.distillation.losses import soft_divergence
from models.compression.quantization.aware import AwareHook, RoundedWeight
from models.compression.quantization.coded import CodedLinear, CodedTable, coded_weights
from models.compression.quantization.grid import Grid, decode, encode
from models.compression.settings.quantization import Ternary as TernaryOptions
from models.compression.settings.quantization import WeightOnly as Options
from models.compression.stage import StageContext
from models.compression.ternary import Ternary
from models.compression.weight_only import WeightOnly
from models.errors import ModelError
from runner.measure.size import bytes_packed
from tests.models.compression.row_context import Rows, answers, reopened
from tests.models.helpers import batch, small


class Task:
    """A classification."""

    def match(self, student: Tensor, teacher: Tensor, targets: Any, *, soft: str, temperature: float) -> Tensor:
        assert (soft, temperature) == ("kl", 1.0)
        return soft_divergence(student, teacher, temperature)


class Training(Rows):
    """Trains 40 steps on one batch; the model must answer each row with its number modulo 3."""

    lr = 3e-3
    task = Task()

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []
        self.modes: set[bool] = set()
        self.changes: dict[str, float] = {}

    def training_inputs(self, rows: np.ndarray, given: dict[str, Tensor]) -> dict[str, Tensor]:
        return batch(len(rows))

    def train(self, model: nn.Module, hook: Any, *, phase: str, epochs: float, lr: float, **changes: float) -> None:
        hook.begin(model, 40)
        model.eval()
        self.changes, rows, labels = changes, np.arange(12), torch.arange(12) % 3
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
        for step in range(40):
            optimizer.zero_grad()
            hook.before_step(step)
            self.modes.add(model.training)
            output = hook.forward(model, batch(12), rows)
            loss = nn.functional.cross_entropy(output, labels)
            hook.loss(loss, output, {"labels": labels}, rows).backward()
            optimizer.step()
            hook.after_step(step)
            self.losses.append(float(loss.detach()))
        self.logged = hook.facts()
        self.rounded: Tensor = model(**batch()).detach()
        hook.end(model)


@pytest.mark.parametrize(
    "stage",
    [
        WeightOnly(Options(bits=4, scheme="affine", per="group", group=16, qat=True)),
        WeightOnly(Options(bits=3, qat=True, embedding_bits=4, embedding_block=5, block=2)),
        WeightOnly(Options(bits=2, scheme="even", fit="least_error", rest="fp16", tables="words", qat=True)),
        Ternary(TernaryOptions(group=16, embedding_form="ternary", qat=True)),
    ],
    ids=["int4", "int3 in blocks", "int2 even in fp16", "ternary"],
)
def test_the_quantized_model_is_the_one_that_was_trained(stage: Any) -> None:
    context = Training()
    model = stage.run(small(), cast(StageContext, context))
    assert context.losses[-1] < 0.6 * context.losses[0]
    rounding = 5e-3 if stage.options.rest == "fp16" else 1e-4  # of biases and norms
    torch.testing.assert_close(answers(model), context.rounded, atol=rounding, rtol=1e-4)
    assert any(isinstance(module, CodedTable) for module in model.modules())
    assert not any(is_parametrized(module) for module in model.modules())


@pytest.mark.parametrize(
    "grid",
    [
        Grid(4),
        Grid(4, "symmetric", "group", 16, block=3),
        Grid(2, "ternary", block=4),
        Grid(2, "even", fit="least_error", half=True),
        Grid(3, "even", "group", 16, half=True),
    ],
)
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


COMPACT = {"bits": 2, "scheme": "even", "fit": "least_error", "tables": "words", "rest": "fp16", "head": False,
           "embedding_bits": 3, "embedding_scheme": "even", "qat": True, "qat_weight_decay": 0.0, "qat_dropout": False,
           "qat_soft": 0.5, "qat_states": 1.0, "qat_hold": 0.25}  # fmt: skip


def compact(**changes: Any) -> WeightOnly:
    return WeightOnly(Options(**(COMPACT | changes)), "compact")


@pytest.mark.parametrize(
    ("step", "codes", "weight_grad", "step_grad", "bits", "scheme", "zero"),
    [
        # Levels -8 .. 7 and -2 .. 1 are those of an affine grid with its zero in the middle.
        (0.1, [-8, -3, 0, 0, 1, 3, 5, 7], [0, 2, 3, 4, 5, 6, 7, 0], 51.6, 4, "affine", 8),
        (0.4, [-2, -1, 0, 0, 0, 1, 1, 1], [0, 2, 3, 4, 5, 6, 0, 0], 13.475, 2, "affine", 2),
        (0.4, [-1.5, -0.5, -0.5, 0.5, 0.5, 0.5, 1.5, 1.5], [0, 2, 3, 4, 5, 6, 7, 0], 13.9, 2, "even", 1.5),
    ],
)
def test_the_gradients_of_lsq(
    step: float, codes: list[float], weight_grad: list[float], step_grad: float, bits: int, scheme: str, zero: float
) -> None:
    weight = torch.tensor([[-1.0, -0.3, -0.05, 0.0, 0.12, 0.26, 0.49, 2.0]], dtype=torch.float64, requires_grad=True)
    rounding = RoundedWeight(weight, Grid(bits, scheme), 1e-3).double()
    rounding.first_step.fill_(step)
    rounding.zero.fill_(zero)
    out = rounding(weight)
    out.backward(torch.arange(1.0, 9.0, dtype=torch.float64).unsqueeze(0))
    assert (out.detach() / step).round(decimals=6).tolist() == [codes]
    assert weight.grad is not None and weight.grad[0].tolist() == pytest.approx(weight_grad, abs=1e-9)
    # Of the logarithm: times the step.
    assert rounding.growth.grad is not None and float(rounding.growth.grad) == pytest.approx(step * step_grad, rel=1e-9)


def test_what_was_trained_is_what_the_file_holds(tmp_path: Path) -> None:
    context = Training()
    model = compact().run(small(), cast(StageContext, context))
    assert torch.equal(answers(model), context.rounded) or (answers(model) - context.rounded).abs().max() < 1e-3
    again = reopened(model, tmp_path / "model")
    assert torch.equal(answers(again), answers(model)), "bit for bit"
    for name, tensor in load_file(tmp_path / "model" / "model.safetensors").items():
        assert tensor.dtype in (torch.float16, torch.uint8), name


def test_the_parent_teaches_and_dropout_is_off() -> None:
    context = Training()
    compact().run(small(), cast(StageContext, context))
    assert context.modes == {False} and context.changes == {"weight_decay": 0.0, "average": 1}
    assert set(context.logged) == {"distil/loss_soft", "distil/loss_hidden"}
    assert 0.0 < context.facts["quantize/codes_changed"] <= 1.0, "since the first of 40 steps"


def test_ranges_that_are_held_no_longer_move() -> None:
    layer = nn.Linear(16, 4)
    hook = AwareHook({"layer": (layer, Grid(2, "even", half=True))}, 1e-3, Options(qat_hold=0.5))
    hook.begin(layer, 4)
    rounding = layer.parametrizations.weight[0]  # type: ignore[union-attr, index]
    seen = []
    for step in range(4):
        hook.before_step(step)
        rounding.growth.data += 0.1
        seen.append(rounding.step().detach().clone())
    assert not torch.equal(seen[0], seen[1]) and torch.equal(seen[2], seen[3]) and torch.equal(seen[1], seen[2])


def test_a_checkpoint_keeps_the_watched_codes() -> None:
    def hook_of(layer: nn.Linear) -> AwareHook:
        hook = AwareHook({"layer": (layer, Grid(3, "even"))}, 1e-3)
        hook.begin(layer, 2)
        return hook

    torch.manual_seed(0)
    layer = nn.Linear(16, 4)
    hook, other = hook_of(layer), hook_of(copy.deepcopy(layer))
    hook.before_step(0)
    other.load(hook.state())
    with torch.no_grad():
        (changed,) = (one.layers["layer"][0].parametrizations.weight for one in (other,))  # type: ignore[union-attr]
        changed.original[:, :4] *= -1.0  # type: ignore[union-attr, operator]
    other.after_step(1)
    assert 0.2 < float(other.changed) <= 0.25
    elsewhere = hook_of(nn.Linear(16, 4))
    for layer, _ in elsewhere.layers.values():
        layer.to("meta")
    elsewhere.load(hook.state())
    assert elsewhere.watched["layer"].device.type == "meta", "codes are compared on the device of their layer"


def test_without_dropout_a_recurrent_layer_still_computes_gradients_on_cuda() -> None:
    model = small(family="bilstm", readout={"name": "mean"}).train()
    hook = AwareHook({"head": (model.classifier, Grid(3, "even"))}, 1e-3, Options(qat_dropout=False))
    hook.begin(model, 2)
    hook.before_step(0)
    recurrent = [part for part in model.modules() if isinstance(part, nn.RNNBase)]
    assert recurrent and all(part.training for part in recurrent)
    assert not any(part.training for part in model.modules() if part not in recurrent)


def test_zeros_of_a_pruning_have_no_code_in_an_even_grid() -> None:
    model = small()
    model.architecture["pruned"] = ["bert.encoder.layer.0.output.dense"]
    with pytest.raises(ModelError, match="scheme=symmetric"):
        compact().check(model)
    with pytest.raises(ModelError, match=r"Try: compression\.compact\.embedding_scheme=affine"):
        compact(scheme="symmetric").check(model)
    compact(scheme="symmetric", embedding_scheme="affine").check(model)


def test_the_bytes_are_those_of_the_formula() -> None:
    model = compact(qat=False).run(small(), cast(StageContext, Rows()))
    formula = 0
    for made in coded_weights(model):
        rows, columns = made.coded.rows, made.coded.columns  # type: ignore[union-attr]
        bits = 3 if made.is_table else 2
        formula += rows * (-(-columns * 2 // 8) + (-(-columns // 8) if bits == 3 else 0)) + 2 * rows
    formula += sum(2 * parameter.numel() for parameter in model.parameters())
    assert formula == sum(tensor.nbytes for tensor in model.saved_tensors().values()) == bytes_packed(model)
