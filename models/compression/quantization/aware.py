"""Training for quantization: weights are rounded in every forward pass, and their ranges are learned with them.

The gradient passes through the rounding as if it were not there (straight-through). That of a step is the one of LSQ
(Esser et al. 2020, arXiv 1902.08153); here its logarithm is trained, so that one rate fits steps of all sizes. Zero
points stay as they are.
"""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, register_parametrization, remove_parametrizations

from models.capabilities import OwnRate
from models.compression.quantization.coded import CodedLinear, CodedTable, CodedWeight, Codes
from models.compression.quantization.grid import Grid, check_finite, divisor, find_ranges
from models.compression.quantization.stage import QuantizationStage
from models.compression.settings.quantization import AwareSettings
from models.compression.stage import StageContext, TrainingHook

Layer = nn.Linear | nn.Embedding


class Ranged(Protocol):
    """A coded layer whose weight is in the codes of a grid."""

    coded: Codes


class RoundedWeight(nn.Module, OwnRate):
    """A parametrization: the weight as its codes would give it back, with trained steps."""

    first_step: Tensor  # (*grid.ranges)
    zero: Tensor  # (*grid.ranges)

    def __init__(self, weight: Tensor, grid: Grid, lr: float) -> None:
        super().__init__()
        self.grid, self.own_lr = grid, lr
        step, zero = find_ranges(weight.detach(), grid)
        self.register_buffer("first_step", step)
        self.register_buffer("zero", zero)
        self.growth = nn.Parameter(torch.zeros_like(step))  # logarithm of the step over the first one

    def step(self) -> Tensor:
        """The steps, (*grid.ranges)."""
        return self.first_step * self.growth.exp()

    def forward(self, weight: Tensor) -> Tensor:
        """The rounded weight, (rows, columns)."""
        rows, columns = weight.shape
        step = self.grid.per_entry(self.grid.per_row(self.step(), rows), columns)
        zero = self.grid.per_entry(self.grid.per_row(self.zero, rows), columns)
        exact = (weight / divisor(step) + zero).clamp(self.grid.least, self.grid.top)
        codes = exact + (exact.round() - exact).detach()
        return (codes - zero) * step


class AwareHook(TrainingHook):
    """Rounds the weights of some layers in every forward pass of a training; keeps the ranges that were learned."""

    def __init__(self, layers: dict[str, tuple[Layer, Grid]], lr: float) -> None:
        """layers: by name, with the grid that each will be quantized in."""
        self.layers, self.lr = layers, lr
        self.ranges: dict[str, tuple[Tensor, Tensor]] = {}  # steps and zeros, by name

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Put the rounding on; it comes after the mask of a pruned weight."""
        for layer, grid in self.layers.values():
            check_finite(layer.weight)
            register_parametrization(layer, "weight", RoundedWeight(layer.weight, grid, self.lr))

    @torch.no_grad()
    def end(self, model: nn.Module) -> None:
        """Take the rounding off; the weights are then those that it rounded."""
        for name, (layer, _) in self.layers.items():
            assert is_parametrized(layer), "begin put it on"
            chain = cast(nn.ModuleList, layer.parametrizations.weight)  # type: ignore[union-attr]
            *masks, rounded = cast(list[RoundedWeight], list(chain))
            weight = cast(Tensor, chain.original)
            is_trained = weight.requires_grad
            for mask in masks:
                weight = mask(weight)
            self.ranges[name] = rounded.step().clone(), rounded.zero
            remove_parametrizations(layer, "weight", leave_parametrized=True)
            layer.weight.copy_(weight)
            layer.weight.requires_grad_(is_trained)


class AwareStage(QuantizationStage):
    """A quantization that may train the weights and their ranges first (`qat`)."""

    options: AwareSettings

    def __init__(self, options: AwareSettings, name: str = "") -> None:
        super().__init__(options, name)
        self.ranges: dict[str, tuple[Tensor, Tensor]] = {}  # steps and zeros that were trained, by name of the layer

    def prepare(self, model: nn.Module, context: StageContext) -> None:
        """Train with rounded weights, if the settings say so."""
        if not self.options.qat:
            return
        lr = self.options.qat_lr or context.lr
        hook = AwareHook(self.aware_layers(model), lr)
        context.train(model, hook, phase="qat", epochs=self.options.qat_epochs, lr=lr)
        self.ranges = hook.ranges

    def aware_layers(self, model: nn.Module) -> dict[str, tuple[Layer, Grid]]:
        """The layers that will be in the codes of a grid, by name, with their grids."""
        found: dict[str, tuple[Layer, Grid]] = {}
        for name, layer in model.named_modules():
            if isinstance(layer, Layer) and isinstance(coded := self.coded_form(name, layer), Codes):
                found[name] = layer, coded.grid
        return found

    def coded_form(self, name: str, layer: Layer) -> object:
        """The empty codes that will take the place of a layer's weight; None: it stays as it is."""
        made = self.made_for(name, layer)
        return made.coded if isinstance(made, CodedLinear | CodedTable) else None

    def fill(self, name: str, layer: Layer, made: CodedWeight) -> None:
        """Quantize the weight of a layer, in the ranges that were trained if it has any."""
        if name in self.ranges:
            cast(Ranged, made).coded.fill_in(layer.weight.detach(), *self.ranges[name])
        else:
            super().fill(name, layer, made)
