"""int8 weights and int8 inputs, whose range is taken anew for each token: nothing to calibrate.

    run compression=[int8_dynamic] from=<run id>

One range a token (as in torchao), not one for the batch (as in torch.ao and ONNX Runtime): an answer does not depend on
what else is in the batch. Source: Q8BERT's linear layers (Zafrir et al. 2019, arXiv 1910.06188), without its training.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.compression import settings
from models.compression.quantization.integers import Int8Linear, product
from models.compression.quantization.stage import Rounding

LEAST = 1e-30  # range of a token that is all zeros


class DynamicLinear(Int8Linear):
    """Rounds each row of its input to its own largest value."""

    def multiply(self, rows: Tensor) -> Tensor:
        """(N, in) float32 to (N, out) float32."""
        step = rows.abs().amax(1, keepdim=True).clamp_(min=LEAST).div_(127)
        codes = rows.div(step).round_().to(torch.int8)
        out = product(codes, self.codes).mul_(step).mul_(self.step)
        return out if self.bias is None else out + self.bias


class DynamicInt8(Rounding):
    """The stage."""

    options: settings.DynamicInt8
    has_kernel = True

    def linear(self, layer: nn.Linear) -> DynamicLinear:
        """The layer in integers."""
        return DynamicLinear(layer)


def restore(model: nn.Module, description: dict[str, Any]) -> nn.Module:
    """The structure of a saved model."""
    DynamicInt8(settings.DynamicInt8(**description)).outline(model)
    return model
