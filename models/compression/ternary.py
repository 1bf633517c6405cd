"""Ternary weights: -a, 0 or a, with one a per group of weights; 1.6 bits each, packed five to a byte.

    run 'compression=[ternary]' from=<run id>

With qat=true, quantization-aware training of weights and ranges comes first. Values of a follow Li, Zhang & Liu 2016
(arXiv 1605.04711), then are refined to the least squared error.
"""

from __future__ import annotations

from torch import nn

from models.compression import settings
from models.compression.quantization.aware import AwareStage
from models.compression.quantization.coded import CodedLinear, Codes
from models.compression.quantization.grid import Grid
from models.half import HALF
from models.json_types import JsonObject


class Ternary(AwareStage):
    """Replace linear layers, and optionally tables, with ternary ones."""

    options: settings.Ternary

    def make_linear(self, layer: nn.Linear) -> CodedLinear:
        """The layer with a quantized weight that replaces a linear layer."""
        return CodedLinear(layer, Codes(layer.out_features, layer.in_features, self._grid()))

    def table_grid(self) -> Grid:
        """The grid of look-up tables: also ternary, or affine."""
        return self._grid() if self.options.embedding_form == "ternary" else super().table_grid()

    def _grid(self) -> Grid:
        chosen = self.options
        return Grid(2, "ternary", chosen.per, chosen.group, block=chosen.block, half=chosen.rest == HALF)


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Give a newly built model the saved model's layers; their codes are loaded afterwards."""
    Ternary(settings.Ternary(**description)).replace_layers(model)
    return model
