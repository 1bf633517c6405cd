"""Linear layers that multiply int8 by int8, with exact sums in int32.

torch.quantize_per_tensor, torch.ao's modules and their packed weights are deprecated (torch 2.13 warns); the product
of two plain int8 tensors is not. Times for 128 tokens on one thread of a Xeon with AMX, including quantization of the
inputs, with float32 in brackets: 128 x 128 in 44 us (37), 512 x 128 in 83 us (134), 384 x 1536 in 0.46 ms (1.2),
768 x 3072 in 1.2 ms (8).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.compression.quantization.coded import CachedWeight
from models.compression.quantization.grid import Grid, encode

WEIGHTS = Grid(8, "symmetric", "row")


def integer_product(inputs: Tensor, weights: Tensor) -> Tensor:
    """(N, in) times (out, in) transposed, both int8, as float32 (N, out).

    CPUs use torch's integer kernel, whose sums are exact; other devices multiply the same integers in float32, as does
    a layer of a single input, for which torch 2.13's kernel takes the wrong layout and reads memory beyond the weights.
    """
    if inputs.device.type == "cpu" and inputs.shape[1] > 1:
        return torch._int_mm(inputs, weights.t()).to(torch.float32)
    return inputs.float() @ weights.float().t()


class Int8Linear(CachedWeight):
    """A linear layer with a symmetric int8 weight, one step per row. Subclasses define how inputs are quantized."""

    multiplies_integers = True

    codes: Tensor  # (out, in) int8
    step: Tensor  # (out,)

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.register_buffer("codes", torch.zeros(layer.out_features, layer.in_features, dtype=torch.int8))
        self.register_buffer("step", torch.zeros(layer.out_features))
        self.bias = layer.bias
        self.is_trained = layer.weight.requires_grad

    @torch.no_grad()
    def fill(self, weight: Tensor) -> None:
        """Quantize a weight (out, in)."""
        codes, step, _ = encode(weight, WEIGHTS)
        self.codes, self.step, self.derived = (codes.to(torch.int16) - WEIGHTS.middle).to(torch.int8), step[:, 0], None

    def decoded_weight(self) -> Tensor:
        """The weight in float32, (out, in), decoded at every call."""
        return self.codes.float() * self.step.unsqueeze(1)

    @property
    def weight(self) -> Tensor:
        """The weight in float32, (out, in), decoded at every call, for code that reads a layer's weight."""
        return self.decoded_weight()

    def multiply(self, rows: Tensor) -> Tensor:
        """(N, in) float32 to (N, out) float32."""
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        """(..., in) to (..., out), in the input's dtype."""
        out = self.multiply(input.reshape(-1, self.in_features).float())
        return out.view(*input.shape[:-1], self.out_features).to(input.dtype)
