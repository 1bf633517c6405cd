"""Concatenates mean and standard deviation over the real positions of a row.

This statistics pooling is common in models of sounds (Snyder et al. 2018, x-vectors): how much a band varies
distinguishes sounds that are equal on average.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.readouts.base import Readout, count_tokens, masked_sum

EPSILON = 1e-5  # under the square root, as in a layer norm: keeps the gradient finite if all positions are equal


class MeanStd(Readout):
    """The readout. It has no parameters and no options."""

    def __init__(self, hidden: int, layers: int) -> None:
        super().__init__()
        self.width = 2 * hidden

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, T, H) to (B, 2H): means, then standard deviations."""
        count = count_tokens(hidden, mask)
        mean = masked_sum(hidden, mask) / count
        offsets = hidden - mean.unsqueeze(1)  # squared by multiplication: square() has no translation to ONNX
        deviation = (masked_sum(offsets * offsets, mask) / count + EPSILON).sqrt()
        return torch.cat([mean, deviation], -1)
