"""The dropout of all our models.

On a CPU, masks come from our own generator, which takes 0.5 ns and 16 random bits per element; torch draws a float in
5-7 ns. On CUDA, torch's fused kernels are used.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 1 << 16  # an element is dropped if its 16 random bits are below p x LEVELS, so p is exact to 1e-5


class DropoutGenerator:
    """Draws 0/1 masks on the CPU from a seed; its state is saved in checkpoints."""

    def __init__(self, seed: int = 0) -> None:
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Restart from a seed."""
        self._bits = np.random.SFC64(seed)

    def draw(self, shape: torch.Size, p: float, dtype: torch.dtype = torch.float32) -> tuple[Tensor, float]:
        """Draw a mask of that shape, 0 with probability p, else 1; returns it with its scale 1 / (1 - p)."""
        count, dropped = math.prod(shape), round(p * LEVELS)
        random = self._bits.random_raw(count // 4 + 1).view(np.uint16)[:count]
        # Via uint8, because torch converts from bool six times more slowly.
        kept = torch.from_numpy((random >= dropped).view(np.uint8)).view(shape).to(dtype)
        return kept, LEVELS / (LEVELS - dropped)

    def state(self) -> Tensor:
        """The generator's state, (4,) int64."""
        words: np.ndarray = self._bits.state["state"]["state"]
        return torch.from_numpy(words.view(np.int64).copy())

    def load(self, state: Tensor) -> None:
        """Continue from a saved state."""
        whole = self._bits.state
        whole["state"]["state"] = state.numpy().view(np.uint64)
        self._bits.state = whole


dropout_generator = DropoutGenerator()  # one for the whole process, like torch's own CPU generator


def switch_dropout_off(model: nn.Module) -> None:
    """Switch a model to evaluation mode, but in such a way that gradients can be computed.

    Recurrent layers stay in training mode, as cuDNN computes their gradients in no other; ours have no dropout.
    """
    model.eval()
    for part in model.modules():
        if isinstance(part, nn.RNNBase):
            part.train()


def has_dropout(model: nn.Module) -> bool:
    """Is any dropout of a model active, so that two forward passes differ? None is in evaluation mode."""
    return any(
        part.training and part.p > 0.0 for part in model.modules() if isinstance(part, nn.Dropout | TokenDropout)
    )


class Dropout(nn.Dropout):
    """In training, zero elements with probability p and scale the rest by 1 / (1 - p)."""

    @property
    def is_active(self) -> bool:
        """Would a forward pass drop anything?"""
        return self.training and self.p > 0.0

    def forward(self, input: Tensor) -> Tensor:
        """Any shape. Outside training, returns the input itself, which saves 2 us compared with nn.Dropout."""
        if not self.is_active:
            return input
        if input.is_cuda:
            return F.dropout(input, self.p, True)
        kept, scale = dropout_generator.draw(input.shape, self.p, input.dtype)
        return input * kept.mul_(scale)

    def add(self, input: Tensor, residual: Tensor) -> Tensor:
        """Dropout of the input, plus the residual, fused on a CPU if both have the same dtype."""
        if not self.is_active or input.is_cuda or input.dtype != residual.dtype:
            return self(input) + residual
        kept, scale = dropout_generator.draw(input.shape, self.p, input.dtype)
        return torch.addcmul(residual, input, kept, value=scale)


class TokenDropout(nn.Module):
    """Leaves a random share of tokens out of pooling: whole tokens, where dropout zeroes single dimensions.

    Source: word dropout of deep averaging networks, Iyyer et al. 2015.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, shape: torch.Size, device: torch.device, mask: Tensor | None) -> Tensor | None:
        """Outside training, the mask (B, T), or None without padding. In training, it is 0 for tokens left out and
        1 / (1 - p) for the others, so that sums keep their expected size and means are over the kept tokens.
        """
        if not self.training or self.p == 0.0:
            return mask
        if device.type == "cuda":
            kept = (torch.rand(shape, device=device) >= self.p) / (1.0 - self.p)
        else:
            zero_one, scale = dropout_generator.draw(shape, self.p)
            kept = zero_one.mul_(scale)
        return kept if mask is None else mask * kept
