"""Quantization-aware training: weights are rounded in every forward pass, and their ranges are learned with them.

Gradients pass through the rounding unchanged (straight-through). A step gets the gradient of LSQ (Esser et al. 2020,
arXiv 1902.08153), but its logarithm is trained, so that one learning rate fits steps of all sizes and steps stay
positive. LSQ also scales that gradient by 1 / sqrt(weights x levels). AdamW divides by the gradient's size, so such a
factor would have no effect here. Zero points are not trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, register_parametrization, remove_parametrizations

from models.backbones.dropout import switch_dropout_off
from models.capabilities import OwnRate
from models.compression.pruning.masks import PRUNED
from models.compression.quantization.coded import CodedLinear, CodedTable, CodedWeight, Codes
from models.compression.quantization.grid import EVEN, Grid, check_finite, divisor, encode_in, find_ranges
from models.compression.quantization.parent import Parent, check_states
from models.compression.quantization.stage import QuantizationStage
from models.compression.settings.quantization import AwareSettings, WeightOnly
from models.compression.stage import Inputs, StageContext, Targets, TrainingHook
from models.errors import ModelError
from models.half import HALF, to_half
from models.json_types import JsonObject
from models.network import Network

Layer = nn.Linear | nn.Embedding
WATCHED = 100  # steps at the end of training over which changed codes are counted


class Ranged(Protocol):
    """A quantized layer whose weight is stored as codes of a grid."""

    coded: Codes


class RoundedWeight(nn.Module, OwnRate):
    """A parametrization: the weight quantized and decoded again, with trained steps."""

    first_step: Tensor  # (*grid.ranges)
    zero: Tensor  # (*grid.ranges)
    held: Tensor  # (*grid.ranges): the growth once the steps are frozen
    is_held: Tensor  # bool, a scalar

    def __init__(self, weight: Tensor, grid: Grid, lr: float) -> None:
        super().__init__()
        self.grid, self.own_lr = grid, lr
        step, zero = find_ranges(weight.detach(), grid)
        self.register_buffer("first_step", step)
        self.register_buffer("zero", zero)
        self.register_buffer("held", torch.zeros_like(step))
        self.register_buffer("is_held", torch.zeros((), dtype=torch.bool, device=step.device))
        self.growth = nn.Parameter(torch.zeros_like(step))  # log(step / first_step)

    def step(self) -> Tensor:
        """The steps, (*grid.ranges), rounded as they are in a saved file."""
        step = self.first_step * torch.where(self.is_held, self.held, self.growth).exp()
        return step + (self.grid.stored(step) - step).detach() if self.grid.half else step

    @torch.no_grad()
    def hold(self) -> None:
        """Freeze the steps from now on."""
        self.held.copy_(self.growth)
        self.is_held.fill_(True)

    def forward(self, weight: Tensor) -> Tensor:
        """The rounded weight, (rows, columns)."""
        rows, columns = weight.shape
        step = self.grid.per_entry(self.grid.per_row(self.step(), rows), columns)
        zero = self.grid.per_entry(self.grid.per_row(self.zero, rows), columns)
        exact = (weight / divisor(step) + zero).clamp(*self.grid.reach)
        codes = exact + (self.grid.nearest(exact) - exact).detach()
        return (codes - zero) * step


class AwareHook(TrainingHook):
    """Quantizes the weights of some layers in every forward pass of training; keeps the learned ranges."""

    def __init__(
        self, layers: dict[str, tuple[Layer, Grid]], lr: float, options: AwareSettings | None = None,
        parent: Parent | None = None,
    ) -> None:  # fmt: skip
        """layers: by name, with their grids. lr: learning rate of the steps. parent: None: learn only the labels."""
        self.layers, self.lr, self.options, self.parent = layers, lr, options or AwareSettings(), parent
        self.ranges: dict[str, tuple[Tensor, Tensor]] = {}  # steps and zeros, by name
        self.hold_at = self.watch_at = self.total = 0  # training steps
        self.watched: dict[str, Tensor] = {}  # codes WATCHED steps before the end
        self.changed = torch.full((), -1.0)  # share of the codes that have changed since then; -1: not known yet

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Attach the rounding; it is applied after the mask of a pruned weight."""
        self.model, self.total = model, total_steps
        self.hold_at = round(total_steps * (1.0 - self.options.qat_hold))
        self.watch_at = max(total_steps - WATCHED, 0)
        for layer, grid in self.layers.values():
            check_finite(layer.weight)
            register_parametrization(layer, "weight", RoundedWeight(layer.weight, grid, self.lr))

    def before_step(self, step: int) -> None:
        """Turn off dropout with qat_dropout=false; freeze the ranges and store the codes at the steps set for that."""
        if not self.options.qat_dropout:
            switch_dropout_off(self.model)
        if step == self.hold_at:
            for layer, _ in self.layers.values():
                rounding_of(layer)[1].hold()
        if step == self.watch_at:
            self.watched = {name: present_codes(layer) for name, (layer, _) in self.layers.items()}

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The outputs for training rows; the parent stores what its losses compare."""
        return self.parent.forward(model, inputs, rows) if self.parent else super().forward(model, inputs, rows)

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The task's loss, combined with the parent's losses if there is one."""
        return self.parent.loss(task_loss, output, targets) if self.parent else task_loss

    def after_step(self, step: int) -> None:
        """After the last step, count the codes that have changed."""
        if step == self.total - 1 and self.watched:
            changed = sum(
                int((present_codes(layer) != self.watched[name]).sum()) for name, (layer, _) in self.layers.items()
            )
            self.changed = torch.tensor(changed / sum(codes.numel() for codes in self.watched.values()))

    def facts(self) -> dict[str, float]:
        """The mean of each of the parent's losses."""
        return self.parent.facts() if self.parent else {}

    def state(self) -> dict[str, Tensor]:
        """The stored codes, the share that has changed, and the sums of the parent's losses."""
        found = {f"codes/{name}": codes for name, codes in self.watched.items()} | {"changed": self.changed}
        return found | ({"sums": self.parent.sums.clone()} if self.parent else {})

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""
        self.watched = {
            name: state[key].to(cast(Tensor, parametrizations_of(layer).original).device)  # a checkpoint is on the CPU
            for name, (layer, _) in self.layers.items()
            if (key := f"codes/{name}") in state
        }
        self.changed = state["changed"]
        if self.parent:
            self.parent.sums.copy_(state["sums"])

    @torch.no_grad()
    def end(self, model: nn.Module) -> None:
        """Remove the rounding and keep the unrounded weights; store the learned ranges."""
        for name, (layer, _) in self.layers.items():
            weight, rounded = rounding_of(layer)
            is_trained = cast(Tensor, parametrizations_of(layer).original).requires_grad
            self.ranges[name] = rounded.step().detach().clone(), rounded.zero
            remove_parametrizations(layer, "weight", leave_parametrized=True)
            layer.weight.copy_(weight)
            layer.weight.requires_grad_(is_trained)


def parametrizations_of(layer: Layer) -> nn.ModuleList:
    """The parametrizations of a layer in training: pruning masks, then the rounding."""
    assert is_parametrized(layer), "begin put it on"
    return cast(nn.ModuleList, layer.parametrizations.weight)  # type: ignore[union-attr]


def rounding_of(layer: Layer) -> tuple[Tensor, RoundedWeight]:
    """The input of a layer's rounding, which is the masked weight, and the rounding."""
    chain = parametrizations_of(layer)
    *masks, rounded = cast(list[RoundedWeight], list(chain))
    weight = cast(Tensor, chain.original)
    for mask in masks:
        weight = mask(weight)
    return weight, rounded


@torch.no_grad()
def present_codes(layer: Layer) -> Tensor:
    """The current codes of a layer in training, (rows, columns) uint8."""
    weight, rounded = rounding_of(layer)
    return encode_in(weight, rounded.step(), rounded.zero, rounded.grid)


class AwareStage(QuantizationStage):
    """A quantization stage that can first train the weights and their ranges (`qat`)."""

    options: AwareSettings

    def __init__(self, options: AwareSettings, name: str = "") -> None:
        super().__init__(options, name)
        self.ranges: dict[str, tuple[Tensor, Tensor]] = {}  # steps and zeros after training, by layer name

    def check(self, model: nn.Module) -> None:
        """ModelError if states cannot be compared, or if a pruned model's zeros cannot be represented."""
        check_states(model, self.options, self.name)
        schemes = {coded_grid.scheme for _, coded_grid in self.aware_layers(model).values()}
        if EVEN in schemes and isinstance(model, Network) and PRUNED in model.architecture:
            assert isinstance(self.options, WeightOnly), "of no other method"
            raise ModelError(
                f"compression=[{self.name}]: the levels of scheme=even have no zero, but this model is pruned. "
                f"Try: {self.options.with_zero(self.name)}"
            )

    def prepare(self, model: nn.Module, context: StageContext) -> None:
        """Train with rounded weights if `qat` is set."""
        chosen = self.options
        if not chosen.qat:
            return
        self.check(model)  # again: an earlier stage may have pruned it
        lr = chosen.qat_lr or context.lr
        parent = Parent(model, chosen, context) if chosen.qat_soft or chosen.qat_states else None
        hook = AwareHook(self.aware_layers(model), chosen.qat_step_lr or lr, chosen, parent)
        decay: JsonObject = {} if chosen.qat_weight_decay is None else {"weight_decay": chosen.qat_weight_decay}
        # No average: steps frozen at the end do not fit weights from before.
        context.train(model, hook, phase="qat", epochs=chosen.qat_epochs, lr=lr, average=1, **decay)
        self.ranges = hook.ranges
        if (changed := float(hook.changed)) >= 0.0:
            context.add_metrics({"quantize/codes_changed": changed})

    def considered(self, model: nn.Module) -> list[tuple[str, nn.Module]]:
        """All modules except the look-up tables that are not quantized."""
        found = super().considered(model)
        if self.options.tables == "all" or not isinstance(model, Network):
            return found
        words = {id(module) for module in model.bert.word_vectors().modules()}
        return [(name, layer) for name, layer in found if not isinstance(layer, nn.Embedding) or id(layer) in words]

    def table_grid(self) -> Grid:
        """The grid of look-up tables, with steps in the precision that the settings choose."""
        return replace(super().table_grid(), half=self.options.rest == HALF)

    def aware_layers(self, model: nn.Module) -> dict[str, tuple[Layer, Grid]]:
        """The layers that will be stored as codes of a grid, by name, with their grids."""
        found: dict[str, tuple[Layer, Grid]] = {}
        for name, layer in self.considered(model):
            if isinstance(layer, Layer) and isinstance(coded := self.coded_form(name, layer), Codes):
                found[name] = layer, coded.grid
        return found

    def coded_form(self, name: str, layer: Layer) -> object:
        """The empty codes that will replace a layer's weight; None: the weight is kept."""
        made = self.made_for(name, layer)
        return made.coded if isinstance(made, CodedLinear | CodedTable) else None

    def fill(self, name: str, layer: Layer, made: CodedWeight) -> None:
        """Quantize a layer's weight, with its trained ranges if it has any."""
        if name in self.ranges:
            cast(Ranged, made).coded.fill_in(layer.weight.detach(), *self.ranges[name])
        else:
            super().fill(name, layer, made)

    @torch.no_grad()
    def round_rest(self, model: nn.Module) -> None:
        """Round everything that is not quantized to fp16 precision, as in the saved file."""
        if self.options.rest == HALF:
            for tensor in model.state_dict().values():
                if tensor.dtype == torch.float32:
                    tensor.copy_(to_half(tensor))
