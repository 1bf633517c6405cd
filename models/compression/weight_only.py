"""Weight-only quantization: weights in 2 to 8 bits, arithmetic in float32. Files shrink; speed stays the same.

    run 'compression=[int4]' from=<run id>
    run 'compression=[int4]' compression.int4.qat=true from=<run id>     # weights and ranges are trained first
    run 'compression=[compact]' from=<run id>                            # 2 bits and tables in 3, trained for that

Also called round-to-nearest: the baseline for all other quantization methods. Each row or group has a range, as in
optimum-quanto, or the whole tensor has one. Percentile clipping follows Song & Lin 2025 (arXiv 2501.12428).
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
    """Replace linear layers with layers whose weights are stored in few bits."""

    options: settings.WeightOnly

    def make_linear(self, layer: nn.Linear) -> CodedLinear:
        """The layer with a quantized weight that replaces a linear layer."""
        chosen = self.options
        grid = Grid(
            chosen.bits, chosen.scheme, chosen.per, chosen.group, chosen.clip, chosen.block, chosen.fit,
            half=chosen.rest == HALF,
        )  # fmt: skip
        return CodedLinear(layer, Codes(layer.out_features, layer.in_features, grid))

    def table_grid(self) -> Grid:
        """The grid of look-up tables; its ranges are fitted as those of linear layers."""
        return replace(super().table_grid(), scheme=self.options.embedding_scheme, fit=self.options.fit)


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Give a newly built model the saved model's layers; their codes are loaded afterwards."""
    WeightOnly(settings.WeightOnly(**description)).replace_layers(model)
    return model
