"""SplitQuant: a layer's weights in three clusters, each rounded over its own, smaller range.

    run compression=[splitquant] from=<run id>                                       # dense, 2 bits, as published
    run compression=[splitquant] compression.splitquant.form=packed from=<run id>

Song & Lin 2025 (arXiv 2501.12428). `dense` is theirs: three layers of the same shape, zero where another one has the
weight, whose outputs are added; three codes a weight and three products. `packed` is ours: one code and the number of
its cluster, 2 bits, a weight; no range has to hold a zero that is not there. `whole` does not split: the control.

Layers of fewer rows than clusters stay whole, as published. Biases are not rounded, so they are not split either.
"""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.compression import settings
from models.compression.quantization.bits import pack, row_bytes, unpack
from models.compression.quantization.clusters import COUNT, members
from models.compression.quantization.coded import CodedLinear, CodedMatrix, CodedWeight, Codes
from models.compression.quantization.grid import Grid, check_finite
from models.compression.quantization.stage import Rounding, logits
from models.compression.stage import StageContext

ID_BITS = 2


def split(weight: Tensor) -> list[Tensor]:
    """Three tensors whose sum is `weight` bit by bit: each entry lies in one of them, the others have 0 there."""
    check_finite(weight)
    owner = members(weight)
    return [torch.where(owner == cluster, weight, 0.0) for cluster in range(COUNT)]


class SplitLinear(CodedWeight):
    """Three layers without bias side by side, and one bias; before rounding it computes what the whole layer did."""

    def __init__(self, parts: list[nn.Module], bias: Tensor | None) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.bias = bias
        self.is_trained = all(part.is_trained for part in parts if isinstance(part, CodedWeight))

    @classmethod
    def exact(cls, layer: nn.Linear) -> SplitLinear:
        """The layer split and not rounded."""
        parts: list[nn.Module] = []
        for weight in split(layer.weight.detach()):
            part = nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
            part.weight = nn.Parameter(weight)
            parts.append(part)
        return cls(parts, layer.bias)

    def fill(self, weight: Tensor) -> None:
        """Split a weight (out, in) and round each part."""
        for part, own in zip(self.parts, split(weight)):
            cast(CodedWeight, part).fill(own)

    def decoded_weight(self) -> Tensor:
        """The weight in float32, (out, in)."""
        return self.weight

    @property
    def weight(self) -> Tensor:
        """The same."""
        lower, middle, upper = self.parts
        found: Tensor = lower.weight + middle.weight + upper.weight  # type: ignore[operator]
        return found

    def unpacked_bytes(self) -> int:
        """Memory of the decoded weights, which no file holds."""
        return sum(cast(CodedWeight, part).unpacked_bytes() for part in self.parts)

    def forward(self, input: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        lower, middle, upper = self.parts
        out: Tensor = lower(input) + middle(input) + upper(input)
        return out if self.bias is None else out + self.bias


class ClusterCodes(CodedMatrix):
    """A matrix as a code and a cluster for each entry; each range has a lowest value and a step for each cluster."""

    codes: Tensor  # (rows, row_bytes)
    owners: Tensor  # (rows, row_bytes of 2 bits)
    low: Tensor  # (*grid.ranges, COUNT)
    step: Tensor

    def __init__(self, rows: int, columns: int, grid: Grid) -> None:
        super().__init__()
        self.columns, self.grid = columns, grid
        self.register_buffer("codes", torch.zeros(rows, row_bytes(columns, grid.bits), dtype=torch.uint8))
        self.register_buffer("owners", torch.zeros(rows, row_bytes(columns, ID_BITS), dtype=torch.uint8))
        for name in ("low", "step"):
            self.register_buffer(name, torch.zeros(*grid.ranges(rows, columns), COUNT))

    @torch.no_grad()
    def fill(self, matrix: Tensor) -> None:
        """Cluster a matrix as a whole and round each cluster within each range."""
        check_finite(matrix)
        owners = members(matrix)
        cells, inside = self.grid.cells(matrix), self.grid.cells(owners.float())
        lows, highs = [], []
        for cluster in range(COUNT):
            own = inside == cluster
            lows.append(cells.masked_fill(~own, torch.inf).amin(-1))
            highs.append(cells.masked_fill(~own, -torch.inf).amax(-1))
        low, high = torch.stack(lows, -1), torch.stack(highs, -1)
        low, high = (torch.where(low <= high, end, 0.0) for end in (low, high))  # a cluster without members here
        step = (high - low) / self.grid.top
        codes = torch.round((matrix - self._of(low, owners)) / self._of(torch.where(step > 0, step, 1.0), owners))
        codes = codes.clamp_(0, self.grid.top).to(torch.uint8)
        self.codes, self.owners = pack(codes, self.grid.bits), pack(owners, ID_BITS)
        self.low, self.step = low, step

    def _of(self, values: Tensor, owners: Tensor) -> Tensor:
        """For each entry that of the values (R, G, COUNT) which its range and cluster have; (rows, columns)."""
        spread = self.grid.spread(values, self.columns).expand(*owners.shape, COUNT)
        return spread.gather(2, owners.long().unsqueeze(2)).squeeze(2)

    def decode(self) -> Tensor:
        """The matrix in float32, (rows, columns)."""
        owners = unpack(self.owners, ID_BITS, self.columns)
        codes = unpack(self.codes, self.grid.bits, self.columns)
        return codes.float() * self._of(self.step, owners) + self._of(self.low, owners)


class Splitquant(Rounding):
    """The stage."""

    options: settings.Splitquant

    def linear(self, layer: nn.Linear) -> CodedWeight | None:
        """The layer in the chosen form."""
        grid = Grid(self.options.bits, "affine", self.options.per, self.options.group)
        shape = (layer.out_features, layer.in_features)
        if self.options.form == "whole" or layer.out_features < COUNT:
            return CodedLinear(layer, Codes(*shape, grid))
        if self.options.form == "packed":
            return CodedLinear(layer, ClusterCodes(*shape, grid))
        return SplitLinear([CodedLinear(layer, Codes(*shape, grid), bias=False) for _ in range(COUNT)], layer.bias)

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Also what the splitting alone changes, which should be nothing but the order of sums."""
        if self.options.form == "dense":
            context.say("each layer makes three products in the place of one")
        if self.options.form != "whole":
            exact = copy.deepcopy(model).eval()
            Exact(self.options).outline(exact)
            difference = logits(exact, context) - logits(model.eval(), context)
            context.add_metrics({"quantize/split_difference": float(difference.abs().max())})
        return super().run(model, context)


class Exact(Splitquant):
    """The same layers split and not rounded."""

    def linear(self, layer: nn.Linear) -> CodedWeight | None:
        """The layer in three parts."""
        return SplitLinear.exact(layer) if layer.out_features >= COUNT else None

    def table(self, table: nn.Embedding) -> None:
        """Tables are not split."""


def restore(model: nn.Module, description: dict[str, Any]) -> nn.Module:
    """The structure of a saved model."""
    Splitquant(settings.Splitquant(**description)).outline(model)
    return model
