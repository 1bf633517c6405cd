"""From token vectors (B, T, H) to one vector a text (B, H); mask (B, T) is 1 for real tokens, None for all.

To add one: a class here and its name in READOUTS.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ClsPooler(nn.Module):
    """BERT's pooler: tanh of a linear layer over the first token's vector."""

    first = 1  # all it looks at; the encoder need not compute the others' last states

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """The vector of [CLS]."""
        return torch.tanh(self.dense(hidden[:, 0]))


def masked_sum(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Sum over real tokens; as a matrix product, which skips the (B, T, H) product of mask and vectors."""
    if mask is None:
        return hidden.sum(1)
    return torch.bmm(mask.to(hidden.dtype).unsqueeze(1), hidden).squeeze(1)


def counts(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Real tokens a row, at least 1 so that an empty text gives zeros and not NaN; (B, 1)."""
    if mask is None:
        return hidden.new_full((hidden.shape[0], 1), float(hidden.shape[1]))
    return mask.sum(1, keepdim=True).clamp(min=1).to(hidden.dtype)


class SumPooler(nn.Module):
    """The sum of the vectors of real tokens: the DSN, without the defect below."""

    power = 0.0  # of the number of tokens, which the sum is divided by

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(B, H)."""
        return self.scale(masked_sum(hidden, mask), counts(hidden, mask))

    def scale(self, summed: Tensor, tokens: Tensor) -> Tensor:
        """The readout from the sums (B, H) of rows of that many tokens (B, 1)."""
        return summed / tokens**self.power if self.power else summed


class MeanPooler(SumPooler):
    """Their mean."""

    power = 1.0


class SqrtPooler(SumPooler):
    """Their sum divided by the square root of their number: the scale stays level over text lengths."""

    power = 0.5


class SumAllPooler(nn.Module):
    """The sum over all places, padding too: the published DSN, whose result depends on the padding."""

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(B, H)."""
        return hidden.sum(1)


READOUTS = {
    "cls": ClsPooler,
    "mean": MeanPooler,
    "sum": SumPooler,
    "sqrt": SqrtPooler,
    "sum_all": SumAllPooler,
}


def make_readout(name: str, hidden: int) -> nn.Module:
    """The readout of that name for vectors of width `hidden`."""
    return ClsPooler(hidden) if name == "cls" else READOUTS[name]()
