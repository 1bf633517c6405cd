"""SplitQuant: splits a layer's weights into three clusters, each quantized over its own, smaller range.

    run 'compression=[splitquant]' from=<run id>                                     # dense, 2 bits, as published
    run 'compression=[splitquant]' compression.splitquant.form=packed from=<run id>

Song & Lin 2025 (arXiv 2501.12428). `dense` is the published form: three layers of the same shape whose outputs are
added, with zeros for weights of other clusters. Each weight takes three codes and three products. `packed` is ours: one
code and a 2-bit cluster number per weight; no range is widened to include the zeros of other clusters. `whole` does
not split; it is the control.

Layers with fewer rows than clusters stay whole, as published. Biases are neither quantized nor split.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from models.compression import settings
from models.compression.pruning.masks import PRUNED
from models.compression.quantization.bits import pack, row_bytes, unpack
from models.compression.quantization.clusters import COUNT, assign_clusters
from models.compression.quantization.coded import CodedLinear, CodedMatrix, CodedWeight, Codes
from models.compression.quantization.grid import Grid, check_finite
from models.compression.quantization.stage import QuantizationStage, sample_logits
from models.compression.settings.chain import PACKED
from models.compression.stage import StageContext
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network

ID_BITS = 2  # bits of a cluster number


def split_weight(weight: Tensor) -> list[Tensor]:
    """Three tensors that add up to `weight` exactly: each entry is in one of them, and 0 in the other two."""
    check_finite(weight)
    owner = assign_clusters(weight)
    return [torch.where(owner == cluster, weight, 0.0) for cluster in range(COUNT)]


class SplitLinear(CodedWeight):
    """Three layers without bias whose outputs are added, and one bias."""

    def __init__(self, parts: Sequence[nn.Linear | CodedLinear], bias: Tensor | None) -> None:
        super().__init__()
        self.in_features, self.out_features = parts[0].in_features, parts[0].out_features
        self.parts = nn.ModuleList(parts)
        self.bias = bias
        self.is_trained = all(part.is_trained for part in parts if isinstance(part, CodedWeight))

    @classmethod
    def exact(cls, layer: nn.Linear) -> SplitLinear:
        """The layer split but not quantized, for comparison."""
        parts: list[nn.Linear] = []
        for weight in split_weight(layer.weight.detach()):
            part = nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
            part.weight = nn.Parameter(weight)
            parts.append(part)
        return cls(parts, layer.bias)

    def fill(self, weight: Tensor) -> None:
        """Split a weight (out, in) and quantize each part."""
        for part, own in zip(self.parts, split_weight(weight)):
            cast(CodedWeight, part).fill(own)

    def decoded_weight(self) -> Tensor:
        """The weight in float32, (out, in): the sum of the parts."""
        return self.weight

    @property
    def weight(self) -> Tensor:
        """The weight in float32, (out, in)."""
        lower, middle, upper = self.parts
        found: Tensor = lower.weight + middle.weight + upper.weight  # type: ignore[operator]
        return found

    def unpacked_bytes(self) -> int:
        """Bytes of the decoded weights, which exist only in memory."""
        return sum(cast(CodedWeight, part).unpacked_bytes() for part in self.parts)

    def forward(self, input: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        lower, middle, upper = self.parts
        out: Tensor = lower(input) + middle(input) + upper(input)
        return out if self.bias is None else out + self.bias


class ClusterCodes(CodedMatrix):
    """A matrix with a code and a cluster number per entry; each range has a minimum and a step per cluster."""

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
        """Cluster a whole matrix and quantize each cluster within each range."""
        check_finite(matrix)
        owners = assign_clusters(matrix)
        cells, inside = self.grid.by_range(matrix), self.grid.by_range(owners.float())
        lows, highs = [], []
        for cluster in range(COUNT):
            own = inside == cluster
            lows.append(cells.masked_fill(~own, torch.inf).amin(-1))
            highs.append(cells.masked_fill(~own, -torch.inf).amax(-1))
        low, high = torch.stack(lows, -1), torch.stack(highs, -1)
        has_members = low <= high  # does the cluster have members in the range?
        low, high = (torch.where(has_members, end, 0.0) for end in (low, high))
        step = (high - low) / self.grid.top
        codes = torch.round((matrix - self._of(low, owners)) / self._of(torch.where(step > 0, step, 1.0), owners))
        codes = codes.clamp_(0, self.grid.top).to(torch.uint8)
        self.codes, self.owners = pack(codes, self.grid.bits), pack(owners, ID_BITS)
        self.low, self.step = low, step

    def _of(self, values: Tensor, owners: Tensor) -> Tensor:
        """The value of each entry's range and cluster: (R, G, COUNT) to (rows, columns)."""
        spread = self.grid.per_entry(values, self.columns).expand(*owners.shape, COUNT)
        return spread.gather(2, owners.long().unsqueeze(2)).squeeze(2)

    def decode(self) -> Tensor:
        """The matrix in float32, (rows, columns)."""
        owners = unpack(self.owners, ID_BITS, self.columns)
        codes = unpack(self.codes, self.grid.bits, self.columns)
        return codes.float() * self._of(self.step, owners) + self._of(self.low, owners)


class Splitquant(QuantizationStage):
    """Replace linear layers with layers quantized in three clusters."""

    options: settings.Splitquant

    def make_linear(self, layer: nn.Linear) -> CodedWeight | None:
        """The layer in the chosen form."""
        grid = Grid(self.options.bits, "affine", self.options.per, self.options.group)
        shape = (layer.out_features, layer.in_features)
        if self.options.form == "whole" or layer.out_features < COUNT:
            return CodedLinear(layer, Codes(*shape, grid))
        if self.options.form == PACKED:
            return CodedLinear(layer, ClusterCodes(*shape, grid))
        return SplitLinear([CodedLinear(layer, Codes(*shape, grid), bias=False) for _ in range(COUNT)], layer.bias)

    def check(self, model: nn.Module) -> None:
        """ModelError if a pruned model's zeros cannot be represented."""
        if self.options.form == PACKED and isinstance(model, Network) and PRUNED in model.architecture:
            raise ModelError(
                f"compression=[{self.name}]: the ranges of form={PACKED} need not contain zero, but this model is "
                f"pruned. Try: compression.{self.name}.form=dense"
            )

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Quantize, and record how much splitting alone changes the logits; only the order of sums differs."""
        self.check(model)  # again: an earlier stage may have pruned it
        if self.options.form == "dense":
            context.say("each layer computes three products instead of one")
        if self.options.form != "whole":
            exact = copy.deepcopy(model).eval()
            Exact(self.options).replace_layers(exact)
            difference = sample_logits(exact, context) - sample_logits(model.eval(), context)
            context.add_metrics({"quantize/split_difference": float(difference.abs().max())})
        return super().run(model, context)


class Exact(Splitquant):
    """Splits layers without quantizing them."""

    def make_linear(self, layer: nn.Linear) -> CodedWeight | None:
        """The layer in three parts."""
        return SplitLinear.exact(layer) if layer.out_features >= COUNT else None

    def make_table(self, table: nn.Embedding) -> None:
        """Leave tables as they are."""


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Give a newly built model the saved model's layers; their codes are loaded afterwards."""
    Splitquant(settings.Splitquant(**description)).replace_layers(model)
    return model
