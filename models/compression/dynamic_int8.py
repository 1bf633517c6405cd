"""Dynamic int8: int8 weights and inputs. Each token's input range is computed at run time, so nothing is calibrated.

    run 'compression=[int8_dynamic]' from=<run id>

Each token has its own range, as in torchao. With one range per batch, as in torch.ao and ONNX Runtime, a prediction
would depend on the rest of the batch. Source: Q8BERT's linear layers (Zafrir et al. 2019, arXiv 1910.06188), without
its quantization-aware training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.compression import settings
from models.compression.quantization.integers import Int8Linear, integer_product
from models.compression.quantization.stage import QuantizationStage
from models.json_types import JsonObject

LEAST = 1e-30  # smallest step, for a token whose values are all zero


class DynamicLinear(Int8Linear):
    """Quantizes each row of its input by the row's largest absolute value."""

    def multiply(self, rows: Tensor) -> Tensor:
        """(N, in) float32 to (N, out) float32."""
        step = rows.abs().amax(1, keepdim=True).clamp_(min=LEAST).div_(127)
        codes = rows.div(step).round_().to(torch.int8)
        out = integer_product(codes, self.codes).mul_(step).mul_(self.step)
        return out if self.bias is None else out + self.bias


class DynamicInt8(QuantizationStage):
    """Replace linear layers with dynamic int8 layers."""

    options: settings.DynamicInt8
    has_kernel = True

    def make_linear(self, layer: nn.Linear) -> DynamicLinear:
        """The int8 layer that replaces a linear layer."""
        return DynamicLinear(layer)


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Give a newly built model the saved model's layers; their codes are loaded afterwards."""
    DynamicInt8(settings.DynamicInt8(**description)).replace_layers(model)
    return model
