"""Weight-only quantization: weights in 2 to 8 bits, arithmetic in float32. The file shrinks, speed stays the same.

    run compression=[int4] from=<run id>
    run compression=[int4] compression.int4.qat=true from=<run id>       # weights and ranges are trained first
    run compression=[compact] from=<run id>                              # 2 bits and tables in 3, trained for that

The baseline of every other quantization, also called round-to-nearest. A range belongs to a row or a group, as in
optimum-quanto, or to a whole tensor; percentile clipping as in Song & Lin 2025 (arXiv 2501.12428).
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from models.compression import settings
from models.compression.quantization.aware import AwareStage
from models.compression.quantization.coded import CodedLinear, Codes
from models.compression.quantization.grid import Grid
from models.half import HALF
from models.json_types import JsonObject


class WeightOnly(AwareStage):
    """Replace linear layers by layers whose weight is stored in few bits."""

    options: settings.WeightOnly

    def make_linear(self, layer: nn.Linear) -> CodedLinear:
        """The layer with a coded weight that takes the place of a linear layer."""
        chosen = self.options
        grid = Grid(
            chosen.bits, chosen.scheme, chosen.per, chosen.group, chosen.clip, chosen.block, chosen.fit,
            half=chosen.rest == HALF,
        )  # fmt: skip
        return CodedLinear(layer, Codes(layer.out_features, layer.in_features, grid))

    def table_grid(self) -> Grid:
        """The grid of look-up tables, found as that of the linear layers is."""
        return replace(super().table_grid(), scheme=self.options.embedding_scheme, fit=self.options.fit)


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Give a freshly built model the layers of a saved one; its codes are loaded afterwards."""
    WeightOnly(settings.WeightOnly(**description)).replace_layers(model)
    return model
