"""Dynamic int8: int8 weights and int8 inputs, with a new range for each token, so nothing is calibrated.

    run compression=[int8_dynamic] from=<run id>

One range for each token (as in torchao), not one for the batch (as in torch.ao and ONNX Runtime): a prediction does not
depend on the rest of the batch. Source: Q8BERT's linear layers (Zafrir et al. 2019, arXiv 1910.06188), without its
training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.compression import settings
from models.compression.quantization.integers import Int8Linear, integer_product
from models.compression.quantization.stage import QuantizationStage
from models.json_types import JsonObject

LEAST = 1e-30  # the range of a token whose values are all zero


class DynamicLinear(Int8Linear):
    """Quantizes each row of its input by the row's largest value."""

    def multiply(self, rows: Tensor) -> Tensor:
        """(N, in) float32 to (N, out) float32."""
        step = rows.abs().amax(1, keepdim=True).clamp_(min=LEAST).div_(127)
        codes = rows.div(step).round_().to(torch.int8)
        out = integer_product(codes, self.codes).mul_(step).mul_(self.step)
        return out if self.bias is None else out + self.bias


class DynamicInt8(QuantizationStage):
    """Replace linear layers by dynamic int8 ones."""

    options: settings.DynamicInt8
    has_kernel = True

    def make_linear(self, layer: nn.Linear) -> DynamicLinear:
        """The int8 layer that takes the place of a linear layer."""
        return DynamicLinear(layer)


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Give a freshly built model the layers of a saved one; its codes are loaded afterwards."""
    DynamicInt8(settings.DynamicInt8(**description)).replace_layers(model)
    return model
