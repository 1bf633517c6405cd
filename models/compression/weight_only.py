"""Weights in 2 to 8 bits, everything else in float32: a smaller file, no faster answer.

    run compression=[int4] from=<run id>

The baseline of every other quantization, also called round-to-nearest. Ranges as in optimum-quanto (a row's largest
value, or the range of a group) or a whole tensor's; percentile clipping as in Song & Lin 2025 (arXiv 2501.12428).
"""

from __future__ import annotations

from typing import Any

from torch import nn

from models.compression import settings
from models.compression.quantization.coded import CodedLinear, Codes
from models.compression.quantization.grid import Grid
from models.compression.quantization.stage import Rounding


class WeightOnly(Rounding):
    """The stage."""

    options: settings.WeightOnly

    def linear(self, layer: nn.Linear) -> CodedLinear:
        """The layer with a coded weight."""
        chosen = self.options
        grid = Grid(chosen.bits, chosen.scheme, chosen.per, chosen.group, chosen.clip)
        return CodedLinear(layer, Codes(layer.out_features, layer.in_features, grid))


def restore(model: nn.Module, description: dict[str, Any]) -> nn.Module:
    """The structure of a saved model."""
    WeightOnly(settings.WeightOnly(**description)).outline(model)
    return model
