"""Readouts without options: the first token, pooling over tokens or their neighbours, or all tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.readouts.base import Readout, count_tokens, masked_sum

WINDOW = 5  # word2vec's default


class ClsPooler(Readout):
    """BERT's pooler: tanh of a linear layer over the first token's vector."""

    first = 1

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, T, H) to (B, H)."""
        return torch.tanh(self.dense(hidden[:, 0]))


class SumPooler(Readout):
    """The sum of the vectors of real tokens: the DSN, without the flaw that SumAllPooler reproduces."""

    power = 0.0  # the sum is divided by the number of tokens to this power

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, T, H) to (B, H)."""
        return self.scale(masked_sum(hidden, mask), count_tokens(hidden, mask))

    def scale(self, summed: Tensor, tokens: Tensor) -> Tensor:
        """Scale the sums (B, H), given the number of tokens of each row (B, 1)."""
        return summed / tokens**self.power if self.power else summed


class MeanPooler(SumPooler):
    """The mean of the vectors of real tokens."""

    power = 1.0


class SqrtPooler(SumPooler):
    """The sum divided by the square root of the number of tokens, so that its scale varies less with text length."""

    power = 0.5


class SumAllPooler(Readout):
    """The sum over all positions, including padding: the published DSN, whose result depends on the padding."""

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, T, H) to (B, H)."""
        return hidden.sum(1)


class MaxPooler(Readout):
    """The largest value of each dimension among the vectors of real tokens."""

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, T, H) to (B, H); zeros for a text without tokens."""
        if mask is not None:
            hidden = hidden.masked_fill(mask.unsqueeze(-1) == 0, -torch.inf)
        found = hidden.amax(1)
        return found if mask is None else found.masked_fill(found == -torch.inf, 0.0)


class EveryToken(Readout):
    """No pooling: returns the vectors of all tokens, for heads that read tokens."""

    keeps_tokens = True

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Return (B, T, H) unchanged."""
        return hidden


class Neighbours(Readout):
    """At each token, the mean of the vectors of up to WINDOW tokens before and after it: what word2vec's CBOW predicts
    a word from (Mikolov et al. 2013, arXiv 1301.3781). The token's own vector is left out.
    """

    keeps_tokens = True

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map (B, T, H) to (B, T, H); zeros for a token without neighbours."""
        real = hidden.new_ones(hidden.shape[:2]) if mask is None else mask.to(hidden.dtype)
        others = _around(hidden * real.unsqueeze(-1)), _around(real.unsqueeze(-1))
        return others[0] / others[1].clamp(min=1.0)


def _around(values: Tensor) -> Tensor:
    """Sum the values (B, T, H) of the WINDOW positions before and after each position, (B, T, H)."""
    size = 2 * WINDOW + 1
    return F.avg_pool1d(values.transpose(1, 2), size, 1, WINDOW).transpose(1, 2) * size - values


POOLINGS: dict[str, type[Readout]] = {  # all but cls
    "max": MaxPooler,
    "mean": MeanPooler,
    "none": EveryToken,
    "sqrt": SqrtPooler,
    "sum": SumPooler,
    "sum_all": SumAllPooler,
}
