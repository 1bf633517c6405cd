"""All dropout of our models, so that its kernel can be changed in one place."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """Zero elements with probability p while training and scale the rest by 1 / (1 - p)."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape. Outside training the input itself: the stock class pays 2 us a call to find that out."""
        return F.dropout(input, self.p, True) if self.training and self.p > 0.0 else input


class TokenDropout(nn.Module):
    """Leave a random share of the tokens out of a pooling: whole words where dropout takes single dimensions.

    Source: word dropout of deep averaging networks, Iyyer et al. 2015.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, input_ids: Tensor, mask: Tensor | None) -> Tensor | None:
        """The mask (B, T), None for no padding; while training 0 for tokens left out, else 1 / (1 - p).

        So a sum keeps its expected size, as with dropout, and a mean is one over the tokens that were kept.
        """
        if not self.training or self.p == 0.0:
            return mask
        kept = (torch.rand(input_ids.shape, device=input_ids.device) >= self.p) / (1.0 - self.p)
        return kept if mask is None else mask * kept
