"""BERTVision's Xception heads: treat the layers' first-token vectors as a one-row image with one channel per layer.

Separable convolutions run along H (Chollet 2017, arXiv 1610.02357, in one dimension). The sizes are those of the
published Keras heads (github.com/cbenge509/BERTVision, 2020): no convolution has a bias, and a batch norm follows each.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ModelError, check_option
from models.readouts.cls_layers import FirstTokens

KINDS = ("short", "residual", "full")
LEAST = 4  # minimum number of layers


def convolution(ins: int, outs: int, size: int, stride: int = 1) -> nn.Sequential:
    """A convolution without padding, then batch norm."""
    return nn.Sequential(nn.Conv1d(ins, outs, size, stride, bias=False), nn.BatchNorm1d(outs))


def separable_convolution(ins: int, outs: int) -> nn.Sequential:
    """A separable convolution that keeps the length (each channel along H, then across channels), then batch norm."""
    depth = nn.Conv1d(ins, ins, 3, padding=1, groups=ins, bias=False)
    return nn.Sequential(depth, nn.Conv1d(ins, outs, 1, bias=False), nn.BatchNorm1d(outs))


class Block(nn.Module):
    """Separable convolutions with a residual connection; a block that adds channels also halves the length."""

    def __init__(self, widths: list[int], relu_first: bool = True) -> None:
        super().__init__()
        self.relu_first, halves = relu_first, widths[0] != widths[-1]
        self.steps = nn.ModuleList(separable_convolution(ins, outs) for ins, outs in pairwise(widths))
        self.around = convolution(widths[0], widths[-1], 1, 2) if halves else nn.Identity()
        self.pool = nn.AvgPool1d(3, 2, 1, count_include_pad=False) if halves else nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, first width, L) to (B, last width, L or L / 2)."""
        made = image
        for number, step in enumerate(self.steps):
            made = step(F.relu(made) if number or self.relu_first else made)
        out: Tensor = self.pool(made) + self.around(image)
        return out


def convolutions(variant: str, channels: int) -> tuple[nn.Sequential, int]:
    """Build the convolutions; return them with their number of output channels."""
    if variant != "full":
        first = [convolution(channels, 64, 3, 3), nn.ReLU(), convolution(64, 128, 3), nn.ReLU()]
        return nn.Sequential(*first, Block([128, 256, 512], relu_first=False)), 512
    first = [convolution(channels, 32, 3, 3), nn.ReLU(), convolution(32, 64, 3), nn.ReLU()]
    entry = [Block([ins, outs, outs]) for ins, outs in ((64, 128), (128, 256), (256, 728))]
    middle = [Block([728] * 4) for _ in range(8)]
    last = [
        Block([728, 728, 1024]),
        separable_convolution(1024, 1536),
        nn.ReLU(),
        separable_convolution(1536, 2048),
        nn.ReLU(),
    ]
    return nn.Sequential(*first, *entry, *middle, *last), 2048


class Xception(FirstTokens):
    """The readout: short, short with BERT's pooled vector appended (residual), or the full depth."""

    def __init__(self, hidden: int, layers: int, *, kind: str) -> None:
        super().__init__(hidden)
        self.variant = kind  # the name of the setting
        check_option(self.variant in KINDS, "model.readout.kind", kind, f"one of {', '.join(KINDS)}", "short")
        if layers < LEAST:
            raise ModelError(
                f"model/readout=xception reads the layers as the channels of an image and needs at least {LEAST} of "
                f"them; this encoder has {layers}. Try: model/backbone=bert-mini, or model/readout=adapter_pool"
            )
        self.body, width = convolutions(kind, layers + 2)
        self.width = width + (hidden if self.variant == "residual" else 0)

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """states: layers + 1 tensors (B, T, H). Returns (B, width)."""
        vectors = self.vectors(states)
        made: Tensor = self.body(vectors).mean(2)
        return torch.cat([made, vectors[:, -1]], 1) if self.variant == "residual" else made
